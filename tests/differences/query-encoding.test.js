// Documented queries that wx-server-sdk encodes as something else: `wx.cloud` gives them the documented meaning, and so does the
// emulator where it can still tell what was meant (semantics DB-2.14, UNC-09).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const DOCUMENTS = [
  { _id: 'a', n: 1, m: 1, tags: [1, 5], list: [{ b: 1 }, { b: 3 }] },
  { _id: 'b', n: 5, m: 2, tags: [90, 3], list: [{ b: 1 }] },
  { _id: 'c', n: 9, m: 1, tags: [9] },
  { _id: 'd' },
];

/** Each a condition, and the documents that wx.cloud and wx-server-sdk find. */
const CONDITIONS = (_) => [
  ['two fields with or', { n: _.or(_.eq(1), _.eq(5)), m: _.or(_.eq(1), _.eq(7)) }, 'a', 'abc'],
  ['not of or', { n: _.not(_.or([_.eq(1), _.eq(5)])) }, 'cd', ''],
  ['not of a chain', { n: _.not(_.gt(1).lt(9)) }, 'acd', ''],
  ['exists without an argument', { n: _.exists() }, 'abc', ''],
  ['elemMatch of a chain', { tags: _.elemMatch(_.gt(80).lt(100)) }, 'b', 'b'],
  ['all with elemMatch', { list: _.all([_.elemMatch({ b: _.gt(1) })]) }, 'a', 'a'],
];

for (const [side, index] of [
  [page, 2],
  [server, 3],
]) {
  test(side.name, async () => {
    const c = await side.collection(DOCUMENTS);
    for (const row of CONDITIONS(side.db.command)) {
      const { data } = await c.where(row[1]).get();
      assert.equal(data.map(({ _id }) => _id).join(''), row[index], row[0]);
    }
  });
}
