// `success`, `fail` and `complete` among the options (semantics §1.1).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

test('wx.cloud calls them, and answers nothing', async () => {
  const c = await page.collection([{ _id: 'a' }]);
  const called = [];
  await new Promise((complete) => {
    const success = (result) => called.push(result);
    assert.equal(c.count({ success, fail: assert.fail, complete }), undefined);
  });
  assert.deepEqual(called, [{ total: 1, errMsg: 'collection.count:ok' }]);
  const failed = await new Promise((fail) => {
    assert.equal(page.cloud.callFunction({ name: 'no-such-function', fail }), undefined);
  });
  assert.equal(failed.errCode, -501000);
});

test('wx-server-sdk takes no notice of them', async () => {
  const c = await server.collection([{ _id: 'a' }]);
  const called = [];
  const note = (result) => called.push(result);
  const counted = await c.count({ success: note, fail: note, complete: note });
  assert.deepEqual(counted, { total: 1, errMsg: 'collection.count:ok' });
  const { result } = await server.cloud.callFunction({ name: 'echo', data: { a: 1 }, success: note, complete: note });
  assert.deepEqual(result.event, { a: 1 });
  assert.deepEqual(called, []);
});
