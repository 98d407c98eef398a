// The SDK in a mini program: the files that DevTools takes from the package, over the `wx` of tests/client.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { after } = require('node:test');
const { setPatientTimeout } = require('../../../client/support/simulator');
const { createWx } = require('../../../../emulator/miniprogram/kit/wx');
const { APPID, ENVIRONMENT } = require('../../support/emulator');
const { openApp, runRow } = require('../open-app');
const SUBJECTS = require('../subjects');

async function open(folder, emulator, admin) {
  let code = 'code-of-nobody';
  const { wx, controls } = createWx({ appid: APPID, code: () => code });
  installGlobals(wx);
  const page = openApp(load(folder), new URL(emulator.url).host, ENVIRONMENT);
  let files = 0;
  return Object.assign(page, {
    controls,
    file: (text) => {
      files += 1;
      const filePath = path.join(wx.env.USER_DATA_PATH, `file-${files}.txt`);
      fs.writeFileSync(filePath, text);
      return filePath;
    },
    signInWithWechat: async (named) => {
      code = named;
      await page.auth.signInWithOpenId({ useWxCloud: false });
    },
    dropSockets: () => controls.dropSockets(),
    run: (subject, index) => runRow(page, admin, SUBJECTS[subject][index], subject === 'sign-in'),
  });
}

function closeAfter(state) {
  after(() => state.page?.controls.close());
}

/**
 * What the adapter looks for before it believes that it is in a mini program, and timers that let a finished test end. A
 * RequestTask tells of chunks, of which there are none where none were asked for.
 */
function installGlobals(wx) {
  const connectSocket = (call) => withReadyState(wx.connectSocket(call));
  const request = (call) => Object.assign(wx.request(call), { onChunkReceived() {} });
  const globals = { wx: { ...wx, connectSocket, request }, Page() {}, App() {}, getApp() {}, setTimeout: setPatientTimeout };
  Object.assign(globalThis, globals);
}

/** A SocketTask has one in WeChat, though its documentation is silent; the SDK sends nothing before it says 1. */
function withReadyState(task) {
  let readyState = 0;
  task.onOpen(() => (readyState = 1));
  task.onClose(() => (readyState = 3));
  return Object.defineProperty(task, 'readyState', { get: () => readyState });
}

/** The SDK looks at its surroundings when it is loaded. `miniprogram` of its package.json names what DevTools takes. */
function load(folder) {
  const cloudbase = require(path.join(folder, 'node_modules/@cloudbase/js-sdk/miniprogram_dist'));
  const { default: adapter } = require(path.join(folder, 'node_modules/@cloudbase/adapter-wx_mp'));
  cloudbase.useAdapters(adapter);
  return cloudbase;
}

module.exports = { closeAfter, open };
