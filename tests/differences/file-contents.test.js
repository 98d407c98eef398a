// Where a file comes from and goes to, and the status of an upload (semantics ST-02 … ST-04, UNC-43).
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

test('wx.cloud: files of the simulator, status 200', async () => {
  const uploaded = await page.cloud.uploadFile({ cloudPath: 'page.txt', ...page.fileOf('content') });
  assert.equal(uploaded.statusCode, 200);
  const downloaded = await page.cloud.downloadFile({ fileID: uploaded.fileID });
  assert.deepEqual(Object.keys(downloaded).sort(), ['errMsg', 'statusCode', 'tempFilePath']);
  assert.equal(fs.readFileSync(downloaded.tempFilePath, 'utf8'), 'content');
});

test('wx-server-sdk: bytes, status -1', async () => {
  const uploaded = await server.cloud.uploadFile({ cloudPath: 'server.txt', fileContent: Buffer.from('content') });
  assert.equal(uploaded.statusCode, -1);
  const downloaded = await server.cloud.downloadFile({ fileID: uploaded.fileID });
  assert.deepEqual(Object.keys(downloaded).sort(), ['errMsg', 'fileContent', 'statusCode']);
  assert.deepEqual(downloaded.fileContent, Buffer.from('content'));
});
