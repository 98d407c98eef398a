// Suites as users write them, in the runners that users have: each is a process of its own.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const fs = require('node:fs');
const { test } = require('node:test');
const { PROJECT, TODO, run } = require('./support/project');

const NODE = process.execPath;
const program = (file) => path.join(PROJECT, 'node_modules', file);
const JEST = program('jest/bin/jest.js');
const VITEST = program('vitest/vitest.mjs');

async function passes(words, options, passed) {
  const { code, output } = await run(words, options);
  assert.equal(code, 0, output);
  assert.match(output, passed, output);
  return output;
}

test('jest: one emulator, a fork for each file, workers side by side', async () => {
  const output = await passes(
    [NODE, JEST, '-c', 'jest/jest.config.js', '--maxWorkers=3'],
    {},
    /Tests: +9 passed, 9 total/,
  );
  assert.doesNotMatch(output, /did not exit|force exited|open handle/);
});

test('vitest: the same', () =>
  passes(
    [NODE, VITEST, 'run', '--root', path.join(PROJECT, 'vitest')],
    { env: { NO_COLOR: '1' } },
    /Tests +8 passed \(8\)/,
  ));

test('node:test: an emulator for each file', () => passes([NODE, '--test', ...nodeTests()], {}, /^# pass 8$/m));

test('emulator exec: one emulator for a command', () =>
  passes(
    [process.env.EMULATOR_BINARY, 'exec', '--project', TODO, '--fixtures', TODO, '--', NODE, '--test', ...nodeTests()],
    {},
    /^# pass 8$/m,
  ));

test('miniprogram-simulate: a component beside a live wx.cloud', async () => {
  const output = await passes([NODE, JEST, '-c', 'simulate/jest.config.js'], {}, /Tests: +1 passed, 1 total/);
  assert.doesNotMatch(output, /did not exit|force exited|open handle/);
});

function nodeTests() {
  const folder = path.join(PROJECT, 'node');
  return fs.readdirSync(folder).map((name) => path.join(folder, name));
}
