// Files: the exchange with the emulator, progress, abort, per-file failures (semantics §12, protocol §2.6, §3).
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, beforeEach, test } = require('node:test');
const { assertFails } = require('./support/errors');
const { openSimulator } = require('./support/simulator');
const { openStub } = require('./support/stub');

let stub;
let cloud;
let filePath;
before(async () => {
  stub = await openStub();
  const { wx } = openSimulator({ place: { address: stub.url } });
  cloud = wx.cloud;
  cloud.init({ env: 'e' });
  await cloud.callFunction({ name: 'f' });
  filePath = path.join(wx.env.USER_DATA_PATH, 'photo.png');
  fs.writeFileSync(filePath, Buffer.alloc(300_000, 'x'));
});
beforeEach(() => {
  stub.requests.length = 0;
  answer({ status: 204, body: '' });
});

const TICKET = { authorization: 'sign', token: 'token', fileId: 'cloud://e.6565-e-wx/a/b.png', cosFileId: 'cos-id' };

/** The answer to whatever is no action, and a ticket to every upload. */
function answer(other) {
  const ticket = { data: { ...TICKET, url: `${stub.url}/files/upload` } };
  stub.reply = ({ action }) => (action === 'storage.getUploadMetadata' ? ticket : other);
}

const upload = (more) => cloud.uploadFile({ cloudPath: 'a/b.png', filePath, ...more });

test('uploadFile: a ticket, then a form', async () => {
  assert.deepEqual(await upload(), { fileID: TICKET.fileId, statusCode: 200, errMsg: 'uploadFile:ok' });
  const [ticket, form] = stub.requests;
  assert.deepEqual(
    [ticket.body.action, ticket.body.path, ticket.body.env],
    ['storage.getUploadMetadata', 'a/b.png', 'e'],
  );
  assert.deepEqual([form.method, form.url], ['POST', '/files/upload']);
  const fields = { key: 'a/b.png', signature: 'sign', 'x-cos-meta-fileid': 'cos-id', 'x-cos-security-token': 'token' };
  for (const [name, value] of Object.entries(fields)) {
    assert.ok(form.text.includes(`name="${name}"\r\n\r\n${value}\r\n`), name);
  }
  assert.match(form.text, /name="success_action_status"\r\n\r\n201\r\n/);
  assert.match(form.text, /name="file"; filename="photo\.png"/);
});

test('uploadFile called with callbacks gives a task that tells its progress', async () => {
  const seen = [];
  const result = await new Promise((success, fail) => {
    const task = upload({ success, fail, header: { 'X-Mine': '1' } });
    const unheard = () => seen.push('unheard');
    task.onProgressUpdate((progress) => seen.push(progress));
    task.onProgressUpdate(unheard);
    task.offProgressUpdate(unheard);
    task.onHeadersReceived((headers) => seen.push(headers.statusCode));
  });
  assert.equal(result.errMsg, 'uploadFile:ok');
  assert.equal(stub.requests[1].headers['x-mine'], '1');
  const updates = seen.filter((one) => one.totalBytesSent);
  assert.ok(updates.length > 1 && seen.includes(204) && !seen.includes('unheard'));
  assert.equal(updates.at(-1).progress, 100);
  assert.equal(updates.at(-1).totalBytesSent, updates.at(-1).totalBytesExpectedToSend);
});

test('an upload aborted before it begins, and under way', async () => {
  const aborted = (when) =>
    new Promise((resolve) => {
      const task = upload({ success: () => assert.fail('it was aborted'), fail: resolve });
      when(task);
    });
  const early = await aborted((task) => task.abort());
  assert.deepEqual([early.errMsg, early.errCode], ['uploadFile:fail abort', -1]);
  assert.equal(stub.requests.filter((request) => request.url === '/files/upload').length, 0);
  answer(new Promise((resolve) => setTimeout(() => resolve({ status: 204, body: '' }), 200)));
  const late = await aborted((task) => task.onProgressUpdate(() => task.abort()));
  assert.equal(late.errMsg, 'uploadFile:fail abort');
});

test('uploads that fail', async () => {
  await assertFails(upload({ filePath: '/nowhere' }), -1, 'uploadFile:fail createUploadTask:fail file not found');
  answer({ status: 403, body: '<Error><Code>AccessDenied</Code><Message>not yours</Message></Error>' });
  await assertFails(upload(), -503001, 'errCode: -503001 storage request fail | errMsg: 403 not yours');
  stub.reply = () => ({ code: 'STORAGE_EXCEED_AUTHORITY', message: 'no' });
  await assertFails(
    upload(),
    -503002,
    'uploadFile:fail Error: errCode: -503002 storage permission denied | errMsg: no',
  );
  stub.reply = () => ({ data: { url: '' } });
  await assertFails(upload(), -403002, 'internal server error: empty upload url');
});

function serveFile(item, file = { status: 200, body: '"content"' }) {
  stub.reply = (body) =>
    body.path ? file : { data: { download_list: [{ fileID: 'cloud://x', code: 'SUCCESS', ...item }] } };
}

test('downloadFile: an address, then the file', async () => {
  serveFile({ tempFileURL: `${stub.url}/files/download/x` });
  const result = await cloud.downloadFile({ fileID: 'cloud://x' });
  assert.equal(fs.readFileSync(result.tempFilePath, 'utf8'), '"content"');
  assert.deepEqual({ ...result, tempFilePath: '' }, { tempFilePath: '', statusCode: 200, errMsg: 'downloadFile:ok' });
  assert.deepEqual(stub.requests[0].body.file_list, [{ fileid: 'cloud://x' }]);
});

test('downloadFile called with callbacks gives a task', async () => {
  serveFile({ tempFileURL: `${stub.url}/files/download/x` });
  const seen = [];
  await new Promise((success, fail) => {
    cloud
      .downloadFile({ fileID: 'cloud://x', success, fail })
      .onProgressUpdate((progress) => seen.push(progress.totalBytesWritten));
  });
  assert.equal(seen.at(-1), 9);
  const error = await new Promise((fail) => cloud.downloadFile({ fileID: 'cloud://x', fail }).abort());
  assert.equal(error.errMsg, 'downloadFile:fail abort');
});

test('downloads that fail', async () => {
  serveFile({ code: 'STORAGE_FILE_NONEXIST', tempFileURL: '' });
  await assertFails(cloud.downloadFile({ fileID: 'cloud://x' }), -503003, 'errCode: -503003 storage file not exists');
  serveFile({ tempFileURL: `${stub.url}/gone` }, { status: 404, body: '' });
  await assertFails(cloud.downloadFile({ fileID: 'cloud://x' }), -503003);
  serveFile({ tempFileURL: `${stub.url}/broken` }, { status: 500, body: '' });
  await assertFails(cloud.downloadFile({ fileID: 'cloud://x' }), -503001, '500');
  serveFile({ tempFileURL: '' });
  await assertFails(cloud.downloadFile({ fileID: 'cloud://x' }), -403003, 'internal server error: empty download url');
});

test('getTempFileURL tells each file in order (ST-05)', async () => {
  stub.reply = () => ({
    data: {
      download_list: [
        { fileID: 'cloud://a', tempFileURL: 'http://a', code: 'SUCCESS', maxAge: 60 },
        { fileID: 'cloud://b', tempFileURL: '', code: 'STORAGE_FILE_NONEXIST' },
      ],
    },
  });
  const result = await cloud.getTempFileURL({ fileList: [{ fileID: 'cloud://a', maxAge: 60 }, 'cloud://b'] });
  assert.deepEqual(stub.requests[0].body.file_list, [{ fileid: 'cloud://a', max_age: 60 }, { fileid: 'cloud://b' }]);
  assert.deepEqual(result, {
    fileList: [
      { fileID: 'cloud://a', status: 0, errMsg: 'ok', tempFileURL: 'http://a', maxAge: 60 },
      { fileID: 'cloud://b', status: -503003, errMsg: 'storage file not exists', tempFileURL: '', maxAge: undefined },
    ],
    errMsg: 'getTempFileURL:ok',
  });
});

test('deleteFile tells each file in order (ST-06)', async () => {
  const delete_list = ['SUCCESS', 'STORAGE_FILE_NONEXIST', 'STORAGE_EXCEED_AUTHORITY'].map((code) => ({ code }));
  stub.reply = () => ({ data: { delete_list } });
  assert.deepEqual(await cloud.deleteFile({ fileList: ['a', 'b', 'c'] }), {
    fileList: [
      { fileID: 'a', status: 0, errMsg: 'ok' },
      { fileID: 'b', status: -503003, errMsg: 'storage file not exists' },
      { fileID: 'c', status: -503002, errMsg: 'storage permission denied' },
    ],
    errMsg: 'deleteFile:ok',
  });
  stub.reply = () => ({ code: 'INVALID_PARAM', message: 'at most 50' });
  await assertFails(
    cloud.deleteFile({ fileList: Array(51).fill('a') }),
    -501007,
    'invalid parameters | errMsg: at most 50',
  );
});
