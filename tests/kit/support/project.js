// The project that run.js made, and the kit as it is installed there.
'use strict';

const { spawn } = require('node:child_process');
const { createRequire } = require('node:module');
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { after, before, beforeEach } = require('node:test');

const PROJECT = process.env.KIT_PROJECT;
if (!PROJECT) {
  throw new Error('run `node run.js`, with or without the names of test files: it makes the project they need');
}

const requireInProject = createRequire(path.join(PROJECT, 'package.json'));
const kit = requireInProject('mini-program-cloud-emulator');
const TODO = path.join(PROJECT, 'todo');
const ALICE = 'oALICE0000000000000000000001';
const BOB = 'oBOB000000000000000000000002';

const START = { project: TODO, fixtures: TODO, log: Boolean(process.env.EMULATOR_TEST_LOG) };

/** An emulator with the fixture's cloud for one test file, as it was at its beginning before each test. */
function useEmulator() {
  const used = {};
  before(async () => {
    used.emulator = await kit.startEmulator(START);
  });
  beforeEach(() => used.emulator.reset());
  after(() => used.emulator?.stop());
  return used;
}

/** Runs a program in the project; `{ code, signal, output }`, or `child` to deal with. */
function run(words, { cwd = PROJECT, env = {}, onChild = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(words[0], words.slice(1), { cwd, env: { ...clean(process.env), ...env } });
    let output = '';
    [child.stdout, child.stderr].forEach((stream) =>
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      }),
    );
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output }));
    onChild(child);
  });
}

/** Without what `node --test` tells its own children. */
function clean(variables) {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('NODE_TEST')));
}

/** Whether a process of that id is there. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function until(condition, ms) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) {
      return false;
    }
    await pause(20);
  }
  return true;
}

module.exports = { ALICE, BOB, PROJECT, START, TODO, isAlive, kit, requireInProject, run, until, useEmulator };
