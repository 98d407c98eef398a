// The kit waits by the real clock, whatever a test makes of time.
const { useFork } = require('../shared/fork');

const cloud = useFork({ beforeAll, beforeEach, afterAll });
afterEach(() => jest.useRealTimers());

test('it works while the timers of a test are fake', async () => {
  jest.useFakeTimers();
  const todos = cloud.fork.as('alice').database().collection('todos');
  const watch = await cloud.fork.recordWatch(todos);
  await todos.add({ data: { title: 'milk' } });
  await watch.next({ doc: { title: 'milk' } });
  await watch.none(50);
  await cloud.fork.expectCall('addTodo', { times: 0, within: 50 });
});
