// Our own `wx`, held to the documentation of WeChat's network, storage and login APIs.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { before, test } = require('node:test');
const { WebSocketServer } = require('ws');
const { createWx } = require('../../emulator/miniprogram/kit/wx');
const { closeLater } = require('./support/cleanup');

let url;
let wx;
let controls;
before(async () => {
  const server = http.createServer(serve);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  url = `http://127.0.0.1:${server.address().port}`;
  ({ wx, controls } = createWx());
  closeLater(() => {
    controls.close();
    server.closeAllConnections();
    server.close();
  });
});

/** Echoes, or does what the path says. */
async function serve(request, response) {
  const chunks = [];
  try {
    for await (const chunk of request) {
      chunks.push(chunk);
    }
  } catch {
    return;
  }
  const body = Buffer.concat(chunks).toString('utf8');
  if (request.url.startsWith('/slow')) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const status = Number(/^\/status\/(\d+)/.exec(request.url)?.[1] ?? 200);
  response.writeHead(status, { 'X-Mixed-Case': 'Kept', 'Set-Cookie': ['a=1', 'b=2'] });
  const echo = JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body });
  response.end(request.url.startsWith('/text') ? '\ufeffnot JSON' : echo);
}

const call = (api, options) => new Promise((success, fail) => wx[api]({ ...options, success, fail }));
const failure = (api, options) =>
  call(api, options).then(
    () => assert.fail('expected a failure'),
    (error) => error,
  );

test('every answer is a success, whatever its status', async () => {
  for (const status of [200, 404, 500]) {
    const result = await call('request', { url: `${url}/status/${status}` });
    assert.equal(result.statusCode, status);
    assert.equal(result.errMsg, 'request:ok');
  }
});

test('headers keep their case, cookies come apart', async () => {
  const result = await call('request', { url });
  assert.equal(result.header['X-Mixed-Case'], 'Kept');
  assert.deepEqual(result.cookies, ['a=1', 'b=2']);
});

test('data: by method and content type', async () => {
  const sent = async (options) => (await call('request', { url: `${url}/x`, ...options })).data;
  const get = await sent({ data: { a: 1, b: '中' } });
  assert.deepEqual(
    [get.method, get.url, get.headers['content-type']],
    ['GET', '/x?a=1&b=%E4%B8%AD', 'application/json'],
  );
  assert.equal((await sent({ method: 'POST', data: { a: 1 } })).body, '{"a":1}');
  assert.equal((await sent({ method: 'POST', data: '{"a": 1}' })).body, '{"a": 1}');
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  assert.equal((await sent({ method: 'POST', data: { a: 1, b: 2 }, header: form })).body, 'a=1&b=2');
  assert.equal((await sent({ method: 'POST', data: new TextEncoder().encode('bytes').buffer })).body, 'bytes');
  assert.equal((await sent({ header: { Referer: 'x', 'X-Mine': 'y' } })).headers.referer, undefined);
});

test('dataType and responseType', async () => {
  assert.equal(typeof (await call('request', { url })).data, 'object');
  assert.equal(typeof (await call('request', { url, dataType: 'text' })).data, 'string');
  assert.equal((await call('request', { url: `${url}/text` })).data, 'not JSON');
  const { data } = await call('request', { url, responseType: 'arraybuffer' });
  assert.ok(data instanceof ArrayBuffer);
  assert.equal(JSON.parse(new TextDecoder().decode(data)).method, 'GET');
});

test('failures', async () => {
  assert.match(
    (await failure('request', { url: 'http://127.0.0.1:9' })).errMsg,
    /^request:fail net::ERR_CONNECTION_REFUSED/,
  );
  assert.equal((await failure('request', { url: `${url}/slow`, timeout: 20 })).errMsg, 'request:fail timeout');
  assert.match((await failure('request', { url: 'nowhere' })).errMsg, /^request:fail invalid url/);
  assert.match((await failure('request', {})).errMsg, /^request:fail parameter error: parameter\.url/);
});

test('abort, and the order of callbacks', async () => {
  const called = [];
  await new Promise((resolve) => {
    const note = (name) => (result) => called.push(`${name} ${result.errMsg}`) && name === 'complete' && resolve();
    const task = wx.request({
      url: `${url}/slow`,
      success: note('success'),
      fail: note('fail'),
      complete: note('complete'),
    });
    task.abort();
    called.push('abort is back');
  });
  assert.deepEqual(called, ['abort is back', 'fail request:fail abort', 'complete request:fail abort']);
});

test('ten at a time', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => call('request', { url: `${url}/slow` })));
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason.errMsg);
  assert.deepEqual(failed, Array(2).fill('request:fail exceed max task count'));
  await call('request', { url });
});

test('uploadFile sends a form and tells its progress', async () => {
  const filePath = path.join(wx.env.USER_DATA_PATH, 'a.txt');
  fs.writeFileSync(filePath, 'x'.repeat(200_000));
  const progress = [];
  const result = await new Promise((success, fail) => {
    const task = wx.uploadFile({ url, filePath, name: 'file', formData: { key: '中 文' }, success, fail });
    task.onProgressUpdate((update) => progress.push(update.progress));
  });
  const { body } = JSON.parse(result.data);
  assert.match(body, /name="key"\r\n\r\n中 文\r\n/);
  assert.match(body, /name="file"; filename="a\.txt"/);
  assert.deepEqual([progress.at(-1), [...progress].sort((a, b) => a - b)], [100, progress]);
  assert.equal(
    (await failure('uploadFile', { url, filePath: '/nowhere', name: 'file' })).errMsg,
    'uploadFile:fail createUploadTask:fail file not found',
  );
});

test('downloadFile gives a file, whatever the status', async () => {
  const result = await call('downloadFile', { url: `${url}/status/404` });
  assert.equal(result.statusCode, 404);
  assert.equal(JSON.parse(fs.readFileSync(result.tempFilePath, 'utf8')).url, '/status/404');
});

test('sockets: text and buffers, closing, five at most', async () => {
  const open = () =>
    new Promise((resolve, reject) => {
      const task = wx.connectSocket({ url: url.replace('http', 'ws') });
      task.onOpen(() => resolve(task));
      task.onError((error) => reject(new Error(error.errMsg)));
    });
  const tasks = await Promise.all(Array.from({ length: 5 }, open));
  await assert.rejects(open(), /connectSocket:fail exceed max task count/);
  const echo = (data) =>
    new Promise((resolve) => {
      tasks[0].onMessage((message) => resolve(message.data));
      tasks[0].send({ data });
    });
  assert.equal(await echo('中文'), '中文');
  const refused = await new Promise((resolve) => tasks[0].close({ code: 1002, fail: resolve }));
  assert.match(refused.errMsg, /^closeSocket:fail/);
  const closed = await new Promise((resolve) => {
    tasks[1].onClose(resolve);
    tasks[1].close({ code: 3001, reason: 'done' });
  });
  assert.equal(closed.code, 3001);
  const unsent = await new Promise((fail) => tasks[1].send({ data: 'x', fail }));
  assert.match(unsent.errMsg, /^sendSocketMessage:fail/);
  controls.dropSockets();
});

test('storage keeps copies; what is missing is an empty text', async () => {
  const value = { list: [1], at: new Date(0) };
  wx.setStorageSync('key', value);
  value.list.push(2);
  assert.deepEqual(wx.getStorageSync('key'), { list: [1], at: new Date(0) });
  assert.equal(wx.getStorageSync('missing'), '');
  assert.deepEqual((await call('getStorage', { key: 'key' })).data.list, [1]);
  assert.equal((await failure('getStorage', { key: 'missing' })).errMsg, 'getStorage:fail data not found');
  wx.removeStorageSync('key');
  assert.equal(wx.getStorageSync('key'), '');
});

test('login, device and account', async () => {
  const simulator = createWx({ code: 'alice', platform: 'ios', appid: 'wx1', envVersion: 'trial' });
  closeLater(() => simulator.controls.close());
  assert.deepEqual(await simulator.wx.login(), { code: 'alice', errMsg: 'login:ok' });
  assert.equal(simulator.wx.getDeviceInfo().platform, 'ios');
  assert.deepEqual(simulator.wx.getAccountInfoSync().miniProgram, { appId: 'wx1', envVersion: 'trial', version: '' });
  const offline = createWx({ code: null });
  closeLater(() => offline.controls.close());
  await assert.rejects(offline.wx.login(), { errMsg: 'login:fail network error' });
});
