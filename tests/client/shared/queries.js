// What `where` finds, and orderBy, skip, limit and field make of it (semantics §1.4, §2).
'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');

const DOCUMENTS = [
  { _id: 'a', n: 1, name: 'Ann', tags: ['x', 'y'], style: { color: 'red', size: 1 }, at: new Date(1000) },
  { _id: 'b', n: 5, name: 'bob', tags: ['y'], style: { color: 'red' }, at: new Date(2000) },
  { _id: 'c', n: 9, name: '李', tags: [], style: { color: 'blue', deep: { er: true } }, nothing: null },
  {
    _id: 'd',
    n: 9.5,
    marks: [
      { k: 'p', v: 3 },
      { k: 'q', v: 8 },
    ],
  },
  { _id: 'e', n: '5', marks: [{ k: 'p', v: 8 }] },
];

/** Each a condition and the documents it finds. */
const CONDITIONS = (_, db) => [
  ['equality', { n: 5 }, 'b'],
  ['of numbers, not of texts', { n: '5' }, 'e'],
  ['an element of an array (DB-2.01)', { tags: 'y' }, 'ab'],
  ['a whole array (DB-2.03)', { tags: ['x', 'y'] }, 'a'],
  ['fields of an object (DB-2.02)', { style: { color: 'red' } }, 'ab'],
  ['a path', { 'style.deep.er': true }, 'c'],
  ['a whole object', { style: _.eq({ color: 'red' }) }, 'b'],
  ['null or missing (DB-2.04)', { nothing: null }, 'abcde'],
  ['undefined says nothing (§1.3)', { n: 5, name: undefined }, 'b'],
  ['an empty object says nothing (§1.3)', { n: {} }, 'abcde'],
  ['elements of documents (DB-2.06)', { 'marks.v': 8 }, 'de'],
  ['a date', { at: new Date(2000) }, 'b'],
  ['eq', { n: _.eq(9) }, 'c'],
  ['neq finds what lacks the field', { name: _.neq('bob') }, 'acde'],
  ['gt', { n: _.gt(5) }, 'cd'],
  ['gte', { n: _.gte(5) }, 'bcd'],
  ['lt', { at: _.lt(new Date(2000)) }, 'a'],
  ['lte', { n: _.lte(5) }, 'ab'],
  ['in', { n: _.in([1, '5', 7]) }, 'ae'],
  ['in nothing', { n: _.in([]) }, ''],
  ['nin', { n: _.nin([1, 5]) }, 'cde'],
  ['exists', { name: _.exists(true) }, 'abc'],
  ['exists not', { name: _.exists(false) }, 'de'],
  ['mod', { n: _.mod([4, 1]) }, 'abcd'],
  ['all', { tags: _.all(['y', 'x']) }, 'a'],
  ['size', { tags: _.size(0) }, 'c'],
  ['elemMatch of objects', { marks: _.elemMatch({ k: 'p', v: _.gt(5) }) }, 'e'],
  ['elemMatch of values', { tags: _.elemMatch(_.gt('x')) }, 'ab'],
  ['a chain', { n: _.gt(1).lt(9) }, 'b'],
  ['a chain of words', { n: _.eq(1).or(_.gt(9)) }, 'ad'],
  ['and', { n: _.and(_.gt(1), _.lt(9.2)) }, 'bc'],
  ['or, one by one or as an array', { n: _.or([_.lt(2), _.eq('5')]) }, 'ae'],
  ['nor', { n: _.nor(_.lt(6), _.eq('5')) }, 'cd'],
  ['not', { n: _.not(_.gt(5)) }, 'abe'],
  ['or of documents (DB-2.11)', _.or([{ n: 1 }, { style: { color: 'blue' } }]), 'ac'],
  ['and of documents', _.and([_.or({ n: 1 }, { n: 5 }), { tags: 'x' }]), 'a'],
  ['nor of documents', _.nor([{ tags: 'y' }, { n: 9 }]), 'de'],
  ['a regular expression', { name: /^b|N/i }, 'ab'],
  ['db.RegExp', { name: db.RegExp({ regexp: '^B', options: 'i' }) }, 'b'],
  ['not a regular expression', { name: _.not(/n/) }, 'bcde'],
  ["the database's own operators", { n: { $gte: 9 }, $or: [{ tags: [] }, { marks: { $size: 2 } }] }, 'cd'],
];

module.exports = (side) => {
  let c;
  before(async () => {
    c = await side.collection(DOCUMENTS);
  });
  const idsOf = async (query) => (await query.get()).data.map(({ _id }) => _id).join('');

  test('conditions', async () => {
    for (const [what, condition, expected] of CONDITIONS(side.db.command, side.db)) {
      assert.equal(await idsOf(c.where(condition)), expected, what);
    }
  });

  test('order: the first key counts most, texts by their bytes, types apart (DB-1.30, DB-2.22, DB-2.23)', async () => {
    assert.equal(await idsOf(c.orderBy('n', 'desc')), 'edcba');
    assert.equal(await idsOf(c.where({ name: side.db.command.exists(true) }).orderBy('name', 'asc')), 'abc');
    assert.equal(await idsOf(c.orderBy('style.color', 'desc').orderBy('n', 'desc')), 'baced');
    assert.equal(await idsOf(c.orderBy('n', 'asc').orderBy('_id', 'asc').orderBy('n', 'desc')), 'edcba');
  });

  test('skip and limit: the last call counts (DB-1.04, DB-1.32)', async () => {
    const all = c.orderBy('_id', 'asc');
    assert.equal(await idsOf(all.skip(1).limit(2)), 'bc');
    assert.equal(await idsOf(all.limit(1).limit(3).skip(4).skip(1)), 'bcd');
    assert.equal(await idsOf(all.skip(9)), '');
    assert.equal(await idsOf(all.limit(-2)), 'ab', 'UNC-06');
  });

  test('field (DB-1.33)', async () => {
    const find = async (id, projection) => (await c.where({ _id: id }).field(projection).get()).data;
    assert.deepEqual(await find('a', { n: true, _id: false }), [{ n: 1 }]);
    assert.deepEqual(await find('a', { 'style.color': 1 }), [{ _id: 'a', style: { color: 'red' } }]);
    assert.deepEqual(await find('d', { 'marks.k': 1 }), [{ _id: 'd', marks: [{ k: 'p' }, { k: 'q' }] }]);
    assert.deepEqual((await c.doc('b').field({ name: true }).get()).data, { _id: 'b', name: 'bob' });
    if (side.isOld) return;
    assert.deepEqual(await find('e', { marks: -1, _openid: false }), [{ _id: 'e', n: '5' }]);
    const { project } = side.db.command;
    assert.deepEqual(await find('a', { tags: project.slice(1), n: 1 }), [{ _id: 'a', n: 1, tags: ['x'] }]);
    assert.deepEqual(await find('d', { marks: project.elemMatch({ v: 8 }) }), [
      { _id: 'd', marks: [{ k: 'q', v: 8 }] },
    ]);
  });
};
