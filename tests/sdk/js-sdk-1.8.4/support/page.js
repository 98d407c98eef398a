// js-sdk in a mini program of our own making: one app a process, since the SDK keeps its adapter and end point globally.
//
//   const page = usePage(emulator);
//   test('…', async () => { await page.db.collection('c').get(); });
'use strict';

const { after } = require('node:test');
const { setPatientTimeout } = require('../../../client/support/simulator');
const { createWx } = require('../../../../emulator/miniprogram/kit/wx');
const { APPID, ENVIRONMENT } = require('../../support/emulator');

/** A page beside a started emulator; call `open` from the emulator's `prepare`. */
function usePage(emulator) {
  const page = {
    async open() {
      const { wx, controls } = createWx({ appid: APPID });
      page.wx = wx;
      page.controls = controls;
      installGlobals(wx);
      const cloudbase = load();
      cloudbase.registerEndPoint(`${emulator.url}/web`);
      page.app = cloudbase.init({ env: ENVIRONMENT, appSign: APPID, appSecret: { appAccessKeyId: '1', appAccessKey: 'any' } });
      page.auth = page.app.auth({ persistence: 'local' });
      page.db = page.app.database();
    },
  };
  after(() => page.controls?.close());
  return page;
}

/** What the adapter looks for before it believes that it is in a mini program, and timers that let a finished test end. */
function installGlobals(wx) {
  const connectSocket = (call) => withReadyState(wx.connectSocket(call));
  const globals = { wx: { ...wx, connectSocket }, Page() {}, App() {}, getApp() {}, setTimeout: setPatientTimeout };
  Object.assign(globalThis, globals);
}

/** A SocketTask has one in WeChat, though its documentation is silent; the SDK sends nothing before it says 1. */
function withReadyState(task) {
  let readyState = 0;
  task.onOpen(() => (readyState = 1));
  task.onClose(() => (readyState = 3));
  return Object.defineProperty(task, 'readyState', { get: () => readyState });
}

/** The SDK looks at its surroundings when it is loaded. */
function load() {
  const cloudbase = require('@cloudbase/js-sdk');
  const { default: adapter } = require('@cloudbase/adapter-wx_mp');
  cloudbase.useAdapters(adapter);
  return cloudbase;
}

module.exports = { usePage };
