// What the client refuses before it asks anybody (semantics §1.3, §2.5, §9.3, FN-15, ST-08, ST-13), and its limits.
'use strict';

const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { assertFails } = require('./support/errors');
const { openSimulator } = require('./support/simulator');
const { openStub } = require('./support/stub');

let stub;
let cloud;
let db;
let c;
let _;
before(async () => {
  stub = await openStub();
  cloud = openSimulator({ place: { address: stub.url } }).wx.cloud;
  cloud.init();
  db = cloud.database();
  c = db.collection('c');
  _ = db.command;
});

const circular = () => {
  const value = { a: {} };
  value.a.b = value;
  return value;
};

test('before init everything fails (DB-1.01)', async () => {
  const { wx } = openSimulator();
  const message = /Cloud API isn't enabled, please call init first\n请先调用 init 完成初始化后再调用其他云 API/;
  assert.throws(() => wx.cloud.database(), message);
  const error = await assertFails(
    wx.cloud.callFunction({ name: 'f' }),
    -1,
    "cloud.callFunction:fail Cloud API isn't enabled",
  );
  assert.match(error.message, message);
  await assertFails(wx.cloud.uploadFile({ cloudPath: 'a', filePath: 'b' }), -1, 'uploadFile:fail Cloud API');
  await assertFails(
    new Promise((resolve, fail) => wx.cloud.deleteFile({ fileList: [], fail })),
    -1,
    'deleteFile:fail Cloud API',
  );
});

test('only the first init counts', async () => {
  const { wx } = openSimulator({ place: { address: stub.url } });
  wx.cloud.init({ env: 'first' });
  wx.cloud.init({ env: 'second' });
  assert.equal(wx.cloud.database().config.env, 'first');
});

test('init takes an environment for each service, a call its own', async () => {
  const { wx } = openSimulator({ place: { address: stub.url } });
  wx.cloud.init({ env: { database: 'd', functions: 'f', storage: 's' } });
  stub.requests.length = 0;
  await wx.cloud.database().collection('c').get();
  await wx.cloud.callFunction({ name: 'f' });
  await wx.cloud.callFunction({ name: 'f', config: { env: 'own' } });
  await wx.cloud.database({ env: 'own' }).collection('c').get();
  const envs = stub.requests
    .filter(({ body }) => body && !body.action.startsWith('emulator'))
    .map(({ body }) => body.env);
  assert.deepEqual(envs, ['d', 'f', 'own', 'own']);
});

test('DYNAMIC_CURRENT_ENV is the default environment', () => {
  const { wx } = openSimulator({ place: { address: stub.url } });
  assert.equal(wx.cloud.DYNAMIC_CURRENT_ENV, Symbol.for('SYMBOL_CURRENT_ENV'));
  wx.cloud.init({ env: wx.cloud.DYNAMIC_CURRENT_ENV });
  assert.equal(wx.cloud.database().config.env, '');
});

test('collection and doc', () => {
  const throws = (work, message) => assert.throws(work, { message });
  throws(() => db.collection(''), 'Collection name is required');
  throws(() => db.collection(), 'Collection name is required');
  for (const id of [undefined, null, {}, true]) {
    throws(() => c.doc(id), 'docId必须为字符串或数字');
  }
  assert.equal(c.collectionName, 'c');
});

test('where', () => {
  const throws = (condition, message) => assert.throws(() => c.where(condition), { message });
  throws(undefined, '查询参数必须为对象');
  throws('x', '查询参数必须为对象');
  throws([{ a: 1 }], '查询参数必须为对象');
  throws(_.gt(1), '查询参数必须为对象');
  throws(_.or(1, 2), '查询参数必须为对象');
  throws({ a: undefined }, '查询参数对象值不能均为undefined');
  throws({ a: undefined, b: undefined }, '查询参数对象值不能均为undefined');
  assert.throws(() => c.where(circular()), { errCode: -402001 });
  assert.throws(() => c.where({ a: _.inc(1) }), { errCode: -502002 });
  assert.throws(() => c.where({ a: _.in([1n]) }), {
    name: 'TypeError',
    message: 'Do not know how to serialize a BigInt',
  });
});

test('limit, skip and orderBy', () => {
  const throws = (work, message) => assert.throws(work, { message });
  throws(() => c.limit(1.5), 'limitmust be integer');
  throws(() => c.limit('5'), 'limitmust be integer');
  throws(() => c.skip(1.5), 'offsetmust be integer');
  throws(() => c.orderBy('a', 'ASC'), '排序字符不合法');
  throws(() => c.orderBy('a'), '排序字符不合法');
  throws(() => c.orderBy('名字', 'asc'), '');
  throws(() => c.orderBy('$x', 'asc'), '');
});

test('a page has 20 documents at most (semantics §1.1)', async () => {
  const limitOf = async (query) => {
    stub.requests.length = 0;
    await query.get();
    return stub.requests.at(-1).body.limit;
  };
  assert.equal(await limitOf(c), 20);
  assert.equal(await limitOf(c.limit(0)), 20);
  assert.equal(await limitOf(c.limit(5)), 5);
  assert.equal(await limitOf(c.limit(20)), 20);
  assert.equal(await limitOf(c.limit(21)), 20);
  assert.equal(await limitOf(c.limit(1000)), 20);
  assert.equal(await limitOf(c.limit(-1)), -1);
  assert.equal(await limitOf(c.limit(-1000)), -20);
});

test('a pipeline answers 20 documents unless it has a limit of its own (DB-4.02)', async () => {
  const stagesOf = async (aggregate) => {
    stub.requests.length = 0;
    await aggregate.end();
    return stub.requests.at(-1).body.stages.map((stage) => `${stage.stageKey} ${stage.stageValue}`);
  };
  assert.deepEqual(await stagesOf(c.aggregate().skip(1)), ['$skip 1', '$limit 20']);
  assert.deepEqual(await stagesOf(c.aggregate().limit(500).skip(1)), ['$limit 500', '$skip 1']);
});

test('stages that clients have not are refused by their name (DB-4.04)', () => {
  for (const name of ['collStats', 'facet', 'graphLookup', 'indexStats', 'out', 'redact']) {
    assert.throws(() => c.aggregate()[name]({}), { message: `not supported by the emulator: aggregate().${name}()` });
  }
});

test('the data of writes', async () => {
  const type = (got) =>
    `errCode: -401003 api parameter type error | errMsg: parameter.data should be object instead of ${got};`;
  const doc = c.doc('x');
  const calls = [
    [c, 'add'],
    [c.where({ a: 1 }), 'update'],
    [doc, 'set'],
    [doc, 'update'],
  ];
  for (const [target, name] of calls) {
    await assertFails(target[name](), -401003, 'api parameter type error', 'instead of undefined');
    await assertFails(target[name]({}), -401003, type('undefined'));
    await assertFails(target[name]({ data: [{ a: 1 }] }), -401003, type('array'));
    await assertFails(target[name]({ data: 'x' }), -401003, type('string'));
    await assertFails(target[name]({ data: null }), -401003, type('null'));
    await assertFails(target[name]({ data: circular() }), -402001, 'circular reference detected');
    await assertFails(target[name]({ data: { a: 1n } }), -1, 'Do not know how to serialize a BigInt');
  }
});

test('update and set of _id', async () => {
  const message = 'errCode: -501007 invalid parameters | errMsg: 不能更新_id的值';
  await assertFails(c.doc('x').update({ data: { _id: 'y', a: 1 } }), -501007, message);
  await assertFails(c.doc('x').set({ data: { _id: 'x' } }), -501007, message);
  await assertFails(c.where({}).update({ data: { _id: 'y' } }), -501007, message);
});

test('update of nothing', async () => {
  await assertFails(
    c.doc('x').update({ data: {} }),
    -401002,
    'api parameter error',
    'parameter.data must not be empty',
  );
});

test('commands where a whole document is stored', async () => {
  await assertFails(c.doc('x').set({ data: { a: _.inc(1) } }), -502001, 'update operator complicit');
  await assertFails(c.doc('x').set({ data: { a: [{ b: _.set(1) }] } }), -502001, 'update operator complicit');
  await assertFails(c.add({ data: { a: _.inc(1) } }), -502001, 'update operator complicit');
  await assertFails(c.add({ data: { a: _.gt(1) } }), -502001, 'update operator complicit');
});

test('remove with what it does not heed warns and removes all the same', async () => {
  const { wx, console } = openSimulator({ place: { address: stub.url } });
  wx.cloud.init();
  await wx.cloud.database().collection('c').where({ a: 1 }).limit(1).remove();
  assert.match(
    console.lines.join(),
    /`offset`, `limit`, `projection`, `orderBy` are not supported in remove\(\) operation/,
  );
});

test('without where, update and remove send no query (UNC-07)', async () => {
  stub.requests.length = 0;
  await c.update({ data: { a: 1 } });
  await c.remove();
  for (const { body } of stub.requests) {
    assert.ok(!('query' in body), body.action);
  }
});

test('conditions that elements of arrays cannot have are refused', () => {
  const unsupported = (condition) => assert.throws(() => c.where(condition), /not supported by the emulator: /);
  unsupported({ a: _.elemMatch(_.nor(_.eq(1), _.eq(2))) });
  unsupported({ a: _.elemMatch(_.neq(1).neq(2)) });
  unsupported({ a: _.all([_.or(_.eq(1), _.eq(2))]) });
});

test('the geometries of conditions (DB-2.42)', () => {
  const throws = (work, message) => assert.throws(work, { message });
  const point = db.Geo.Point(1, 2);
  throws(() => _.geoNear({}), '"geometry" must be of type Point. Received type undefined');
  throws(
    () => _.geoNear({ geometry: { longitude: 1, latitude: 2 } }),
    '"geometry" must be of type Point. Received type object',
  );
  throws(
    () => _.geoNear({ geometry: point, maxDistance: '5' }),
    '"maxDistance" must be of type Number. Received type string',
  );
  throws(
    () => _.geoWithin({ geometry: point }),
    '"geometry" must be of type Polygon or MultiPolygon. Received type object',
  );
  throws(() => _.geoWithin(), '"geometry" must be of type Polygon or MultiPolygon. Received type undefined');
  for (const centerSphere of [[], [point], [point, 'x'], [[1], 2], 'x', [[1, 'x'], 2]]) {
    throws(() => _.geoWithin({ centerSphere }), 'centersPhere结构不合法');
  }
  assert.throws(
    () => _.geoIntersects({ geometry: 'x' }),
    /"geometry" must be of type Point, LineString, .*\. Received type string/,
  );
});

test('watch wants both callbacks', () => {
  const onChange = () => {};
  assert.throws(() => c.watch(), { message: 'parameter.onChange should be function instead of undefined;' });
  assert.throws(() => c.watch({ onChange }), { message: 'parameter.onError should be function instead of undefined;' });
  assert.throws(() => c.doc('x').watch({ onChange, onError: 1 }), {
    message: 'parameter.onError should be function instead of number;',
  });
});

test('callFunction', async () => {
  const name = (got) => `parameter.name should be string instead of ${got};`;
  await assertFails(cloud.callFunction(), -401003, 'Params for callFunction must be an object instead of undefined');
  await assertFails(cloud.callFunction({}), -401003, name('undefined'));
  await assertFails(cloud.callFunction({ name: 5 }), -401003, name('number'));
  await assertFails(
    cloud.callFunction({ name: 'f', data: [1] }),
    -401003,
    'parameter.data should be object instead of array;',
  );
  await assertFails(cloud.callFunction({ name: 'f', data: circular() }), -402001, 'circular reference detected');
  await assertFails(cloud.callFunction({ name: 'f', data: { a: 'x'.repeat(100 * 1024) } }), -501007, 'exceeds 100 KB');
  await assertFails(cloud.callFunction({ name: 'f', data: { a: '大'.repeat(35_000) } }), -501007, 'exceeds 100 KB');
  await cloud.callFunction({ name: 'f', data: { a: '大'.repeat(33_000) } });
});

test('files', async () => {
  const list = (got) => `parameter.fileList should be array instead of ${got};`;
  for (const api of ['getTempFileURL', 'deleteFile']) {
    await assertFails(cloud[api](), -401003, `${api}:fail`, `Params for ${api} must be an object instead of undefined`);
    await assertFails(cloud[api]({}), -401003, list('undefined'));
    await assertFails(cloud[api]({ fileList: 'cloud://x' }), -401003, list('string'));
    await assertFails(
      cloud[api]({ fileList: ['cloud://x', 5] }),
      -401003,
      'parameter.fileList[1] should be string instead of number;',
    );
  }
  await assertFails(
    cloud.getTempFileURL({ fileList: [{}] }),
    -401003,
    'parameter.fileList[0].fileID should be string instead of undefined;',
  );
  await assertFails(cloud.deleteFile({ fileList: [{ fileID: 'x' }] }), -401003, 'fileList[0] should be string');
  await assertFails(
    cloud.uploadFile({ filePath: 'x' }),
    -401003,
    'parameter.cloudPath should be string instead of undefined;',
  );
  await assertFails(
    cloud.uploadFile({ cloudPath: '', filePath: 'x' }),
    -401002,
    'parameter.cloudPath must not be empty',
  );
  await assertFails(
    cloud.uploadFile({ cloudPath: 'x' }),
    -401003,
    'parameter.filePath should be string instead of undefined;',
  );
  await assertFails(cloud.downloadFile({}), -401003, 'parameter.fileID should be string instead of undefined;');
});
