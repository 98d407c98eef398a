// Values inside some update commands that wx-server-sdk does not encode: `wx.cloud` does. What arrives of a chain in `pull` still
// tells what was meant, and is taken so (semantics DB-1.41, DB-3.23, UNC-09).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const DATE = 'a date';

/** Each a change of the field `[1, 5, 9]`, and what `wx.cloud` and `wx-server-sdk` make of it. */
const CHANGES = (_, { Geo, serverDate }) => [
  ['serverDate in set', _.set({ at: serverDate() }), { at: DATE }, { at: { offset: 0 } }],
  ['serverDate in push of each', _.push({ each: [serverDate()] }), [1, 5, 9, DATE], [1, 5, 9, { offset: 0 }]],
  [
    'a point in set',
    _.set({ p: Geo.Point(1, 2) }),
    { p: { type: 'Point', coordinates: [1, 2] } },
    { p: { longitude: 1, latitude: 2 } },
  ],
  ['pull by a chain', _.pull(_.gt(4).lt(8)), [1, 9], [1, 9]],
];

for (const [side, index] of [
  [page, 2],
  [server, 3],
]) {
  test(side.name, async () => {
    const c = await side.collection();
    for (const row of CHANGES(side.db.command, side.db)) {
      await c.doc('a').set({ data: { field: [1, 5, 9] } });
      await c.doc('a').update({ data: { field: row[1] } });
      assert.deepEqual(plain((await c.doc('a').get()).data.field), row[index], row[0]);
    }
  });
}

/** As JSON has it, but for dates. */
function plain(value) {
  return JSON.parse(JSON.stringify(value), (key, one) => (/^\d{4}-\d\d-\d\dT/.test(one) ? DATE : one));
}
