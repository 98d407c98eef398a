// One emulator for all workers: each test file works in a fork of its own.
import { fileURLToPath } from 'node:url';
import { startEmulator } from 'mini-program-cloud-emulator';

export default async function setup() {
  const todo = fileURLToPath(new URL('../todo', import.meta.url));
  const emulator = await startEmulator({ project: todo, fixtures: todo });
  emulator.export();
  return () => emulator.stop();
}
