// A cloud environment as tests use it: the emulator's default one, or a fork.
'use strict';

const crypto = require('node:crypto');
const path = require('node:path');
const { createCalls, expectCall } = require('./calls');
const { openAdministrator, openUser } = require('./cloud');
const { EmulatorError } = require('./door');
const { recordWatch } = require('./watch');

/** How WeChat's openids look. */
const OPENID = /^o[\w-]{27}$/;
/** The name under which `await using` looks, also where it has none yet. */
const ASYNC_DISPOSE = Symbol.asyncDispose || Symbol.for('Symbol.asyncDispose');

/** A handle on the environment `env`, which is at its beginning now; `isNew`: nothing was called there. `server` is `{ door, appid, clock }`. */
async function openEnvironment(server, env, { isNew = false } = {}) {
  const command = (name, params = {}) => server.door.command(name, { ...params, env });
  const state = {
    ...server,
    env,
    command,
    beginning: `kit-${crypto.randomBytes(6).toString('hex')}`,
    calls: createCalls(command),
    /** What `as` gave, by user. */
    clouds: new Map(),
    administrator: null,
    recorders: new Set(),
    controls: new Set(),
    /** The states of the forks that are there; `drop` is how they go. */
    forks: new Set(),
  };
  await Promise.all([command('snapshot', { name: state.beginning }), isNew || state.calls.begin()]);
  return { state, handle: handleOf(state) };
}

function handleOf(state) {
  const { command, env, door } = state;
  const handle = {
    env,
    url: door.url,
    as: (user) => as(state, user),
    wx: (user) => openWx(state, user, false),
    database: () => administratorOf(state).database(),
    call: (name, data, options) => call(state, name, data, options),
    fork: (name) => fork(state, name),
    snapshot: (name) => command('snapshot', { name }).then(nothing),
    restore: (name) => command('restore', { name }).then(nothing),
    reset: () => reset(state),
    seed: (folder, options = {}) => command('seed', { folder: path.resolve(folder), ...options }),
    create: (collection, { mode } = {}) => command('create', { collection, mode }).then(nothing),
    users: usersOf(command),
    calls: (name) => state.calls.list(name),
    expectCall: (name, expected) => expectCallAs(state, name, expected),
    recordWatch: (query) => record(state, query),
    variables: () => variablesOf(state),
    command,
  };
  Object.defineProperty(handle, 'cloud', { enumerable: true, get: () => handle.as() });
  return handle;
}

function nothing() {}

// Users ----------------------------------------------------------------------------------------------------------------

function as(state, user) {
  const key = user ?? '';
  if (!state.clouds.has(key)) {
    state.clouds.set(key, openWx(state, user, true).cloud);
  }
  return state.clouds.get(key);
}

function openWx(state, user, isOpen) {
  const { wx, controls } = openUser({ ...state, isOpen, openid: () => openidOf(state, user) });
  state.controls.add(controls);
  return wx;
}

function administratorOf(state) {
  if (!state.administrator) {
    const { wx, controls } = openAdministrator(state);
    state.controls.add(controls);
    state.administrator = wx.cloud;
  }
  return state.administrator;
}

/** Whom `user` means: nobody in particular is the default user. */
async function openidOf(state, user) {
  if (OPENID.test(user)) {
    return user;
  }
  const { users } = await state.command('users/list');
  const isMeant = (one) => (user === undefined ? one.default : one.name === user || one.openid === user);
  const found = users.find(isMeant);
  if (!found) {
    const names = users.map((one) => one.name).join(', ');
    throw new EmulatorError(
      'NO_USER',
      `there is no user \`${user}\` in \`${state.env}\`, which knows ${names}: add it to users.json, or by ` +
        `users.add('${user}')`,
    );
  }
  return found.openid;
}

function usersOf(command) {
  return {
    list: () => command('users/list').then(({ users }) => users),
    add: (name, options = {}) => command('users/add', { ...options, name }),
    remove: (name) => command('users/remove', { name }).then(nothing),
    use: (name) => command('users/use', { name }),
  };
}

// Functions and watches ------------------------------------------------------------------------------------------------

async function call(state, name, data = {}, { as: user } = {}) {
  const openid = user === undefined ? undefined : await openidOf(state, user);
  const { result, error, logs } = await state.command('call', { function: name, data, openid });
  if (error) {
    throw Object.assign(new EmulatorError(error.code, error.message), { logs });
  }
  return result;
}

async function expectCallAs(state, name, { as: user, event, result, times, within, ...unknown } = {}) {
  const names = Object.keys(unknown);
  if (names.length) {
    throw new TypeError(`expectCall takes as, event, result, times and within, and not ${names.join(', ')}`);
  }
  const openid = user === undefined || user === null ? user : await openidOf(state, user);
  return expectCall(state.calls, name, { event, result, openid, user, times, within });
}

/** A name is a collection's, all of it, seen by the administrator. */
async function record(state, query) {
  const watched = typeof query === 'string' ? administratorOf(state).database().collection(query) : query;
  const recorder = await recordWatch(watched);
  state.recorders.add(recorder);
  return recorder;
}

// Forks, and how they end ----------------------------------------------------------------------------------------------

async function fork(state, name) {
  const { env } = await state.command('fork', { name });
  const { door, appid, clock } = state;
  const forked = await openEnvironment({ door, appid, clock }, env, { isNew: true });
  const drop = async () => {
    if (state.forks.delete(forked.state)) {
      await dropForks(forked.state);
      close(forked.state);
      await door.command('drop', { env });
    }
  };
  forked.state.drop = drop;
  state.forks.add(forked.state);
  return Object.assign(forked.handle, { clock, drop, [ASYNC_DISPOSE]: drop });
}

/** What was open stays open: a user is still signed in, a watch is told what changed. */
async function reset(state) {
  await state.command('restore', { name: state.beginning });
  await state.calls.begin();
}

/** Ends what is open here and in the forks. The environments stay. */
function close(state) {
  state.forks.forEach(close);
  state.recorders.forEach((recorder) => recorder.close());
  state.controls.forEach((controls) => controls.close());
}

/** Leaves an environment that goes on without this handle as if the handle had never been. */
async function leave(state) {
  await dropForks(state);
  close(state);
  await state.command('snapshots/remove', { name: state.beginning });
}

async function dropForks({ forks }) {
  await Promise.all([...forks].map((forked) => forked.drop()));
}

// Server SDKs ----------------------------------------------------------------------------------------------------------

/** `process.env` of a program whose server SDKs (wx-server-sdk, @cloudbase/node-sdk) are to work here. */
function variablesOf({ door, env }) {
  return {
    EMULATOR_ENV: env,
    EMULATOR_TOKEN: door.token,
    EMULATOR_URL: door.url,
    SCF_NAMESPACE: env,
    // wx-server-sdk 2.0 would hand its database to an older SDK without the second entry.
    TCB_CONTEXT_CNFG: JSON.stringify({ URL: `${door.url}/admin`, TCB_SDK_GRAY_0: true }),
    TCB_CONTEXT_KEYS: 'TCB_ENV,TCB_CONTEXT_CNFG',
    TCB_ENV: env,
    TENCENTCLOUD_REGION: 'ap-shanghai',
    TENCENTCLOUD_RUNENV: 'SCF',
    TENCENTCLOUD_SECRETID: 'emulator',
    TENCENTCLOUD_SECRETKEY: 'emulator',
    TENCENTCLOUD_SESSIONTOKEN: 'emulator',
  };
}

module.exports = { ASYNC_DISPOSE, close, leave, openEnvironment };
