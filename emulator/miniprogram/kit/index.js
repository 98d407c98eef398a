// The test kit: a cloud for tests. Needs no test runner, and works in each.
//
//   const emulator = await startEmulator({ project: '.', fixtures: 'fixtures' });
//   const db = emulator.as('alice').database();        // `wx.cloud`, as that user
//   const fork = await emulator.fork();                // the same cloud again, for one test
//   await emulator.stop();
'use strict';

const { createClock } = require('./clock');
const { EmulatorError, openDoor } = require('./door');
const { ASYNC_DISPOSE, close, leave, openEnvironment } = require('./environment');
const { startProcess } = require('./process');

/** What `export` sets. */
const VARIABLES = ['EMULATOR_ENV', 'EMULATOR_TOKEN', 'EMULATOR_URL'];

/**
 * An emulator of this test's own, empty or filled from `fixtures`; where EMULATOR_URL and EMULATOR_TOKEN tell of one that runs
 * (`emulator exec`, or `export()` in a global setup), a handle on that one, and the options are of no account.
 */
async function startEmulator(options = {}) {
  const running = runningEmulator();
  const place = running || (await startProcess(options));
  try {
    return await attach(place, Boolean(running));
  } catch (error) {
    await place.stop?.();
    throw error;
  }
}

function runningEmulator() {
  const { EMULATOR_URL: url, EMULATOR_TOKEN: token, EMULATOR_ENV: env } = process.env;
  return url && token ? { url: url.replace(/\/+$/, ''), token, env } : null;
}

async function attach(place, isForeign) {
  const door = openDoor(place);
  const status = await door.status();
  const clock = createClock(door);
  const server = { door, appid: status.appid || '', clock };
  const { state, handle } = await openEnvironment(server, place.env || status.defaultEnvironment);
  const end = () => (isForeign ? leave(state) : endProcess(state, place));
  let ending;
  const stop = () => {
    ending = ending || end().finally(() => door.close());
    return ending;
  };
  const own = { token: place.token, pid: status.pid, clock, export: () => exportPlace(handle), stop };
  return Object.assign(handle, own, { [ASYNC_DISPOSE]: stop });
}

async function endProcess(state, place) {
  close(state);
  if (process.env.EMULATOR_TOKEN === place.token) {
    VARIABLES.forEach((name) => delete process.env[name]);
  }
  await place.stop();
}

/** What `startEmulator` of a process started from this one finds. */
function exportPlace({ url, token, env }) {
  const variables = { EMULATOR_ENV: env, EMULATOR_TOKEN: token, EMULATOR_URL: url };
  Object.assign(process.env, variables);
  return variables;
}

module.exports = { EmulatorError, startEmulator };
