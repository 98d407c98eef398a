// Values come back as what they were written as (semantics §1.5).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

module.exports = (side) => {
  const written = async (value) => {
    const c = await side.collection([{ _id: 'a', value }]);
    return (await c.doc('a').get()).data.value;
  };

  test('plain values', async () => {
    const values = [0, -1, 1.5, 2 ** 31, 2 ** 53, 1e21, '', '你好 👋', 'a\u0000b', true, null, [], {}, [[{ a: [1] }]]];
    assert.deepEqual(await written(values), values);
  });

  test('what JSON drops is dropped', async () => {
    const value = { kept: 1, gone: undefined, work: () => 1, list: [undefined, 1] };
    assert.deepEqual(await written(value), { kept: 1, list: [null, 1] });
    assert.ok(Object.is(await written(-0), 0), 'there is one zero');
  });

  test('dates, to the millisecond, also deep inside (DB-1.43)', async () => {
    const value = { at: new Date(1_700_000_000_123), list: [{ old: new Date(-1) }] };
    assert.deepEqual(await written(value), value);
  });

  test('the server puts its time where serverDate stands, one for a request (DB-1.41)', async () => {
    const { serverDate } = side.db;
    const value = {
      now: serverDate(),
      list: [serverDate({ offset: 60_000 })],
      deep: { er: serverDate({ offset: -5 }) },
    };
    const { now, list, deep } = await written(value);
    assert.ok(Math.abs(now.getTime() - Date.now()) < 60_000);
    assert.equal(list[0].getTime() - now.getTime(), 60_000);
    assert.equal(deep.er.getTime() - now.getTime(), -5);
  });

  test('serverDate in updates and queries (DB-1.41)', async () => {
    const { command, serverDate } = side.db;
    const c = await side.collection([{ _id: 'a' }, { _id: 'b', at: new Date(0) }]);
    await c.doc('a').update({ data: { at: serverDate({ offset: 60_000 }), deep: { er: serverDate() } } });
    const { at, deep } = (await c.doc('a').get()).data;
    assert.equal(at.getTime() - deep.er.getTime(), 60_000);
    assert.equal((await c.where({ at: command.gt(serverDate()) }).count()).total, 1);
    assert.equal((await c.where({ at: command.lt(serverDate()) }).count()).total, 1);
  });

  test('geometry comes back as geometry, whoever wrote it (§1.5)', async () => {
    const { Point, LineString, Polygon } = side.db.Geo;
    const points = [Point(0, 0), Point(3, 0), Point(3, 3), Point(0, 0)];
    const value = { point: Point(113, 23), line: LineString(points), area: Polygon([LineString(points)]) };
    const { point, line, area } = await written(value);
    assert.deepEqual([point.longitude, point.latitude], [113, 23]);
    assert.deepEqual(point.toJSON(), { type: 'Point', coordinates: [113, 23] });
    assert.equal(line.points[1].longitude, 3);
    assert.equal(area.lines[0].points.length, 4);
    assert.equal((await written({ type: 'Point', coordinates: [1, 2] })).latitude, 2);
    assert.deepEqual(await written({ type: 'Point', name: 'no geometry' }), { type: 'Point', name: 'no geometry' });
  });

  test('keys are keys: dots in add, and what objects have by themselves', async () => {
    const value = JSON.parse('{"a.b": 1, "constructor": {"x": 1}, "toString": 2}');
    assert.deepEqual(await written(value), value);
  });
};
