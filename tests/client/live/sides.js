// The two sides of one API beside a live emulator: `wx.cloud` on a page, and wx-server-sdk as a cloud function requires it.
// What they share is tested by shared/, where they part by tests/differences.
//
// A side: `{ name, cloud, db, collection(documents), content(document), fileOf(text), textOf(answer) }`.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const wxServerSdk = require('wx-server-sdk');
const { ENVIRONMENT, simulatorBeside, useEmulator } = require('./support');

/** For one test file: `{ page, server, emulator }`. The sides can be used from its first test on. */
function useSides() {
  const page = { name: 'wx.cloud' };
  const server = { name: 'wx-server-sdk' };
  const emulator = useEmulator({
    prepare: async () => {
      Object.assign(page, createPage(emulator));
      Object.assign(server, createServer(emulator));
    },
  });
  return { page, server, emulator };
}

function createPage(emulator) {
  const { cloud, db, openid, wx } = simulatorBeside(emulator);
  return {
    cloud,
    db,
    openid,
    collection: (documents) => createCollection(emulator, db, documents),
    /** What the test wrote; the owner is the cloud's to add (DB-7.01). */
    content: ({ _openid, ...content }) => {
      assert.equal(_openid, openid());
      return content;
    },
    /** What `uploadFile` takes the file from. */
    fileOf: (text) => {
      const filePath = path.join(wx.env.USER_DATA_PATH, `${Math.random()}.txt`);
      fs.writeFileSync(filePath, text);
      return { filePath };
    },
    /** The text that `downloadFile` answered. */
    textOf: ({ tempFilePath }) => fs.readFileSync(tempFilePath, 'utf8'),
  };
}

/** The emulator's test support has set the variables that lead the SDK there (protocol §1.3). */
function createServer(emulator) {
  wxServerSdk.init({ env: ENVIRONMENT });
  const db = wxServerSdk.database();
  return {
    cloud: wxServerSdk,
    db,
    collection: (documents) => createCollection(emulator, db, documents),
    content: (document) => document,
    fileOf: (text) => ({ fileContent: Buffer.from(text) }),
    textOf: ({ fileContent }) => fileContent.toString('utf8'),
  };
}

/** A new collection with documents that this side added, in this order. */
async function createCollection(emulator, db, documents = []) {
  const { name } = await emulator.collection();
  for (const data of documents) {
    await db.collection(name).add({ data });
  }
  return db.collection(name);
}

module.exports = { useSides };
