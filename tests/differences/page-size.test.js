// How many documents a query without a limit answers, and how many at most (semantics §1.1, UNC-02).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const DOCUMENTS = Array.from({ length: 130 }, (unused, n) => ({ n }));

/** The sizes of the answers to no limit, to 0, to 50 and to 5,000. */
async function sizes(side) {
  const c = await side.collection(DOCUMENTS);
  const answers = await Promise.all([c, c.limit(0), c.limit(50), c.limit(5000)].map((query) => query.get()));
  return answers.map(({ data }) => data.length);
}

test('wx.cloud: 20, and never more', async () => {
  assert.deepEqual(await sizes(page), [20, 20, 20, 20]);
});

test('wx-server-sdk: 100, and up to 1,000', async () => {
  assert.deepEqual(await sizes(server), [100, 100, 50, 130]);
});
