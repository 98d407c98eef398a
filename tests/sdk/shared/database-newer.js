// What node-sdk 2 and 3 have, and SDKs before them have not: many documents in one add, options(), updateAndReturn(), and numbers
// that JSON does not know.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../support/assertions');

module.exports = (emulator) => {
  const all = async (collection) => (await collection.orderBy('_id', 'asc').get()).data;
  const without = ({ requestId, ...rest }) => {
    assert.ok(typeof requestId === 'string' && requestId);
    return rest;
  };

  test('add of an array answers ids in its order', async () => {
    const { collection } = await emulator.collection();
    const { ids } = without(await collection.add([{ _id: 'b' }, { n: 1 }, { _id: 'a' }]));
    assert.equal(ids.length, 3);
    assert.deepEqual([ids[0], ids[2]], ['b', 'a']);
    assert.match(ids[1], /^[0-9a-f]{32}$/);
    assert.deepEqual((await collection.get()).data.map(({ _id }) => _id), ids);
  });

  test('{ multiple: false } changes or removes the first match only', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }, { _id: 'b', n: 1 }, { _id: 'c', n: 1 }]);
    const first = () => collection.where({ n: 1 }).options({ multiple: false });
    assert.equal((await first().update({ n: 2 })).updated, 1);
    assert.equal((await first().remove()).deleted, 1);
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 2 }, { _id: 'c', n: 1 }]);
  });

  test('updateAndReturn answers the document after the update', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1, at: new Date(7) }, { _id: 'b', n: 1 }]);
    const _ = emulator.db.command;
    const { updated, doc } = without(await collection.where({ n: 1 }).updateAndReturn({ n: _.inc(1) }));
    assert.equal(updated, 1);
    assert.deepEqual(doc, { _id: 'a', n: 2, at: new Date(7) });
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 2, at: new Date(7) }, { _id: 'b', n: 1 }]);
  });

  test('updateAndReturn counts an unchanged document, and answers null for none', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    assert.deepEqual(without(await collection.where({ _id: 'a' }).updateAndReturn({ n: 1 })), { updated: 1, doc: { _id: 'a', n: 1 } });
    assert.deepEqual(without(await collection.where({ _id: 'b' }).updateAndReturn({ n: 1 })), { updated: 0, doc: null });
  });

  test('increments of many requests at once all count', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 0 }]);
    const _ = emulator.db.command;
    const replies = await Promise.all(Array.from({ length: 60 }, () => collection.where({ _id: 'a' }).updateAndReturn({ n: _.inc(1) })));
    assert.deepEqual((await all(collection))[0].n, 60);
    assert.deepEqual(replies.map(({ doc }) => doc.n).sort((a, b) => a - b), Array.from({ length: 60 }, (_unused, n) => n + 1));
  });

  test('a thousand documents in one request', async () => {
    const { collection } = await emulator.collection();
    const { ids } = await collection.add(Array.from({ length: 1000 }, (_unused, n) => ({ n, text: 'x'.repeat(200) })));
    assert.equal(new Set(ids).size, 1000);
    assert.equal((await collection.count()).total, 1000);
  });

  test('the same id twice in one add', async () => {
    const { collection } = await emulator.collection();
    await assertFails(collection.add([{ _id: 'x' }, { _id: 'x' }]), 'DATABASE_REQUEST_FAILED', 'E11000 duplicate key error');
  });

  test('raw queries go out unchanged', async () => {
    const { collection } = await emulator.collection([
      { _id: 'ab', v: { a: 1, b: 2 } },
      { _id: 'abc', v: { a: 1, b: 2, c: 3 } },
      { _id: '[{},{}]', v: [{ a: 1 }, { a: 5 }] },
    ]);
    const raw = (query) => collection.options({ raw: true }).where(query).get();
    assert.deepEqual((await raw({ v: { a: 1, b: 2 } })).data.map(({ _id }) => _id), ['ab']);
    assert.deepEqual((await raw({ 'v.a': { $gt: 1 } })).data.map(({ _id }) => _id), ['[{},{}]']);
  });

  test('raw updates go out unchanged', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', o: { x: 1, y: 2 } }]);
    await collection.where({ _id: 'a' }).options({ raw: true }).update({ $set: { o: { x: 9 } } });
    assert.deepEqual(await all(collection), [{ _id: 'a', o: { x: 9 } }]);
  });

  test('numbers that JSON does not know come back', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', nan: NaN, plus: Infinity, minus: -Infinity }]);
    const [{ nan, plus, minus }] = (await collection.get()).data;
    assert.ok(Number.isNaN(nan));
    assert.deepEqual([plus, minus], [Infinity, -Infinity]);
  });

  test('doc().delete removes as doc().remove does', async () => {
    const { collection } = await emulator.collection([{ _id: 9 }]);
    assert.deepEqual(without(await collection.doc(9).delete()), { deleted: 1 });
    assert.deepEqual(await all(collection), []);
  });

  test('doc().update answers { updated } and nothing else', async () => {
    const { collection } = await emulator.collection([{ _id: 'a' }]);
    assert.deepEqual(without(await collection.doc('a').update({ n: 2 })), { updated: 1 });
    assert.deepEqual(without(await collection.doc('missing').update({ n: 2 })), { updated: 0 });
  });

  test('errors are thrown, and a missing collection is never created (DB-1.14)', async () => {
    const collection = emulator.db.collection('nowhere');
    await assert.rejects(collection.get(), Error);
    const missing = (operation) => assertFails(operation, 'DATABASE_COLLECTION_NOT_EXIST', 'Db or Table not exist: nowhere.');
    await missing(collection.add([{ a: 1 }, { a: 2 }]));
    await missing(collection.where({ a: 1 }).updateAndReturn({ a: 2 }));
  });

  test('arguments that older SDKs lose', async () => {
    const _ = emulator.db.command;
    const { collection } = await emulator.collection([{ _id: 'a', n: 7, at: new Date(1000) }, { _id: 'b', n: 'Banana' }]);
    const found = async (query) => (await collection.where(query).get()).data.map(({ _id }) => _id);
    assert.deepEqual(await found({ n: _.mod(5, 2) }), ['a']);
    assert.deepEqual(await found({ n: _.or(/^B/, _.eq(0)) }), ['b']);
    await collection.doc('a').update({ at: _.max(new Date(2000)) });
    assert.deepEqual((await collection.doc('a').get()).data[0].at, new Date(2000));
  });
};
