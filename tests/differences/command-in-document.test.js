// A command of `db.command` among the data of `add`, where it means nothing (semantics §1.5).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

test('wx.cloud refuses it', async () => {
  const c = await page.collection();
  const { command } = page.db;
  await assertFails(c.add({ data: { n: command.inc(1) } }), -502001, 'update operator complicit');
  await assertFails(c.add({ data: { list: [{ n: command.gt(1) }] } }), -502001, 'update operator complicit');
  assert.equal((await c.count()).total, 0);
});

test("wx-server-sdk stores the command's insides", async () => {
  const c = await server.collection([{ _id: 'a', n: server.db.command.inc(1) }]);
  const { n } = (await c.doc('a').get()).data;
  assert.deepEqual([n.operator, n.operands], ['inc', [1]]);
});
