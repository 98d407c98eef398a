// The mark of a document's owner, `_openid` (semantics §1.1, DB-7.01).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const owners = async (c) => (await c.orderBy('_id', 'asc').get()).data.map(({ _openid }) => _openid);

test('wx.cloud: what a page makes gets its mark, which is nothing for the page to write', async () => {
  const c = await page.collection([{ _id: 'a' }]);
  await c.doc('b').set({ data: { n: 1 } });
  assert.deepEqual(await owners(c), [page.openid(), page.openid()]);
  const calls = [
    c.add({ data: { _openid: 'another' } }),
    c.doc('a').set({ data: { _openid: 'another' } }),
    c.doc('a').update({ data: { _openid: 'another' } }),
    c.where({}).update({ data: { n: 1, _openid: page.db.command.remove() } }),
  ];
  await Promise.all(calls.map((call) => assertFails(call, -501007, 'Invalid Key Name: _openid')));
  assert.deepEqual(await owners(c), [page.openid(), page.openid()]);
});

test('wx-server-sdk: no mark, unless it writes one itself', async () => {
  const c = await server.collection([{ _id: 'a' }, { _id: 'b', _openid: 'somebody' }]);
  await c.doc('c').set({ data: { _openid: 'another' } });
  assert.deepEqual(await owners(c), [undefined, 'somebody', 'another']);
  await c.doc('b').update({ data: { _openid: server.db.command.remove() } });
  assert.deepEqual(await owners(c), [undefined, undefined, 'another']);
});
