// What rows ask of the developer's side, in plain data, so that a page in a browser can ask too.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const tcb = require('@cloudbase/node-sdk');
const { ENVIRONMENT } = require('../support/emulator');

/** The developer beside a started emulator. */
function adminOf(emulator) {
  const holder = () => JSON.parse(fs.readFileSync(path.join(emulator.dataFolder, 'emulator.json'), 'utf8'));
  const manage = (command, params = {}) => post(`${emulator.url}/_emulator/${command}`, params, holder().token);
  // Keys of its own: a page in this process must find none in the variables.
  const keys = { secretId: 'x', secretKey: 'y', serviceUrl: `${emulator.url}/admin` };
  const db = tcb.init({ env: ENVIRONMENT, ...keys }).database();
  let collections = 0;
  return {
    /** The name of a new collection with these documents. */
    collection: async (documents = []) => {
      collections += 1;
      const name = `collection-${collections}`;
      await db.createCollection(name);
      if (documents.length) {
        await db.collection(name).add(documents);
      }
      return name;
    },
    add: async (name, document) => void (await db.collection(name).add(document)),
    documents: async (name) => (await db.collection(name).orderBy('_id', 'asc').get()).data,
    addUser: async (user) => (await manage('users/add', user)).openid,
    defaultOpenid: async () => (await manage('users/list')).users.find((user) => user.default).openid,
    codeSentTo: async (to) => (await manage('outbox')).messages.findLast((message) => message.to === to).code,
    /** What becomes of a refresh token: the error, if there is one. */
    refresh: async (refresh_token) => {
      const url = `${emulator.url}/auth/v1/token?client_id=${ENVIRONMENT}`;
      return (await post(url, { grant_type: 'refresh_token', refresh_token })).error;
    },
  };
}

async function post(url, params, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(params) })).json();
}

module.exports = { adminOf };
