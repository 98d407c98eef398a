// Many forks at once, and what one costs.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useEmulator } = require('./support/project');

const FORKS = 30;
const ROUNDS = 50;
const used = useEmulator();

test(`${FORKS} forks side by side: nothing leaks from one into another`, async () => {
  const { emulator } = used;
  // A process for each function in each fork would keep a small machine busy for a minute.
  const hasCall = (number) => number % 10 === 0;
  const work = async (unused, number) => {
    const fork = await emulator.fork();
    const todos = fork.as('alice').database().collection('todos');
    await Promise.all(Array.from({ length: number + 1 }, () => todos.add({ data: { title: `of ${number}` } })));
    if (hasCall(number)) {
      await fork.call('summary', { of: number }, { as: 'bob' });
    }
    const { data } = await fork.database().collection('todos').where({ title: /^of / }).get();
    assert.deepEqual([data.length, new Set(data.map(({ title }) => title)).size], [number + 1, 1]);
    assert.deepEqual(
      (await fork.calls()).map(({ event }) => event.of),
      hasCall(number) ? [number] : [],
    );
    await fork.reset();
    assert.equal((await todos.count()).total, 12);
    await fork.drop();
  };
  await Promise.all(Array.from({ length: FORKS }, work));
  assert.deepEqual((await emulator.command('forks')).forks, []);
  assert.equal((await emulator.database().collection('todos').count()).total, 12);
});

test('what a fork and a reset cost a test', async (context) => {
  const { emulator } = used;
  const costs = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begin = performance.now();
    const fork = await emulator.fork();
    await fork.reset();
    await fork.drop();
    costs.push(performance.now() - begin);
  }
  costs.sort((left, right) => left - right);
  const at = (share) => costs[Math.floor(costs.length * share)].toFixed(2);
  context.diagnostic(`fork + reset + drop: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms`);
});
