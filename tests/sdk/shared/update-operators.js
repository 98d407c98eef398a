// The update operators and merge rules of semantics §3: a document before, the data of update(), the document after.
'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');

module.exports = (emulator) => {
  let collection;
  let _;
  before(async () => {
    ({ collection } = await emulator.collection());
    _ = emulator.db.command;
  });

  const contentOf = ({ _id, ...content }) => content;

  /** `update(data)` of a document with the content `content` leaves it as `after`. */
  async function check(content, data, after) {
    const { id } = await collection.add(content);
    assert.equal((await collection.doc(id).update(data)).updated, 1);
    assert.deepEqual((await collection.doc(id).get()).data.map(contentOf), [after]);
  }

  test('nested objects are merged (DB-3.01)', async () => {
    await check({ style: { color: 'red', size: 1 } }, { style: { color: 'blue' } }, { style: { color: 'blue', size: 1 } });
    await check({ a: { b: { c: 1, d: 2 }, e: 3 } }, { a: { b: { c: 9 } } }, { a: { b: { c: 9, d: 2 }, e: 3 } });
    await check({ style: { color: 'red' } }, { 'style.size': 2 }, { style: { color: 'red', size: 2 } });
    await check({}, { a: 1, b: 'x', c: true, d: null }, { a: 1, b: 'x', c: true, d: null });
  });

  test('set replaces a nested object whole (DB-3.02)', async () => {
    await check({ style: { color: 'red', size: 1 } }, { style: _.set({ color: 'blue' }) }, { style: { color: 'blue' } });
    await check({ a: 1 }, { a: _.set({}) }, { a: {} });
    await check({}, { a: _.set(5), b: _.set([1]), c: _.set(null) }, { a: 5, b: [1], c: null });
    await check({ o: { x: 1, y: 2 } }, { o: { x: _.set({ z: 1 }) } }, { o: { x: { z: 1 }, y: 2 } });
  });

  test('arrays are replaced whole, their elements reached by number (DB-3.03)', async () => {
    await check({ a: [1, 2, 3] }, { a: [9] }, { a: [9] });
    await check({ a: [1, 2, 3] }, { a: [] }, { a: [] });
    await check({ a: [1, 2, 3] }, { 'a.0': 9 }, { a: [9, 2, 3] });
    await check({ a: [1, 2, 3] }, { a: { 1: 9 } }, { a: [1, 9, 3] });
    await check({ a: [{ x: 1, y: 2 }, { x: 3 }] }, { a: { 0: { x: 9 } } }, { a: [{ x: 9, y: 2 }, { x: 3 }] });
    await check({ a: [{ x: 1 }, { x: 2 }] }, { a: { 0: { x: _.remove() }, 1: _.remove() } }, { a: [{}, null] });
  });

  test('null is stored, undefined and empty objects are not (DB-3.04, DB-3.05)', async () => {
    await check({ a: 1 }, { a: null }, { a: null });
    await check({ a: 1 }, { a: undefined, b: 2 }, { a: 1, b: 2 });
    await check({ a: { k: 1 } }, { a: {}, b: 2 }, { a: { k: 1 }, b: 2 });
    await check({ a: { k: 1 } }, { a: { b: {} }, c: 2 }, { a: { k: 1 }, c: 2 });
  });

  test('missing paths are created (DB-3.09)', async () => {
    await check({}, { 'x.y.z': 1 }, { x: { y: { z: 1 } } });
    await check({ x: { w: 0 } }, { x: { y: { z: 1 } } }, { x: { w: 0, y: { z: 1 } } });
    await check({}, { 'a.0': 1 }, { a: { 0: 1 } });
    await check({ a: [1, 2] }, { 'a.4': 9 }, { a: [1, 2, null, null, 9] });
    await check({ a: [] }, { 'a.0.b': 9 }, { a: [{ b: 9 }] });
  });

  test('a nested _id is a field like any other', async () => {
    await check({ a: { _id: 'x' } }, { a: { _id: 'y' } }, { a: { _id: 'y' } });
  });

  test('remove', async () => {
    await check({ a: 1, b: 2 }, { a: _.remove() }, { b: 2 });
    await check({ o: { x: 1, y: 2 } }, { o: { x: _.remove() } }, { o: { y: 2 } });
    await check({ o: { x: 1 } }, { 'o.x': _.remove() }, { o: {} });
    await check({ a: 1 }, { b: _.remove(), 'c.d': _.remove() }, { a: 1 });
    await check({ a: [1, 2, 3] }, { 'a.1': _.remove() }, { a: [1, null, 3] });
  });

  test('inc', async () => {
    await check({ n: 1 }, { n: _.inc(2) }, { n: 3 });
    await check({ n: 1 }, { n: _.inc(-2) }, { n: -1 });
    await check({ n: 1 }, { n: _.inc(0.5) }, { n: 1.5 });
    await check({}, { n: _.inc(3) }, { n: 3 });
    await check({ o: { n: 1 } }, { o: { n: _.inc(1), m: _.inc(5) } }, { o: { n: 2, m: 5 } });
    await check({ a: [1, 2] }, { 'a.1': _.inc(10) }, { a: [1, 12] });
    await check({ n: 2147483647 }, { n: _.inc(1) }, { n: 2147483648 });
    await check({ n: 9007199254740990 }, { n: _.inc(1) }, { n: 9007199254740991 });
  });

  test('mul', async () => {
    await check({ n: 3 }, { n: _.mul(2) }, { n: 6 });
    await check({ n: 3 }, { n: _.mul(0.5) }, { n: 1.5 });
    await check({ n: 3 }, { n: _.mul(-1) }, { n: -3 });
    await check({}, { n: _.mul(7) }, { n: 0 });
    await check({ n: 2147483647 }, { n: _.mul(2) }, { n: 4294967294 });
  });

  test('min and max compare in the order of all types', async () => {
    await check({ n: 5 }, { n: _.min(3) }, { n: 3 });
    await check({ n: 5 }, { n: _.min(7) }, { n: 5 });
    await check({ n: 5 }, { n: _.max(7) }, { n: 7 });
    await check({ n: 5 }, { n: _.max(3) }, { n: 5 });
    await check({}, { n: _.min(3), m: _.max(4) }, { n: 3, m: 4 });
    await check({ n: 5 }, { n: _.max('a') }, { n: 'a' });
    await check({ n: 5 }, { n: _.min('a') }, { n: 5 });
    await check({ n: 5 }, { n: _.min(null) }, { n: null });
  });

  test('rename', async () => {
    await check({ a: 1, b: 2 }, { a: _.rename('c') }, { b: 2, c: 1 });
    await check({ a: 1, b: 2 }, { a: _.rename('b') }, { b: 1 });
    await check({ o: { x: 1, y: 2 } }, { o: { x: _.rename('o.z') } }, { o: { y: 2, z: 1 } });
    await check({ a: 1 }, { a: _.rename('o.x') }, { o: { x: 1 } });
    await check({ a: 1 }, { missing: _.rename('b') }, { a: 1 });
  });

  test('bit', async () => {
    await check({ n: 13 }, { n: _.bit({ and: 10 }) }, { n: 8 });
    await check({ n: 3 }, { n: _.bit({ or: 4 }) }, { n: 7 });
    await check({ n: 1 }, { n: _.bit({ xor: 5 }) }, { n: 4 });
    await check({}, { n: _.bit({ or: 5 }) }, { n: 5 });
  });

  test('push', async () => {
    await check({ a: [1] }, { a: _.push(2) }, { a: [1, 2] });
    await check({ a: [1] }, { a: _.push(2, 3) }, { a: [1, 2, 3] });
    await check({ a: [1] }, { a: _.push([2, 3]) }, { a: [1, 2, 3] });
    await check({ a: [1] }, { a: _.push([[2, 3]]) }, { a: [1, [2, 3]] });
    await check({ a: [1] }, { a: _.push({ x: 1 }) }, { a: [1, { x: 1 }] });
    await check({}, { a: _.push([1]) }, { a: [1] });
    await check({ o: { a: [1] } }, { o: { a: _.push(2) } }, { o: { a: [1, 2] } });
    await check({ a: [1] }, { a: _.push([]) }, { a: [1] });
    await check({ a: [1] }, { a: _.push([null, new Date(5)]) }, { a: [1, null, new Date(5)] });
  });

  test('push with position, sort and slice, in this order of effect (DB-3.21)', async () => {
    await check({ a: [1, 2, 3] }, { a: _.push({ each: [8, 9], position: 1 }) }, { a: [1, 8, 9, 2, 3] });
    await check({ a: [1, 2, 3] }, { a: _.push({ each: [8], position: 0 }) }, { a: [8, 1, 2, 3] });
    await check({ a: [1, 2, 3] }, { a: _.push({ each: [8], position: -1 }) }, { a: [1, 2, 8, 3] });
    await check({ a: [1, 2, 3] }, { a: _.push({ each: [8], position: 99 }) }, { a: [1, 2, 3, 8] });
    await check({ a: [3, 1] }, { a: _.push({ each: [2], sort: 1 }) }, { a: [1, 2, 3] });
    await check({ a: [3, 1] }, { a: _.push({ each: [2], sort: -1 }) }, { a: [3, 2, 1] });
    await check({ a: [{ x: 2 }, { x: 1 }] }, { a: _.push({ each: [{ x: 0 }], sort: { x: 1 } }) }, { a: [{ x: 0 }, { x: 1 }, { x: 2 }] });
    await check({ a: [1, 2, 3] }, { a: _.push({ each: [4], slice: 2 }) }, { a: [1, 2] });
    await check({ a: [1, 2, 3] }, { a: _.push({ each: [4], slice: -2 }) }, { a: [3, 4] });
    await check({ a: [1, 2, 3] }, { a: _.push({ each: [4], slice: 0 }) }, { a: [] });
    await check({ a: [3, 1, 2] }, { a: _.push({ each: [], sort: 1 }) }, { a: [1, 2, 3] });
    await check({ a: [5, 1] }, { a: _.push({ each: [9, 3], position: 0, sort: -1, slice: 3 }) }, { a: [9, 5, 3] });
  });

  test('pop, shift and unshift', async () => {
    await check({ a: [1, 2, 3] }, { a: _.pop() }, { a: [1, 2] });
    await check({ a: [1, 2, 3] }, { a: _.shift() }, { a: [2, 3] });
    await check({ a: [] }, { a: _.pop() }, { a: [] });
    await check({ b: 1 }, { a: _.pop(), c: _.shift() }, { b: 1 });
    await check({ a: [1] }, { a: _.unshift(0) }, { a: [0, 1] });
    await check({ a: [1] }, { a: _.unshift([8, 9]) }, { a: [8, 9, 1] });
    await check({ a: [1] }, { a: _.unshift(8, 9) }, { a: [8, 9, 1] });
    await check({}, { a: _.unshift(1) }, { a: [1] });
  });

  test('pull takes a value, a command or a condition on elements (DB-3.23)', async () => {
    await check({ a: [1, 2, 1, 3] }, { a: _.pull(1) }, { a: [2, 3] });
    await check({ a: [1, 2, 3] }, { a: _.pull(_.in([1, 3])) }, { a: [2] });
    await check({ a: [1, 2, 3] }, { a: _.pull(_.gt(1)) }, { a: [1] });
    await check({ a: [{ x: 1, y: 1 }, { x: 1 }, { x: 2 }] }, { a: _.pull({ x: 1 }) }, { a: [{ x: 2 }] });
    await check({ a: [{ b: 2, c: 'x' }, { b: 1, c: 'x' }] }, { a: _.pull({ b: _.gt(1), c: 'x' }) }, { a: [{ b: 1, c: 'x' }] });
    await check({ a: [[{ x: 1 }], [{ x: 2 }]] }, { a: _.pull(_.elemMatch({ x: 1 })) }, { a: [[{ x: 2 }]] });
    await check({ a: [1, 2] }, { a: _.pull(9) }, { a: [1, 2] });
    await check({ b: 1 }, { a: _.pull(9) }, { b: 1 });
  });

  test('pullAll takes values, objects whole and in key order', async () => {
    await check({ a: [1, 2, 1, 3] }, { a: _.pullAll([1, 3]) }, { a: [2] });
    await check({ a: [{ x: 1, y: 2 }, { y: 2, x: 1 }, { x: 1 }] }, { a: _.pullAll([{ x: 1, y: 2 }]) }, { a: [{ y: 2, x: 1 }, { x: 1 }] });
    await check({ b: 1 }, { a: _.pullAll([1]) }, { b: 1 });
  });

  test('addToSet (DB-3.22)', async () => {
    await check({ a: ['x'] }, { a: _.addToSet('y') }, { a: ['x', 'y'] });
    await check({ a: ['x'] }, { a: _.addToSet('x') }, { a: ['x'] });
    await check({}, { a: _.addToSet('x') }, { a: ['x'] });
    await check({ a: ['x'] }, { a: _.addToSet(['x', 'y']) }, { a: ['x', ['x', 'y']] });
    await check({ a: ['x'] }, { a: _.addToSet({ $each: ['x', 'y', 'y'] }) }, { a: ['x', 'y'] });
    await check({ a: ['x'] }, { a: _.addToSet({ each: ['x', 'y'] }) }, { a: ['x', 'y'] });
    await check({ a: [{ x: 1, y: 2 }] }, { a: _.addToSet({ x: 1, y: 2 }) }, { a: [{ x: 1, y: 2 }] });
    await check({ a: [{ x: 1, y: 2 }] }, { a: _.addToSet({ y: 2, x: 1 }) }, { a: [{ x: 1, y: 2 }, { y: 2, x: 1 }] });
  });

  test('several operators in one update', async () => {
    await check(
      { n: 1, gone: 1, list: [1], o: { x: 1 } },
      { n: _.inc(1), gone: _.remove(), list: _.push(2), o: { y: 2 }, plain: 'p', m: _.max(4) },
      { n: 2, list: [1, 2], o: { x: 1, y: 2 }, plain: 'p', m: 4 },
    );
  });

  test('operators may be written as MongoDB has them (DB-3.11)', async () => {
    await check({ n: 1 }, { $set: { a: 1, 'o.x': 2 } }, { n: 1, a: 1, o: { x: 2 } });
    await check({ n: 1 }, { $inc: { n: 1 }, b: 2 }, { n: 2, b: 2 });
    await check({ n: 1, a: 1 }, { $unset: { a: '' }, $mul: { n: 3 } }, { n: 3 });
  });

  test('dates and geo values', async () => {
    const { Geo } = emulator.db;
    const { id } = await collection.add({});
    await collection.doc(id).update({ at: new Date(5), deep: { place: new Geo.Point(1, 2) }, list: _.push(new Date(6)) });
    const [document] = (await collection.doc(id).get()).data;
    assert.deepEqual([document.at, document.list], [new Date(5), [new Date(6)]]);
    assert.deepEqual(document.deep.place.toJSON(), { type: 'Point', coordinates: [1, 2] });
  });

  /** As `check`, for an update whose positional paths need `where`. */
  async function checkWhere(content, where, data, after) {
    const { id } = await collection.add(content);
    assert.equal((await collection.where({ _id: id, ...where }).update(data)).updated, 1);
    assert.deepEqual((await collection.doc(id).get()).data.map(contentOf), [after]);
  }

  test('$ is the first element the condition matched (DB-3.25)', async () => {
    await checkWhere({ a: [1, 5, 5] }, { a: 5 }, { 'a.$': 50 }, { a: [1, 50, 5] });
    await checkWhere({ a: [1, 5, 9] }, { a: _.gt(4) }, { 'a.$': _.inc(1) }, { a: [1, 6, 9] });
    await checkWhere({ a: [{ n: 'x', d: 0 }, { n: 'y', d: 0 }] }, { 'a.n': 'y' }, { 'a.$.d': 1 }, { a: [{ n: 'x', d: 0 }, { n: 'y', d: 1 }] });
    await checkWhere(
      { a: [{ n: 1, m: 2 }, { n: 1, m: 3 }] },
      { a: _.elemMatch({ n: 1, m: 3 }) },
      { 'a.$.ok': true },
      { a: [{ n: 1, m: 2 }, { n: 1, m: 3, ok: true }] },
    );
    await checkWhere({ a: [1, 5] }, { a: 5 }, { 'a.$': _.remove() }, { a: [1, null] });
  });

  test('$[] is every element (DB-3.25)', async () => {
    await checkWhere({ a: [1, 5] }, {}, { 'a.$[]': 0 }, { a: [0, 0] });
    await checkWhere({ a: [1, 5] }, {}, { 'a.$[]': _.inc(1) }, { a: [2, 6] });
    await checkWhere({ a: [{ n: 1 }, { n: 2, m: 3 }] }, {}, { 'a.$[].n': 9 }, { a: [{ n: 9 }, { n: 9, m: 3 }] });
    await checkWhere({ o: { a: [1, 2] } }, {}, { 'o.a.$[]': _.mul(10) }, { o: { a: [10, 20] } });
    await checkWhere({ a: [] }, {}, { 'a.$[]': 0 }, { a: [] });
  });
};
