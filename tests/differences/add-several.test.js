// `add` of an array (semantics §1.2).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const DOCUMENTS = [{ _id: 'a' }, { _id: 'b' }];

test('wx.cloud adds one document at a time', async () => {
  const c = await page.collection();
  await assertFails(c.add({ data: DOCUMENTS }), -401003, 'parameter.data should be object instead of array;');
  assert.equal((await c.count()).total, 0);
});

test('wx-server-sdk adds them all', async () => {
  const c = await server.collection();
  assert.deepEqual(await c.add({ data: DOCUMENTS }), { _ids: ['a', 'b'], errMsg: 'collection.add:ok' });
  assert.deepEqual((await c.get()).data, DOCUMENTS);
});
