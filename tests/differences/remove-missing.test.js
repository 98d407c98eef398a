// `doc(id).remove()` of a document that is not there (semantics DB-1.12, UNC-04).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

test('wx.cloud refuses', async () => {
  const c = await page.collection();
  const text = 'document.remove:fail cannot remove document with _id x, please make sure that the document exists';
  await assertFails(c.doc('x').remove(), -1, text);
});

test('wx-server-sdk counts none', async () => {
  const c = await server.collection();
  assert.deepEqual(await c.doc('x').remove(), { stats: { removed: 0 }, errMsg: 'document.remove:ok' });
});
