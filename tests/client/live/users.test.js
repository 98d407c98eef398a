// Two simulators, two users: who they are, and whose documents are whose under the default mode (semantics §7.1, §7.2).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../support/errors');
const { addUser, simulatorBeside, useEmulator } = require('./support');

let alice;
let bob;
let name;
const emulator = useEmulator({
  keepsData: true,
  prepare: async () => {
    await addUser(emulator, 'alice');
    await addUser(emulator, 'bob');
    alice = simulatorBeside(emulator, { code: 'alice' });
    bob = simulatorBeside(emulator, { code: 'bob' });
    ({ name } = await emulator.collection([{ _id: 'of nobody', n: 0 }]));
    await alice.db.collection(name).add({ data: { _id: 'of alice', n: 1 } });
    await bob.db.collection(name).add({ data: { _id: 'of bob', n: 2 } });
  },
});

test('each simulator is the user of its code, and stays it', async () => {
  assert.match(alice.openid(), /^o[\w-]{27}$/);
  assert.notEqual(alice.openid(), bob.openid());
  const again = simulatorBeside(emulator, { code: 'any code', storage: alice.controls.storage });
  await again.db.collection(name).get();
  assert.equal(again.openid(), alice.openid());
});

test('functions are told who calls', async () => {
  for (const user of [alice, bob]) {
    const { result } = await user.cloud.callFunction({ name: 'whoami' });
    assert.equal(result.wxContext.OPENID, user.openid());
    assert.deepEqual(result.event.userInfo, { appId: result.wxContext.APPID, openId: user.openid() });
  }
});

test('by default a user reads and writes what is his (DB-7.02, DB-7.03)', async () => {
  const c = alice.db.collection(name);
  assert.deepEqual(
    (await c.get()).data.map((document) => document._id),
    ['of alice'],
  );
  assert.equal((await c.count()).total, 1);
  await assertFails(c.doc('of bob').get(), -1, 'cannot find document with _id of bob');
  await assertFails(c.doc('of nobody').get(), -1, 'cannot find document');
  assert.equal((await c.doc('of bob').update({ data: { n: 5 } })).stats.updated, 0);
  await assertFails(c.doc('of bob').remove(), -1, 'cannot remove document');
  await assertFails(c.doc('of bob').set({ data: { n: 5 } }), -502001, 'duplicate key error');
  assert.equal((await c.where({ n: alice.db.command.gte(0) }).update({ data: { m: 1 } })).stats.updated, 1);
  assert.deepEqual(
    (await bob.db.collection(name).get()).data.map(({ _id, n, m }) => [_id, n, m]),
    [['of bob', 2, undefined]],
  );
});

test('files are written by whom they are of', async () => {
  const fs = require('node:fs');
  const path = require('node:path');
  const filePath = path.join(alice.wx.env.USER_DATA_PATH, 'a.txt');
  fs.writeFileSync(filePath, 'of alice');
  const { fileID } = await alice.cloud.uploadFile({ cloudPath: 'a.txt', filePath });
  await bob.cloud.downloadFile({ fileID });
  await assertFails(bob.cloud.uploadFile({ cloudPath: 'a.txt', filePath }), -503002);
  const refused = await bob.cloud.deleteFile({ fileList: [fileID] });
  assert.equal(refused.fileList[0].status, -503002);
  const removed = await alice.cloud.deleteFile({ fileList: [fileID] });
  assert.equal(removed.fileList[0].status, 0);
});
