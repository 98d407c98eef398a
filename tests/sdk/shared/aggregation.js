// Aggregation: what pipelines answer, and how the values in their results come back (protocol §2.4, §2.5, semantics §4).
'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { assertFails } = require('../support/assertions');

const DOCUMENTS = [
  { _id: 1, shop: 'a', n: 3, tags: ['x', 'y'], at: new Date(1000) },
  { _id: 2, shop: 'b', n: 5, tags: ['y'], at: new Date(2000) },
  { _id: 3, shop: 'a', n: 4, tags: [], at: new Date(3000) },
  { _id: 4, shop: 'c', n: 1 },
];

module.exports = (emulator) => {
  let db;
  let $;
  let collection;
  before(async () => {
    db = emulator.db;
    $ = db.command.aggregate;
    ({ collection } = await emulator.collection(DOCUMENTS));
  });
  const answer = async (pipeline) => (await pipeline.end()).data;

  test('an answer is { data, requestId }', async () => {
    const { requestId, data, ...rest } = await collection.aggregate().match({ shop: 'b' }).end();
    assert.ok(typeof requestId === 'string' && requestId);
    assert.deepEqual([data, rest], [[DOCUMENTS[1]], {}]);
  });

  test('a pipeline without stages answers everything', async () => {
    assert.deepEqual(await answer(collection.aggregate()), DOCUMENTS);
  });

  test('match, group, sort, skip, limit and project', async () => {
    const groups = collection
      .aggregate()
      .match({ n: db.command.gt(1) })
      .group({ _id: '$shop', total: $.sum('$n'), count: $.sum(1), last: $.max('$at') })
      .sort({ total: -1 });
    assert.deepEqual(await answer(groups), [
      { _id: 'a', total: 7, count: 2, last: new Date(3000) },
      { _id: 'b', total: 5, count: 1, last: new Date(2000) },
    ]);
    const page = collection.aggregate().sort({ n: 1 }).skip(1).limit(2).project({ _id: 0, double: $.multiply(['$n', 2]) });
    assert.deepEqual(await answer(page), [{ double: 6 }, { double: 8 }]);
  });

  test('unwind, addFields, replaceRoot, sortByCount, count and bucket', async () => {
    assert.deepEqual(await answer(collection.aggregate().unwind('$tags').project({ tags: 1 })), [
      { _id: 1, tags: 'x' },
      { _id: 1, tags: 'y' },
      { _id: 2, tags: 'y' },
    ]);
    const inner = collection.aggregate().match({ _id: 1 }).addFields({ o: { half: $.divide(['$n', 2]) } }).replaceRoot({ newRoot: '$o' });
    assert.deepEqual(await answer(inner), [{ half: 1.5 }]);
    assert.deepEqual((await answer(collection.aggregate().unwind('$tags').sortByCount('$tags')))[0], { _id: 'y', count: 2 });
    assert.deepEqual(await answer(collection.aggregate().match({ shop: 'a' }).count('total')), [{ total: 2 }]);
    const buckets = collection.aggregate().bucket({ groupBy: '$n', boundaries: [0, 4, 8], output: { count: $.sum(1) } });
    assert.deepEqual(await answer(buckets), [{ _id: 0, count: 2 }, { _id: 4, count: 2 }]);
  });

  test('expressions', async () => {
    const project = {
      _id: 0,
      text: $.concat(['$shop', '-', $.dateToString({ date: '$at', format: '%Y-%m-%d' })]),
      size: $.cond({ if: $.gte(['$n', 4]), then: 'large', else: 'small' }),
      first: $.arrayElemAt(['$tags', 0]),
    };
    const found = await answer(collection.aggregate().match({ _id: db.command.in([1, 2]) }).sort({ _id: 1 }).project(project));
    assert.deepEqual(found, [
      { text: 'a-1970-01-01', size: 'small', first: 'x' },
      { text: 'b-1970-01-01', size: 'large', first: 'y' },
    ]);
  });

  test('lookup', async () => {
    const { name } = await emulator.collection([{ _id: 'A', shop: 'a', city: '广州' }]);
    const join = { from: name, localField: 'shop', foreignField: 'shop', as: 'shops' };
    const found = await answer(collection.aggregate().match({ n: db.command.gte(4) }).sort({ n: 1 }).lookup(join).project({ shops: 1 }));
    assert.deepEqual(found, [
      { _id: 3, shops: [{ _id: 'A', shop: 'a', city: '广州' }] },
      { _id: 2, shops: [] },
    ]);
  });

  test('a condition that compares fields', async () => {
    const { collection: pairs } = await emulator.collection([{ _id: 1, a: 2, b: 1 }, { _id: 2, a: 1, b: 2 }]);
    const { data } = await pairs.where(db.command.expr($.gt(['$a', '$b']))).get();
    assert.deepEqual(data.map(({ _id }) => _id), [1]);
  });

  test('pipelines that cannot be', async () => {
    await assertFails(collection.aggregate().project({}).end(), 'DATABASE_REQUEST_FAILED', 'specification must have at least one field');
    await assertFails(collection.aggregate().limit(0).end(), 'DATABASE_REQUEST_FAILED', 'the limit must be positive');
    await assertFails(db.collection('nowhere').aggregate().match({ a: 1 }).end(), 'DATABASE_COLLECTION_NOT_EXIST', 'Db or Table not exist');
  });
};
