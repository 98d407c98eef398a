// Watches against the emulator: what happens and what is told, also over lost connections (semantics §6).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { simulatorBeside, until, useEmulator } = require('./support');

let watcher;
let writer;
const emulator = useEmulator({
  prepare: async () => {
    const storage = new Map();
    watcher = simulatorBeside(emulator, { storage });
    writer = simulatorBeside(emulator, { storage });
  },
});

/** A watch of a new collection of the user's, what it tells, and the collection to write to. */
async function watched(ask = (c) => c, documents = []) {
  const { name } = await emulator.collection();
  const c = writer.db.collection(name);
  for (const data of documents) {
    await c.add({ data });
  }
  const told = { snapshots: [], errors: [], c, name };
  told.listener = ask(watcher.db.collection(name)).watch({
    onChange: (snapshot) => told.snapshots.push(snapshot),
    onError: (error) => told.errors.push(error),
  });
  await until(() => told.snapshots.length || told.errors.length, 'the first snapshot');
  told.next = async () => {
    const count = told.snapshots.length + 1;
    await until(() => told.snapshots.length >= count, 'a snapshot');
    return told.snapshots[count - 1];
  };
  return told;
}

const changes = (snapshot) => snapshot.docChanges.map((one) => `${one.dataType} ${one.queueType} ${one.docId}`);
const ids = (snapshot) => snapshot.docs.map((document) => document._id);

test('the first snapshot', async () => {
  const empty = await watched();
  assert.deepEqual([empty.snapshots[0].type, empty.snapshots[0].docs, empty.snapshots[0].docChanges], ['init', [], []]);
  const full = await watched((c) => c, [{ _id: 'a', at: new Date(5) }]);
  assert.deepEqual(changes(full.snapshots[0]), ['init init a']);
  assert.deepEqual(full.snapshots[0].docs[0].at, new Date(5));
  await Promise.all([empty, full].map((told) => told.listener.close()));
});

test('each cause and what it is told as (DB-6.05)', async () => {
  const _ = writer.db.command;
  const told = await watched((c) => c.where({ open: true }), [{ _id: 'a', open: true, n: 1 }]);
  const step = async (write, expected) => {
    const next = told.next();
    await write;
    const snapshot = await next;
    assert.deepEqual(changes(snapshot), [expected]);
    return snapshot;
  };
  const { c } = told;
  const update = await step(c.doc('a').update({ data: { n: _.inc(1), o: { p: 1 } } }), 'update update a');
  assert.deepEqual(update.docChanges[0].updatedFields, { n: 2, 'o.p': 1 });
  assert.deepEqual(update.docChanges[0].removedFields, []);
  await step(c.add({ data: { _id: 'b', open: true } }), 'add enqueue b');
  await step(c.doc('b').set({ data: { open: true, n: 5 } }), 'replace update b');
  const out = await step(c.doc('a').update({ data: { open: false } }), 'update dequeue a');
  assert.equal(out.docChanges[0].doc.open, false);
  await step(c.doc('a').update({ data: { open: true } }), 'update enqueue a');
  await step(c.doc('b').set({ data: { open: false } }), 'replace dequeue b');
  await step(c.doc('b').set({ data: { open: true } }), 'replace enqueue b');
  const removed = await step(c.doc('b').remove(), 'remove dequeue b');
  assert.equal(removed.docChanges[0].doc._id, 'b');
  await step(c.doc('c').set({ data: { open: true } }), 'add enqueue c');
  assert.deepEqual(ids(told.snapshots.at(-1)), ['a', 'c']);
  await told.listener.close();
  await c.add({ data: { _id: 'd', open: true } });
  assert.equal(told.snapshots.length, 10);
});

test('orderBy and limit: what comes in pushes out', async () => {
  const told = await watched(
    (c) => c.orderBy('n', 'asc').limit(2),
    [
      { _id: 'a', n: 1 },
      { _id: 'c', n: 3 },
      { _id: 'd', n: 4 },
    ],
  );
  assert.deepEqual(ids(told.snapshots[0]), ['a', 'c']);
  const next = told.next();
  await told.c.add({ data: { _id: 'b', n: 2 } });
  assert.deepEqual(changes(await next).sort(), ['add enqueue b', 'limit dequeue c']);
  const after = told.next();
  await told.c.doc('a').remove();
  assert.deepEqual(changes(await after).sort(), ['limit enqueue c', 'remove dequeue a']);
  await told.listener.close();
});

test('doc(id).watch', async () => {
  const told = await watched(
    (c) => c.doc('a'),
    [
      { _id: 'a', n: 1 },
      { _id: 'b', n: 1 },
    ],
  );
  const next = told.next();
  await told.c.doc('b').update({ data: { n: 2 } });
  await told.c.doc('a').update({ data: { n: 2 } });
  assert.deepEqual(
    (await next).docs.map(({ _id, n }) => [_id, n]),
    [['a', 2]],
  );
  await told.listener.close();
});

test('what a server writes is told, but only of documents of the user (DB-7.02)', async () => {
  const told = await watched();
  const { db } = emulator;
  await told.c.add({ data: { _id: 'mine', n: 1 } });
  await until(() => told.snapshots.length === 2, 'the own document');
  await db.collection(told.name).add({ _id: 'foreign', n: 1 });
  await db.collection(told.name).doc('mine').update({ n: 2 });
  await until(() => told.snapshots.length === 3, 'the update');
  assert.deepEqual(
    told.snapshots.at(-1).docs.map(({ _id, n }) => [_id, n]),
    [['mine', 2]],
  );
  await told.listener.close();
});

test('{openid} is the caller in a watch, too (DB-7.09)', async () => {
  const told = await watched((c) => c.where({ members: '{openid}' }), [{ _id: 'a', members: ['{openid}'] }]);
  assert.deepEqual(ids(told.snapshots[0]), ['a']);
  assert.deepEqual(told.snapshots[0].docs[0].members, [watcher.openid()]);
  await told.listener.close();
});

test('what no watch may ask (DB-6.02)', async () => {
  const sorted = (c, count) =>
    Array.from({ length: count }).reduce((query, unused, n) => query.orderBy(`f${n}`, 'asc'), c);
  const questions = [
    [(c) => c.where({ n: { $gtt: 1 } }), 'unknown operator: $gtt'],
    [(c) => c.limit(201), 'limit'],
    [(c) => sorted(c, 6), 'orderBy'],
  ];
  for (const [ask, text] of questions) {
    const { errors, snapshots } = await watched(ask);
    assert.deepEqual([errors.length, errors[0].errCode, snapshots], [1, -402002, []]);
    assert.ok(errors[0].errMsg.includes(text), errors[0].errMsg);
  }
  await (await watched((c) => sorted(c, 5).limit(200))).listener.close();
});

test('a missing collection', async () => {
  const errors = [];
  watcher.db.collection('nowhere').watch({ onChange: assert.fail, onError: (error) => errors.push(error) });
  await until(() => errors.length, 'the error');
  assert.equal(errors[0].errCode, -402002);
  assert.match(errors[0].message, /^errCode: -402002 realtime listener init watch fail \| errMsg: /);
});

test('after a hundred lost connections the documents are those of the query, no event lost, none twice', async () => {
  const told = await watched((c) => c.where({ n: watcher.db.command.gte(3) }));
  const random = (count) => Math.floor(Math.random() * count);
  const last = () => told.snapshots.at(-1).docs;
  for (let round = 0; round < 100; round += 1) {
    watcher.controls.dropSockets();
    const writes = Array.from({ length: 3 }, () => told.c.doc(`d${random(8)}`).set({ data: { n: random(6), round } }));
    await Promise.all(writes);
    await told.c.doc('mark').set({ data: { n: 5, round } });
    await until(() => last().some((document) => document._id === 'mark' && document.round === round), `round ${round}`);
  }
  const { data } = await told.c.where({ n: writer.db.command.gte(3) }).get();
  const state = (documents) => documents.map(({ _id, n, round }) => `${_id} ${n} ${round}`).sort();
  assert.deepEqual(state(last()), state(data));
  assert.deepEqual(told.errors, []);
  const eventIds = told.snapshots.map((snapshot) => snapshot.id);
  assert.deepEqual(
    eventIds,
    eventIds.map((unused, index) => eventIds[0] + index),
  );
  await told.listener.close();
});
