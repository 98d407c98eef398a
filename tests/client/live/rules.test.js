// Security rules in the words of the client (semantics §7.3 to §7.5): what alice may do under the rules of ruled/.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { assertFails } = require('../support/errors');
const { seed, simulatorBeside, until, useEmulator } = require('./support');

const FIXTURES = path.join(__dirname, 'ruled');
const DENIED = 'errCode: -502003 database permission denied | errMsg: Permission denied: the rule `';
const MINE = { _openid: '{openid}' };

let alice;
let bob;
let todos;
const emulator = useEmulator({
  keepsData: true,
  prepare: async () => {
    await seed(emulator, FIXTURES);
    alice = simulatorBeside(emulator, { code: 'alice' });
    bob = simulatorBeside(emulator, { code: 'bob' });
    todos = alice.db.collection('todos');
  },
});

const idsOf = ({ data }) => data.map((document) => document._id);

test('a query inside the rule finds what any query finds', async () => {
  const _ = alice.db.command;
  assert.deepEqual(idsOf(await todos.where(MINE).get()), ['of alice']);
  assert.deepEqual(idsOf(await todos.where(_.or([MINE, { shared: true }])).get()), ['of alice', 'shared']);
  assert.equal((await todos.where({ shared: true }).count()).total, 1);
  const shared = todos.aggregate().match({ shared: true });
  const { list } = await shared.group({ _id: null, n: _.aggregate.sum('$n') }).end();
  assert.deepEqual(list, [{ _id: null, n: 1 }]);
});

test('any other is refused, and the refusal says what to write', async () => {
  await assertFails(todos.get(), -502003, DENIED, "where() must say {_openid: '{openid}'}");
  await assertFails(todos.where({ n: 1 }).count(), -502003, DENIED);
  await assertFails(todos.aggregate().sort({ n: 1 }).end(), -502003, DENIED);
  const instead = "doc() asks by `_id` alone: write where({_id: 'of alice', _openid: '{openid}'}) instead";
  await assertFails(todos.doc('of alice').get(), -502003, DENIED, instead);
  await assertFails(todos.doc('of alice').update({ data: { n: 2 } }), -502003, DENIED, instead);
  await assertFails(todos.doc('of alice').remove(), -502003, DENIED, instead);
  await assertFails(todos.doc('new').set({ data: { title: 'x' } }), -502003, DENIED);
});

test('writing by where() changes what the rule lets one change', async () => {
  assert.equal((await todos.where(MINE).update({ data: { n: 2 } })).stats.updated, 1);
  await assertFails(todos.where({ shared: true }).update({ data: { n: 2 } }), -502003, DENIED);
  await assertFails(todos.add({ data: { n: 1 } }), -502003, DENIED, '`doc.title != null` is false');
  const { _id } = await todos.add({ data: { title: 'x' } });
  assert.equal((await todos.where({ _id, ...MINE }).get()).data[0]._openid, alice.openid());
  assert.equal((await todos.where({ _id, ...MINE }).remove()).stats.removed, 1);
});

test('a watch is told that a document left, not what became of it', async () => {
  const snapshots = [];
  const errors = [];
  const watch = todos.where({ shared: true }).watch({
    onChange: (snapshot) => snapshots.push(snapshot),
    onError: (error) => errors.push(error),
  });
  await until(() => snapshots.length === 1, 'the first snapshot');
  await bob.db.collection('todos').where(MINE).update({ data: { shared: false, secret: 7 } });
  await until(() => snapshots.length === 2, 'the change');
  const [change] = snapshots[1].docChanges;
  assert.deepEqual([change.queueType, change.docId, snapshots[1].docs.length], ['dequeue', 'shared', 0]);
  assert.equal(change.doc.secret, undefined, 'what the page had before');
  await watch.close();
  assert.deepEqual(errors, []);
  const refused = await new Promise((resolve) => todos.watch({ onChange: resolve, onError: resolve }));
  assert.equal(refused.errCode, -402002);
  assert.match(refused.errMsg, /COLLECTION_PERMISSION_DENIED.*the rule `read` refuses/);
});

test('functions and files have rules', async () => {
  await alice.cloud.callFunction({ name: 'echo' });
  await assertFails(alice.cloud.callFunction({ name: 'counter' }), -501023, 'the rule `invoke` refuses');
  const upload = (user) => user.cloud.uploadFile({ cloudPath: 'a.js', filePath: __filename });
  const { fileID } = await upload(alice);
  await assertFails(upload(bob), -503002, 'storage permission denied: the rule `write` refuses');
  const status = async (user) => (await user.cloud.getTempFileURL({ fileList: [fileID] })).fileList[0].status;
  assert.deepEqual([await status(alice), await status(bob)], [0, -503002]);
});
