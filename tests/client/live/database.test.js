// wx.cloud.database() against the emulator: results, queries, updates, errors (semantics §1–§3, §9).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../support/errors');
const { simulatorBeside, useEmulator } = require('./support');

let simulator;
let db;
let _;
const emulator = useEmulator({
  prepare: async () => {
    simulator = simulatorBeside(emulator);
    db = simulator.db;
    _ = db.command;
  },
});

/** A collection of the simulator's user with these documents. */
async function collection(documents = []) {
  const { name } = await emulator.collection();
  for (const data of documents) {
    await db.collection(name).add({ data });
  }
  return db.collection(name);
}

const idsOf = async (query) => (await query.get()).data.map((document) => document._id);

test('add makes an id, takes one, and marks the document with its owner (DB-7.01)', async () => {
  const c = await collection();
  const { _id, errMsg } = await c.add({ data: { a: 1 } });
  assert.match(_id, /^[0-9a-f-]{32,36}$/);
  assert.equal(errMsg, 'collection.add:ok');
  assert.deepEqual((await c.doc(_id).get()).data, { _id, _openid: simulator.openid(), a: 1 });
  assert.deepEqual(await c.add({ data: { _id: 'own' } }), { _id: 'own', errMsg: 'collection.add:ok' });
  assert.equal((await c.add({ data: { _id: 5 } }))._id, 5);
  assert.equal((await c.doc(5).get()).data._id, 5);
  await assertFails(c.doc('5').get(), -1, 'cannot find document with _id 5');
});

test('values come back as what they were', async () => {
  const c = await collection();
  const data = {
    _id: 'v',
    at: new Date(1_700_000_000_123),
    n: 1.5,
    big: 2 ** 40,
    none: null,
    list: [1, 'a', { b: new Date(0) }],
    empty: {},
    p: db.Geo.Point(113, 23),
    text: '你好',
  };
  await c.add({ data });
  const document = (await c.doc('v').get()).data;
  assert.ok(document.p instanceof db.Geo.Point);
  assert.deepEqual({ ...document, p: null }, { ...data, p: null, _openid: simulator.openid() });
  await c.doc('v').update({ data: { at: db.serverDate({ offset: 60_000 }) } });
  const { at } = (await c.doc('v').get()).data;
  assert.ok(Math.abs(at.getTime() - Date.now() - 60_000) < 10_000);
});

test('conditions', async () => {
  const c = await collection([
    { _id: 'a', n: 1, tags: ['x', 'y'], o: { p: { q: 1 } } },
    { _id: 'b', n: 5, tags: ['y'], o: { p: { q: 2 } }, at: new Date(5) },
    { _id: 'c', n: 9, tags: [], name: 'Alice' },
    { _id: 'd' },
  ]);
  const check = async (condition, ...expected) => assert.deepEqual(await idsOf(c.where(condition)), expected);
  await check({ n: 5 }, 'b');
  await check({ o: { p: { q: 1 } } }, 'a');
  await check({ tags: 'y' }, 'a', 'b');
  await check({ n: _.gt(1).lt(9) }, 'b');
  await check({ n: _.or(_.lt(2), _.gt(8)), tags: _.or(_.size(0), _.eq('x')) }, 'a', 'c');
  await check(_.or([{ n: 1 }, { name: /^ali/i }]), 'a', 'c');
  await check({ n: _.not(_.or(_.eq(1), _.eq(5))) }, 'c', 'd');
  await check({ n: _.exists(false) }, 'd');
  await check({ tags: _.all(['x', 'y']) }, 'a');
  await check({ tags: _.elemMatch(_.gt('w').lt('y')) }, 'a');
  await check({ at: _.lte(new Date(5)) }, 'b');
  await check({ n: _.mod(4, 1) }, 'a', 'b', 'c');
  await check({ n: _.in([1, 9]), _openid: '{openid}' }, 'a', 'c');
  await check({ n: _.nin([1, 9]) }, 'b', 'd');
});

test('order, page, projection, count', async () => {
  const c = await collection(Array.from({ length: 30 }, (unused, n) => ({ _id: `d${n}`, n, m: n % 3, more: 1 })));
  assert.equal((await c.get()).data.length, 20);
  assert.equal((await c.limit(1000).get()).data.length, 20);
  assert.deepEqual(await idsOf(c.orderBy('m', 'desc').orderBy('n', 'asc').skip(1).limit(3)), ['d5', 'd8', 'd11']);
  assert.deepEqual((await c.where({ n: 7 }).field({ n: true, _id: false }).get()).data, [{ n: 7 }]);
  assert.deepEqual((await c.doc('d7').field({ m: 1 }).get()).data, { _id: 'd7', m: 1 });
  assert.deepEqual(await c.where({ m: 0 }).count(), { total: 10, errMsg: 'collection.count:ok' });
});

test('update: operators, paths, counts (DB-3.01 …)', async () => {
  const c = await collection([{ _id: 'a', n: 1, style: { color: 'red', size: 1 }, tags: ['x'], gone: 1 }]);
  const data = {
    n: _.inc(2),
    style: { color: 'blue' },
    tags: _.push(['y', 'z']),
    gone: _.remove(),
    whole: _.set({ at: new Date(0) }),
    'deep.er': 1,
  };
  assert.deepEqual(await c.doc('a').update({ data }), { stats: { updated: 1 }, errMsg: 'document.update:ok' });
  const { _openid, ...document } = (await c.doc('a').get()).data;
  assert.deepEqual(document, {
    _id: 'a',
    n: 3,
    style: { color: 'blue', size: 1 },
    tags: ['x', 'y', 'z'],
    whole: { at: new Date(0) },
    deep: { er: 1 },
  });
  assert.equal((await c.doc('nobody').update({ data: { n: 1 } })).stats.updated, 0);
  assert.equal((await c.where({ n: _.gt(0) }).update({ data: { n: _.mul(2) } })).stats.updated, 1);
});

test('set replaces, or creates (DB-3.06)', async () => {
  const c = await collection([{ _id: 'a', n: 1 }]);
  const result = (updated, created, _id) => ({ _id, stats: { updated, created }, errMsg: 'document.set:ok' });
  assert.deepEqual(await c.doc('a').set({ data: { m: 1 } }), result(1, 0, 'a'));
  assert.deepEqual(await c.doc('b').set({ data: { m: 2 } }), result(0, 1, 'b'));
  const owned = { _openid: simulator.openid() };
  assert.deepEqual((await c.get()).data, [
    { _id: 'a', m: 1, ...owned },
    { _id: 'b', m: 2, ...owned },
  ]);
});

test('remove', async () => {
  const c = await collection([
    { _id: 'a', n: 1 },
    { _id: 'b', n: 1 },
    { _id: 'c', n: 1 },
  ]);
  assert.deepEqual(await c.doc('a').remove(), { stats: { removed: 1 }, errMsg: 'document.remove:ok' });
  await assertFails(
    c.doc('a').remove(),
    -1,
    'document.remove:fail cannot remove document with _id a, please make sure',
  );
  assert.deepEqual(await c.where({ n: 1 }).remove(), { stats: { removed: 2 }, errMsg: 'collection.remove:ok' });
  assert.equal((await c.count()).total, 0);
});

test('errors in the words of the client (§9)', async () => {
  const c = await collection([{ _id: 'a', n: null, s: 'x' }]);
  await assertFails(db.collection('nowhere').get(), -502005, 'database collection not exists', 'Db or Table not exist');
  await assertFails(db.collection('nowhere').add({ data: {} }), -502005);
  await assertFails(c.add({ data: { _id: 'a' } }), -502001, 'duplicate key error');
  await assertFails(
    c
      .doc('a')
      .get()
      .then(() => c.doc('zzz').get()),
    -1,
    'document.get:fail cannot find document with _id zzz',
  );
  await assertFails(
    c.doc('a').update({ data: { n: { m: 1 } } }),
    -502001,
    "Cannot create field 'm' in element {n: null}",
  );
  await assertFails(c.doc('a').update({ data: { a: {} } }), -502001, "'$set' is empty");
  await assertFails(
    c.doc('a').update({ data: { s: _.inc(1) } }),
    -502001,
    'Cannot apply $inc to a value of non-numeric type',
  );
  const calls = [
    c.add({ data: { _openid: 'x' } }),
    c.doc('a').set({ data: { _openid: 'x' } }),
    c.doc('a').update({ data: { _openid: 'x' } }),
  ];
  const text = 'errCode: -501007 invalid parameters | errMsg: Invalid Key Name: _openid';
  await Promise.all(calls.map((call) => assertFails(call, -501007, text)));
  await assertFails(c.update({ data: { n: 1 } }), -501007);
  await assertFails(c.remove(), -501007);
});

test('another environment is another database', async () => {
  const c = await collection([{ _id: 'a' }]);
  const other = simulator.cloud.database({ env: 'no-such-environment' }).collection(c.collectionName);
  await assertFails(other.get(), -501000, '[100003]', 'env');
});

test('callback style', async () => {
  const c = await collection([{ _id: 'a' }]);
  const result = await new Promise((success, fail) => c.doc('a').get({ success, fail }));
  assert.equal(result.data._id, 'a');
});
