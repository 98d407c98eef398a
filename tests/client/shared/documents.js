// Documents made, read, changed and removed, and what each call answers (semantics §1.1, §1.2).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

module.exports = (side) => {
  const contentOf = async (query) => (await query.get()).data.map(side.content);

  test('add makes an id, or takes the one it is given (DB-1.40)', async () => {
    const c = await side.collection();
    const made = await c.add({ data: { a: 1 } });
    assert.match(made._id, /^[0-9a-f]{32}$/);
    assert.deepEqual(made, { _id: made._id, errMsg: 'collection.add:ok' });
    assert.deepEqual(await c.add({ data: { _id: 'own' } }), { _id: 'own', errMsg: 'collection.add:ok' });
    assert.deepEqual(await contentOf(c), [{ _id: made._id, a: 1 }, { _id: 'own' }]);
  });

  test('an id may be a number, which is not the text of it (DB-1.05, UNC-50)', async () => {
    const c = await side.collection();
    assert.equal((await c.add({ data: { _id: 5 } }))._id, 5);
    await c.doc('5').set({ data: { a: 1 } });
    assert.deepEqual(side.content((await c.doc(5).get()).data), { _id: 5 });
    assert.deepEqual(side.content((await c.doc('5').get()).data), { _id: '5', a: 1 });
  });

  test('get answers data and errMsg, of a query and of a document', async () => {
    const c = await side.collection([{ _id: 'a', n: 1 }]);
    const many = await c.get();
    assert.deepEqual(Object.keys(many).sort(), ['data', 'errMsg']);
    assert.equal(many.errMsg, 'collection.get:ok');
    const one = await c.doc('a').get();
    assert.deepEqual(Object.keys(one).sort(), ['data', 'errMsg']);
    assert.equal(one.errMsg, 'document.get:ok');
    assert.deepEqual(side.content(one.data), { _id: 'a', n: 1 });
  });

  test('count', async () => {
    const c = await side.collection([{ n: 1 }, { n: 1 }, { n: 2 }]);
    assert.deepEqual(await c.count(), { total: 3, errMsg: 'collection.count:ok' });
    assert.deepEqual(await c.where({ n: 1 }).count(), { total: 2, errMsg: 'collection.count:ok' });
  });

  test('set replaces a document, or creates it (DB-3.06)', async () => {
    const c = await side.collection([{ _id: 'a', n: 1, old: true }]);
    const answer = (_id, updated, created) => ({ _id, stats: { updated, created }, errMsg: 'document.set:ok' });
    assert.deepEqual(await c.doc('a').set({ data: { n: 2 } }), answer('a', 1, 0));
    assert.deepEqual(await c.doc('b').set({ data: { n: 3 } }), answer('b', 0, 1));
    assert.deepEqual(await contentOf(c), [
      { _id: 'a', n: 2 },
      { _id: 'b', n: 3 },
    ]);
  });

  test('update changes one document, or those of a query, and counts them (DB-1.11, DB-1.17)', async () => {
    const c = await side.collection([
      { _id: 'a', n: 1 },
      { _id: 'b', n: 1 },
      { _id: 'c', n: 2 },
    ]);
    const answer = (api, updated) => ({ stats: { updated }, errMsg: `${api}.update:ok` });
    assert.deepEqual(await c.doc('a').update({ data: { n: 1 } }), answer('document', 1));
    assert.deepEqual(await c.doc('missing').update({ data: { n: 5 } }), answer('document', 0));
    assert.deepEqual(await c.where({ n: 1 }).update({ data: { seen: true } }), answer('collection', 2));
    assert.deepEqual(await c.where({ n: 9 }).update({ data: { seen: true } }), answer('collection', 0));
    assert.deepEqual(await contentOf(c), [
      { _id: 'a', n: 1, seen: true },
      { _id: 'b', n: 1, seen: true },
      { _id: 'c', n: 2 },
    ]);
  });

  test('update ignores limit and order: all that match are changed (§1.3)', async () => {
    const c = await side.collection([{ _id: 'a' }, { _id: 'b' }]);
    const { stats } = await c
      .where({})
      .orderBy('_id', 'desc')
      .limit(1)
      .update({ data: { n: 1 } });
    assert.equal(stats.updated, 2);
  });

  test('remove takes one document, or those of a query', async () => {
    const c = await side.collection([
      { _id: 'a', n: 1 },
      { _id: 'b', n: 2 },
      { _id: 'c', n: 2 },
    ]);
    assert.deepEqual(await c.doc('a').remove(), { stats: { removed: 1 }, errMsg: 'document.remove:ok' });
    assert.deepEqual(await c.where({ n: 2 }).remove(), { stats: { removed: 2 }, errMsg: 'collection.remove:ok' });
    assert.deepEqual(await c.where({ n: 2 }).remove(), { stats: { removed: 0 }, errMsg: 'collection.remove:ok' });
    assert.equal((await c.count()).total, 0);
  });

  test('a query can be kept and asked again; builder calls leave it as it was (DB-1.04)', async () => {
    const c = await side.collection([
      { _id: 'a', n: 1 },
      { _id: 'b', n: 2 },
    ]);
    const all = c.where({}).orderBy('n', 'asc');
    assert.deepEqual(await contentOf(all.limit(1)), [{ _id: 'a', n: 1 }]);
    assert.deepEqual(await contentOf(all.where({ n: 2 })), [{ _id: 'b', n: 2 }]);
    await c.add({ data: { _id: 'c', n: 0 } });
    assert.deepEqual(
      (await contentOf(all)).map(({ _id }) => _id),
      ['c', 'a', 'b'],
    );
    assert.equal((await c.where({ n: 1 }).where({}).count()).total, 3, 'where after where replaces');
  });
};
