// The kit beside a live emulator with the fixture's cloud.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { ALICE, BOB, PROJECT, TODO, kit, run, useEmulator } = require('./support/project');

const used = useEmulator();
const todos = (cloud) => cloud.database().collection('todos');
const count = async (handle) => (await handle.database().collection('todos').count()).total;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'kit-live-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

function writeFile(name, text) {
  fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
}

/** The message of what `promise` rejects with. */
async function complaint(promise) {
  const error = await promise.then(
    () => assert.fail('expected a rejection'),
    (reason) => reason,
  );
  return error.message;
}

test('several users at once, by name and by openid', async () => {
  const { emulator } = used;
  const write = (user) => todos(emulator.as(user)).add({ data: { title: `of ${user}` } });
  await Promise.all(['alice', BOB, 'oNEWUSER00000000000000000001'].map(write));
  const { data } = await emulator.database().collection('todos').where({ title: /^of / }).orderBy('title', 'asc').get();
  assert.deepEqual(
    data.map(({ title, _openid }) => [title, _openid]),
    [
      ['of alice', ALICE],
      [`of ${BOB}`, BOB],
      ['of oNEWUSER00000000000000000001', 'oNEWUSER00000000000000000001'],
    ],
  );
  assert.equal(emulator.as('alice'), emulator.as('alice'));
});

test('nobody in particular is the default user; a name nobody has is refused', async () => {
  const { emulator } = used;
  await todos(emulator.cloud).add({ data: { title: 'whose' } });
  const { data } = await emulator.database().collection('todos').where({ title: 'whose' }).get();
  assert.equal(data[0]._openid, ALICE);
  assert.match(
    await complaint(todos(emulator.as('alcie')).get()),
    /there is no user `alcie` in `cloud1`, which knows alice, bob/,
  );
  await emulator.users.add('dora');
  await todos(emulator.as('dora')).add({ data: { title: 'dora was here' } });
  assert.deepEqual(
    (await emulator.users.list()).map(({ name }) => name),
    ['alice', 'bob', 'dora'],
  );
});

test("what one user's database makes, another's understands", async () => {
  const { emulator } = used;
  const bobs = emulator.as('bob').database();
  const _ = bobs.command;
  const values = { at: bobs.serverDate(), place: bobs.Geo.Point(120, 30), n: 1 };
  const { _id } = await todos(emulator.as('alice')).add({ data: values });
  await todos(emulator.as('alice'))
    .doc(_id)
    .update({ data: { n: _.inc(4) } });
  const found = await emulator
    .database()
    .collection('todos')
    .where(
      _.and([
        { n: _.gt(4).and(_.lt(6)) },
        { place: _.geoNear({ geometry: bobs.Geo.Point(120, 30), maxDistance: 10 }) },
      ]),
    )
    .get();
  assert.equal(found.data.length, 1);
  assert.ok(found.data[0].at instanceof Date);
});

test('permissions hold for users and not for the administrator', async () => {
  const { emulator } = used;
  const { data } = await todos(emulator.as('alice')).where({ _openid: BOB }).limit(1).get();
  const change = (cloud) =>
    cloud
      .database()
      .collection('todos')
      .doc(data[0]._id)
      .update({ data: { title: 'mine' } });
  assert.equal((await change(emulator.as('alice'))).stats.updated, 0);
  assert.equal((await change({ database: () => emulator.database() })).stats.updated, 1);
});

test('the administrator knows all commands and reads more than 20 documents', async () => {
  const { emulator } = used;
  const db = emulator.database();
  const _ = db.command;
  await emulator.create('many', { mode: 'ADMINONLY' });
  await Promise.all(
    Array.from({ length: 30 }, (unused, n) => db.collection('many').add({ data: { n, at: new Date(n) } })),
  );
  assert.equal((await db.collection('many').get()).data.length, 30);
  const { data } = await db
    .collection('many')
    .where({ n: _.gte(28) })
    .orderBy('n', 'asc')
    .get();
  assert.deepEqual(
    data.map(({ n, at }) => [n, at.getTime()]),
    [
      [28, 28],
      [29, 29],
    ],
  );
  await db
    .collection('many')
    .where({ n: _.lt(29) })
    .remove();
  const { list } = await db
    .collection('many')
    .aggregate()
    .group({ _id: null, n: _.aggregate.sum('$n') })
    .end();
  assert.deepEqual(list, [{ _id: null, n: 29 }]);
  assert.match(await complaint(db.collection('missing').add({ data: {} })), /missing/);
});

test('init is needed in a whole wx, as in a mini program, and maps the names of the environment', async () => {
  const { emulator } = used;
  const wx = emulator.wx('bob');
  assert.throws(() => wx.cloud.database(), /please call init first/);
  wx.cloud.init({ env: 'cloud1' });
  assert.equal((await todos(wx.cloud).count()).total, 12);
  assert.equal((await wx.showModal({ title: 'sure?' })).confirm, true);
  assert.equal(wx.getAccountInfoSync().miniProgram.appId, 'wx0123456789abcdef');
});

test('files go up and down', async () => {
  const cloud = used.emulator.as('alice');
  const { fileID } = await cloud.uploadFile({ cloudPath: 'kit/a.txt', filePath: writeFile('a.txt', '中文') });
  const { tempFilePath } = await cloud.downloadFile({ fileID });
  assert.equal(fs.readFileSync(tempFilePath, 'utf8'), '中文');
  await cloud.deleteFile({ fileList: [fileID] });
  assert.match(await complaint(cloud.downloadFile({ fileID })), /-503003|not exist/);
});

test('a fork is the same cloud, and what happens in it stays there', async () => {
  const { emulator } = used;
  await todos(emulator.as('alice')).add({ data: { title: 'before' } });
  const one = await emulator.fork();
  const two = await emulator.fork('two');
  assert.equal(two.env, `${emulator.env}--two`);
  await todos(one.as('alice')).add({ data: { title: 'in one' } });
  await two.as('bob').callFunction({ name: 'addTodo', data: { title: 'in two' } });
  await two.as('bob').callFunction({ name: 'addTodo', data: { title: 'in two' } });
  assert.deepEqual([await count(emulator), await count(one), await count(two)], [13, 14, 15]);
  assert.equal((await emulator.calls()).length, 0);
  assert.equal((await two.calls('addTodo')).length, 2);
  const wx = two.wx('alice');
  wx.cloud.init({ env: emulator.env });
  assert.equal((await todos(wx.cloud).count()).total, 15);
  await two.reset();
  assert.deepEqual([await count(two), (await two.calls()).length], [13, 0]);
  await Promise.all([one.drop(), two.drop()]);
  assert.deepEqual((await emulator.command('forks')).forks, []);
});

test('a fork of a fork begins where that one is', async () => {
  const outer = await used.emulator.fork('outer');
  await todos(outer.as('alice')).add({ data: { title: 'x' } });
  const inner = await outer.fork('inner');
  await todos(inner.as('alice')).add({ data: { title: 'y' } });
  await inner.reset();
  await outer.reset();
  assert.deepEqual([await count(outer), await count(inner)], [12, 13]);
  await outer.drop();
  assert.deepEqual((await used.emulator.command('forks')).forks, []);
});

test('snapshots', async () => {
  const { emulator } = used;
  await todos(emulator.as('alice')).add({ data: { title: 'x' } });
  await emulator.snapshot('with-x');
  await emulator.reset();
  assert.equal(await count(emulator), 12);
  await emulator.restore('with-x');
  assert.equal(await count(emulator), 13);
  await emulator.command('snapshots/remove', { name: 'with-x' });
  assert.match(await complaint(emulator.restore('with-x')), /with-x/);
});

test('a user stays signed in over a reset', async () => {
  const { emulator } = used;
  const cloud = emulator.as('alice');
  await todos(cloud).add({ data: { title: 'x' } });
  await emulator.reset();
  assert.equal((await todos(cloud).count()).total, 12);
});

test('the clock', async () => {
  const { emulator } = used;
  try {
    await emulator.clock.set('2030-01-01T00:00:00Z');
    assert.equal((await emulator.clock.freeze()).toISOString().slice(0, 16), '2030-01-01T00:00');
    const frozen = await emulator.clock.now();
    await emulator.clock.advance('1h30m');
    await emulator.clock.advance(1000);
    const { _id } = await todos(emulator.as('alice')).add({ data: { at: emulator.cloud.database().serverDate() } });
    const { data } = await emulator.database().collection('todos').doc(_id).get();
    assert.equal(data.at - frozen, 5_401_000);
    await emulator.clock.resume();
    assert.equal((await emulator.clock.set(new Date(Date.UTC(2031, 0)))).getUTCFullYear(), 2031);
  } finally {
    assert.ok(Math.abs((await emulator.clock.reset()) - Date.now()) < 5_000);
  }
});

test('fixtures of a test', async () => {
  const { emulator } = used;
  fs.mkdirSync(path.join(folder, 'more/database'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'more/database/notes.jsonl'), '{"_id":"n1","text":"hello"}\n');
  assert.equal((await emulator.seed(path.join(folder, 'more'))).documents, 1);
  assert.equal((await emulator.database().collection('notes').doc('n1').get()).data.text, 'hello');
});

test('calls and what is expected of them', async () => {
  const { emulator } = used;
  const added = await emulator.call('addTodo', { title: 'milk', tags: ['a', 'b'] }, { as: 'bob' });
  assert.equal(added._openid, BOB);
  const later = new Promise((resolve) => setTimeout(resolve, 100)).then(() => emulator.call('summary'));
  const call = await emulator.expectCall('addTodo', {
    event: { title: /^mi/, tags: ['a', (tag) => tag === 'b'] },
    as: BOB,
  });
  assert.deepEqual([call.function, call.openid, call.result.title], ['addTodo', BOB, 'milk']);
  await emulator.expectCall('summary', { as: null, within: 30_000 });
  await later;
  await emulator.expectCall('exportTodos', { times: 0 });
  const wrong = await complaint(
    emulator.expectCall('addTodo', { event: { title: 'bread', tags: ['a'] }, as: 'alice', within: 50 }),
  );
  assert.match(
    wrong,
    /expected a call of addTodo as alice with \{ title: 'bread', tags: \[ 'a' \] \} within 50 ms; there was none\. Instead came:/,
  );
  assert.match(wrong, /event\.title: expected 'bread', was 'milk'\n/);
  assert.match(wrong, /event\.tags: expected \[ 'a' \], was \[ 'a', 'b' \]\n/);
  assert.match(wrong, /openid: expected 'oALICE0000000000000000000001', was 'oBOB000000000000000000000002'/);
  assert.match(wrong, /- summary \{.*\} by no user/);
  assert.match(
    await complaint(emulator.expectCall('addTodo', { times: 2, within: 50 })),
    /expected 2 calls of addTodo within 50 ms; there were 1/,
  );
  assert.match(
    await complaint(emulator.expectCall('addTodo', { times: 0 })),
    /expected 0 calls of addTodo; there were 1\. They are:/,
  );
  assert.match(await complaint(emulator.call('addTodo', {}, { as: 'bob' })), /title is required/);
  const [failed] = (await emulator.calls('addTodo')).slice(-1);
  assert.match(failed.error.message, /title is required/);
});

test("an administrator's watch of a whole collection", async () => {
  const { emulator } = used;
  const watch = await emulator.recordWatch('todos');
  assert.equal(watch.docs.length, 12);
  await todos(emulator.as('alice')).add({ data: { title: 'one' } });
  await todos(emulator.as('bob')).add({ data: { title: 'two' } });
  await watch.next({ doc: { title: 'two' } });
  assert.deepEqual(
    watch.events.map(({ doc }) => doc.title),
    ['one', 'two'],
  );
  await watch.none(50);
  await todos(emulator.as('bob')).add({ data: { title: 'three' } });
  assert.match(
    await complaint(watch.none(300)),
    /expected the watch to be silent for 300 ms\. Instead came:\n {2}- add \{.*three/,
  );
  await watch.close();
});

test('a watch that is refused says so', async () => {
  const { emulator } = used;
  await emulator.create('secret', { mode: 'ADMINONLY' });
  const query = emulator.as('alice').database().collection('secret');
  assert.match(await complaint(emulator.recordWatch(query)), /PERMISSION_DENIED|permission/i);
});

test('server SDKs in a program of its own', async () => {
  const fork = await used.emulator.fork();
  const code = `
    const cloud = require('wx-server-sdk');
    cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV });
    cloud.database().collection('todos').add({ data: { title: 'by a server' } })
      .then(() => cloud.callFunction({ name: 'summary' }))
      .then(({ result }) => console.log('total', result.total));`;
  const { output } = await run([process.execPath, '-e', code], { cwd: PROJECT, env: fork.variables() });
  assert.match(output, /total 13/);
  assert.deepEqual([await count(fork), await count(used.emulator)], [13, 12]);
  await fork.drop();
});

test('what is dropped or stopped fails, and says why', async () => {
  const fork = await used.emulator.fork();
  const cloud = fork.as('alice');
  await fork.drop();
  assert.match(await complaint(todos(cloud).get()), /the simulator was closed/);
  assert.match(await complaint(fork.calls()), /fork|cloud1--/);
  await fork.drop();
});

test('beside another emulator, with an environment of its own name', async () => {
  const other = await kit.startEmulator({ project: TODO, env: 'prod-1' });
  assert.deepEqual([other.env, (await other.command('collections')).collections], ['prod-1', []]);
  const fork = await other.fork();
  await fork.create('notes', { mode: 'READONLY' });
  const wx = fork.wx('oNEWUSER00000000000000000001');
  wx.cloud.init({ env: 'prod-1' });
  await wx.cloud
    .database()
    .collection('notes')
    .add({ data: { text: 'x' } });
  assert.equal((await fork.database().collection('notes').count()).total, 1);
  await other.stop();
  assert.match(await complaint(other.calls()), /does not answer/);
});
