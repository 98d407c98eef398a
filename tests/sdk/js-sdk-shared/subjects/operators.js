// Each family of query and update operators, as the SDK spells it.
'use strict';

const DOCUMENTS = [
  { _id: 'a', n: 1, s: 'apple', tags: ['x', 'y'], o: { q: 1 }, list: [{ p: 1, v: 5 }, { p: 2, v: 9 }], at: new Date(1_000) },
  { _id: 'b', n: 2, s: 'Banana', tags: ['y'], o: { q: 2 }, list: [], at: new Date(2_000) },
  { _id: 'c', n: 3, s: 'cherry', tags: ['x', 'z', 'w'], nothing: null, at: new Date(3_000) },
  { _id: 'd', n: '1' },
];

/** A condition, and the ids of the documents it finds. */
const QUERIES = [
  ['a value', () => ({ n: 1 }), 'a'],
  ['eq', (_) => ({ n: _.eq(1) }), 'a'],
  ['neq', (_) => ({ n: _.neq(1) }), 'bcd'],
  ['gt', (_) => ({ n: _.gt(1) }), 'bc'],
  ['gte', (_) => ({ n: _.gte(2) }), 'bc'],
  ['lt', (_) => ({ n: _.lt(3) }), 'ab'],
  ['lte', (_) => ({ n: _.lte(2) }), 'ab'],
  ['in', (_) => ({ n: _.in([1, '1']) }), 'ad'],
  ['nin', (_) => ({ n: _.nin([1, 2]) }), 'cd'],
  ['and', (_) => ({ n: _.gt(1).and(_.lt(3)) }), 'b'],
  ['or of a field', (_) => ({ n: _.lt(2).or(_.gt(2)) }), 'ac'],
  ['or of conditions', (_) => _.or([{ n: 1 }, { s: 'cherry' }]), 'ac'],
  ['not', (_) => ({ n: _.not(_.gt(1)) }), 'ad'],
  ['nor', (_) => _.nor([{ n: 1 }, { n: 2 }]), 'cd'],
  ['exists', (_) => ({ nothing: _.exists(true) }), 'c'],
  ['null', () => ({ nothing: null }), 'abcd'],
  ['mod', (_) => ({ n: _.mod([2, 1]) }), 'ac'],
  ['all', (_) => ({ tags: _.all(['x', 'y']) }), 'a'],
  ['size', (_) => ({ tags: _.size(1) }), 'b'],
  ['elemMatch', (_) => ({ list: _.elemMatch({ p: 1, v: _.gt(4) }) }), 'a'],
  ['a member of an array', () => ({ tags: 'x' }), 'ac'],
  ['a whole array', () => ({ tags: ['y'] }), 'b'],
  ['a nested field', () => ({ o: { q: 2 } }), 'b'],
  ['a dotted path', (_) => ({ 'o.q': _.gte(1) }), 'ab'],
  ['a date', (_) => ({ at: _.gt(new Date(1_000)) }), 'bc'],
  ['a regular expression', () => ({ s: /^b/i }), 'b'],
  ['db.RegExp', (_, db) => ({ s: db.RegExp({ regexp: 'RR', options: 'i' }) }), 'c'],
];

const BEFORE = { n: 5, s: 'x', list: [1, 2, 3], o: { a: 1 } };

/** An update of `BEFORE`, and what it changes; `undefined`: the field is gone. */
const UPDATES = [
  ['a nested field', () => ({ o: { b: 2 } }), { o: { a: 1, b: 2 } }],
  ['set', (_) => ({ o: _.set({ b: 2 }) }), { o: { b: 2 } }],
  ['remove', (_) => ({ s: _.remove() }), { s: undefined }],
  ['inc', (_) => ({ n: _.inc(-2) }), { n: 3 }],
  ['mul', (_) => ({ n: _.mul(3) }), { n: 15 }],
  ['min', (_) => ({ n: _.min(4) }), { n: 4 }],
  ['max', (_) => ({ n: _.max(9) }), { n: 9 }],
  ['rename', (_) => ({ s: _.rename('t') }), { s: undefined, t: 'x' }],
  ['push', (_) => ({ list: _.push([4, 5]) }), { list: [1, 2, 3, 4, 5] }],
  ['push with a place and a length', (_) => ({ list: _.push({ each: [9], position: 1, slice: 3 }) }), { list: [1, 9, 2] }],
  ['pop', (_) => ({ list: _.pop() }), { list: [1, 2] }],
  ['unshift', (_) => ({ list: _.unshift([0]) }), { list: [0, 1, 2, 3] }],
  ['shift', (_) => ({ list: _.shift() }), { list: [2, 3] }],
  ['pull', (_) => ({ list: _.pull(_.gt(1)) }), { list: [1] }],
  ['pullAll', (_) => ({ list: _.pullAll([1, 3]) }), { list: [2] }],
  ['addToSet', (_) => ({ list: _.addToSet(3) }), { list: [1, 2, 3] }],
  ['addToSet with several', (_) => ({ list: _.addToSet({ each: [3, 4] }) }), { list: [1, 2, 3, 4] }],
];

const queries = {
  name: 'each query operator finds what it should',
  async run({ db, uid }, admin) {
    const collection = db.collection(await admin.collection(DOCUMENTS.map((document) => ({ ...document, _openid: uid }))));
    const found = [];
    for (const [name, condition] of QUERIES) {
      const { data, ...refusal } = await collection.where(condition(db.command, db)).orderBy('_id', 'asc').get();
      found.push([name, Array.isArray(data) ? data.map(({ _id }) => _id).join('') : { data, refusal }]);
    }
    return found;
  },
  expected: QUERIES.map(([name, , ids]) => [name, ids]),
};

const updates = {
  name: 'each update operator changes what it should',
  async run({ db }, admin) {
    const collection = db.collection(await admin.collection());
    const found = [];
    for (const [name, update] of UPDATES) {
      const { id } = await collection.add(BEFORE);
      const { updated } = await collection.doc(id).update(update(db.command));
      const [{ _id, _openid, ...document }] = (await collection.doc(id).get()).data;
      found.push([name, updated, document]);
    }
    return found;
  },
  expected: UPDATES.map(([name, , change]) => [name, 1, changed(change)]),
};

function changed(change) {
  return Object.fromEntries(Object.entries({ ...BEFORE, ...change }).filter(([, value]) => value !== undefined));
}

module.exports = [queries, updates];
