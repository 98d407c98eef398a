// What update operators make of a document (semantics §3).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

/** Each a field before, the change asked for, and the field after; `undefined` is a field that is not there. */
const CHANGES = (_) => [
  ['a value', 1, 2, 2],
  [
    'a field of an object leaves the others (DB-3.01)',
    { p: 1, q: { r: 2 } },
    { q: { s: 3 } },
    { p: 1, q: { r: 2, s: 3 } },
  ],
  ['an array is replaced (DB-3.03)', [1, 2], [3], [3]],
  ['an element of an array (DB-3.03)', [1, 2], { 0: 5 }, [5, 2]],
  ['an empty object says nothing (DB-3.05)', { p: 1 }, { p: 2, q: {} }, { p: 2 }],
  ['null', 1, null, null],
  ['set', { p: 1 }, _.set({ q: 2 }), { q: 2 }],
  ['set an empty object', { p: 1 }, _.set({}), {}],
  ['remove', 1, _.remove(), undefined],
  ['inc', 1, _.inc(2.5), 3.5],
  ['inc of nothing', undefined, _.inc(2), 2],
  ['mul', 3, _.mul(-2), -6],
  ['mul of nothing', undefined, _.mul(2), 0],
  ['min', 5, _.min(3), 3],
  ['max', 5, _.max(3), 5],
  ['rename', 1, _.rename('elsewhere'), undefined],
  ['push one', [1], _.push(2), [1, 2]],
  ['push several', [1], _.push([2, 3]), [1, 2, 3]],
  ['push one by one', [1], _.push(2, 3), [1, 2, 3]],
  ['push an array (DB-3.20)', [1], _.push([[2, 3]]), [1, [2, 3]]],
  ['push to nothing', undefined, _.push('a'), ['a']],
  ['push at a place', [1, 4], _.push({ each: [2, 3], position: 1 }), [1, 2, 3, 4]],
  ['push, sort and cut (DB-3.21)', [5, 1], _.push({ each: [3], sort: -1, slice: 2 }), [5, 3]],
  ['push, sorted by a field', [{ p: 2 }], _.push({ each: [{ p: 1 }], sort: { p: 1 } }), [{ p: 1 }, { p: 2 }]],
  ['pop', [1, 2, 3], _.pop(), [1, 2]],
  ['shift', [1, 2, 3], _.shift(), [2, 3]],
  ['unshift', [3], _.unshift([1, 2]), [1, 2, 3]],
  ['pull a value', [1, 2, 1], _.pull(1), [2]],
  ['pull by a condition (DB-3.23)', [1, 5, 9], _.pull(_.gt(4)), [1]],
  ['pull by fields', [{ p: 1, q: 1 }, { p: 2 }], _.pull({ p: 1 }), [{ p: 2 }]],
  ['pullAll', [1, 2, 3, 2], _.pullAll([2, 3]), [1]],
  ['addToSet', [1], _.addToSet(2), [1, 2]],
  ['addToSet of what is there', [1], _.addToSet(1), [1]],
  ['addToSet of several (DB-3.22)', [1], _.addToSet({ $each: [1, 2] }), [1, 2]],
  ['addToSet of an array (DB-3.22)', ['x'], _.addToSet(['x']), ['x', ['x']]],
];

module.exports = (side) => {
  test('operators', async () => {
    const c = await side.collection();
    for (const [what, before, change, after] of CHANGES(side.db.command)) {
      await c.doc('a').set({ data: { field: before } });
      assert.equal((await c.doc('a').update({ data: { field: change } })).stats.updated, 1, what);
      assert.deepEqual((await c.doc('a').get()).data.field, after, what);
    }
  });

  test('several at once, by paths and by the names of the database (DB-3.09, DB-3.11)', async () => {
    const _ = side.db.command;
    const c = await side.collection([{ _id: 'a', n: 1, list: [1, 2], gone: 1 }]);
    await c.doc('a').update({
      data: { n: _.inc(1), 'list.1': 5, 'deep.er': true, gone: _.remove(), $set: { plain: 1 }, none: undefined },
    });
    assert.deepEqual(side.content((await c.doc('a').get()).data), {
      _id: 'a',
      n: 2,
      list: [1, 5],
      deep: { er: true },
      plain: 1,
    });
  });

  test('the element that the query found (DB-3.25)', async () => {
    const c = await side.collection([
      {
        _id: 'a',
        marks: [
          { k: 'p', v: 1 },
          { k: 'q', v: 2 },
        ],
      },
    ]);
    await c.where({ 'marks.k': 'q' }).update({ data: { 'marks.$.v': side.db.command.inc(5) } });
    assert.deepEqual((await c.doc('a').get()).data.marks, [
      { k: 'p', v: 1 },
      { k: 'q', v: 7 },
    ]);
    await c.where({ _id: 'a' }).update({ data: { 'marks.$[].v': 0 } });
    assert.deepEqual(
      (await c.doc('a').get()).data.marks.map(({ v }) => v),
      [0, 0],
    );
  });
};
