// What one user does, the other's watch tells.
'use strict';

const assert = require('node:assert/strict');
const { useFork } = require('./fork');

module.exports = ({ test, ...hooks }, place) => {
  const cloud = useFork(hooks, place);
  const todos = (user) => cloud.fork.as(user).database().collection('todos');

  test("bob's watch tells of what alice adds, changes and removes", async () => {
    const watch = await cloud.fork.recordWatch(todos('bob').where({ list: 'list-home' }));
    const { _id } = await todos('alice').add({ data: { title: '买菜', list: 'list-home' } });
    await watch.next({ type: 'add', doc: { _id, title: '买菜' } });
    await todos('alice')
      .doc(_id)
      .update({ data: { done: true } });
    await watch.next({ type: 'update', doc: { _id, done: true } });
    await todos('alice').doc(_id).remove();
    await watch.next({ type: 'remove' });
    await watch.none(50);
  });

  test('a watch that waits in vain says what came instead', async () => {
    const watch = await cloud.fork.recordWatch(todos('bob'));
    await todos('alice').add({ data: { title: 'bread' } });
    await assert.rejects(watch.next({ type: 'add', doc: { title: 'milk' }, within: 300 }), (error) => {
      assert.equal(error.name, 'AssertionError');
      assert.match(error.message, /Instead came:\n {2}- add \{.*bread/);
      assert.match(error.message, /doc\.title: expected 'milk', was 'bread'/);
      return true;
    });
  });
};
