// `{openid}` as a value in queries and in what is made (semantics DB-7.09, UNC-30).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

test('wx.cloud: it is the caller', async () => {
  const c = await page.collection([{ _id: 'a', members: ['{openid}', 'x'] }]);
  assert.deepEqual((await c.doc('a').get()).data.members, [page.openid(), 'x']);
  assert.equal((await c.where({ _openid: '{openid}', members: '{openid}' }).count()).total, 1);
});

test('wx-server-sdk: it is a text like any other, for a server is nobody', async () => {
  const c = await server.collection([{ _id: 'a', members: ['{openid}'] }]);
  assert.deepEqual((await c.doc('a').get()).data.members, ['{openid}']);
  assert.equal((await c.where({ members: '{openid}' }).count()).total, 1);
});
