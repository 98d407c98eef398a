// Who is asked for permission (semantics §7.1, DB-7.02, DB-7.03).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

/** A new collection, which is PRIVATE, with a document of each side; the page's reference to it. */
async function shared() {
  const c = await page.collection([{ _id: 'of the page' }]);
  await server.db.collection(c.collectionName).add({ data: { _id: 'of the server' } });
  return c;
}

test('wx.cloud: a page reaches what is its own', async () => {
  const c = await shared();
  assert.deepEqual(
    (await c.get()).data.map(({ _id }) => _id),
    ['of the page'],
  );
  assert.equal((await c.where({}).update({ data: { n: 1 } })).stats.updated, 1);
  assert.equal((await c.doc('of the server').update({ data: { n: 1 } })).stats.updated, 0);
});

test('wx-server-sdk: a server reaches everything', async () => {
  const { collectionName } = await shared();
  const c = server.db.collection(collectionName);
  assert.equal((await c.get()).data.length, 2);
  assert.equal((await c.where({}).update({ data: { n: 1 } })).stats.updated, 2);
  assert.equal((await c.doc('of the page').remove()).stats.removed, 1);
});
