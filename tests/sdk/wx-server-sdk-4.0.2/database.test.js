// The database through wx-server-sdk, in a cloud function: the result shapes of semantics §1.2 and the errors of §9.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertContains } = require('../support/assertions');
const { useEmulator } = require('../support/emulator');

const emulator = useEmulator();

const DOCUMENTS = [
  { _id: 'a', n: 1, done: false, title: 'A', style: { color: 'red', size: 1 } },
  { _id: 'b', n: 2, done: false, title: 'B', nothing: null },
  { _id: 'c', n: 3, done: true, title: 'C' },
];

/** Runs a scenario of the function `sdk-database` on a new collection with the documents above. */
async function run(scenario) {
  const { name, collection } = await emulator.collection(DOCUMENTS);
  const outcome = await emulator.call('sdk-database', { scenario, collection: name });
  return { ...outcome, name, documents: async () => (await collection.orderBy('_id', 'asc').get()).data };
}

/** The scenario answers `expected`. */
async function check(scenario, expected) {
  const outcome = await run(scenario);
  assert.deepEqual(outcome.answer, expected, JSON.stringify(outcome.error));
  return outcome;
}

/** The scenario throws an error with `errCode`, whose text begins with `beginning` and contains `texts`. */
async function fails(scenario, errCode, beginning, ...texts) {
  const { error, name } = await run(scenario);
  assert.ok(error, 'expected an error');
  assert.equal(error.errCode, errCode, error.errMsg);
  assert.ok(error.errMsg.startsWith(beginning), `expected ${JSON.stringify(error.errMsg)} to begin with ${JSON.stringify(beginning)}`);
  assertContains(error.errMsg, texts.map((text) => text.replace('NAME', name)));
  return error;
}

const idOf = (outcome) => outcome.answer && (outcome.answer._id || outcome.answer._ids);

test('add', async () => {
  const made = await run('add');
  assert.match(idOf(made), /^[0-9a-f]{32}$/);
  assert.deepEqual(made.answer, { _id: idOf(made), errMsg: 'collection.add:ok' });
  await check('addOwnId', { _id: 'own', errMsg: 'collection.add:ok' });
  await check('addMany', { _ids: ['m1', 'm2'], errMsg: 'collection.add:ok' });
});

test('get', async () => {
  await check('get', { data: [{ _id: 'b', title: 'B' }, { _id: 'a', title: 'A' }], errMsg: 'collection.get:ok' });
});

test('doc().get', async () => {
  await check('docGet', { data: DOCUMENTS[0], errMsg: 'document.get:ok' });
  await check('docGetField', { data: { _id: 'a', n: 1 }, errMsg: 'document.get:ok' });
});

test('doc().get of a missing document (DB-1.10)', async () => {
  await fails('docGetMissing', -1, 'document.get:fail document with _id missing does not exist');
  await check('docGetMissingQuietly', { data: null, errMsg: 'document.get:ok' });
});

test('count', async () => {
  await check('count', { total: 2, errMsg: 'collection.count:ok' });
});

test('set', async () => {
  await check('setNew', { _id: 'new', stats: { updated: 0, created: 1 }, errMsg: 'document.set:ok' });
  const { documents } = await check('setExisting', { _id: 'a', stats: { updated: 1, created: 0 }, errMsg: 'document.set:ok' });
  assert.deepEqual((await documents())[0], { _id: 'a', title: 'set' });
});

test('doc().update', async () => {
  const { documents } = await check('docUpdate', { stats: { updated: 1 }, errMsg: 'document.update:ok' });
  assert.deepEqual((await documents())[0], { ...DOCUMENTS[0], n: 11, style: { color: 'blue', size: 1 } });
  await check('docUpdateMissing', { stats: { updated: 0 }, errMsg: 'document.update:ok' });
});

test('where().update', async () => {
  await check('update', { stats: { updated: 2 }, errMsg: 'collection.update:ok' });
  const { documents } = await check('updateOne', { stats: { updated: 1 }, errMsg: 'collection.update:ok' });
  assert.deepEqual((await documents()).map(({ done }) => done), [true, false, true]);
});

test('remove', async () => {
  await check('docRemove', { stats: { removed: 1 }, errMsg: 'document.remove:ok' });
  await check('docRemoveMissing', { stats: { removed: 0 }, errMsg: 'document.remove:ok' });
  const { documents } = await check('remove', { stats: { removed: 2 }, errMsg: 'collection.remove:ok' });
  assert.deepEqual((await documents()).map(({ _id }) => _id), ['c']);
  await check('removeOne', { stats: { removed: 1 }, errMsg: 'collection.remove:ok' });
});

test('createCollection', async () => {
  const { answer } = await run('createCollection');
  assert.deepEqual(Object.keys(answer).sort(), ['errMsg', 'requestId']);
  assert.equal(answer.errMsg, 'createCollection:ok');
  // Version 4 does not translate the code of this one call; earlier ones say -501001.
  await fails('createTaken', -1, 'createCollection:fail [ResourceUnavailable.ResourceExist] Table exist', 'DATABASE_COLLECTION_ALREADY_EXIST');
});

test('a missing collection', async () => {
  const error = await fails(
    'missingCollection',
    -502005,
    'collection.get:fail -502005 database collection not exists. [ResourceNotFound] Db or Table not exist: nowhere. Please check your request',
  );
  assert.deepEqual(error.keys, ['errCode', 'errMsg']);
  assert.equal(error.message, error.errMsg);
});

test('an id that is taken', async () => {
  await fails(
    'addTaken',
    -502001,
    'collection.add:fail -502001 database request fail. [FailedOperation] multiple write errors: [{write errors: [{E11000 duplicate key error collection: ',
    '.NAME index: _id_ dup key: { : "a" }}]}, {<nil>}]',
  );
});

test('an _id in the data', async () => {
  await fails('updateId', -501007, 'document.update:fail -501007 invalid parameters. 不能更新_id的值');
  await fails('setId', -501007, 'document.set:fail -501007 invalid parameters. 不能更新_id的值');
});

test('a field below null, and nothing to set', async () => {
  await fails(
    'underNull',
    -502001,
    "document.update:fail -502001 database request fail. [FailedOperation] multiple write errors: [{write errors: [{Cannot create field 'deep' in element {nothing: null}}]}, {<nil>}]",
  );
  await fails('emptySet', -502001, 'document.update:fail -502001 database request fail. ', "'$set' is empty. You must specify a field like so: {$set: {<field>: ...}}");
});

test('arguments that the SDK refuses itself (FN-17)', async () => {
  await fails('emptyData', -1, 'options.data must not be empty');
  await fails('dataMissing', -1, 'parameter.data should be object instead of undefined');
});

test('update without where (UNC-07)', async () => {
  await fails('updateWithoutWhere', -501007, 'collection.update:fail -501007 invalid parameters. ');
});

test('dates, server dates, geo values and regular expressions', async () => {
  await check('types', { date: 1000, now: true, place: [113, 23], found: 1 });
});

test('what wx-server-sdk does not have (DB-1.16)', async () => {
  await check('noIndexes', { createIndex: 'undefined', drop: 'undefined', watch: 'undefined' });
});
