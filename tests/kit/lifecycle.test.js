// How an emulator comes and goes with the tests that it is for.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { PROJECT, START, TODO, isAlive, kit, run, until } = require('./support/project');

const GONE_MS_MAX = 5_000;
const NODE = process.execPath;
const start = `require('mini-program-cloud-emulator').startEmulator({ project: ${JSON.stringify(TODO)} })`;

/** Runs `code` in a process of its own, `then` once it has printed a process id; answers that id and how it ended. */
async function program(code, then = () => {}) {
  let pid;
  const ended = await run([NODE, '-e', code], {
    onChild: (child) => {
      child.stdout.on('data', (text) => {
        pid = pid || Number(/pid (\d+)/.exec(text)?.[1]);
        then(child);
      });
    },
  });
  assert.ok(pid, ended.output);
  return { pid, ...ended };
}

test('stop() ends it, in order, and may come twice', async () => {
  const emulator = await kit.startEmulator(START);
  assert.ok(isAlive(emulator.pid));
  await Promise.all([emulator.stop(), emulator.stop()]);
  assert.ok(!isAlive(emulator.pid));
});

test('a runner killed by SIGKILL leaves no emulator', async () => {
  const code = `${start}.then((emulator) => { console.log('pid ' + emulator.pid); setInterval(() => {}, 1000); })`;
  const { pid, signal } = await program(code, (child) => child.kill('SIGKILL'));
  assert.equal(signal, 'SIGKILL');
  assert.ok(await until(() => !isAlive(pid), GONE_MS_MAX), `${pid} is there after ${GONE_MS_MAX} ms`);
});

test('a program that forgets to stop it ends, and the emulator with it', async () => {
  const { pid, code } = await program(`${start}.then((emulator) => console.log('pid ' + emulator.pid))`);
  assert.equal(code, 0);
  assert.ok(await until(() => !isAlive(pid), GONE_MS_MAX), `${pid} is there after ${GONE_MS_MAX} ms`);
});

test('what export() tells is found, and left as it was', async () => {
  const emulator = await kit.startEmulator(START);
  const variables = emulator.export();
  assert.deepEqual(Object.keys(variables), ['EMULATOR_ENV', 'EMULATOR_TOKEN', 'EMULATOR_URL']);
  const attached = await kit.startEmulator();
  assert.equal(attached.pid, emulator.pid);
  await attached.fork('left-over');
  await attached.stop();
  assert.ok(isAlive(emulator.pid));
  assert.deepEqual((await emulator.command('forks')).forks, []);
  assert.equal((await emulator.command('snapshots/list')).snapshots.length, 1);
  await emulator.stop();
  assert.equal(process.env.EMULATOR_URL, undefined);
});

test('the emulator of `emulator exec` is found', async () => {
  const code = `${start}.then((emulator) => {
    console.log(emulator.url === process.env.EMULATOR_URL, emulator.env === process.env.EMULATOR_ENV);
    return emulator.stop();
  })`;
  const place = ['--project', TODO, '--ephemeral'];
  const { output } = await run([process.env.EMULATOR_BINARY, 'exec', ...place, '--', NODE, '-e', code]);
  assert.match(output, /^true true$/m);
});

test('await using, where there is no such syntax yet', async () => {
  const emulator = await kit.startEmulator(START);
  const fork = await emulator.fork();
  await fork[Symbol.asyncDispose]();
  assert.deepEqual((await emulator.command('forks')).forks, []);
  await emulator[Symbol.asyncDispose]();
  assert.ok(!isAlive(emulator.pid));
});

test('a binary that is not there is named, with the cure', async () => {
  await assert.rejects(kit.startEmulator({ ...START, binary: '/nowhere/emulator' }), {
    message:
      'there is no emulator at `/nowhere/emulator`: put its folder into PATH, name it by EMULATOR_BINARY, or by ' +
      'startEmulator({ binary })',
  });
});

test('an emulator that does not start says why', async () => {
  const fixtures = path.join(PROJECT, 'broken');
  fs.mkdirSync(path.join(fixtures, 'database'), { recursive: true });
  fs.writeFileSync(path.join(fixtures, 'database/todos.jsonl'), 'not JSON\n');
  await assert.rejects(kit.startEmulator({ ...START, fixtures }), /ended with 1 before it was ready\n[^]*todos\.jsonl/);
});
