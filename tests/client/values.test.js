// Values on their way out and in: dates, numbers, regular expressions, geometries (semantics §1.5, §2.5; protocol §2.2).
'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { openSimulator } = require('./support/simulator');
const { openStub } = require('./support/stub');

let stub;
let db;
let console;
before(async () => {
  stub = await openStub();
  const simulator = openSimulator({ place: { address: stub.url } });
  simulator.wx.cloud.init();
  console = simulator.console;
  db = simulator.wx.cloud.database();
});

async function added(data) {
  stub.requests.length = 0;
  await db.collection('c').add({ data });
  return stub.requests.at(-1).body.data;
}

async function read(document) {
  stub.reply = () => ({ data: { list: [document] } });
  const { data } = await db.collection('c').doc('x').get();
  stub.reply = () => undefined;
  return data;
}

test('what JSON cannot say is said in its EJSON form', async () => {
  assert.deepEqual(await added({ a: -Infinity, b: NaN, c: new Date(5), d: [undefined, () => 1] }), {
    a: { $numberDouble: '-Infinity' },
    b: { $numberDouble: 'NaN' },
    c: { $date: 5 },
    d: [null, null],
  });
});

test('objects with a JSON form of their own take it; other instances are their fields', async () => {
  class Order {
    constructor() {
      this.price = 1;
    }
  }
  assert.deepEqual(await added({ a: { toJSON: () => ({ at: new Date(5) }) }, b: new Order() }), {
    a: { at: { $date: 5 } },
    b: { price: 1 },
  });
});

test('__proto__ and constructor are keys like any other', async () => {
  const data = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2, "hasOwnProperty": 3}');
  assert.equal(JSON.stringify(await added(data)), JSON.stringify(data));
  assert.equal(JSON.stringify(await read({ _id: 'x', nested: data })), JSON.stringify({ _id: 'x', nested: data }));
  assert.deepEqual(await read({ constructor: 5 }), { constructor: 5 });
  assert.equal({}.a, undefined);
});

test('what is changed after the call is not sent', async () => {
  const data = { list: [1] };
  stub.requests.length = 0;
  const call = db.collection('c').add({ data });
  const condition = { a: 1 };
  const query = db.collection('c').where(condition);
  data.list.push(2);
  condition.a = 2;
  await call;
  await query.get();
  assert.deepEqual(stub.bodies('database.addDocument')[0].data, { list: [1] });
  assert.deepEqual(stub.bodies('database.queryDocument')[0].query, { a: 1 });
});

test('flags that the database has not are left out, and told of (UNC-10)', async () => {
  console.lines.length = 0;
  assert.deepEqual(await added({ a: /x/giu, b: /y/ms }), {
    a: { $regex: 'x', $options: 'i' },
    b: { $regex: 'y', $options: 'ms' },
  });
  assert.equal(console.lines.length, 1);
});

test('serverDate and RegExp', () => {
  assert.deepEqual(db.serverDate().options, { offset: 0 });
  assert.deepEqual(db.serverDate({ offset: 5 }).options, { offset: 5 });
  for (const expression of [db.RegExp({ regexp: 'a', options: 'i' }), new db.RegExp({ regexp: 'a', options: 'i' })]) {
    assert.deepEqual([expression.regexp, expression.options], ['a', 'i']);
  }
  assert.throws(() => db.RegExp({}), /parameter\.regexp should be string instead of undefined;/);
});

test('documents come back with dates, numbers and geometries', async () => {
  const document = await read({
    at: { $date: 0 },
    then: { $date: { $numberLong: '5' } },
    iso: { $date: '2020-01-02T03:04:05.678Z' },
    deep: [{ at: { $date: 7 } }],
    big: { $numberLong: '9007199254740991' },
    none: null,
    where: { type: 'Point', coordinates: [113, 23] },
  });
  assert.deepEqual([document.at, document.then, document.deep[0].at], [new Date(0), new Date(5), new Date(7)]);
  assert.equal(document.iso.toISOString(), '2020-01-02T03:04:05.678Z');
  assert.equal(document.big, 9007199254740991);
  assert.equal(document.none, null);
  assert.ok(document.where instanceof db.Geo.Point);
  assert.deepEqual([document.where.longitude, document.where.latitude], [113, 23]);
});

test('every geometry comes back as what it was', async () => {
  const { Geo } = db;
  const point = (x, y) => Geo.Point(x, y);
  const line = Geo.LineString([point(0, 0), point(1, 1)]);
  const ring = Geo.LineString([point(0, 0), point(1, 0), point(1, 1), point(0, 0)]);
  const shapes = {
    Point: point(1, 2),
    LineString: line,
    Polygon: Geo.Polygon([ring]),
    MultiPoint: Geo.MultiPoint([point(0, 0)]),
    MultiLineString: Geo.MultiLineString([line, ring]),
    MultiPolygon: new Geo.MultiPolygon([Geo.Polygon([ring])]),
  };
  for (const [type, shape] of Object.entries(shapes)) {
    const sent = (await added({ shape })).shape;
    assert.equal(sent.type, type);
    const back = (await read({ shape: sent })).shape;
    assert.ok(back instanceof Geo[type], type);
    assert.deepEqual(back.toJSON(), sent);
    assert.deepEqual(new Geo[type](sent).toJSON(), sent, `${type} from its GeoJSON`);
  }
});

test('what only looks like a geometry stays an object', async () => {
  for (const value of [
    { type: 'Point', coordinates: [200, 0] },
    { type: 'Point', coordinates: [1, 2, 3] },
    { type: 'Point', coordinates: [1, 2], name: 'here' },
    { type: 'LineString', coordinates: [[1, 2]] },
    { type: 'toString', coordinates: [] },
  ]) {
    assert.deepEqual((await read({ value })).value, value);
  }
});

test('geometries that cannot be (DB-2.40, DB-2.41)', () => {
  const { Geo } = db;
  const throws = (work, message) => assert.throws(work, { message });
  const [a, b] = [Geo.Point(0, 0), Geo.Point(1, 1)];
  throws(() => Geo.Point('1', 2), 'Geo Point must be number type');
  throws(() => Geo.Point(), 'Geo Point must be number type');
  throws(() => Geo.Point(181, 0), 'longitude should be a number ranges from -180 to 180');
  throws(() => new Geo.Point(0, -91), 'latitude should be a number ranges from -90 to 90');
  throws(() => Geo.LineString('x'), '"points" must be of type Point[]. Received type string');
  throws(() => Geo.LineString([a, [1, 1]]), '"points" must be of type Point[]. Received type array');
  throws(() => Geo.LineString([a]), '"points" must contain 2 points at least');
  throws(() => Geo.Polygon([a]), '"lines" must be of type LineString[]. Received type array');
  throws(() => Geo.Polygon([]), 'Polygon must contain 1 linestring at least');
  assert.throws(() => Geo.Polygon([Geo.LineString([a, b])]), /^Error: LineString .* is not a closed cycle$/);
});
