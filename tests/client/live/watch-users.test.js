// Two simulators, two users: what each sees of the other's writes while watching (semantics DB-6.11, DB-7.02, DB-7.03).
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { seed, simulatorBeside, until, useEmulator } = require('./support');

let alice;
let bob;
const emulator = useEmulator({
  keepsData: true,
  prepare: async () => {
    await seed(emulator, path.join(__dirname, 'fixtures'));
    alice = simulatorBeside(emulator, { code: 'alice' });
    bob = simulatorBeside(emulator, { code: 'bob' });
  },
});

/** A watch, once its first snapshot is there: `{ snapshots, errors, close }`. */
async function watch(query) {
  const told = { snapshots: [], errors: [] };
  const listener = query.watch({
    onChange: (snapshot) => told.snapshots.push(snapshot),
    onError: (error) => told.errors.push(error),
  });
  told.close = () => listener.close();
  await until(() => told.snapshots.length || told.errors.length, 'the first snapshot');
  assert.deepEqual(told.errors, []);
  return told;
}

/** The changes of each snapshot after the first. */
const changes = (told) =>
  told.snapshots
    .slice(1)
    .flatMap(({ docChanges }) => docChanges.map((one) => `${one.dataType} ${one.queueType} ${one.docId}`));

test('READONLY: each sees what both write, and who wrote it', async () => {
  const [ofAlice, ofBob] = [alice, bob].map((user) => user.db.collection('watched'));
  const seen = [await watch(ofAlice.where({ open: true })), await watch(ofBob.where({ open: true }))];
  assert.deepEqual(
    seen.map((told) => [told.snapshots[0].type, told.snapshots[0].docs]),
    [
      ['init', []],
      ['init', []],
    ],
  );
  await ofAlice.add({ data: { _id: 'a', open: true, n: 1 } });
  await ofBob.doc('b').set({ data: { open: true, n: 2 } });
  await ofAlice.doc('a').update({ data: { n: 3 } });
  await ofBob.doc('b').update({ data: { open: false } });
  await ofAlice.doc('a').remove();
  const expected = ['add enqueue a', 'add enqueue b', 'update update a', 'update dequeue b', 'remove dequeue a'];
  for (const told of seen) {
    await until(() => changes(told).length >= expected.length, 'five changes');
    assert.deepEqual(changes(told), expected);
    assert.deepEqual(
      told.snapshots[3].docs.map(({ _id, _openid, n }) => [_id, _openid, n]),
      [
        ['a', alice.openid(), 3],
        ['b', bob.openid(), 2],
      ],
    );
    assert.deepEqual(told.errors, []);
    await told.close();
  }
});

test('READONLY: a write that the mode refuses is told to nobody', async () => {
  const c = alice.db.collection('watched');
  await c.add({ data: { _id: 'mine', n: 1 } });
  const told = await watch(c);
  const others = bob.db.collection('watched');
  assert.equal((await others.doc('mine').update({ data: { n: 2 } })).stats.updated, 0);
  await assert.rejects(others.doc('mine').remove());
  await assert.rejects(others.doc('mine').set({ data: { n: 2 } }));
  await c.doc('mine').update({ data: { n: 5 } });
  await until(() => told.snapshots.length > 1, 'the own update');
  assert.deepEqual(changes(told), ['update update mine']);
  assert.equal(told.snapshots.at(-1).docs.find((document) => document._id === 'mine').n, 5);
  await told.close();
  await c.doc('mine').remove();
});

test('PRIVATE: nobody is told of what belongs to another', async () => {
  const [ofAlice, ofBob] = [alice, bob].map((user) => user.db.collection('watched-private'));
  const seen = [await watch(ofAlice), await watch(ofBob)];
  await ofAlice.add({ data: { _id: 'a' } });
  await ofBob.add({ data: { _id: 'b' } });
  await ofAlice.doc('a').update({ data: { last: true } });
  await ofBob.doc('b').update({ data: { last: true } });
  for (const [told, id] of [
    [seen[0], 'a'],
    [seen[1], 'b'],
  ]) {
    await until(() => changes(told).length >= 2, 'two changes');
    assert.deepEqual(changes(told), [`add enqueue ${id}`, `update update ${id}`]);
    await told.close();
  }
});

test('a watch of one user over lost connections loses nothing of what the other wrote meanwhile', async () => {
  const told = await watch(alice.db.collection('watched'));
  const writer = bob.db.collection('watched');
  for (let round = 1; round <= 10; round += 1) {
    alice.controls.dropSockets();
    await writer.doc(`d${round % 3}`).set({ data: { round } });
    await until(() => told.snapshots.at(-1).docs.some((document) => document.round === round), `round ${round}`);
  }
  assert.equal(changes(told).length, 10);
  assert.deepEqual(told.errors, []);
  await told.close();
});
