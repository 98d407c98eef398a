// `wx.cloud` in Node: the client `wx-cloud.js` itself, loaded once for each user, under a `wx` of its own.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { clearTimeout, setTimeout } = require('node:timers');
const { createWx } = require('./wx');

const CLIENT = path.join(__dirname, '../wx-cloud.js');
/** Where the client keeps who the simulator is. */
const OPENID_STORAGE_KEY = 'emulator.openid';
/** What is meant to happen later than this does not keep a finished test waiting. */
const PATIENCE_MS = 500;
/** The most that the emulator answers to one query. */
const DOCUMENTS_MAX_ADMINISTRATORS = 1000;

const SCOPE = ['module', 'exports', 'wx', 'console', 'setTimeout', 'clearTimeout'];
let compiled;

/**
 * A mini program's `wx` as a user of the environment `env`: `{ wx, controls }`. `openid` answers, later, who that is;
 * `isOpen` spares `wx.cloud.init`.
 */
function openUser({ door, env, appid, openid, isOpen }) {
  const storage = new Map();
  const signIn = (body) => openid().then((found) => keep(storage, found) && { ...body, code: '', openid: found });
  return open({ appid, storage }, { address: door.url, env, isOpen }, (body, pass) =>
    body.action === 'emulator.signIn' ? signIn(body).then(pass) : pass(body),
  );
}

/** The same as nobody in particular, who may do everything. */
function openAdministrator({ door, env, appid }) {
  const place = { address: door.url, env, isOpen: true, documentsMax: DOCUMENTS_MAX_ADMINISTRATORS };
  return open({ appid }, place, (body) => actAsAdministrator(door, env, body));
}

function open(options, place, answer) {
  const { wx, controls } = createWx(options);
  const inner = { ...wx, request: answering(wx.request, answer) };
  const client = load(inner, controls);
  client(place);
  wx.cloud = inner.cloud;
  return { wx, controls };
}

/** The client as a mini program would load it. */
function load(wx, controls) {
  // By `Function`, which a test runner gives a realm of its own: what the client answers comes from there, too.
  compiled = compiled || new Function(...SCOPE, `${fs.readFileSync(CLIENT, 'utf8')}\n//# sourceURL=${CLIENT}`);
  const module = { exports: {} };
  const later = (work, delay) => patiently((...values) => controls.isClosed() || work(...values), delay);
  compiled(module, module.exports, wx, quiet(), later, clearTimeout);
  return module.exports;
}

/** A timer of a real clock, whatever a test makes of `setTimeout`. */
function patiently(work, delay) {
  const timer = setTimeout(work, delay);
  return delay >= PATIENCE_MS ? timer.unref() : timer;
}

/** The console without the line that tells where the emulator is. */
function quiet() {
  return Object.create(console, { info: { value: () => {} } });
}

/** `wx.request` whose actions go through `answer(body, pass)`: it answers the reply, or passes a body on. */
function answering(request, answer) {
  return (call) => {
    if (!/\/web(\?|$)/.test(call.url)) {
      return request(call);
    }
    const pass = (body) =>
      new Promise((success, fail) =>
        request({ ...call, data: JSON.stringify(body), success, fail, complete: undefined }),
      );
    const reply = Promise.resolve(JSON.parse(call.data)).then((body) => answer(body, pass));
    reply.then(
      (result) => end(call, 'success', result.statusCode ? result : { statusCode: 200, data: JSON.stringify(result) }),
      (error) => end(call, ...failed(error)),
    );
    return { abort: () => {} };
  };
}

/** What the emulator refused is its reply; anything else is a network's failure. */
function failed(error) {
  return error.code && error.code !== 'NO_EMULATOR'
    ? ['success', { statusCode: 200, data: JSON.stringify({ code: error.code, message: error.message }) }]
    : ['fail', { errMsg: error.errMsg || `request:fail ${error.message}` }];
}

function end(call, callback, result) {
  call[callback]?.(result);
  call.complete?.(result);
}

async function actAsAdministrator(door, env, body) {
  const { action, env: named, dataVersion, access_token, seqId, ...params } = body;
  if (action === 'emulator.signIn') {
    return { requestId: seqId, data: { access_token: '', openid: '', env: named || env } };
  }
  return { requestId: seqId, data: await door.command('action', { env: named || env, action, params }) };
}

function keep(storage, openid) {
  return storage.set(OPENID_STORAGE_KEY, openid);
}

module.exports = { openAdministrator, openUser };
