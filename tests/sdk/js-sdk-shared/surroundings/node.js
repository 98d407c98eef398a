// The SDK in plain Node, as a program would require it.
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');
const { after } = require('node:test');
const { setPatientTimeout } = require('../../../client/support/simulator');
const { APPID, ENVIRONMENT } = require('../../support/emulator');
const { openApp, runRow, signInWithProvider } = require('../open-app');
const SUBJECTS = require('../subjects');

async function open(folder, emulator, admin) {
  globalThis.setTimeout = setPatientTimeout;
  const require = createRequire(path.join(folder, 'package.json'));
  const sockets = keepSockets(require);
  const cloudbase = require('@cloudbase/js-sdk');
  forgetServerKeys();
  const page = openApp(cloudbase, new URL(emulator.url).host, ENVIRONMENT);
  return Object.assign(page, {
    sockets,
    file: (text) => new Blob([text]),
    signInWithWechat: (code) => signInWithProvider(page.auth, APPID, code),
    dropSockets: () => sockets.forEach((socket) => socket.terminate()),
    run: (subject, index) => runRow(page, admin, SUBJECTS[subject][index], subject === 'sign-in'),
  });
}

function closeAfter(state) {
  after(() => state.page?.sockets.forEach((socket) => socket.terminate()));
}

/** With the keys of a server in its environment the SDK would not sign in as a user. */
function forgetServerKeys() {
  delete process.env.TENCENTCLOUD_SECRETID;
  delete process.env.TENCENTCLOUD_SECRETKEY;
}

/** The open sockets of the package `ws`, which the SDK uses in Node. */
function keepSockets(require) {
  const sockets = new Set();
  const WebSocket = require('ws');
  require.cache[require.resolve('ws')].exports = class extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.add(this);
      this.on('close', () => sockets.delete(this));
    }
  };
  return sockets;
}

module.exports = { closeAfter, open };
