// Simulators beside a live emulator (the one of tests/sdk, with its cloud functions), and what is set up with the
// emulator's own commands.
'use strict';

const { execFile } = require('node:child_process');
const path = require('node:path');
const { promisify } = require('node:util');
const assert = require('node:assert/strict');
const { openSimulator } = require('../support/simulator');
const { APPID, ENVIRONMENT, useEmulator } = require('../../sdk/support/emulator');

const SDK_TESTS = path.resolve(__dirname, '../../sdk');
const BINARY = process.env.EMULATOR_BINARY || path.resolve(SDK_TESTS, '../../target/release/emulator');

/** A simulator of this mini program whose `wx.cloud` is initialised: `{ wx, controls, cloud, db, openid }`. */
function simulatorBeside(emulator, options = {}) {
  const simulator = openSimulator({ appid: APPID, place: { address: emulator.url }, ...options });
  simulator.wx.cloud.init({ env: ENVIRONMENT });
  return {
    ...simulator,
    cloud: simulator.wx.cloud,
    db: simulator.wx.cloud.database(),
    openid: () => openidOf(simulator),
  };
}

/** Who the simulator is: what it keeps for its next start. */
function openidOf(simulator) {
  return simulator.controls.storage.get('emulator.openid');
}

/** A user whose name is also a code of `wx.login`. */
async function addUser(emulator, name) {
  await runCommand(emulator, 'users', 'add', name);
}

/** Collections, documents, users and permission modes out of a folder. */
async function seed(emulator, folder) {
  await runCommand(emulator, 'seed', folder);
}

/** Commands find the running emulator by its data: `useEmulator({ keepsData: true })`. */
async function runCommand(emulator, ...command) {
  const place = ['--data', emulator.dataFolder, '--project', SDK_TESTS, '--env', ENVIRONMENT];
  await promisify(execFile)(BINARY, [...command, ...place]);
}

async function until(condition, what) {
  for (let tries = 0; !condition(); tries += 1) {
    assert.ok(tries < 1000, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

module.exports = { APPID, ENVIRONMENT, addUser, seed, simulatorBeside, until, useEmulator };
