// An emulator with the fixture's cloud for one test file: started before its first test, stopped after its last.
'use strict';

const { after, before } = require('node:test');
const { EmulatorProcess } = require('../../sdk/support/process');
const { PROJECT } = require('./miniprogram');

/** `prepare` runs once, when it is ready: hooks of one file run side by side. `url` is set from then on. */
function useEmulator({ prepare = async () => {} } = {}) {
  const emulator = { url: '' };
  let running;
  before(async () => {
    running = await EmulatorProcess.start(['--ephemeral', '--project', PROJECT, '--fixtures', PROJECT]);
    emulator.url = running.url;
    await prepare();
  });
  after(() => running?.stop());
  return emulator;
}

module.exports = { useEmulator };
