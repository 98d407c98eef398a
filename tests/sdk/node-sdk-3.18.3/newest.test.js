// What only node-sdk 3 has, or has right.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const tcb = require('@cloudbase/node-sdk');
const { ENVIRONMENT, fileIdOf, useEmulator } = require('../support/emulator');

const emulator = useEmulator();

const ids = ({ data }) => data.map(({ _id }) => _id);

test('getFileInfo tells size and type', async () => {
  const { fileID } = await emulator.app.uploadFile({ cloudPath: 'info/文件.txt', fileContent: Buffer.from('hello') });
  const { fileList } = await emulator.app.getFileInfo({ fileList: [fileID, fileIdOf('no/such/file')] });
  const { code, size, mime, fileName } = fileList[0];
  assert.deepEqual({ code, size, mime, fileName }, { code: 'SUCCESS', size: 5, mime: 'text/plain', fileName: '文件.txt' });
  assert.equal(fileList[1].code, 'STORAGE_FILE_NONEXIST');
});

test('an ObjectId is read as its hexadecimal string', async () => {
  const id = '5e0000000000000000000001';
  const { db } = emulator;
  const { collection } = await emulator.collection([{ _id: 'a', o: db.ObjectId({ id }), list: [db.ObjectId({ id })] }]);
  assert.deepEqual((await collection.get()).data, [{ _id: 'a', o: id, list: [id] }]);
  assert.deepEqual(ids(await collection.where({ o: db.ObjectId({ id }) }).get()), ['a']);
  assert.deepEqual(ids(await collection.where({ o: id }).get()), []);
});

test('a service address in code works as the environment variable does', async () => {
  const { name } = await emulator.collection([{ _id: 'a' }]);
  const app = tcb.init({ env: ENVIRONMENT, serviceUrl: `${emulator.url}/admin`, secretId: 'any', secretKey: 'thing' });
  assert.deepEqual(ids(await app.database().collection(name).get()), ['a']);
});

test('geo values come back as db.Geo values', async () => {
  const { Geo } = emulator.db;
  const point = (longitude, latitude) => new Geo.Point(longitude, latitude);
  const line = (...points) => new Geo.LineString(points);
  const ring = line(point(0, 0), point(3, 2), point(2, 3), point(0, 0));
  const values = {
    point: point(113.5, -23),
    line: line(point(1, 2), point(3, 4)),
    polygon: new Geo.Polygon([ring]),
    points: new Geo.MultiPoint([point(1, 2), point(3, 4)]),
    lines: new Geo.MultiLineString([line(point(1, 2), point(3, 4))]),
    polygons: new Geo.MultiPolygon([new Geo.Polygon([ring])]),
  };
  const { collection } = await emulator.collection([{ _id: 'a', ...values, literal: { type: 'Point', coordinates: [1, 2] } }]);
  const [document] = (await collection.get()).data;
  for (const [name, value] of Object.entries(values)) {
    assert.equal(document[name].constructor, value.constructor, name);
    assert.deepEqual(document[name].toJSON(), value.toJSON(), name);
  }
  assert.deepEqual([document.point.longitude, document.point.latitude], [113.5, -23]);
  assert.ok(document.literal instanceof Geo.Point);
  assert.deepEqual(ids(await collection.where({ point: point(113.5, -23) }).get()), ['a']);
});
