// Files against the emulator: up, down, addresses, removal (semantics §12).
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { assertFails } = require('../support/errors');
const { ENVIRONMENT, APPID, simulatorBeside, useEmulator } = require('./support');

let cloud;
let folder;
const emulator = useEmulator({
  prepare: async () => {
    const simulator = simulatorBeside(emulator);
    cloud = simulator.cloud;
    folder = simulator.wx.env.USER_DATA_PATH;
  },
});

function file(content) {
  const filePath = path.join(folder, `file-${Math.random()}.txt`);
  fs.writeFileSync(filePath, content);
  return filePath;
}

test('what goes up comes down', async () => {
  const cloudPath = '目录/a b+c.txt';
  const uploaded = await cloud.uploadFile({ cloudPath, filePath: file('内容') });
  assert.deepEqual([uploaded.statusCode, uploaded.errMsg], [200, 'uploadFile:ok']);
  assert.equal(uploaded.fileID, `cloud://${ENVIRONMENT}.7364-${ENVIRONMENT}-${APPID}/${cloudPath}`);
  const { fileID } = uploaded;
  const downloaded = await cloud.downloadFile({ fileID });
  assert.equal(fs.readFileSync(downloaded.tempFilePath, 'utf8'), '内容');
  await cloud.uploadFile({ cloudPath, filePath: file('newer') });
  const again = await cloud.downloadFile({ fileID });
  assert.equal(fs.readFileSync(again.tempFilePath, 'utf8'), 'newer');
});

test('progress and abort', async () => {
  const filePath = file('x'.repeat(3_000_000));
  const progress = [];
  await new Promise((success, fail) => {
    cloud
      .uploadFile({ cloudPath: 'big.txt', filePath, success, fail })
      .onProgressUpdate((update) => progress.push(update.progress));
  });
  assert.equal(progress.at(-1), 100);
  const error = await new Promise((fail) => {
    const task = cloud.uploadFile({ cloudPath: 'aborted.txt', filePath, fail });
    task.onProgressUpdate(() => task.abort());
  });
  assert.equal(error.errMsg, 'uploadFile:fail abort');
  const fileID = `cloud://${ENVIRONMENT}.7364-${ENVIRONMENT}-${APPID}/aborted.txt`;
  await assertFails(cloud.downloadFile({ fileID }), -503003, 'storage file not exists');
});

test('addresses and removal, file by file', async () => {
  const { fileID } = await cloud.uploadFile({ cloudPath: 'one.txt', filePath: file('one') });
  const missing = fileID.replace('one.txt', 'missing.txt');
  const { fileList } = await cloud.getTempFileURL({ fileList: [missing, { fileID, maxAge: 60 }] });
  assert.deepEqual(
    fileList.map(({ status, errMsg }) => [status, errMsg]),
    [
      [-503003, 'storage file not exists'],
      [0, 'ok'],
    ],
  );
  assert.equal(await (await fetch(fileList[1].tempFileURL)).text(), 'one');
  const removed = await cloud.deleteFile({ fileList: [fileID, missing] });
  assert.deepEqual(removed.fileList, [
    { fileID, status: 0, errMsg: 'ok' },
    { fileID: missing, status: -503003, errMsg: 'storage file not exists' },
  ]);
  await assertFails(cloud.downloadFile({ fileID }), -503003);
});

test('limits and names', async () => {
  const many = Array.from({ length: 51 }, (unused, index) => `cloud://${ENVIRONMENT}.b/${index}`);
  await assertFails(cloud.getTempFileURL({ fileList: many }), -501007, 'invalid parameters');
  await assertFails(cloud.deleteFile({ fileList: many }), -501007);
  await assertFails(cloud.uploadFile({ cloudPath: '/leading', filePath: file('x') }), -501007);
  await assertFails(cloud.uploadFile({ cloudPath: 'x'.repeat(851), filePath: file('x') }), -501007);
});
