// Files up, down, looked up and removed (semantics §12).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { rejection } = require('../support/errors');
const { APPID, ENVIRONMENT } = require('../live/support');

module.exports = (side) => {
  const upload = (cloudPath, text) => side.cloud.uploadFile({ cloudPath, ...side.fileOf(text) });
  const download = async (fileID) => side.textOf(await side.cloud.downloadFile({ fileID }));
  const idOf = (cloudPath) => `cloud://${ENVIRONMENT}.7364-${ENVIRONMENT}-${APPID}/${cloudPath}`;
  const named = (name) => `${side.name}/${name}`;

  test('what goes up comes down, and goes up again over itself (ST-01 … ST-04)', async () => {
    const cloudPath = named('目录/a b+c&d=e%20.txt');
    const uploaded = await upload(cloudPath, '内容');
    assert.deepEqual(Object.keys(uploaded).sort(), ['errMsg', 'fileID', 'statusCode']);
    assert.equal(uploaded.errMsg, 'uploadFile:ok');
    assert.equal(uploaded.fileID, idOf(cloudPath));
    assert.equal(await download(uploaded.fileID), '内容');
    await upload(cloudPath, 'newer');
    const again = await side.cloud.downloadFile({ fileID: uploaded.fileID });
    assert.deepEqual([again.statusCode, again.errMsg, side.textOf(again)], [200, 'downloadFile:ok', 'newer']);
    await upload(cloudPath, '');
    assert.equal(await download(uploaded.fileID), '');
  });

  test('addresses of several files, in their order (ST-05)', async () => {
    const { fileID } = await upload(named('one.txt'), 'one');
    const missing = idOf(named('missing.txt'));
    const answer = await side.cloud.getTempFileURL({ fileList: [missing, { fileID, maxAge: 60 }, fileID] });
    assert.equal(answer.errMsg, 'getTempFileURL:ok');
    assert.deepEqual(
      answer.fileList.map((file) => [file.fileID, file.status, file.errMsg]),
      [
        [missing, -503003, 'storage file not exists'],
        [fileID, 0, 'ok'],
        [fileID, 0, 'ok'],
      ],
    );
    assert.equal(answer.fileList[0].tempFileURL, '');
    for (const { tempFileURL } of answer.fileList.slice(1)) {
      assert.equal(await (await fetch(tempFileURL)).text(), 'one');
    }
  });

  test('removal, file by file (ST-06)', async () => {
    const { fileID } = await upload(named('gone.txt'), 'x');
    const missing = idOf(named('never.txt'));
    assert.deepEqual(await side.cloud.deleteFile({ fileList: [missing, fileID] }), {
      fileList: [
        { fileID: missing, status: -503003, errMsg: 'storage file not exists' },
        { fileID, status: 0, errMsg: 'ok' },
      ],
      errMsg: 'deleteFile:ok',
    });
    const again = await side.cloud.deleteFile({ fileList: [fileID] });
    assert.equal(again.fileList[0].status, -503003);
    assert.match((await rejection(download(fileID))).errMsg, /^downloadFile:fail /);
  });

  test('names that no file may have (ST-08)', async () => {
    for (const cloudPath of ['', '/leading', 'two//slashes', 'x'.repeat(851)]) {
      assert.match((await rejection(upload(cloudPath, 'x'))).errMsg, /^uploadFile:fail /, cloudPath);
    }
    assert.equal(await download((await upload(named('../up/./here'), 'x')).fileID), 'x');
  });
};
