// Aggregation through wx-server-sdk: the answer's shape, and that stages and conditions arrive (semantics DB-4.01).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertContains, rejection } = require('../support/assertions');

module.exports = (side) => {
  test('an answer is { list, errMsg }', async () => {
    const { command: _ } = side.db;
    const $ = _.aggregate;
    const c = await side.collection([
      { _id: 'a', shop: 'x', n: 1 },
      { _id: 'b', shop: 'x', n: 2 },
      { _id: 'c', shop: 'y', n: 9 },
    ]);
    const groups = c.aggregate().match({ n: _.lt(9) }).group({ _id: '$shop', total: $.sum('$n') });
    assert.deepEqual(await groups.end(), { list: [{ _id: 'x', total: 3 }], errMsg: 'collection.aggregate:ok' });
    const sorted = await c.aggregate().sort({ n: -1 }).limit(1).project({ half: $.divide(['$n', 2]) }).end();
    assert.deepEqual(sorted.list, [{ _id: 'c', half: 4.5 }]);
  });

  test('a failure tells the reason', async () => {
    const missing = await rejection(side.db.collection('nowhere').aggregate().match({ a: 1 }).end());
    assertNumber(missing, -502005);
    assertContains(missing.errMsg, ['Db or Table not exist: nowhere']);
    const c = await side.collection();
    const failed = await rejection(c.aggregate().limit(0).end());
    assertNumber(failed, -502001);
    assertContains(failed.errMsg, ['the limit must be positive']);
  });
};

/** wx-server-sdk 4 gives every error of an aggregation the number -1. */
function assertNumber({ errCode, errMsg }, number) {
  assert.ok([number, -1].includes(errCode), `${errCode} ${errMsg}`);
}
