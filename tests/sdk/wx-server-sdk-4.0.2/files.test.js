// Files through wx-server-sdk, in a cloud function (semantics ST-01 to ST-07, ST-13).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertContains } = require('../support/assertions');
const { APPID, ENVIRONMENT, useEmulator } = require('../support/emulator');

const emulator = useEmulator();
const fileIdOf = (cloudPath) => `cloud://${ENVIRONMENT}.7364-${ENVIRONMENT}-${APPID}/${cloudPath}`;
const missing = fileIdOf('no/such/file');

const run = (scenario) => emulator.call('sdk-files', { scenario, missing });

async function answerOf(scenario) {
  const { answer, error } = await run(scenario);
  assert.ok(answer, JSON.stringify(error));
  return answer;
}

async function errorOf(scenario) {
  const { error } = await run(scenario);
  assert.ok(error, 'expected an error');
  return error;
}

test('uploadFile', async () => {
  const { statusCode, ...answer } = await answerOf('upload');
  assert.deepEqual(answer, { fileID: fileIdOf('wx/目录/a b.txt'), errMsg: 'uploadFile:ok' });
  assert.equal(typeof statusCode, 'number');
  const { fileContent } = await emulator.app.downloadFile({ fileID: answer.fileID });
  assert.equal(String(fileContent), 'hello');
});

test('uploadFile of a stream', async () => {
  assert.deepEqual(await answerOf('uploadStream'), { fileID: fileIdOf('wx/stream.txt'), content: 'from a stream' });
});

test('downloadFile', async () => {
  assert.deepEqual(await answerOf('download'), { isBuffer: true, content: '下载', statusCode: 200, errMsg: 'downloadFile:ok' });
});

test('downloadFile of a missing file', async () => {
  const error = await errorOf('downloadMissing');
  assert.equal(error.errCode, -1);
  assertContains(error.errMsg, ['downloadFile:fail']);
});

test('getTempFileURL', async () => {
  const { fileList, errMsg } = await answerOf('urls');
  assert.equal(errMsg, 'getTempFileURL:ok');
  const fileID = fileIdOf('wx/url.txt');
  assert.deepEqual(fileList.map((file) => [file.fileID, file.status, file.errMsg]), [
    [fileID, 0, 'ok'],
    [missing, -503003, 'storage file not exists'],
    [fileID, 0, 'ok'],
  ]);
  assert.equal(fileList[1].tempFileURL, '');
  assert.equal(fileList[2].maxAge, 60);
  for (const { tempFileURL } of [fileList[0], fileList[2]]) {
    assert.equal(await (await fetch(tempFileURL)).text(), 'by address');
  }
});

test('deleteFile', async () => {
  assert.deepEqual(await answerOf('remove'), {
    fileList: [
      { fileID: fileIdOf('wx/remove.txt'), status: 0, errMsg: 'ok' },
      { fileID: missing, status: -503003, errMsg: 'storage file not exists' },
    ],
    errMsg: 'deleteFile:ok',
  });
});

test('more than fifty files are refused (ST-07)', async () => {
  const error = await errorOf('tooMany');
  assertContains(error.errMsg, ['deleteFile:fail']);
});

test('arguments that the SDK refuses itself (ST-13)', async () => {
  assertContains((await errorOf('noList')).errMsg, ['parameter.fileList should be array instead of undefined;']);
  assertContains((await errorOf('noOptions')).errMsg, ['Params for getTempFileURL must be an object instead of undefined']);
});
