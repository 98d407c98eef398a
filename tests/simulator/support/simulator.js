// A simulator with the mini program in it, as a test sees it: what its user sees and does. Each runs in a thread of its own,
// since `wx`, `getApp` and the document are global to a mini program; `simulator-thread.js` is what runs there.
//
//   const alice = await openSimulator({ folder, address: emulator.url, openid: '…' });
//   await alice.open('pages/todos/todos');
//   await alice.type('.new__title', '买菜');
//   await alice.tap('.new__add');
//   await alice.until(async () => (await alice.texts('.todo__title'))[0] === '买菜', 'the todo');
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { closeLater } = require('../../client/support/cleanup');

const THREAD = path.join(__dirname, 'simulator-thread.js');

/** What a user does and sees; `simulator-thread.js` has the functions. */
const ACTIONS = ['answerChooseMedia', 'attribute', 'choose', 'open', 'tap', 'texts', 'toasts', 'type'];

const UNTIL_TRIES_MAX = 500;
const UNTIL_PAUSE_MS = 20;

/** Starts the mini program in `folder` beside the emulator at `address`, as the user whose openid its storage keeps. */
async function openSimulator({ folder, address, appid, openid }) {
  const worker = new Worker(THREAD, { workerData: { folder, address, appid, openid }, stdout: true, stderr: true });
  const simulator = { log: '' };
  const calls = startCalls(worker, simulator);
  ACTIONS.forEach((action) => {
    simulator[action] = (...values) => calls.make(action, values);
  });
  simulator.until = (condition, what) => until(simulator, condition, what);
  closeLater(() => calls.make('close', []).finally(() => worker.terminate()));
  await calls.make('launch', []);
  return simulator;
}

/** Calls of the thread's functions and their answers. A thread that fails fails every call. */
function startCalls(worker, simulator) {
  const waiting = new Map();
  let last = 0;
  let death = null;
  const die = (error) => {
    death = new Error(`the simulator failed: ${error.stack}\n${simulator.log}`);
    waiting.forEach(({ reject }) => reject(death));
  };
  [worker.stdout, worker.stderr].forEach((stream) =>
    stream.on('data', (chunk) => {
      simulator.log += chunk;
    }),
  );
  worker.on('error', die);
  worker.on('message', ({ id, result, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    return error ? reject(new Error(`${error}\n${simulator.log}`)) : resolve(result);
  });
  const make = (action, values) =>
    new Promise((resolve, reject) => {
      if (death) {
        reject(death);
        return;
      }
      last += 1;
      waiting.set(last, { resolve, reject });
      worker.postMessage({ id: last, action, values });
    });
  return { make };
}

async function until(simulator, condition, what) {
  for (let tries = 0; !(await condition()); tries += 1) {
    assert.ok(tries < UNTIL_TRIES_MAX, `waited in vain for ${what}\n${simulator.log}`);
    await new Promise((resolve) => setTimeout(resolve, UNTIL_PAUSE_MS));
  }
}

module.exports = { openSimulator };
