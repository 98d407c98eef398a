// The kit as it is installed, without an emulator.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { PROJECT, requireInProject, run } = require('./support/project');

const PACKAGE = path.join(PROJECT, 'node_modules/mini-program-cloud-emulator');
const MODULES = path.join(__dirname, 'node_modules');
const TSC = path.join(MODULES, 'typescript/bin/tsc');
const { complaint, differences } = require(path.join(PACKAGE, 'kit/match.js'));

function check(expected, actual, ...lines) {
  assert.deepEqual(differences(expected, actual), lines);
}

test('expectations are partial', () => {
  check({}, { a: 1 });
  check({ a: 1 }, { a: 1, b: 2 });
  check({ a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 });
  check({ a: 1 }, { a: 2 }, 'a: expected 1, was 2');
  check({ a: 1 }, {}, 'a: expected 1, was missing');
  check({ a: undefined }, {});
  check({ a: { b: 1 } }, { a: 'x' }, "a: expected { b: 1 }, was 'x'");
  check(1, 2, 'it: expected 1, was 2');
  check(NaN, NaN);
  check(null, undefined, 'it: expected null, was missing');
});

test('arrays are whole, and their elements partial', () => {
  check([{ a: 1 }], [{ a: 1, b: 2 }]);
  check([1, 2], [1], 'it: expected [ 1, 2 ], was [ 1 ]');
  check({ list: [{ a: 1 }, { a: 2 }] }, { list: [{ a: 1 }, { a: 3 }] }, 'list[1].a: expected 2, was 3');
  check([], {}, 'it: expected [], was {}');
});

test('patterns, dates, functions and matchers', () => {
  check(/^a/, 'abc');
  check(/^a/g, 'abc');
  check({ a: /^b/ }, { a: 'abc' }, "a: expected /^b/, was 'abc'");
  check(/1/, 1, 'it: expected /1/, was 1');
  check(new Date(5), new Date(5));
  check(new Date(5), new Date(6), 'it: expected 1970-01-01T00:00:00.005Z, was 1970-01-01T00:00:00.006Z');
  check((value) => value > 1, 2);
  check({ a: (value) => value > 1 }, { a: 1 }, 'a: expected [Function: a], was 1');
  const any = { asymmetricMatch: (value) => typeof value === 'string', toString: () => 'Any<String>' };
  check({ a: any }, { a: 'x' });
  check({ a: any }, { a: 1 }, 'a: expected Any<String>, was 1');
});

test('a complaint lists what came, the last ones where there are many', () => {
  const others = Array.from({ length: 12 }, (unused, n) => ({
    text: `call ${n}`,
    differences: n === 11 ? ['a', 'b'] : [],
  }));
  const { name, message } = complaint('none came', others, {});
  const lines = message.split('\n');
  assert.equal(name, 'AssertionError');
  assert.deepEqual(lines.slice(0, 3), ['none came. Instead came:', '  … 2 earlier ones', '  - call 2']);
  assert.deepEqual(lines.slice(-3), ['  - call 11', '      a', '      b']);
  assert.equal(complaint('none came', [], {}).message, 'none came');
});

test('the package holds the kit and the client, and nothing else', () => {
  const files = fs
    .readdirSync(PACKAGE, { recursive: true })
    .filter((name) => /\.\w+$/.test(name))
    .sort();
  const outside = files.filter((name) => !name.startsWith('kit'));
  assert.deepEqual(outside, ['README.md', 'package.json', 'wx-cloud.d.ts', 'wx-cloud.js']);
  const { version, dependencies } = requireInProject('mini-program-cloud-emulator/package.json');
  const [, workspace] = /^\[workspace\.package\]$[^[]*?^version = "(.*)"/m.exec(
    fs.readFileSync(path.join(__dirname, '../../Cargo.toml'), 'utf8'),
  );
  assert.equal(version, workspace);
  assert.deepEqual(Object.keys(dependencies), ['ws']);
});

test('it is imported and required', async () => {
  const code =
    "import { startEmulator } from 'mini-program-cloud-emulator'; import { useSimulate } from 'mini-program-cloud-emulator/simulate'; console.log(typeof startEmulator, typeof useSimulate)";
  const { output } = await run([process.execPath, '--input-type=module', '-e', code]);
  assert.match(output, /^function function$/m);
  assert.equal(typeof requireInProject('mini-program-cloud-emulator/wx-cloud.js'), 'function');
});

test('it is typed, with and without miniprogram-api-typings, for old and new modules', () => {
  const file = path.join(PROJECT, 'usage.ts');
  fs.copyFileSync(path.join(__dirname, 'types/usage.ts'), file);
  const untyped = ['--typeRoots', path.join(PROJECT, 'none')];
  for (const modules of [
    ['commonjs', 'node10', 'ES2020'],
    ['nodenext', 'nodenext', 'ESNext'],
  ]) {
    compile(file, modules, untyped);
  }
  // With the typings `wx` is theirs.
  fs.writeFileSync(
    file,
    fs
      .readFileSync(file, 'utf8')
      .replace(/\ndeclare global[^]*/, '')
      .replace('globalThis.wx', 'const page'),
  );
  compile(file, ['nodenext', 'nodenext', 'ESNext'], ['--typeRoots', MODULES, '--types', 'miniprogram-api-typings']);
});

function compile(file, [module, moduleResolution, lib], types) {
  const options = { module, moduleResolution, lib, target: 'ES2022' };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  try {
    execFileSync(process.execPath, [TSC, '--noEmit', '--strict', ...flags, ...types, file], { encoding: 'utf8' });
  } catch (error) {
    assert.fail(`${flags.join(' ')}\n${error.stdout}`);
  }
}
