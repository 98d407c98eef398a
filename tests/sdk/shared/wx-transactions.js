// Transactions through wx-server-sdk: the answers' shapes, and errors that have lost the code that runTransaction looks for
// (semantics DB-5.04, DB-5.10, DB-5.11).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertContains, rejection } = require('../support/assertions');

const CONFLICT = '[ResourceUnavailable.TransactionConflict] Transaction is conflict, maybe resource operated by others.';

module.exports = (side) => {
  const contents = async (c) => (await c.orderBy('_id', 'asc').get()).data;

  test('runTransaction reads, writes and answers', async () => {
    const c = await side.collection([{ _id: 'a', n: 5 }, { _id: 'b', n: 0 }, { _id: 'gone' }]);
    const left = await side.db.runTransaction(async (transaction) => {
      const inside = transaction.collection(c.collectionName);
      const { data } = await inside.doc('a').get();
      assert.equal((await inside.doc('a').update({ data: { n: side.db.command.inc(-2) } })).stats.updated, 1);
      assert.equal((await inside.doc('b').set({ data: { n: 2 } })).stats.updated, 1);
      assert.equal((await inside.doc('gone').remove()).stats.removed, 1);
      await inside.add({ data: { _id: 'new' } });
      return data.n - 2;
    });
    assert.equal(left, 3);
    assert.deepEqual(await contents(c), [{ _id: 'a', n: 3 }, { _id: 'b', n: 2 }, { _id: 'new' }]);
  });

  test('rollback leaves nothing, and its reason is what runTransaction rejects with (DB-5.09)', async () => {
    const c = await side.collection([{ _id: 'a', n: 1 }]);
    const run = side.db.runTransaction(async (transaction) => {
      await transaction.collection(c.collectionName).doc('a').update({ data: { n: 2 } });
      await transaction.rollback(-100);
    });
    assert.equal(await run.then(() => assert.fail('expected a rejection'), (reason) => reason), -100);
    assert.deepEqual(await contents(c), [{ _id: 'a', n: 1 }]);
  });

  test('a conflict reaches the user at once (DB-5.04)', async () => {
    const c = await side.collection([{ _id: 'a', n: 1 }]);
    const transaction = await side.db.startTransaction();
    const inside = transaction.collection(c.collectionName);
    await inside.doc('a').get();
    await c.doc('a').update({ data: { n: 2 } });
    const error = await rejection(inside.doc('a').set({ data: { n: 3 } }));
    assert.deepEqual(Object.keys(error).sort(), ['errCode', 'errMsg']);
    assert.equal(error.errCode, -501001);
    assertContains(error.errMsg, [CONFLICT]);
  });

  test('a document that is missing (DB-5.10)', async () => {
    const c = await side.collection();
    const transaction = await side.db.startTransaction();
    const error = await rejection(transaction.collection(c.collectionName).doc('nobody').get());
    assertContains(error.errMsg, ['document with _id nobody does not exist']);
    await transaction.rollback();
  });
};
