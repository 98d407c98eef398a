// What runs inside the page: the SDK, and the rows of every subject.
'use strict';

const { default: cloudbase } = require('js-sdk');
const { openApp, runRow, signInWithProvider } = require('../open-app');
const SUBJECTS = require('../subjects');

const admin = new Proxy({}, { get: (_, name) => (...args) => window.askAdmin(name, args) });
const sockets = keepSockets();
let page;

window.openPage = ({ host, env, appid }) => {
  page = openApp(cloudbase, host, env);
  Object.assign(page, {
    file: (text) => new File([text], 'file.txt', { type: 'text/plain' }),
    signInWithWechat: (code) => signInWithProvider(page.auth, appid, code),
    dropSockets: () => sockets.forEach((socket) => socket.close(4000)),
  });
};

window.runRow = (subject, index) => runRow(page, admin, SUBJECTS[subject][index], subject === 'sign-in');

/** The page's open sockets. */
function keepSockets() {
  const kept = new Set();
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      kept.add(this);
      this.addEventListener('close', () => kept.delete(this));
    }
  };
  return kept;
}
