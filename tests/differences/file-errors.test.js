// The codes of failures with files, which wx-server-sdk 4 loses, and `maxAge` where none was asked for
// (semantics ST-05, ST-07, ST-08, ST-09; protocol §2.9).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { rejection } = require('../client/support/errors');
const { APPID, ENVIRONMENT } = require('../client/live/support');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const MISSING = `cloud://${ENVIRONMENT}.7364-${ENVIRONMENT}-${APPID}/missing.txt`;
const MANY = Array.from({ length: 51 }, () => MISSING);

/** Each a call, and the code that a page is told. */
const CALLS = [
  [({ cloud }) => cloud.downloadFile({ fileID: MISSING }), -503003],
  [({ cloud }) => cloud.getTempFileURL({ fileList: MANY }), -501007],
  [({ cloud }) => cloud.deleteFile({ fileList: MANY }), -501007],
  [({ cloud, fileOf }) => cloud.uploadFile({ cloudPath: '/leading', ...fileOf('x') }), -501007],
  [({ cloud, fileOf }) => cloud.uploadFile({ cloudPath: '', ...fileOf('x') }), -401002],
];

test('wx.cloud', async () => {
  for (const [call, errCode] of CALLS) {
    const error = await rejection(call(page));
    assert.equal(error.errCode, errCode, error.errMsg);
    assert.ok(error.errMsg.includes(`Error: errCode: ${errCode} `), error.errMsg);
  }
  const { fileList } = await page.cloud.getTempFileURL({ fileList: [MISSING] });
  assert.equal(fileList[0].maxAge, undefined);
});

test('wx-server-sdk', async () => {
  for (const [call] of CALLS) {
    const error = await rejection(call(server));
    assert.equal(error.errCode, -1, error.errMsg);
    assert.match(error.errMsg, /^\w+:fail /);
  }
  const { fileList } = await server.cloud.getTempFileURL({ fileList: [MISSING] });
  assert.equal(fileList[0].maxAge, null);
});
