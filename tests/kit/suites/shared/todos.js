// The code of the pages, unchanged, as alice and as bob.
'use strict';

const assert = require('node:assert/strict');
const { useFork } = require('./fork');
const { addTodo, readLists, readTodo, removeTodo, setDone } = require('../todo/miniprogram/cloud/todos.js');

module.exports = ({ test, ...hooks }, place) => {
  const cloud = useFork(hooks, place);

  /** Makes the mini program that of `user`, as app.js starts it. */
  function become(user) {
    globalThis.wx = cloud.fork.wx(user);
    globalThis.wx.cloud.init({ env: 'cloud1', traceUser: true });
  }

  test('alice adds a todo, ticks it off and removes it', async () => {
    become('alice');
    const id = await addTodo('给花换盆', 'list-home');
    assert.equal((await readTodo(id)).title, '给花换盆');
    await setDone(id, true);
    assert.equal((await readTodo(id)).doneAt instanceof Date, true);
    await removeTodo(id);
    await assert.rejects(readTodo(id), /cannot find document/);
  });

  test("bob reads alice's todo and cannot change it", async () => {
    become('alice');
    const id = await addTodo('浇花', 'list-home');
    become('bob');
    assert.equal((await readTodo(id)).title, '浇花');
    await assert.rejects(setDone(id, true), { message: '只能修改自己添加的待办' });
    await assert.rejects(removeTodo(id), { message: '只能修改自己添加的待办' });
  });

  test('every test begins with the fixtures', async () => {
    become('alice');
    assert.equal((await readLists()).length, 3);
    assert.equal((await cloud.fork.database().collection('todos').count()).total, 12);
  });
};
