// What one side has and the other has not (semantics §1.1, DB-1.03, DB-1.15, DB-1.16).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { rejection } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const SERVERS = ['createCollection', 'runTransaction', 'startTransaction'];

test('wx.cloud: watch', async () => {
  const c = await page.collection();
  for (const query of [c, c.where({}), c.orderBy('n', 'asc').limit(1), c.doc('a')]) {
    assert.equal(typeof query.watch, 'function');
  }
  for (const name of SERVERS) {
    assert.equal(page.db[name], undefined);
  }
});

test('wx-server-sdk: collections are made, transactions begun', async () => {
  const c = await server.collection();
  for (const query of [c, c.where({}), c.orderBy('n', 'asc').limit(1), c.doc('a')]) {
    assert.equal(query.watch, undefined);
  }
  for (const name of SERVERS) {
    assert.equal(typeof server.db[name], 'function');
  }
  const made = await server.db.createCollection('made');
  assert.deepEqual([Object.keys(made).sort(), made.errMsg], [['errMsg', 'requestId'], 'createCollection:ok']);
  const taken = await rejection(server.db.createCollection('made'));
  assert.match(taken.errMsg, /^createCollection:fail \[ResourceUnavailable\.ResourceExist\] Table exist/);
});
