// Writing documents: what each call answers and what it leaves in the collection.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

module.exports = (emulator) => {
  const all = async (collection) => (await collection.orderBy('_id', 'asc').get()).data;
  const without = ({ requestId, ...rest }) => {
    assert.ok(typeof requestId === 'string' && requestId);
    return rest;
  };

  test('createCollection answers a requestId, and the collection exists', async () => {
    const { requestId } = await emulator.db.createCollection('created');
    assert.ok(requestId);
    assert.deepEqual(await all(emulator.db.collection('created')), []);
  });

  test('add makes an id of 32 hexadecimal digits and answers { id, requestId }', async () => {
    const { collection } = await emulator.collection();
    const { id, ...rest } = without(await collection.add({ a: 1 }));
    assert.deepEqual(rest, {});
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.deepEqual(await all(collection), [{ _id: id, a: 1 }]);
    const other = await collection.add({ a: 1 });
    assert.notEqual(other.id, id);
  });

  test('add keeps an id that is given, a string or a number', async () => {
    const { collection } = await emulator.collection();
    assert.deepEqual(without(await collection.add({ _id: 'own', a: 1 })), { id: 'own' });
    assert.deepEqual(without(await collection.add({ _id: 17, a: 2 })), { id: 17 });
    assert.deepEqual(without(await collection.add({ _id: 1795314503985, a: 3 })), { id: 1795314503985 });
    assert.deepEqual(await all(collection), [{ _id: 17, a: 2 }, { _id: 1795314503985, a: 3 }, { _id: 'own', a: 1 }]);
  });

  test('doc().create is add with that id', async () => {
    const { collection } = await emulator.collection();
    assert.deepEqual(without(await collection.doc('a').create({ n: 1 })), { id: 'a' });
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 1 }]);
  });

  test('undefined fields are dropped, undefined elements become null', async () => {
    const { collection } = await emulator.collection();
    await collection.add({ _id: 'a', gone: undefined, deep: { gone: undefined, kept: 1 }, list: [undefined, 1] });
    assert.deepEqual(await all(collection), [{ _id: 'a', deep: { kept: 1 }, list: [null, 1] }]);
  });

  test('add stores a key with a dot as it is', async () => {
    const { collection } = await emulator.collection();
    await collection.add({ _id: 'a', 'key.': 1, 'x.y': { 'z.': 2 } });
    assert.deepEqual(await all(collection), [{ _id: 'a', 'key.': 1, 'x.y': { 'z.': 2 } }]);
  });

  test('server dates of one request share one now, and differ by their offsets exactly (DB-1.41)', async () => {
    const { collection } = await emulator.collection();
    const { db } = emulator;
    const started = Date.now();
    await collection.add([
      { _id: 'a', now: db.serverDate(), later: db.serverDate({ offset: 60_000 }), deep: { list: [db.serverDate({ offset: -1 })] } },
      { _id: 'b', now: db.serverDate() },
    ]);
    const [a, b] = await all(collection);
    assert.ok(a.now instanceof Date);
    assert.ok(a.now >= started - 1 && a.now <= Date.now() + 1, `${a.now}`);
    assert.equal(a.later - a.now, 60_000);
    assert.equal(a.now - a.deep.list[0], 1);
    assert.equal(b.now.getTime(), a.now.getTime());
  });

  test('server dates work in set, update, push and conditions', async () => {
    const { collection } = await emulator.collection();
    const { db } = emulator;
    const _ = db.command;
    await collection.doc('a').set({ at: db.serverDate() });
    await collection.doc('a').update({ deep: { at: db.serverDate() }, list: _.push([{ at: db.serverDate() }]) });
    const [{ at, deep, list }] = await all(collection);
    for (const date of [at, deep.at, list[0].at]) {
      assert.ok(date instanceof Date && Math.abs(date - Date.now()) < 60_000);
    }
    assert.equal((await collection.where({ at: _.lte(db.serverDate()) }).count()).total, 1);
    assert.equal((await collection.where({ at: _.gt(db.serverDate({ offset: 60_000 })) }).count()).total, 0);
  });

  test('set creates: { updated: 0, upsertedId }', async () => {
    const { collection } = await emulator.collection();
    assert.deepEqual(without(await collection.doc('new').set({ a: 1 })), { updated: 0, upsertedId: 'new' });
    assert.deepEqual(without(await collection.doc(7).set({ a: 2 })), { updated: 0, upsertedId: 7 });
    assert.deepEqual(await all(collection), [{ _id: 7, a: 2 }, { _id: 'new', a: 1 }]);
  });

  test('set replaces everything but the id: { updated: 1, upsertedId: null }', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', old: 1, o: { x: 1, y: 2 } }, { _id: 'b', n: 1 }]);
    assert.deepEqual(without(await collection.doc('a').set({ o: { x: 3 }, at: new Date(5) })), { updated: 1, upsertedId: null });
    assert.deepEqual(await all(collection), [{ _id: 'a', o: { x: 3 }, at: new Date(5) }, { _id: 'b', n: 1 }]);
    await collection.doc('a').set({});
    assert.deepEqual(await all(collection), [{ _id: 'a' }, { _id: 'b', n: 1 }]);
  });

  test('set stores a key with a dot as it is (UNC-14)', async () => {
    const { collection } = await emulator.collection();
    await collection.doc('a').set({ 'a.b': 1 });
    assert.deepEqual(await all(collection), [{ _id: 'a', 'a.b': 1 }]);
  });

  test('doc().update answers how many, and merges', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1, o: { x: 1, y: 2 } }, { _id: 5, n: 5 }]);
    assert.equal((await collection.doc('a').update({ n: 2, o: { x: 9 } })).updated, 1);
    assert.equal((await collection.doc(5).update({ n: 6 })).updated, 1);
    assert.deepEqual(await all(collection), [{ _id: 5, n: 6 }, { _id: 'a', n: 2, o: { x: 9, y: 2 } }]);
  });

  test('doc().update of a missing document changes nothing: { updated: 0 }', async () => {
    const { collection } = await emulator.collection([{ _id: 'a' }]);
    assert.equal((await collection.doc('missing').update({ n: 1 })).updated, 0);
    assert.deepEqual(await all(collection), [{ _id: 'a' }]);
  });

  test('updated counts the documents matched, changed or not (UNC-05)', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }, { _id: 'b', n: 1 }]);
    assert.equal((await collection.doc('a').update({ n: 1 })).updated, 1);
    assert.equal((await collection.where({ n: 1 }).update({ n: 1 })).updated, 2);
  });

  test('where().update changes every match: { updated, upsertId: null }', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }, { _id: 'b', n: 1 }, { _id: 'c', n: 2 }]);
    const _ = emulator.db.command;
    const { updated, upsertId } = without(await collection.where({ n: 1 }).update({ n: _.inc(10), seen: true }));
    assert.equal(updated, 2);
    assert.ok(!upsertId);
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 11, seen: true }, { _id: 'b', n: 11, seen: true }, { _id: 'c', n: 2 }]);
    assert.equal((await collection.where({ n: 404 }).update({ x: 1 })).updated, 0);
    assert.equal((await collection.where({}).update({ x: 1 })).updated, 3);
  });

  test('where().update ignores limit, skip and order', async () => {
    const { collection } = await emulator.collection([{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }]);
    assert.equal((await collection.where({}).orderBy('_id', 'desc').skip(1).limit(1).update({ x: 1 })).updated, 3);
  });

  test('doc().remove answers { deleted }', async () => {
    const { collection } = await emulator.collection([{ _id: 'a' }, { _id: 'b' }, { _id: 9 }]);
    assert.deepEqual(without(await collection.doc('a').remove()), { deleted: 1 });
    assert.deepEqual(without(await collection.doc('a').remove()), { deleted: 0 });
    assert.deepEqual(without(await collection.doc(9).remove()), { deleted: 1 });
    assert.deepEqual(await all(collection), [{ _id: 'b' }]);
  });

  test('where().remove removes every match: { deleted }', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }, { _id: 'b', n: 1 }, { _id: 'c', n: 2 }]);
    assert.deepEqual(without(await collection.where({ n: 1 }).remove()), { deleted: 2 });
    assert.deepEqual(await all(collection), [{ _id: 'c', n: 2 }]);
    assert.deepEqual(without(await collection.where({ n: 1 }).remove()), { deleted: 0 });
    assert.deepEqual(without(await collection.where({}).remove()), { deleted: 1 });
    assert.deepEqual(await all(collection), []);
  });

  test('a removed id can be added again', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    await collection.doc('a').remove();
    await collection.add({ _id: 'a', n: 2 });
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 2 }]);
  });

  test('of many adds of one id at once, one succeeds', async () => {
    const { collection } = await emulator.collection();
    const adds = Array.from({ length: 20 }, (_unused, n) => collection.add({ _id: 'a', n }));
    const results = await Promise.allSettled(adds);
    assert.equal(results.filter(({ value }) => value?.id).length, 1);
    assert.equal((await all(collection)).length, 1);
  });

  test('a large document is stored and found', async () => {
    const { collection } = await emulator.collection();
    const text = '大'.repeat(300_000);
    await collection.add({ _id: 'large', text });
    assert.equal((await collection.doc('large').get()).data[0].text, text);
  });

  test('collections do not see each other', async () => {
    const one = await emulator.collection([{ _id: 'a', n: 1 }]);
    const other = await emulator.collection([{ _id: 'a', n: 2 }]);
    await one.collection.where({}).remove();
    assert.deepEqual(await all(other.collection), [{ _id: 'a', n: 2 }]);
  });
};
