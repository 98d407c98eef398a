// What alice may do with her own, bob's and a server's documents under each permission mode, in the words of the client
// (semantics §7.2). The modes and the documents are those of fixtures/.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { assertFails } = require('../support/errors');
const { seed, simulatorBeside, useEmulator } = require('./support');

const FIXTURES = path.join(__dirname, 'fixtures');
const ALL = ['of alice', 'of bob', 'of nobody'];
const OWN = ['of alice'];
const DENIED = 'errCode: -502003 database permission denied | errMsg: ';

let alice;
let bob;
const emulator = useEmulator({
  keepsData: true,
  prepare: async () => {
    await seed(emulator, FIXTURES);
    alice = simulatorBeside(emulator, { code: 'alice' });
    bob = simulatorBeside(emulator, { code: 'bob' });
  },
});

/** What alice reads and writes, and what bob sees when alice has removed what she could; null: refused. */
const MODES = {
  'read-only': { readable: ALL, writable: OWN, seenByBob: ['of bob', 'of nobody'] },
  private: { readable: OWN, writable: OWN, seenByBob: ['of bob'] },
  'admin-write': { readable: ALL, writable: null, seenByBob: ALL },
  'admin-only': { readable: null, writable: null, seenByBob: null },
};

for (const [name, { readable, writable, seenByBob }] of Object.entries(MODES)) {
  test(`${name}: reading`, () => checkReading(alice.db.collection(name), readable));
  test(`${name}: writing`, () => checkWriting(alice.db.collection(name), readable, writable));
  test(`${name}: watching`, () => checkWatching(bob.db.collection(name), seenByBob));
}

async function checkReading(c, readable) {
  if (!readable) {
    await assertAllDenied([c.get(), c.count(), c.doc('of alice').get(), c.where({ n: 1 }).get()]);
    return;
  }
  assert.deepEqual(idsOf(await c.get()), readable);
  assert.equal((await c.count()).total, readable.length);
  for (const id of ALL) {
    if (readable.includes(id)) {
      assert.equal((await c.doc(id).get()).data._id, id);
    } else {
      await assertFails(c.doc(id).get(), -1, `cannot find document with _id ${id}`);
    }
  }
}

async function checkWriting(c, readable, writable) {
  const data = { touched: true };
  if (!writable) {
    const [one, all] = [c.doc('of alice'), c.where({})];
    await assertAllDenied([c.add({ data }), one.update({ data }), one.set({ data }), one.remove()]);
    await assertAllDenied([all.update({ data }), all.remove(), c.doc('new').set({ data })]);
    return;
  }
  assert.equal((await c.where({}).update({ data })).stats.updated, writable.length);
  for (const id of ALL.filter((known) => !writable.includes(known))) {
    assert.equal((await c.doc(id).update({ data })).stats.updated, 0);
    await assertFails(c.doc(id).set({ data }), -502001, 'E11000 duplicate key error');
    await assertFails(c.doc(id).remove(), -1, `cannot remove document with _id ${id}`);
  }
  await c.doc('new').set({ data });
  assert.equal((await c.doc('new').get()).data._openid, alice.openid());
  assert.equal((await c.where({}).remove()).stats.removed, writable.length + 1);
  assert.equal((await c.count()).total, readable.length - writable.length);
}

async function checkWatching(c, seen) {
  const outcome = await new Promise((resolve) => {
    const watch = c.watch({ onChange: (snapshot) => watch.close().then(() => resolve(snapshot)), onError: resolve });
  });
  if (seen) {
    assert.deepEqual(idsOf({ data: outcome.docs }), seen);
  } else {
    assert.equal(outcome.errCode, -402002);
    assert.match(outcome.errMsg, /COLLECTION_PERMISSION_DENIED/);
  }
}

const idsOf = ({ data }) => data.map((document) => document._id);

async function assertAllDenied(calls) {
  await Promise.all(calls.map((call) => assertFails(call, -502003, DENIED)));
}
