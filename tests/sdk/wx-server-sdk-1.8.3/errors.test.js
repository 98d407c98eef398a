// What wx-server-sdk 1.8.3 makes of the cloud's refusals: the code's number, and the cloud's words behind it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertContains, rejection } = require('../support/assertions');
const { useServerSide } = require('../support/wx-server-sdk');

const { side } = useServerSide({ name: 'wx-server-sdk 1.8.3', sdk: require('wx-server-sdk'), isOld: true });

async function assertFails(promise, errCode, ...texts) {
  const error = await rejection(promise);
  assert.deepEqual([error.errCode, Object.keys(error)], [errCode, ['errCode', 'errMsg']], error.message);
  assert.ok(error.message.startsWith(`errCode: ${errCode} `), error.message);
  assertContains(error.errMsg, texts);
}

test('a collection that is missing (DB-1.14)', async () => {
  const c = side.db.collection('nowhere');
  const text = '[ResourceNotFound] Db or Table not exist: nowhere. Please check your request, but if the problem persists, contact us.';
  const operations = [
    () => c.get(),
    () => c.count(),
    () => c.add({ data: { a: 1 } }),
    () => c.where({ a: 1 }).update({ data: { a: 2 } }),
    () => c.where({ a: 1 }).remove(),
    () => c.doc('a').get(),
    () => c.doc('a').set({ data: { a: 1 } }),
    () => c.doc('a').update({ data: { a: 1 } }),
    () => c.doc('a').remove(),
  ];
  for (const operation of operations) {
    await assertFails(operation(), -502005, text);
  }
});

test('what cannot be written', async () => {
  const _ = side.db.command;
  const c = await side.collection([{ _id: 'a', none: null, text: 'x' }]);
  const update = (data) => c.doc('a').update({ data });
  const failed = '[FailedOperation] multiple write errors: [{write errors: [{';
  await assertFails(c.add({ data: { _id: 'a' } }), -502001, `${failed}E11000 duplicate key error collection: `, 'dup key: { : "a" }');
  await assertFails(update({ none: { deep: 1 } }), -502001, `${failed}Cannot create field 'deep' in element {none: null}`);
  await assertFails(update({ text: _.inc(1) }), -502001, 'Cannot apply $inc to a value of non-numeric type.');
  await assertFails(update({ _id: 'b' }), -501007, '不能更新_id的值');
  await assertFails(c.update({ data: { n: 1 } }), -501007, 'query is missing');
  await assertFails(c.where({ text: { $gtt: 1 } }).get(), -502001, 'unknown operator: $gtt');
  assert.deepEqual((await c.get()).data, [{ _id: 'a', none: null, text: 'x' }]);
});

test('a document that is missing (DB-1.10)', async () => {
  const c = await side.collection();
  assert.match((await rejection(c.doc('nobody').get())).errMsg, /document with _id nobody does not exist/);
});

test('what is not there', async () => {
  const missing = await rejection(side.cloud.callFunction({ name: 'no-such-function' }));
  assertContains(missing.errMsg, ['FunctionName parameter could not be found.']);
  const thrown = await rejection(side.cloud.callFunction({ name: 'failures', data: { kind: 'error' } }));
  assert.equal(thrown.errCode, -504002);
  assertContains(thrown.errMsg, ['Error: boom']);
});
