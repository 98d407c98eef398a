// Who calls and which SDK answers: getWXContext(), userInfo, the packed wx-server-sdk and an installed one.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { APPID, ENVIRONMENT, useEmulator } = require('../support/emulator');

const emulator = useEmulator({ keepsData: true });
const ALICE = 'oALICE0000000000000000000001';
const BOB = 'oBOB000000000000000000000002';

test('a mini-program user has an OPENID (FN-04)', async () => {
  const { wxContext } = await emulator.callAs(ALICE, 'whoami');
  assert.equal(wxContext.OPENID, ALICE);
  assert.equal(wxContext.APPID, APPID);
  assert.equal(wxContext.ENV, ENVIRONMENT);
  assert.equal(wxContext.SOURCE, 'wx_client');
  assert.equal(typeof wxContext.CLIENTIP, 'string');
  assert.equal(typeof wxContext.CLIENTIPV6, 'string');
  assert.equal(wxContext.API_TOKEN, undefined);
});

test('the event of a mini-program call has userInfo, which the caller cannot set (FN-02)', async () => {
  const { event } = await emulator.callAs(ALICE, 'whoami', { a: 1, userInfo: { openId: BOB } });
  assert.deepEqual(event, { a: 1, userInfo: { appId: APPID, openId: ALICE } });
});

test('one call after another, each with its own user', async () => {
  for (const openid of [ALICE, BOB, ALICE]) {
    assert.equal((await emulator.callAs(openid, 'whoami')).wxContext.OPENID, openid);
  }
});

test('a call by nobody after one by a user is nobody\'s (FN-05)', async () => {
  await emulator.callAs(ALICE, 'whoami');
  const { wxContext, event } = await emulator.callAs(null, 'whoami', { a: 1 });
  assert.equal(wxContext.OPENID, undefined);
  assert.deepEqual(event, { a: 1 });
  assert.equal((await emulator.call('whoami', {})).wxContext.OPENID, undefined);
});

test('a function writes as an administrator whoever calls: no _openid is added (§7.1)', async () => {
  const { name, collection } = await emulator.collection();
  await emulator.callAs(ALICE, 'packed-sdk', { collection: name });
  const [document] = (await collection.get()).data;
  assert.deepEqual(Object.keys(document).sort(), ['_id', 'from']);
  assert.equal(document.from, ALICE);
});

test('a function without wx-server-sdk gets the packed one', async () => {
  const { name } = await emulator.collection();
  const { version, resolved } = await emulator.callAs(ALICE, 'packed-sdk', { collection: name });
  assert.equal(version, '4.0.2');
  const ofTheTests = path.join('..', '..', 'node_modules');
  assert.ok(!resolved.startsWith(ofTheTests), `${resolved} is the one installed for these tests`);
});

test('a function with wx-server-sdk installed gets its own', async () => {
  const { name } = await emulator.collection();
  const { version, resolved, from } = await emulator.callAs(BOB, 'own-sdk', { collection: name });
  assert.equal(version, '4.0.2');
  assert.equal(resolved, path.join('node_modules', 'wx-server-sdk', 'index.js'));
  assert.equal(from, BOB);
});

test('the command line fails when the function does', async () => {
  await assert.rejects(emulator.callAs(ALICE, 'failures', { kind: 'error' }), /boom/);
  await assert.rejects(emulator.callAs(ALICE, 'no-such-function'), /FUNCTION_NOT_FOUND/);
});
