// A regular expression stored in a document comes back as an object, in the terms of each side's wire (protocol §2.2).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

test('wx.cloud', async () => {
  const c = await page.collection([{ _id: 'a', pattern: /ab+c/i }]);
  assert.deepEqual((await c.doc('a').get()).data.pattern, { $regex: 'ab+c', $options: 'i' });
});

test('wx-server-sdk', async () => {
  const c = await server.collection([{ _id: 'a', pattern: /ab+c/i }]);
  const { pattern, options } = (await c.doc('a').get()).data.pattern;
  assert.deepEqual([pattern, options], ['ab+c', 'i']);
});
