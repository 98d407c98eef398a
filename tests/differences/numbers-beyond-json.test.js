// Numbers that JSON has no word for: stored by either side, but a page is answered in JSON (protocol §2.2, semantics §1.5).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const DOCUMENT = { _id: 'a', none: NaN, most: Infinity, least: -Infinity };

test('wx.cloud stores them and reads null', async () => {
  const c = await page.collection([DOCUMENT]);
  assert.deepEqual(page.content((await c.doc('a').get()).data), { _id: 'a', none: null, most: null, least: null });
  const { _openid, ...stored } = (await server.db.collection(c.collectionName).doc('a').get()).data;
  assert.deepEqual(stored, DOCUMENT);
});

test('wx-server-sdk reads what it stored', async () => {
  const c = await server.collection([DOCUMENT]);
  assert.deepEqual((await c.doc('a').get()).data, DOCUMENT);
});
