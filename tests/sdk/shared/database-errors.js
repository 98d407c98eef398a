// What the database refuses: the code and the text that applications match on (protocol §2.9, semantics §3.2 and §9.4).
'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { assertContains, assertFails, rejection } = require('../support/assertions');

module.exports = (emulator) => {
  let db;
  let _;
  before(async () => {
    db = emulator.db;
    _ = db.command;
  });

  test('an error carries code, message and requestId', async () => {
    const error = await assertFails(db.collection('nowhere').get(), 'DATABASE_COLLECTION_NOT_EXIST');
    assert.ok(typeof error.requestId === 'string' && error.requestId);
  });

  test('a missing collection is never created, by no operation (DB-1.14)', async () => {
    const collection = db.collection('nowhere');
    const operations = {
      get: () => collection.get(),
      where: () => collection.where({ a: 1 }).get(),
      count: () => collection.count(),
      docGet: () => collection.doc('a').get(),
      add: () => collection.add({ a: 1 }),
      set: () => collection.doc('a').set({ a: 1 }),
      docUpdate: () => collection.doc('a').update({ a: 1 }),
      update: () => collection.where({ a: 1 }).update({ a: 2 }),
      docRemove: () => collection.doc('a').remove(),
      remove: () => collection.where({ a: 1 }).remove(),
    };
    for (const operation of Object.values(operations)) {
      await assertFails(operation(), 'DATABASE_COLLECTION_NOT_EXIST', '[ResourceNotFound] Db or Table not exist: nowhere. Please check your request');
    }
  });

  test('a collection that exists cannot be created again (DB-1.15)', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'a' }]);
    await assertFails(
      db.createCollection(name),
      'DATABASE_COLLECTION_ALREADY_EXIST',
      '[ResourceUnavailable.ResourceExist] Table exist',
      'DATABASE_COLLECTION_ALREADY_EXIST',
    );
    assert.equal((await collection.count()).total, 1);
  });

  test('an id that is taken (DB-1.13, DB-8.03)', async () => {
    const { name, collection } = await emulator.collection([{ _id: 'x', n: 1 }, { _id: 5, n: 1 }]);
    const taken = (document, key) =>
      assertFails(
        collection.add(document),
        'DATABASE_REQUEST_FAILED',
        'E11000 duplicate key error collection: ',
        `.${name} index: _id_ dup key: { : ${key} }`,
      );
    await taken({ _id: 'x', n: 2 }, '"x"');
    await taken({ _id: 5, n: 2 }, '5');
    await taken([{ _id: 'x', n: 2 }], '"x"');
    await assertFails(collection.doc('x').create({ n: 2 }), 'DATABASE_REQUEST_FAILED', 'E11000');
    assert.deepEqual((await collection.get()).data, [{ _id: 'x', n: 1 }, { _id: 5, n: 1 }]);
  });

  test('an _id cannot be updated', async () => {
    const { collection } = await emulator.collection([{ _id: 'x', n: 1 }]);
    await assertFails(collection.doc('x').update({ _id: 'y' }), 'INVALID_PARAM', '不能更新_id的值');
    await assertFails(collection.doc('x').set({ _id: 'y' }), 'INVALID_PARAM', '不能更新_id的值');
    await assertFails(collection.where({}).update({ _id: 'y' }), 'INVALID_PARAM', '不能更新_id的值');
    const immutable = "Performing an update on the path '_id' would modify the immutable field '_id'";
    await assertFails(collection.doc('x').update({ $set: { _id: 'y' } }), 'DATABASE_REQUEST_FAILED', immutable);
    assert.deepEqual((await collection.get()).data, [{ _id: 'x', n: 1 }]);
  });

  test('keys that begin with $ are refused in new documents', async () => {
    const { collection } = await emulator.collection();
    await assertFails(collection.add({ $_key: 1 }), 'DATABASE_REQUEST_FAILED');
    await assertFails(collection.doc('a').set({ $_key: 1 }), 'DATABASE_REQUEST_FAILED');
    assert.equal((await collection.count()).total, 0);
  });

  /** `update(data)` of a document with `content` fails with `texts` (`ID` stands for its id) and changes nothing. */
  async function refused(content, data, ...texts) {
    const { collection } = await emulator.collection([{ _id: 'x', ...content }]);
    for (const update of [() => collection.doc('x').update(data), () => collection.where({ _id: 'x' }).update(data)]) {
      await assertFails(update(), 'DATABASE_REQUEST_FAILED', ...texts);
    }
    assert.deepEqual((await collection.get()).data, [{ _id: 'x', ...content }]);
  }

  test('a field below null or a scalar cannot be created: the whole text (DB-3.08)', async () => {
    await refused(
      { analysisResults: null },
      { analysisResults: { analysisDate: 'today' } },
      "[FailedOperation] multiple write errors: [{write errors: [{Cannot create field 'analysisDate' in element {analysisResults: null}}]}, {<nil>}]",
    );
    await refused({ cover: 'cloud://a' }, { cover: { fileID: 'b' } }, `Cannot create field 'fileID' in element {cover: "cloud://a"}`);
    await refused({ a: { b: 1 } }, { 'a.b.c': 2 }, "Cannot create field 'c' in element {b: 1}");
    await refused({ a: true }, { 'a.b': 2 }, "Cannot create field 'b' in element {a: true}");
    await refused({ a: [1] }, { 'a.b': 2 }, "Cannot create field 'b' in element {a: [");
  });

  test('an update that sets nothing', async () => {
    const text = "[{write errors: [{'$set' is empty. You must specify a field like so: {$set: {<field>: ...}}}]}, {<nil>}]";
    await refused({ a: 1 }, { a: {} }, text);
    await refused({ a: 1 }, { a: undefined }, text);
  });

  test('operators on values of another type (semantics §3.2)', async () => {
    await refused({ a: 'text' }, { a: _.inc(1) }, `Cannot apply $inc to a value of non-numeric type. {_id: "x"} has the field 'a' of non-numeric type string`);
    await refused({ a: null }, { a: _.inc(1) }, "has the field 'a' of non-numeric type null");
    await refused({ a: 1 }, { a: _.inc('x') }, 'Cannot increment with non-numeric argument: {a: "x"}');
    await refused({ a: 'text' }, { a: _.mul(2) }, `Cannot apply $mul to a value of non-numeric type. {_id: "x"} has the field 'a' of non-numeric type string`);
    await refused({ a: 1 }, { a: _.mul('x') }, 'Cannot multiply with non-numeric argument: {a: "x"}');
    await refused({ a: 1.5 }, { a: _.bit({ and: 1 }) }, 'Cannot apply $bit to a value of non-integral type');
    await refused({ a: 'text' }, { a: _.push(1) }, `The field 'a' must be an array but is of type string in document {_id: "x"}`);
    await refused({ a: 1 }, { a: _.unshift(1) }, `The field 'a' must be an array but is of type int in document {_id: "x"}`);
    await refused({ a: 'text' }, { a: _.pop() }, "Path 'a' contains an element of non-array type 'string'");
    await refused({ a: 'text' }, { a: _.shift() }, "Path 'a' contains an element of non-array type 'string'");
    await refused({ a: 'text' }, { a: _.pull(1) }, 'Cannot apply $pull to a non-array value');
    await refused({ a: 'text' }, { a: _.pullAll([1]) }, 'Cannot apply $pull to a non-array value');
    await refused({ a: 'text' }, { a: _.addToSet(1) }, "Cannot apply $addToSet to non-array field. Field named 'a' has non-array type string");
  });

  test('rename', async () => {
    await refused({ a: 1 }, { a: _.rename('a') }, 'The source and target field for $rename must differ: a: "a"');
    await refused(
      { a: [1] },
      { 'a.0': _.rename('b') },
      `The source field cannot be an array element, 'a.0' in doc with _id: "x" has an array field called 'a'`,
    );
  });

  test('paths that conflict or are no paths (DB-3.07, DB-3.26)', async () => {
    await refused({ a: { b: 1 } }, { a: _.inc(1), 'a.b': 2 }, "Updating the path 'a.b' would create a conflict at 'a'");
    await refused({ a: 1 }, { 'a..b': 2 }, "The update path 'a..b' contains an empty field name, which is not allowed.");
    await refused({ a: 1 }, { $set: { $x: 2 } }, "The dollar ($) prefixed field '$x' in '$x' is not valid for storage.");
    await refused({ a: 1 }, { b: _.gt(1) }, "The dollar ($) prefixed field '$gt' in 'b.$gt' is not valid for storage.");
  });

  test('a positional operator without a match (DB-3.25)', async () => {
    await refused({ a: [1] }, { 'a.$': 2 }, 'The positional operator did not find the match needed from the query.');
  });

  test('an unknown update operator is refused by its name', async () => {
    await refused({ a: 1 }, { $nonsense: { a: 1 } }, '$nonsense');
  });

  test('a failing update of several documents names the one it failed at', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }, { _id: 'b', n: 'text' }, { _id: 'c', n: 3 }]);
    await assertFails(collection.where({}).update({ n: _.inc(1) }), 'DATABASE_REQUEST_FAILED', `{_id: "b"} has the field 'n'`);
    assert.deepEqual((await collection.get()).data[1], { _id: 'b', n: 'text' });
  });

  test('update and remove must say which documents (UNC-07)', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    await assertFails(collection.update({ n: 2 }), 'INVALID_PARAM');
    await assertFails(collection.remove(), 'INVALID_PARAM');
    assert.deepEqual((await collection.get()).data, [{ _id: 'a', n: 1 }]);
  });

  test('data that is no object is refused by the SDK', async () => {
    const { collection } = await emulator.collection();
    await assertFails(collection.doc('a').update('text'), 'INVALID_PARAM', '参数必需是非空对象');
    await assertFails(collection.doc('a').set({ n: _.inc(1) }), 'DATABASE_REQUEST_FAILED', 'update operator complicit');
  });

  test('names that are no collection names', async () => {
    for (const name of ['a$b', 'system.users', 'x'.repeat(500)]) {
      assert.equal(typeof (await rejection(db.createCollection(name))).code, 'string', name);
    }
  });

  test('an environment that this emulator does not serve', async () => {
    const other = emulator.open(emulator.url, 'another-env').database();
    const error = await assertFails(other.collection('a').get(), 'INVALID_ENV');
    assertContains(error.message, ['env']);
  });

  test('after errors the emulator goes on', async () => {
    const { collection } = await emulator.collection();
    await Promise.allSettled(Array.from({ length: 20 }, () => db.collection('nowhere').add({})));
    await collection.add({ _id: 'a' });
    assert.equal((await collection.count()).total, 1);
  });
};
