// Packs the kit, installs the tarball into a project of its own, as a user does, and runs the tests in this folder beside it.
//
//   node run.js                  all
//   node run.js live.test.js     some
//
// The project stands in a temporary folder, which KIT_PROJECT names: `todo/` is the fixture, the rest are the suites.
'use strict';

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '../..');
const PACKAGE = path.join(ROOT, 'emulator/miniprogram');
const TODO = path.join(ROOT, 'fixtures/todo');
const BINARY = process.env.EMULATOR_BINARY || path.join(ROOT, 'target/release/emulator');

/** What a project of this kind has beside the kit. */
const RUNNERS = ['jest', 'jest-environment-jsdom', 'miniprogram-simulate', 'vitest', 'wx-server-sdk'];

/** The first call of a function may take its time where much else goes on. */
const SETTINGS = `[functions.addTodo]
timeout-seconds = 60

[functions.summary]
timeout-seconds = 60
`;

function createProject() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kit-'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "project", "private": true }\n');
  const tarball = npm(PACKAGE, 'pack', '--pack-destination', folder).trim().split('\n').at(-1);
  npm(folder, 'install', '--prefer-offline', '--no-audit', '--no-fund', path.join(folder, tarball));
  RUNNERS.forEach((name) => link(folder, name));
  fs.cpSync(path.join(__dirname, 'suites'), folder, { recursive: true });
  fs.cpSync(TODO, path.join(folder, 'todo'), { recursive: true, filter: isOfProject });
  fs.writeFileSync(path.join(folder, 'todo/emulator.toml'), SETTINGS);
  return folder;
}

function npm(folder, ...words) {
  return execFileSync('npm', words, { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' });
}

function link(folder, name) {
  fs.symlinkSync(path.join(__dirname, 'node_modules', name), path.join(folder, 'node_modules', name), 'junction');
}

function isOfProject(file) {
  return !['node_modules', '.emulator'].includes(path.basename(file));
}

function run(folder, files) {
  const tests = files.length ? files : fs.readdirSync(__dirname).filter((name) => name.endsWith('.test.js'));
  const env = { ...process.env, EMULATOR_BINARY: BINARY, KIT_PROJECT: folder };
  const child = spawn(process.execPath, ['--test', ...tests], { cwd: __dirname, env, stdio: 'inherit' });
  child.on('close', (code) => {
    fs.rmSync(folder, { recursive: true, force: true });
    process.exitCode = code ?? 1;
  });
}

run(createProject(), process.argv.slice(2));
