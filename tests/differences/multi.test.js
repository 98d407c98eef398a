// `multi: false` beside the data of a query's update, or in its remove: the first match only (semantics §1.1, §1.3).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

async function counts(side) {
  const c = await side.collection([{ n: 1 }, { n: 1 }, { n: 1 }]);
  const updated = await c.where({ n: 1 }).update({ data: { seen: true }, multi: false });
  const removed = await c.where({ n: 1 }).remove({ multi: false });
  return [updated.stats.updated, removed.stats.removed];
}

test('wx.cloud knows no such option: all are changed', async () => {
  assert.deepEqual(await counts(page), [3, 3]);
});

test('wx-server-sdk changes one', async () => {
  assert.deepEqual(await counts(server), [1, 1]);
});
