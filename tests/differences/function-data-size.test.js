// Data for a function of more than 100 KB (semantics FN-15).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const call = (side, length) => side.cloud.callFunction({ name: 'echo', data: { text: 'x'.repeat(length) } });

test('wx.cloud refuses it', async () => {
  await assertFails(call(page, 110_000), -501007, 'exceeds 100 KB');
  assert.equal((await call(page, 100_000)).result.event.text.length, 100_000);
});

test('wx-server-sdk sends it', async () => {
  assert.equal((await call(server, 110_000)).result.event.text.length, 110_000);
});
