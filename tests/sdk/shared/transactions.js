// Transactions: what they see, what they keep to themselves, who is first (protocol §2.9, semantics §5).
'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { assertFails } = require('../support/assertions');

const CONFLICT =
  '[ResourceUnavailable.TransactionConflict] Transaction is conflict, maybe resource operated by others. Please check your request, but if the problem persists, contact us.';
const GONE =
  '[ResourceUnavailable.TransactionNotExist] Transaction does not exist on the server, transaction must be commit or abort in 30 seconds. Please check your request, but if the problem persists, contact us.';

module.exports = (emulator) => {
  let db;
  let _;
  before(async () => {
    db = emulator.db;
    _ = db.command;
  });
  const all = async (collection) => (await collection.orderBy('_id', 'asc').get()).data;

  test('what is written is seen inside at once, outside after the commit', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a', n: 1 }, { _id: 'b', n: 1 }, { _id: 'gone' }]);
    const transaction = await db.startTransaction();
    const inside = transaction.collection(name);
    assert.equal((await inside.doc('a').update({ n: _.inc(1) })).updated, 1);
    assert.equal((await inside.doc('b').set({ m: new Date(5) })).updated, 1);
    assert.equal((await inside.doc('gone').delete()).deleted, 1);
    assert.deepEqual((await inside.doc('new').set({ n: 9 })).upserted, [{ _id: 'new' }]);
    assert.equal((await inside.add({ _id: 'added', n: 7 })).inserted, 1);
    assert.deepEqual((await inside.doc('a').get()).data, { _id: 'a', n: 2 });
    assert.deepEqual((await inside.doc('b').get()).data, { _id: 'b', m: new Date(5) });
    assert.equal((await inside.doc('gone').get()).data, null);
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 1 }, { _id: 'b', n: 1 }, { _id: 'gone' }]);
    assert.ok((await transaction.commit()).requestId);
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 2 }, { _id: 'added', n: 7 }, { _id: 'b', m: new Date(5) }, { _id: 'new', n: 9 }]);
  });

  test('a rollback leaves nothing', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    const transaction = await db.startTransaction();
    await transaction.collection(name).doc('a').update({ n: 5 });
    await transaction.collection(name).add({ _id: 'b' });
    await transaction.rollback();
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 1 }]);
  });

  test('it reads what there was when it began to, whatever happens outside (DB-5.05)', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a', n: 1 }, { _id: 'b', n: 1 }]);
    const transaction = await db.startTransaction();
    const inside = transaction.collection(name);
    await inside.doc('a').get();
    await collection.doc('b').update({ n: 2 });
    assert.deepEqual((await inside.doc('b').get()).data, { _id: 'b', n: 1 });
    await transaction.rollback();
  });

  test('the first to write a document wins, the second is told at once (DB-5.06)', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    const [first, second] = [await db.startTransaction(), await db.startTransaction()];
    await first.collection(name).doc('a').update({ n: 2 });
    await assertFails(second.collection(name).doc('a').update({ n: 3 }), 'DATABASE_TRANSACTION_CONFLICT', CONFLICT);
    await first.commit();
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 2 }]);
  });

  test('a document that changed since the snapshot cannot be written (DB-5.06)', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    const transaction = await db.startTransaction();
    await transaction.collection(name).doc('a').get();
    await collection.doc('a').update({ n: 2 });
    await assertFails(transaction.collection(name).doc('a').set({ n: 3 }), 'DATABASE_TRANSACTION_CONFLICT', CONFLICT);
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 2 }]);
  });

  test('after its end there is no transaction (DB-5.08)', async () => {
    const { name } = await emulator.collection([{ _id: 'a', n: 1 }]);
    for (const end of ['commit', 'rollback']) {
      const transaction = await db.startTransaction();
      await transaction[end]();
      const inside = transaction.collection(name);
      const operations = [
        () => inside.doc('a').get(),
        () => inside.doc('a').set({ n: 1 }),
        () => inside.doc('a').update({ n: 1 }),
        () => inside.doc('a').delete(),
        () => inside.add({ n: 1 }),
        () => transaction.commit(),
        () => transaction.rollback(),
      ];
      for (const operation of operations) {
        await assertFails(operation(), 'DATABASE_TRANSACTION_FAIL', GONE);
      }
    }
  });

  test('runTransaction commits, and answers what its function returns', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a', n: 1 }, { _id: 'b', n: 0 }]);
    const moved = await db.runTransaction(async (transaction) => {
      const inside = transaction.collection(name);
      const { data } = await inside.doc('a').get();
      await inside.doc('a').update({ n: 0 });
      await inside.doc('b').update({ n: _.inc(data.n) });
      return data.n;
    });
    assert.equal(moved, 1);
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 0 }, { _id: 'b', n: 1 }]);
  });

  test('runTransaction rolls back when its function throws, or says so (DB-5.09)', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    const run = (after) =>
      db.runTransaction(async (transaction) => {
        await transaction.collection(name).doc('a').update({ n: 2 });
        await after(transaction);
      });
    const reason = (promise) => promise.then(() => assert.fail('expected a rejection'), (error) => error);
    assert.match((await reason(run(() => Promise.reject(new Error('mine'))))).message, /mine/);
    assert.equal(await reason(run((transaction) => transaction.rollback(-100))), -100);
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 1 }]);
  });

  test('runTransaction runs its function again after a conflict (DB-5.03)', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    let runs = 0;
    await db.runTransaction(async (transaction) => {
      runs += 1;
      const { data } = await transaction.collection(name).doc('a').get();
      if (runs === 1) {
        await collection.doc('a').update({ n: 10 });
      }
      await transaction.collection(name).doc('a').update({ n: data.n + 1 });
    });
    assert.equal(runs, 2);
    assert.deepEqual(await all(collection), [{ _id: 'a', n: 11 }]);
  });
};
