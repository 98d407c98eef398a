// Each test file has a fork of its own, which is as it was at the beginning before each test.
'use strict';

const { startEmulator } = require('mini-program-cloud-emulator');

/** `place` is what `startEmulator` takes where no emulator runs yet. */
function useFork({ beforeAll, beforeEach, afterAll }, place) {
  const cloud = {};
  let emulator;
  beforeAll(async () => {
    emulator = await startEmulator(place);
    cloud.fork = await emulator.fork();
  });
  beforeEach(() => cloud.fork.reset());
  afterAll(() => emulator.stop());
  return cloud;
}

module.exports = { useFork };
