// Compiled, never run: the kit as TypeScript sees it (`offline.test.js`).
import { startEmulator, type Fork } from 'mini-program-cloud-emulator';
import { useSimulate } from 'mini-program-cloud-emulator/simulate';

export async function use(): Promise<void> {
  const emulator = await startEmulator({ project: '.', fixtures: 'fixtures', log: (text) => text.length });
  const fork: Fork = await emulator.fork();
  const { data } = await fork.as('alice').database().collection('todos').where({ done: false }).get();
  const call = await fork.expectCall('addTodo', { event: { title: /x/ }, as: null });
  const calls = await fork.expectCall('addTodo', { times: 2, within: 100 });
  const name: string = call.function + calls[0].function + data.length;
  const watch = await fork.recordWatch(fork.database().collection('todos'));
  const event = await watch.next({ type: 'add', doc: { name } });
  const now: Date = await emulator.clock.advance('1h');
  globalThis.wx = fork.wx(event.type + now);
  useSimulate({}, fork, { as: 'bob' })();
  await fork[Symbol.asyncDispose]();
}

declare global {
  var wx: any;
}
