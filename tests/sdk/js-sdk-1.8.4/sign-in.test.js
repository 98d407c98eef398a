// Signing in anonymously, what follows from it, and its end (protocol §5.1).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useEmulator } = require('../support/emulator');
const { usePage } = require('./support/page');

const emulator = useEmulator({ prepare: () => page.open() });
const page = usePage(emulator);

test('a page signs in anonymously, reads who it is and signs out', async () => {
  await page.auth.anonymousAuthProvider().signIn();
  const state = await page.auth.getLoginState();
  assert.equal(state.isAnonymousAuth, true);
  const user = await page.auth.getUserInfo();
  assert.match(user.uid, /^[0-9a-f]{32}$/);
  assert.equal(user.loginType, 'ANONYMOUS');
});

test('whoever signs in again is who they were', async () => {
  const before = await page.auth.getUserInfo();
  await page.auth.anonymousAuthProvider().signIn();
  assert.equal((await page.auth.getUserInfo()).uid, before.uid);
});

test('a ticket signs in the user it names', async () => {
  const claims = { alg: 'RS256', env: 'sdk-tests', iat: Date.now(), exp: Date.now() + 60_000, uid: 'user-1234', refresh: 3600_000 };
  const ticket = `key/@@/e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbg`;
  await page.auth.customAuthProvider().signIn(ticket);
  const user = await page.auth.getUserInfo();
  assert.equal(user.uid, 'user-1234');
  assert.equal(user.customUserId, 'user-1234');
});

test('who has signed out is nobody', async () => {
  await page.auth.signOut();
  assert.equal(await page.auth.getLoginState(), null);
  const { name } = await emulator.collection([{ a: 1 }]);
  await assert.rejects(async () => {
    const reply = await page.db.collection(name).get();
    if (reply.code) {
      throw new Error(reply.code);
    }
  });
});
