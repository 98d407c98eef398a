// One emulator for all workers: each test file works in a fork of its own.
const path = require('node:path');
const { startEmulator } = require('mini-program-cloud-emulator');

module.exports = async () => {
  const todo = path.join(__dirname, '../todo');
  globalThis.emulator = await startEmulator({ project: todo, fixtures: todo });
  globalThis.emulator.export();
};
