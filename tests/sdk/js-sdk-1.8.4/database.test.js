// Documents, in the words of js-sdk: values, queries, updates, and what a user may not do.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useEmulator } = require('../support/emulator');
const { usePage } = require('./support/page');

const emulator = useEmulator({
  prepare: async () => {
    await page.open();
    await page.auth.anonymousAuthProvider().signIn();
    page.uid = (await page.auth.getUserInfo()).uid;
  },
});
const page = usePage(emulator);

/** A new collection under the default mode, with documents of this page. */
async function collectionWith(documents) {
  const { name } = await emulator.collection();
  const collection = page.db.collection(name);
  for (const document of documents) {
    await collection.add(document);
  }
  return collection;
}

test('values come back as they went', async () => {
  const { Geo } = page.db;
  const when = new Date('2026-11-22T05:00:00.123Z');
  const document = { _id: 'a', s: '牛奶', n: 1, f: 1.5, b: true, nul: null, when, list: [1, { x: 'y' }], place: new Geo.Point(113, 23) };
  const collection = await collectionWith([document]);
  const { data } = await collection.doc('a').get();
  assert.equal(data.length, 1);
  const { _openid, place, ...rest } = data[0];
  const { place: _, ...expected } = document;
  assert.deepEqual(rest, expected);
  assert.deepEqual([place.longitude, place.latitude], [113, 23]);
  assert.equal(_openid, page.uid);
});

test('a server date is the server clock with its offset', async () => {
  const collection = await collectionWith([]);
  const { id } = await collection.add({ now: page.db.serverDate(), later: page.db.serverDate({ offset: 60_000 }) });
  const { data } = await collection.doc(id).get();
  assert.equal(data[0].later - data[0].now, 60_000);
  assert.ok(Math.abs(data[0].now - Date.now()) < 60_000);
});

test('a query filters, orders, skips, limits and projects', async () => {
  const _ = page.db.command;
  const collection = await collectionWith([1, 2, 3, 4, 5].map((n) => ({ n, tag: n % 2 ? 'odd' : 'even', o: { q: n } })));
  const found = await collection
    .where({ n: _.gt(1), o: { q: _.lt(5) } })
    .orderBy('tag', 'asc')
    .orderBy('n', 'desc')
    .skip(1)
    .limit(2)
    .field({ _id: false, n: true })
    .get();
  assert.deepEqual(found.data, [{ n: 2 }, { n: 3 }]);
  assert.deepEqual((await collection.where(_.or([{ n: 1 }, { tag: 'even' }])).count()).total, 3);
  assert.equal((await collection.where({ tag: new page.db.RegExp({ regexp: '^OD', options: 'i' }) }).count()).total, 3);
});

test('documents are set, updated and removed', async () => {
  const _ = page.db.command;
  const collection = await collectionWith([{ _id: 'a', n: 1, o: { x: 1 }, gone: 1 }]);
  assert.equal((await collection.doc('a').update({ n: _.inc(2), o: { y: 2 }, gone: _.remove() })).updated, 1);
  const { data } = await collection.doc('a').get();
  assert.deepEqual([data[0].n, data[0].o, 'gone' in data[0]], [3, { x: 1, y: 2 }, false]);
  assert.equal((await collection.doc('b').update({ n: 1 })).updated, 0);
  assert.equal((await collection.doc('a').set({ n: 9 })).updated, 1);
  assert.equal((await collection.doc('b').set({ n: 8 })).upsertedId, 'b');
  assert.equal((await collection.where({ n: _.gte(8) }).update({ done: true })).updated, 2);
  assert.equal((await collection.doc('a').remove()).deleted, 1);
  assert.equal((await collection.where({ done: true }).remove()).deleted, 1);
  assert.equal((await collection.count()).total, 0);
});

test('a page is a hundred documents unless it says', async () => {
  const { name } = await emulator.collection();
  const documents = Array.from({ length: 150 }, (_, n) => ({ n, _openid: page.uid }));
  await emulator.db.collection(name).add(documents);
  assert.equal((await page.db.collection(name).get()).data.length, 100);
  assert.equal((await page.db.collection(name).limit(150).get()).data.length, 150);
});

test("others' documents are out of reach under the default mode", async () => {
  const { name } = await emulator.collection([{ _id: 'other', _openid: 'oOTHER' }, { _id: 'server' }]);
  const collection = page.db.collection(name);
  assert.deepEqual((await collection.get()).data, []);
  assert.deepEqual((await collection.doc('other').get()).data, []);
  assert.equal((await collection.doc('other').update({ a: 1 })).updated, 0);
  assert.equal((await collection.doc('server').remove()).deleted, 0);
  assert.match((await failure(collection.doc('other').set({ a: 1 }))).message, /E11000 duplicate key error/);
  assert.match((await failure(collection.add({ _openid: 'x' }))).message, /Invalid Key Name: _openid/);
});

test('a collection that is not there is told', async () => {
  assert.equal((await failure(page.db.collection('nowhere').get())).code, 'DATABASE_COLLECTION_NOT_EXIST');
});

test('an aggregation', async () => {
  const { name } = await emulator.collection();
  const collection = page.db.collection(name);
  for (const [list, n] of [['a', 1], ['b', 2], ['a', 3]]) {
    await collection.add({ list, n });
  }
  const $ = page.db.command.aggregate;
  const { data } = await collection.aggregate().group({ _id: '$list', n: $.sum('$n') }).sort({ _id: 1 }).end();
  assert.deepEqual(data, [
    { _id: 'a', n: 4 },
    { _id: 'b', n: 2 },
  ]);
});

/** This SDK throws some errors and returns others. */
async function failure(promise) {
  try {
    const reply = await promise;
    assert.ok(reply.code, JSON.stringify(reply));
    return reply;
  } catch (error) {
    const text = /\[(\w+)\] ([^]*)/.exec(error.message);
    return { code: error.code || (text && text[1]), message: error.message };
  }
}
