// A query's result of more than 1 MB (semantics DB-1.34).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const DOCUMENTS = [1, 2, 3].map((n) => ({ n, text: 'x'.repeat(400_000) }));

test('wx.cloud refuses it', async () => {
  const c = await page.collection(DOCUMENTS);
  await assertFails(c.get(), -602001, 'database query result size exceed limit (1MB)');
  assert.equal((await c.limit(2).get()).data.length, 2);
});

test('wx-server-sdk answers it', async () => {
  assert.equal((await (await server.collection(DOCUMENTS)).get()).data.length, 3);
});
