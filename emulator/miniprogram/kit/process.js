// The emulator's own process: started, waited for, ended. It ends when its standard input does, and so with this process,
// however that ends.
'use strict';

const { spawn } = require('node:child_process');
const path = require('node:path');
const { clearTimeout, setTimeout } = require('node:timers');

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 15_000;
/** How much of its log an error tells. */
const LOG_SHOWN = 4_000;

/** Variables that would steer the emulator beside what it is told here. */
const STEERING = /^(EMULATOR|SCF|TCB|TENCENTCLOUD)_/;

/** Resolves once it is ready: `{ url, token, env, data, pid, stop }`. */
async function startProcess({ binary, project, fixtures, env, log }) {
  const program = binary || process.env.EMULATOR_BINARY || 'emulator';
  const values = { '--project': project, '--fixtures': fixtures };
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const child = spawn(
    program,
    [
      ...['start', '--ephemeral', '--handshake', '--port', '0'],
      ...given.flatMap(([flag, value]) => [flag, path.resolve(value)]),
      ...(env === undefined ? [] : ['--env', env]),
    ],
    { stdio: ['pipe', 'pipe', 'pipe'], env: cleanEnvironment(), windowsHide: true },
  );
  child.stdin.on('error', () => {}); // It ended by itself.
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = keepLog(child, log);
  const ready = await handshake(child, program, lines);
  release(child);
  return { ...ready, stop: () => stop(child, ended) };
}

function cleanEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !STEERING.test(name) || name === 'EMULATOR_LANG');
  return Object.fromEntries(kept);
}

/** `log` is a function of each piece of text, or true for standard error. */
function keepLog(child, log) {
  const kept = { text: '' };
  const write = log === true ? (text) => process.stderr.write(text) : log || (() => {});
  child.stderr.setEncoding('utf8').on('data', (text) => {
    kept.text = (kept.text + text).slice(-LOG_SHOWN);
    write(text);
  });
  return kept;
}

/** What it says in one line of JSON when it is ready. */
function handshake(child, program, log) {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (reason) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${reason}\n${log.text}`.trimEnd()));
    };
    const timer = setTimeout(() => fail(`${program} was not ready within ${START_MS_MAX} ms`), START_MS_MAX);
    child.once('error', (error) => fail(cure(program, error)));
    child.once('close', (code, signal) => fail(`${program} ended with ${signal || code} before it was ready`));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      const ready = readyIn(said);
      if (ready) {
        clearTimeout(timer);
        resolve(ready);
      }
    });
  });
}

function readyIn(said) {
  for (const line of said.split('\n').slice(0, -1)) {
    try {
      const { emulator, ...ready } = JSON.parse(line);
      if (emulator === 'ready') {
        return ready;
      }
    } catch {
      // Something else than the line that is waited for.
    }
  }
  return null;
}

function cure(program, error) {
  return error.code === 'ENOENT'
    ? `there is no emulator at \`${program}\`: put its folder into PATH, name it by EMULATOR_BINARY, or by ` +
        'startEmulator({ binary })'
    : `${program} cannot be started: ${error.message}`;
}

/** A test that forgets to stop it ends all the same. */
function release(child) {
  child.unref();
  [child.stdin, child.stdout, child.stderr].forEach((stream) => stream.unref());
}

async function stop(child, ended) {
  child.ref();
  child.stdin.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
}

module.exports = { startProcess };
