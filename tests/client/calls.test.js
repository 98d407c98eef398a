// What calls come to: results, the promise and the callback style, errors in the client's words (semantics §1.1, §1.2, §9).
'use strict';

const assert = require('node:assert/strict');
const { before, beforeEach, test } = require('node:test');
const { assertFails } = require('./support/errors');
const { openSimulator } = require('./support/simulator');
const { openStub } = require('./support/stub');

let stub;
let cloud;
let console;
let db;
let c;
before(async () => {
  stub = await openStub();
  const simulator = openSimulator({ place: { address: stub.url } });
  cloud = simulator.wx.cloud;
  console = simulator.console;
  cloud.init({ env: 'e' });
  db = cloud.database();
  c = db.collection('c');
  await c.get();
});
beforeEach(() => {
  stub.reply = () => undefined;
});

const replies = (data) => {
  stub.reply = () => ({ data });
};
const refuses = (code, message) => {
  stub.reply = () => ({ code, message });
};

test('results (semantics §1.2)', async () => {
  const check = async (data, call, expected) => {
    replies(data);
    assert.deepEqual(await call, expected);
  };
  const _ = db.command;
  await check({ _id: 'new' }, c.add({ data: {} }), { _id: 'new', errMsg: 'collection.add:ok' });
  await check({ list: [{ _id: 1 }] }, c.get(), { data: [{ _id: 1 }], errMsg: 'collection.get:ok' });
  await check({ total: 7 }, c.where({ a: _.gt(1) }).count(), { total: 7, errMsg: 'collection.count:ok' });
  await check({ updated: 3 }, c.where({}).update({ data: { a: 1 } }), {
    stats: { updated: 3 },
    errMsg: 'collection.update:ok',
  });
  await check({ deleted: 2 }, c.where({}).remove(), { stats: { removed: 2 }, errMsg: 'collection.remove:ok' });
  await check({ list: [{ _id: 'x', a: 1 }] }, c.doc('x').get(), {
    data: { _id: 'x', a: 1 },
    errMsg: 'document.get:ok',
  });
  await check({ updated: 0 }, c.doc('x').update({ data: { a: 1 } }), {
    stats: { updated: 0 },
    errMsg: 'document.update:ok',
  });
  await check({ deleted: 1 }, c.doc('x').remove(), { stats: { removed: 1 }, errMsg: 'document.remove:ok' });
  const set = (stats) => ({ _id: 'x', stats, errMsg: 'document.set:ok' });
  await check({ updated: 1, upserted_id: null }, c.doc('x').set({ data: {} }), set({ updated: 1, created: 0 }));
  await check({ updated: 0, upserted_id: 'x' }, c.doc('x').set({ data: {} }), set({ updated: 0, created: 1 }));
  const list = JSON.stringify(['{"_id":"g","n":{"$numberInt":"3"},"at":{"$date":{"$numberLong":"5"}}}']);
  const group = { _id: 'g', n: 3, at: new Date(5) };
  await check({ list }, c.aggregate().group({ _id: '$a' }).end(), { list: [group], errMsg: 'collection.aggregate:ok' });
});

test('a request as protocol §2.5 has it', async () => {
  const _ = db.command;
  stub.requests.length = 0;
  await c
    .where({ n: _.gt(1).and(_.lt(10)) })
    .orderBy('n', 'desc')
    .orderBy('s', 'asc')
    .skip(2)
    .limit(5)
    .field({ n: true })
    .get();
  const [request] = stub.requests;
  const { seqId, ...body } = request.body;
  assert.deepEqual(
    [request.method, request.url, request.headers['content-type']],
    ['POST', '/web?env=e', 'application/json'],
  );
  assert.ok(seqId);
  assert.deepEqual(body, {
    action: 'database.queryDocument',
    env: 'e',
    dataVersion: '2020-01-10',
    access_token: 'token-1',
    collectionName: 'c',
    queryType: 'WHERE',
    query: { $and: [{ n: { $gt: 1 } }, { n: { $lt: 10 } }] },
    order: [
      { field: 'n', direction: 'desc' },
      { field: 's', direction: 'asc' },
    ],
    offset: 2,
    limit: 5,
    projection: { n: 1 },
  });
});

test('a query is immutable and may be run again (DB-1.04, DB-1.30)', async () => {
  const base = c.where({ a: 1 }).orderBy('a', 'asc').orderBy('b', 'asc');
  stub.requests.length = 0;
  await base.limit(1).get();
  await base.orderBy('a', 'desc').get();
  await base.get();
  const [first, second, third] = stub.requests.map((request) => request.body);
  assert.deepEqual([first.limit, second.limit, third.limit], [1, 20, 20]);
  assert.deepEqual(
    second.order.map(({ field, direction }) => `${field} ${direction}`),
    ['a desc', 'b asc'],
  );
  assert.deepEqual(third.order, first.order);
});

test('with callbacks nothing is answered, and they are called: success or fail, then complete', async () => {
  const calls = (start) =>
    new Promise((resolve) => {
      const called = [];
      const note = (name) => (value) => called.push([name, value]) && name === 'complete' && resolve(called);
      assert.equal(start({ success: note('success'), fail: note('fail'), complete: note('complete') }), undefined);
    });
  replies({ total: 1 });
  const good = { total: 1, errMsg: 'collection.count:ok' };
  assert.deepEqual(await calls((callbacks) => c.count(callbacks)), [
    ['success', good],
    ['complete', good],
  ]);
  refuses('DATABASE_PERMISSION_DENIED', 'no');
  const bad = await calls((callbacks) => c.add({ data: { a: 1 }, ...callbacks }));
  assert.deepEqual(
    bad.map(([name, error]) => [name, error.errCode]),
    [
      ['fail', -502003],
      ['complete', -502003],
    ],
  );
  const wrong = await calls((callbacks) => c.doc('x').update({ data: 5, ...callbacks }));
  assert.deepEqual(
    wrong.map(([name, error]) => [name, error.errCode]),
    [
      ['fail', -401003],
      ['complete', -401003],
    ],
  );
  replies({ list: '[]' });
  assert.equal((await calls((callbacks) => c.aggregate().end(callbacks)))[0][1].errMsg, 'collection.aggregate:ok');
});

test('one callback makes the callback style', async () => {
  for (const name of ['success', 'complete']) {
    const result = await new Promise((resolve) => assert.equal(c.get({ [name]: resolve }), undefined));
    assert.equal(result.errMsg, 'collection.get:ok');
  }
  assert.ok(c.get({}) instanceof Promise);
});

test('what a callback throws is shown, and complete is called nevertheless', async () => {
  console.lines.length = 0;
  await new Promise((resolve) => {
    const success = () => {
      throw new Error('in success');
    };
    c.get({ success, complete: resolve });
  });
  assert.match(console.lines.join(), /error: Error: in success/);
});

test('errors of the server, in the old words of the client (§9.1, UNC-47)', async () => {
  refuses('DATABASE_COLLECTION_NOT_EXIST', '[ResourceNotFound] Db or Table not exist: c.');
  const error = await assertFails(c.get(), -502005);
  const message =
    'errCode: -502005 database collection not exists | errMsg: [ResourceNotFound] Db or Table not exist: c.';
  assert.equal(error.message, message);
  assert.equal(String(error), `Error: ${message}`);
  assert.equal(error.errMsg, `collection.get:fail Error: ${message}`);
});

test('numbers of codes, and -501001 for the unknown (§9.2)', async () => {
  const check = async (code, number, text) => {
    refuses(code, 'why');
    const error = await assertFails(c.add({ data: {} }), number);
    assert.equal(error.message, `errCode: ${number}${text} | errMsg: why`);
  };
  await check('DATABASE_REQUEST_FAILED', -502001, ' database request fail');
  await check('DATABASE_INVALID_OPERRATOR', -502002, ' database invalid command');
  await check('DATABASE_PERMISSION_DENIED', -502003, ' database permission denied');
  await check('INVALID_PARAM', -501007, ' invalid parameters');
  await check('SYS_ERR', -501001, ' resource system error');
  await check('DATABASE_TRANSACTION_CONFLICT', -501001, ' resource system error');
  await check('toString', -501001, ' resource system error');
  await check('STORAGE_EXCEED_AUTHORITY', -503002, ' storage permission denied');
});

test('a missing document (DB-1.10, DB-1.11, DB-1.12)', async () => {
  const sure = 'please make sure that the document exists and you have the corresponding access permission';
  replies({ list: [] });
  const get = await assertFails(c.doc('nobody').get(), -1);
  assert.equal(get.errMsg, `document.get:fail cannot find document with _id nobody, ${sure}`);
  assert.equal(get.message, get.errMsg);
  replies({ deleted: 0 });
  const remove = await assertFails(c.doc(5).remove(), -1);
  assert.equal(remove.errMsg, `document.remove:fail cannot remove document with _id 5, ${sure}`);
  assert.deepEqual((await c.where({ a: 1 }).remove()).stats, { removed: 0 });
});

test('one error told by several calls is not told twice over', async () => {
  const { wx } = openSimulator({ place: { address: 'http://127.0.0.1:9' } });
  wx.cloud.init();
  const failures = await Promise.allSettled([
    wx.cloud.callFunction({ name: 'f' }),
    wx.cloud.database().collection('c').get(),
  ]);
  assert.match(failures[0].reason.errMsg, /^cloud\.callFunction:fail no emulator/);
  assert.match(failures[1].reason.errMsg, /^collection\.get:fail no emulator/);
});

test('more than 1 MB of documents (DB-1.34)', async () => {
  replies({ list: [{ a: '大'.repeat(350_000) }] });
  await assertFails(c.get(), -602001, 'errCode: -602001 database query result size exceed limit (1MB)');
  replies({ list: [{ a: '大'.repeat(340_000) }] });
  await c.get();
});

test('what is no answer of an emulator is told as it is', async () => {
  stub.reply = () => ({ status: 502, body: '<html>Bad gateway</html>' });
  await assertFails(c.get(), -1, `${stub.url} answered 502 <html>Bad gateway</html>`);
  stub.reply = () => ({ status: 403, body: { code: 'INVALID_REQUEST_SOURCE', message: 'Origin refused' } });
  await assertFails(c.get(), -501008, 'Origin refused');
});

test('a function: its data, its result (FN-10)', async () => {
  stub.requests.length = 0;
  replies({ response_data: '{"sum":3}' });
  const answer = await cloud.callFunction({ name: 'sum', data: { a: 1, b: 2, at: new Date(0), none: undefined } });
  assert.deepEqual(answer, { result: { sum: 3 }, requestID: 'r', errMsg: 'cloud.callFunction:ok' });
  const { function_name, request_data } = stub.requests[0].body;
  assert.deepEqual([function_name, JSON.parse(request_data)], ['sum', { a: 1, b: 2, at: '1970-01-01T00:00:00.000Z' }]);
  await cloud.callFunction({ name: 'sum' });
  assert.equal(stub.requests[1].body.request_data, '{}');
});

test('what is not JSON comes as it is', async () => {
  for (const [text, result] of [
    ['null', null],
    ['"x"', 'x'],
    ['plain', 'plain'],
    ['5', 5],
  ]) {
    replies({ response_data: text });
    assert.deepEqual((await cloud.callFunction({ name: 'f' })).result, result);
  }
});

test('a CloudID goes out by its mark (13.1)', async () => {
  stub.requests.length = 0;
  replies({ response_data: 'null' });
  const data = { run: cloud.CloudID('id-1'), other: new cloud.CloudID('id-2') };
  await cloud.callFunction({ name: 'f', data });
  assert.deepEqual(JSON.parse(stub.requests[0].body.request_data), {
    run: { $cloudID: 'id-1' },
    other: { $cloudID: 'id-2' },
  });
});

test('functions that fail (FN-11, §9.4)', async () => {
  const check = async (code, message, errCode, errMsg) => {
    refuses(code, message);
    assert.equal(
      (await assertFails(cloud.callFunction({ name: 'f' }), errCode)).errMsg,
      `cloud.callFunction:fail Error: ${errMsg}`,
    );
  };
  const missing = 'FunctionName parameter could not be found. 更多错误信息请访问：https://docs.cloudbase.net/x';
  await check('FUNCTION_NOT_FOUND', missing, -501000, `errCode: -501000 | errMsg: ${missing}`);
  await check(
    'FUNCTIONS_EXECUTE_FAIL',
    'Error: boom\n    at exports.main (/var/user/index.js:3:9)\n    at x',
    -504002,
    'errCode: -504002 functions execute fail | errMsg: Error: boom at exports.main (/var/user/index.js:3:9) at x',
  );
  const late = 'Invoking task timed out after 3 seconds';
  await check('FUNCTIONS_TIME_LIMIT_EXCEEDED', late, -504003, `errCode: -504003 | errMsg: ${late}`);
  replies({ response_data: JSON.stringify('x'.repeat(1024 * 1024)) });
  await assertFails(cloud.callFunction({ name: 'f' }), -604001, 'cloudfunction result size exceed limit (1MB)');
});

test('another environment by new wx.cloud.Cloud (13.7, 13.8)', async () => {
  const other = new cloud.Cloud({ resourceEnv: 'shared', resourceAppid: 'wxother' });
  assert.throws(() => other.database(), /please call init first/);
  assert.equal(await other.init(), undefined);
  stub.requests.length = 0;
  await other.database().collection('c').get();
  await other.callFunction({ name: 'f' });
  assert.deepEqual([...new Set(stub.requests.map((request) => request.body.env))], ['shared']);
  assert.throws(() => new cloud.Cloud({ identityless: true }), {
    message: 'not supported by the emulator: Cloud({ identityless })',
  });
});
