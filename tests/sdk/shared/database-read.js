// Reading documents: result shapes, limits, order, projection, and each kind of value on its way there and back.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../support/assertions');

module.exports = (emulator) => {
  const ids = ({ data }) => data.map(({ _id }) => _id);
  const numbered = (count) => Array.from({ length: count }, (_, n) => ({ _id: `d${n}`, n }));

  test('get answers { data, requestId }', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1 }]);
    const result = await collection.get();
    assert.deepEqual(result.data, [{ _id: 'a', n: 1 }]);
    assert.equal(typeof result.requestId, 'string');
    assert.ok(result.requestId);
  });

  test('an empty collection answers no documents', async () => {
    const { collection } = await emulator.collection();
    assert.deepEqual((await collection.get()).data, []);
    assert.deepEqual((await collection.where({ a: 1 }).get()).data, []);
    assert.equal((await collection.count()).total, 0);
  });

  test('doc().get() answers an array of one or no document', async () => {
    const { collection } = await emulator.collection([{ _id: 'a', n: 1, o: { x: 1, y: 2 } }]);
    assert.deepEqual((await collection.doc('a').get()).data, [{ _id: 'a', n: 1, o: { x: 1, y: 2 } }]);
    assert.deepEqual((await collection.doc('missing').get()).data, []);
    assert.deepEqual((await collection.doc('a').field({ 'o.x': true }).get()).data, [{ _id: 'a', o: { x: 1 } }]);
  });

  test('count answers { total, requestId } and ignores limit', async () => {
    const { collection } = await emulator.collection(numbered(120));
    const _ = emulator.db.command;
    const result = await collection.count();
    assert.deepEqual(Object.keys(result).sort(), ['requestId', 'total']);
    assert.equal(result.total, 120);
    assert.equal((await collection.where({ n: _.lt(7) }).count()).total, 7);
    assert.equal((await collection.limit(3).count()).total, 120);
  });

  test('limit is 100 when unset and 1000 at most', async () => {
    const { collection } = await emulator.collection(numbered(1100));
    const length = async (query) => (await query.get()).data.length;
    assert.equal(await length(collection), 100);
    assert.equal(await length(collection.limit(0)), 100);
    assert.equal(await length(collection.limit(7)), 7);
    assert.equal(await length(collection.limit(500)), 500);
    assert.equal(await length(collection.limit(1000)), 1000);
    assert.equal(await length(collection.limit(5000)), 1000);
    assert.equal(await length(collection.limit(-3)), 3);
    assert.equal(await length(collection.where({ n: 5 }).limit(50)), 1);
  });

  test('skip passes over documents, also all of them', async () => {
    const { collection } = await emulator.collection(numbered(10));
    assert.deepEqual(ids(await collection.orderBy('n', 'asc').skip(7).get()), ['d7', 'd8', 'd9']);
    assert.deepEqual(ids(await collection.orderBy('n', 'asc').skip(3).limit(2).get()), ['d3', 'd4']);
    assert.deepEqual(ids(await collection.skip(10).get()), []);
    assert.deepEqual(ids(await collection.skip(100000).get()), []);
  });

  test('without orderBy documents come in the order of their insertion', async () => {
    const { collection } = await emulator.collection([{ _id: 'z' }, { _id: 'a' }, { _id: 'm' }]);
    await collection.add({ _id: 'b' });
    await collection.doc('z').update({ touched: true });
    await collection.doc('a').set({ replaced: true });
    assert.deepEqual(ids(await collection.get()), ['z', 'a', 'm', 'b']);
    assert.deepEqual(ids(await collection.skip(1).limit(2).get()), ['a', 'm']);
  });

  test('orderBy sorts by one field and by several, the first call first', async () => {
    const { collection } = await emulator.collection([
      { _id: 'a', n: 2, s: 'x', o: { p: 3 } },
      { _id: 'b', n: 1, s: 'y', o: { p: 1 } },
      { _id: 'c', n: 2, s: 'a', o: { p: 2 } },
      { _id: 'd', n: 1, s: 'b', o: { p: 4 } },
    ]);
    assert.deepEqual(ids(await collection.orderBy('n', 'asc').get()), ['b', 'd', 'a', 'c']);
    assert.deepEqual(ids(await collection.orderBy('n', 'desc').get()), ['a', 'c', 'b', 'd']);
    assert.deepEqual(ids(await collection.orderBy('n', 'asc').orderBy('s', 'desc').get()), ['b', 'd', 'a', 'c']);
    assert.deepEqual(ids(await collection.orderBy('s', 'asc').orderBy('n', 'asc').get()), ['c', 'd', 'a', 'b']);
    assert.deepEqual(ids(await collection.orderBy('n', 'desc').orderBy('s', 'asc').get()), ['c', 'a', 'd', 'b']);
    assert.deepEqual(ids(await collection.orderBy('o.p', 'desc').get()), ['d', 'a', 'c', 'b']);
    assert.deepEqual(ids(await collection.orderBy('n', 'asc').limit(1).skip(1).get()), ['d']);
    assert.deepEqual(ids(await collection.where({ n: 2 }).orderBy('s', 'asc').get()), ['c', 'a']);
  });

  const OF_ALL_TYPES = [
    { _id: 'missing' },
    { _id: 'null', v: null },
    { _id: 'zero', v: 0 },
    { _id: 'ten', v: 10 },
    { _id: 'half', v: 0.5 },
    { _id: 'big', v: 9007199254740991 },
    { _id: 'apple', v: 'apple' },
    { _id: 'Banana', v: 'Banana' },
    { _id: '苹果', v: '苹果' },
    { _id: 'digits', v: '9' },
    { _id: 'true', v: true },
    { _id: 'false', v: false },
    { _id: 'date', v: new Date('2020-01-02T03:04:05.678Z') },
    { _id: 'older', v: new Date(-1) },
    { _id: 'object', v: { a: 1, b: 2 } },
    { _id: 'object b', v: { b: 1 } },
    { _id: 'empty object', v: {} },
    { _id: 'array', v: [7, 'x'] },
    { _id: 'empty array', v: [] },
  ];

  test('values of different types sort as DB-2.23 says, arrays by their smallest or largest element', async () => {
    const { collection } = await emulator.collection(OF_ALL_TYPES);
    assert.deepEqual(ids(await collection.orderBy('v', 'asc').get()), [
      'empty array', 'missing', 'null', 'zero', 'half', 'array', 'ten', 'big', 'digits', 'Banana', 'apple', '苹果',
      'empty object', 'object', 'object b', 'false', 'true', 'older', 'date',
    ]);
    assert.deepEqual(ids(await collection.orderBy('v', 'desc').get()), [
      'date', 'older', 'true', 'false', 'object b', 'object', 'empty object', '苹果', 'array', 'apple', 'Banana', 'digits',
      'big', 'ten', 'half', 'zero', 'missing', 'null', 'empty array',
    ]);
  });

  test('field() includes or excludes, also nested fields and through arrays', async () => {
    const { collection } = await emulator.collection([{ _id: 'x', a: 1, b: { c: 2, d: 3 }, e: [{ f: 4, g: 5 }, { f: 6 }], h: [1, 2, 3, 4] }]);
    const check = async (projection, expected) => {
      assert.deepEqual((await collection.field(projection).get()).data, [expected]);
    };
    const _ = emulator.db.command;
    await check({ a: true }, { _id: 'x', a: 1 });
    await check({ a: 1, _id: false }, { a: 1 });
    await check({ b: false, e: false, h: 0 }, { _id: 'x', a: 1 });
    await check({ _id: false, a: false, b: false, e: false }, { h: [1, 2, 3, 4] });
    await check({ 'b.c': true }, { _id: 'x', b: { c: 2 } });
    await check({ 'b.c': false, e: false, h: false }, { _id: 'x', a: 1, b: { d: 3 } });
    await check({ 'e.f': true }, { _id: 'x', e: [{ f: 4 }, { f: 6 }] });
    await check({ 'e.f': false, a: false, b: false, h: false }, { _id: 'x', e: [{ g: 5 }, {}] });
    await check({ missing: true }, { _id: 'x' });
    await check({ _id: true }, { _id: 'x' });
    await check({}, { _id: 'x', a: 1, b: { c: 2, d: 3 }, e: [{ f: 4, g: 5 }, { f: 6 }], h: [1, 2, 3, 4] });
    await check({ a: true, h: { $slice: 2 } }, { _id: 'x', a: 1, h: [1, 2] });
    await check({ a: true, h: { $slice: -1 } }, { _id: 'x', a: 1, h: [4] });
    await check({ a: true, h: { $slice: [1, 2] } }, { _id: 'x', a: 1, h: [2, 3] });
    await check({ e: { $elemMatch: { f: 6 } } }, { _id: 'x', e: [{ f: 6 }] });
    await check({ a: true, h: _.project.slice(1) }, { _id: 'x', a: 1, h: [1] });
    await check({ e: _.project.elemMatch({ f: 4 }) }, { _id: 'x', e: [{ f: 4, g: 5 }] });
    await assertFails(
      collection.field({ a: true, b: false }).get(),
      'DATABASE_REQUEST_FAILED',
      'Projection cannot have a mix of inclusion and exclusion.',
    );
  });

  test('a query is immutable: it can be reused, and a second where replaces the first', async () => {
    const { collection } = await emulator.collection(numbered(5));
    const some = collection.where({ n: emulator.db.command.gte(2) });
    assert.deepEqual(ids(await some.limit(1).get()), ['d2']);
    assert.deepEqual(ids(await some.get()), ['d2', 'd3', 'd4']);
    assert.equal((await some.count()).total, 3);
    assert.deepEqual(ids(await some.where({ n: 0 }).get()), ['d0']);
  });

  test('plain values come back as they were', async () => {
    const document = {
      _id: 'all',
      text: '你好, "world" \\ \n\u0000é😀',
      empty: '',
      zero: 0,
      negative: -7,
      half: 0.5,
      int32: 2147483647,
      int64: 2147483648,
      largest: 9007199254740991,
      huge: 1e300,
      yes: true,
      no: false,
      nothing: null,
      nested: { a: { b: { c: [1, [2, [3]], { d: null }] } } },
      emptyObject: {},
      emptyArray: [],
      mixed: [1, 'a', null, { x: 1 }, [], true],
      '中文键': '值',
      'with space': 1,
      constructor: 'a plain key',
      toString: 'another',
    };
    const { collection } = await emulator.collection([document]);
    assert.deepEqual((await collection.doc('all').get()).data, [document]);
    assert.deepEqual((await collection.where({ '中文键': '值' }).get()).data, [document]);
  });

  test('dates come back as Date, to the millisecond', async () => {
    const date = new Date('2026-11-22T01:02:03.456Z');
    const { collection } = await emulator.collection([{ _id: 'a', date, old: new Date(-62135596800000), list: [date, { date }] }]);
    const [document] = (await collection.get()).data;
    assert.deepEqual(document, { _id: 'a', date, old: new Date(-62135596800000), list: [date, { date }] });
    assert.ok(document.date instanceof Date);
    assert.deepEqual(ids(await collection.where({ date }).get()), ['a']);
    assert.deepEqual(ids(await collection.where({ date: new Date(date.getTime() + 1) }).get()), []);
  });

  test('geo values come back as geo values', async () => {
    const { Geo } = emulator.db;
    const point = (longitude, latitude) => new Geo.Point(longitude, latitude);
    const lineOf = (...points) => new Geo.LineString(points);
    const line = lineOf(point(1, 2), point(3, 4));
    const ring = lineOf(point(0, 0), point(3, 2), point(2, 3), point(0, 0));
    const { name, collection } = await emulator.collection();
    const literal = { type: 'Point', coordinates: [1, 2] };
    await collection.add({ _id: 'a', point: point(113.5, -23), line, polygon: new Geo.Polygon([ring]), literal });
    const [document] = (await collection.get()).data;
    const numbers = ({ longitude, latitude }) => [longitude, latitude];
    assert.deepEqual(numbers(document.point), [113.5, -23]);
    assert.deepEqual(numbers(document.literal), [1, 2]);
    assert.deepEqual(document.line.points.map(numbers), [[1, 2], [3, 4]]);
    assert.deepEqual(document.polygon.lines[0].points.map(numbers), [[0, 0], [3, 2], [2, 3], [0, 0]]);
    assert.deepEqual(ids(await collection.where({ point: point(113.5, -23) }).get()), ['a']);
    const [stored] = (await emulator.setup.collection(name).get()).data;
    assert.deepEqual(stored.polygon.toJSON().coordinates, [[[0, 0], [3, 2], [2, 3], [0, 0]]]);
  });

  test('a string of 24 hexadecimal digits stays a string', async () => {
    const id = '5e00000000000000000000aa';
    const { collection } = await emulator.collection([{ _id: id, other: id }]);
    assert.deepEqual((await collection.doc(id).get()).data, [{ _id: id, other: id }]);
    assert.deepEqual(ids(await collection.where({ _id: id }).get()), [id]);
    assert.deepEqual(ids(await collection.where({ other: id }).get()), [id]);
  });

  test('an id may be a number, and is not its string', async () => {
    const { collection } = await emulator.collection([{ _id: 5, is: 'number' }, { _id: '5', is: 'string' }, { _id: 1795314503985, is: 'long' }]);
    assert.deepEqual((await collection.doc(5).get()).data, [{ _id: 5, is: 'number' }]);
    assert.deepEqual((await collection.doc('5').get()).data, [{ _id: '5', is: 'string' }]);
    assert.deepEqual((await collection.doc(1795314503985).get()).data, [{ _id: 1795314503985, is: 'long' }]);
    assert.deepEqual((await collection.where({ _id: emulator.db.command.in([5, 1795314503985]) }).get()).data.length, 2);
  });

  test('reading back what was just written, at once and from many requests', async () => {
    const { collection } = await emulator.collection();
    await Promise.all(numbered(50).map(async (document) => {
      await collection.add(document);
      assert.deepEqual((await collection.doc(document._id).get()).data, [document]);
    }));
    assert.equal((await collection.count()).total, 50);
  });
};
