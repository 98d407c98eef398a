// The query operators of semantics §2 (without geo and expr), each against one set of documents.
'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { assertFails } = require('../support/assertions');

module.exports = (emulator) => {
  let collection;
  let _;
  before(async () => {
    ({ collection } = await emulator.collection(DOCUMENTS));
    _ = emulator.db.command;
  });

  const DATE = new Date('2020-01-02T03:04:05.678Z');
  const DOCUMENTS = [
    { _id: 'missing' },
    { _id: 'null', v: null },
    { _id: 'zero', v: 0 },
    { _id: 'one', v: 1 },
    { _id: 'half', v: 1.5 },
    { _id: 'ten', v: 10 },
    { _id: 'big', v: 9007199254740991 },
    { _id: 'apple', v: 'apple' },
    { _id: 'Banana', v: 'Banana' },
    { _id: 'digit', v: '1' },
    { _id: '苹果', v: '苹果' },
    { _id: 'true', v: true },
    { _id: 'false', v: false },
    { _id: 'date', v: DATE },
    { _id: 'ab', v: { a: 1, b: 2 } },
    { _id: 'ba', v: { b: 2, a: 1 } },
    { _id: '{}', v: {} },
    { _id: '[1,10,apple]', v: [1, 10, 'apple'] },
    { _id: '[10,1]', v: [10, 1] },
    { _id: '[]', v: [] },
    { _id: '[null]', v: [null] },
    { _id: '[[1,10]]', v: [[1, 10]] },
    { _id: '[{},{}]', v: [{ a: 1, b: 10 }, { a: 5, b: 1 }] },
  ];
  const ALL = DOCUMENTS.map(({ _id }) => _id);
  const allBut = (...ids) => ALL.filter((id) => !ids.includes(id));

  /** `query` finds the documents with these ids, and `count` counts them. */
  async function checkQuery(query, ids) {
    const found = (await collection.where(query).get()).data.map(({ _id }) => _id);
    assert.deepEqual(found, ids);
    assert.equal((await collection.where(query).count()).total, ids.length);
  }

  /** The condition `value` on the field `v` finds the documents with these ids. */
  const check = (value, ...ids) => checkQuery({ v: value }, ids);

  test('plain values (DB-2.01, DB-2.03, DB-2.04)', async () => {
    await check(1, 'one', '[1,10,apple]', '[10,1]');
    await check(1.5, 'half');
    await check(2);
    await check('apple', 'apple', '[1,10,apple]');
    await check('Apple');
    await check('1', 'digit');
    await check(true, 'true');
    await check(false, 'false');
    await check(DATE, 'date');
    await check(null, 'missing', 'null', '[null]');
    await check([10, 1], '[10,1]');
    await check([1, 10], '[[1,10]]');
    await check([], '[]');
  });

  test('nested objects become dotted paths (DB-2.02, DB-2.06)', async () => {
    await check({ a: 1 }, 'ab', 'ba', '[{},{}]');
    await check({ a: 1, b: 2 }, 'ab', 'ba');
    await check({ a: 1, b: 1 }, '[{},{}]');
    await check({ a: 1, c: 1 });
    await check({ b: _.gte(10) }, '[{},{}]');
    await check({}, ...ALL);
    await checkQuery({ 'v.a': 5 }, ['[{},{}]']);
    await checkQuery({ 'v.0': 10 }, ['[10,1]']);
    await checkQuery({ 'v.0': [1, 10] }, ['[[1,10]]']);
    await checkQuery({ 'v.2': 'apple' }, ['[1,10,apple]']);
    await checkQuery({ 'v.1.a': 5 }, ['[{},{}]']);
    await checkQuery({ 'v.0.a': 5 }, []);
    await checkQuery({ 'v.x.y.z': 5 }, []);
  });

  test('several fields must all match, undefined ones are dropped', async () => {
    await checkQuery({ v: 1, _id: 'one' }, ['one']);
    await checkQuery({ v: 1, _id: 'ten' }, []);
    await checkQuery({ v: 1, x: undefined }, ['one', '[1,10,apple]', '[10,1]']);
    await checkQuery({}, ALL);
  });

  test('eq', async () => {
    await check(_.eq(1), 'one', '[1,10,apple]', '[10,1]');
    await check(_.eq(null), 'missing', 'null', '[null]');
    await check(_.eq({ a: 1, b: 2 }), 'ab');
    await check(_.eq({ b: 2, a: 1 }), 'ba');
    await check(_.eq({ a: 1 }));
    await check(_.eq({ a: 1, b: 10 }), '[{},{}]');
    await check(_.eq({}), '{}');
    await check(_.eq([1, 10]), '[[1,10]]');
    await check(_.eq(DATE), 'date');
  });

  test('neq matches the missing, and arrays without the value (DB-2.27)', async () => {
    await check(_.neq(1), ...allBut('one', '[1,10,apple]', '[10,1]'));
    await check(_.neq(null), ...allBut('missing', 'null', '[null]'));
    await check(_.neq('apple'), ...allBut('apple', '[1,10,apple]'));
    await check(_.neq({ a: 1, b: 2 }), ...allBut('ab'));
  });

  test('gt, gte, lt, lte compare within a type only (DB-2.20, DB-2.22)', async () => {
    await check(_.gt(1), 'half', 'ten', 'big', '[1,10,apple]', '[10,1]');
    await check(_.gte(1), 'one', 'half', 'ten', 'big', '[1,10,apple]', '[10,1]');
    await check(_.lt(1), 'zero');
    await check(_.lte(1), 'zero', 'one', '[1,10,apple]', '[10,1]');
    await check(_.gt('apple'), '苹果');
    await check(_.gte('apple'), 'apple', '苹果', '[1,10,apple]');
    await check(_.lt('apple'), 'Banana', 'digit');
    await check(_.gt(false), 'true');
    await check(_.lte(true), 'true', 'false');
    await check(_.gte(DATE), 'date');
    await check(_.gt(DATE));
    await check(_.lt(new Date(DATE.getTime() + 1)), 'date');
    await check(_.gte(null), 'missing', 'null', '[null]');
    await check(_.lte(null), 'missing', 'null', '[null]');
    await check(_.gt(null));
    await check(_.gt({ a: 1 }), 'ab', 'ba', '[{},{}]');
    await check(_.lt({ a: 1 }), '{}');
    await check(_.lt(emulator.db.serverDate()), 'date');
    await check(_.gt(emulator.db.serverDate({ offset: -60_000 })));
  });

  test('in and nin', async () => {
    await check(_.in([1, 'apple', 404]), 'one', 'apple', '[1,10,apple]', '[10,1]');
    await check(_.in([null]), 'missing', 'null', '[null]');
    await check(_.in([]));
    await check(_.in([/^app/, 0]), 'zero', 'apple', '[1,10,apple]');
    await check(_.in([{ a: 1, b: 2 }, DATE, true]), 'true', 'date', 'ab');
    await check(_.nin([1, null]), ...allBut('one', '[1,10,apple]', '[10,1]', 'missing', 'null', '[null]'));
    await check(_.nin([]), ...ALL);
    await checkQuery({ _id: _.in(['ten', 'one', 'nobody', 'ten']) }, ['one', 'ten']);
  });

  test('exists', async () => {
    await check(_.exists(true), ...allBut('missing'));
    await check(_.exists(false), 'missing');
    await checkQuery({ 'v.a': _.exists(true) }, ['ab', 'ba', '[{},{}]']);
  });

  test('mod', async () => {
    await check(_.mod([5, 0]), 'zero', 'ten', '[1,10,apple]', '[10,1]');
    await check(_.mod([5, 1]), 'one', 'half', 'big', '[1,10,apple]', '[10,1]');
    await check(_.mod([7, 6]));
  });

  test('all', async () => {
    await check(_.all([1, 10]), '[1,10,apple]', '[10,1]');
    await check(_.all([10, 'apple']), '[1,10,apple]');
    await check(_.all([1]), 'one', '[1,10,apple]', '[10,1]');
    await check(_.all([]));
    await check(_.all([_.elemMatch({ a: 1, b: 10 }), _.elemMatch({ a: 5 })]), '[{},{}]');
    await check(_.all([_.elemMatch({ a: 1, b: 10 }), _.elemMatch({ a: 1, b: 1 })]));
  });

  test('elemMatch asks for one element that satisfies everything', async () => {
    await check(_.elemMatch({ a: 1, b: 10 }), '[{},{}]');
    await check(_.elemMatch({ a: 1, b: 1 }));
    await check(_.elemMatch({ a: _.gt(1), b: _.lt(5) }), '[{},{}]');
    await check(_.elemMatch({ a: _.gt(1), b: _.gt(5) }));
    await check(_.elemMatch(_.gt(5)), '[1,10,apple]', '[10,1]');
    await check(_.elemMatch(_.neq(1)), '[1,10,apple]', '[10,1]', '[null]', '[[1,10]]', '[{},{}]');
    await check(_.elemMatch(_.eq('apple')), '[1,10,apple]');
  });

  test('size', async () => {
    await check(_.size(0), '[]');
    await check(_.size(1), '[null]', '[[1,10]]');
    await check(_.size(2), '[10,1]', '[{},{}]');
    await check(_.size(3), '[1,10,apple]');
    await check(_.size(4));
  });

  test('not matches the missing and other types (DB-2.13)', async () => {
    await check(_.not(_.gt(1)), ...allBut('half', 'ten', 'big', '[1,10,apple]', '[10,1]'));
    await check(_.not(_.in([1, 'apple'])), ...allBut('one', 'apple', '[1,10,apple]', '[10,1]'));
    await check(_.not(_.exists(true)), 'missing');
    await check(_.not(/app/), ...allBut('apple', '[1,10,apple]'));
  });

  test('and, chained and called', async () => {
    await check(_.gt(1).and(_.lt(10)), 'half', '[1,10,apple]', '[10,1]');
    await check(_.gt(1).lt(10), 'half', '[1,10,apple]', '[10,1]');
    await check(_.and(_.gte(1), _.lte(1)), 'one', '[1,10,apple]', '[10,1]');
    await check(_.and([_.gt(25), _.lt(15)]));
    await check(_.exists(true).and(_.neq(null)).and(_.lt(1)), 'zero');
    await checkQuery({ v: _.gt(0).lt(2), _id: _.gt('a').lt('p') }, ['one', 'half']);
  });

  test('and over an array may be satisfied by different elements (DB-2.07)', async () => {
    await check(_.gt(9).and(_.lt(2)), '[1,10,apple]', '[10,1]');
  });

  test('or and nor of one field', async () => {
    await check(_.or(_.eq(1), _.eq('apple')), 'one', 'apple', '[1,10,apple]', '[10,1]');
    await check(_.or([_.eq(0), _.gt(100)]), 'zero', 'big');
    await check(_.eq(0).or(_.gt(100)), 'zero', 'big');
    await check(_.nor(_.lt(1), _.gt(1)), ...allBut('zero', 'half', 'ten', 'big', '[1,10,apple]', '[10,1]'));
    await checkQuery({ v: _.or(_.eq(0), _.eq(10)), _id: _.neq('ten') }, ['zero', '[1,10,apple]', '[10,1]']);
  });

  test('and, or and nor of whole conditions', async () => {
    await checkQuery(_.or([{ v: 0 }, { _id: 'missing' }]), ['missing', 'zero']);
    await checkQuery(_.or({ v: { a: 5 } }, { v: _.gt(100) }), ['big', '[{},{}]']);
    await checkQuery(_.and([{ v: _.gte(1) }, { _id: 'one' }]), ['one']);
    await checkQuery(_.nor([{ v: _.exists(true) }]), ['missing']);
    await checkQuery(_.nor([{ v: 1 }, { v: null }]), allBut('one', '[1,10,apple]', '[10,1]', 'missing', 'null', '[null]'));
    await checkQuery(_.and([_.or([{ v: 1 }, { v: 0 }]), _.or([{ _id: 'one' }, { _id: 'zero' }, { _id: 'ten' }])]), ['zero', 'one']);
  });

  test('regular expressions see strings, also in arrays (DB-2.32)', async () => {
    const { db } = emulator;
    await check(/^a/, 'apple', '[1,10,apple]');
    await check(/PP/);
    await check(/PP/i, 'apple', '[1,10,apple]');
    await check(/1/, 'digit');
    await check(/^$/);
    await check(/果$/, '苹果');
    await check(/^(?=.*n)(?!.*z).{6}$/, 'Banana');
    await check(/(an)\1/, 'Banana');
    await check(db.RegExp({ regexp: '^b', options: 'i' }), 'Banana');
    await check(db.RegExp({ regexp: '^b' }));
  });

  test('operators may be written as MongoDB has them', async () => {
    await check({ $gt: 1, $lt: 10 }, 'half', '[1,10,apple]', '[10,1]');
    await check({ $in: [0, 'apple'] }, 'zero', 'apple', '[1,10,apple]');
    await check({ $ne: null, $not: { $gte: 0 }, $lt: 'B' }, 'digit');
    await checkQuery({ $or: [{ v: 0 }, { v: 1.5 }] }, ['zero', 'half']);
  });

  test('malformed conditions are refused in the words of MongoDB', async () => {
    const refused = (query, ...texts) => assertFails(collection.where(query).get(), 'DATABASE_REQUEST_FAILED', ...texts);
    await refused({ v: { $in: 1 } }, '$in needs an array');
    await refused({ v: _.mod([0, 1]) }, 'divisor cannot be 0');
    await refused({ v: { $mod: [1] } }, 'malformed mod, not enough elements');
    await refused({ v: { $mod: [1, 2, 3] } }, 'too many elements');
    await refused({ v: _.size(-1) });
    await refused({ v: _.size('two') });
    await refused({ v: { $nonsense: 1 } }, '$nonsense');
    await refused({ $nonsense: [] }, '$nonsense');
    await refused({ v: emulator.db.RegExp({ regexp: '(' }) });
  });

  test('a condition that cannot be meant is refused by the SDK', () => {
    assert.throws(() => collection.where('a'), /查询参数必须为对象/);
    assert.throws(() => collection.where({ a: undefined }), /查询参数对象值不能均为undefined/);
    assert.throws(() => collection.limit(1.5), /limitmust be integer/);
    assert.throws(() => collection.orderBy('a', 'ASC'), /排序字符不合法/);
  });
};
