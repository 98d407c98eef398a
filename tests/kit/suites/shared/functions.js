// Cloud functions, called by pages and looked at from outside.
'use strict';

const assert = require('node:assert/strict');
const { useFork } = require('./fork');
const { readSummary } = require('../todo/miniprogram/cloud/functions.js');

module.exports = ({ test, ...hooks }, place) => {
  const cloud = useFork(hooks, place);

  test('the summary counts what is of the user who asks', async () => {
    globalThis.wx = cloud.fork.wx('bob');
    globalThis.wx.cloud.init();
    const { total, open } = await readSummary();
    assert.deepEqual([total, open], [4, 3]);
    await cloud.fork.expectCall('summary', { as: 'bob', times: 1 });
  });

  test('a function writes into the fork of the test', async () => {
    await cloud.fork.as('alice').callFunction({ name: 'addTodo', data: { title: '买票', priority: 3 } });
    await cloud.fork.expectCall('addTodo', { event: { title: '买票' }, as: 'alice' });
    const { data } = await cloud.fork.database().collection('todos').where({ title: '买票' }).get();
    assert.deepEqual([data.length, data[0].priority], [1, 3]);
  });

  test('a call that is missing is told with those that came', async () => {
    await cloud.fork.call('addTodo', { title: 'bread' }, { as: 'bob' });
    await assert.rejects(cloud.fork.expectCall('addTodo', { event: { title: 'milk' }, within: 100 }), (error) => {
      assert.equal(error.name, 'AssertionError');
      assert.match(error.message, /expected a call of addTodo with \{ title: 'milk' \} within 100 ms/);
      assert.match(error.message, /event\.title: expected 'milk', was 'bread'/);
      return true;
    });
  });
};
