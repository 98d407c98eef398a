// An emulator with the fixture's cloud for one test file: started before its first test, stopped after its last.
// EMULATOR_BINARY names the binary, EMULATOR_TEST_LOG=1 shows its log.
'use strict';

const { spawn } = require('node:child_process');
const path = require('node:path');
const { after, before } = require('node:test');
const { cleanEnvironment, freePort } = require('../../sdk/support/process');
const { PROJECT } = require('./miniprogram');

const BINARY = process.env.EMULATOR_BINARY || path.resolve(PROJECT, '../../target/release/emulator');
const START_MS_MAX = 20_000;
const STOP_MS_MAX = 15_000;

/** `prepare` runs once, when it is ready: hooks of one file run side by side. `url` is set from then on. */
function useEmulator({ prepare = async () => {} } = {}) {
  const emulator = { url: '' };
  let child;
  before(async () => {
    const port = String(await freePort());
    const place = ['--port', port, '--project', PROJECT, '--fixtures', PROJECT];
    child = spawn(BINARY, ['start', '--ephemeral', ...place], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: cleanEnvironment(),
    });
    process.on('exit', () => child.kill('SIGKILL'));
    emulator.url = await ready(child);
    await prepare();
  });
  after(() => stop(child));
  return emulator;
}

/** The address it says it is ready at. */
function ready(child) {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (reason) => reject(new Error(`${BINARY} ${reason}\n${log}`));
    const timer = setTimeout(() => fail(`was not ready within ${START_MS_MAX} ms`), START_MS_MAX);
    const listen = (chunk) => {
      log += chunk;
      if (process.env.EMULATOR_TEST_LOG) {
        process.stderr.write(chunk);
      }
      const found = /emulator ready at (http:\/\/127\.0\.0\.1:\d+)/.exec(log);
      if (found) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', (error) => fail(`cannot be started: ${error.message}`));
    child.on('exit', (code, signal) => fail(`ended with ${signal || code}`));
  });
}

async function stop(child) {
  if (child && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(timer);
  }
}

module.exports = { useEmulator };
