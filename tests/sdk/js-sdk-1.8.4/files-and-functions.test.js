// Files and functions, in the words of js-sdk.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { useEmulator } = require('../support/emulator');
const { usePage } = require('./support/page');

const emulator = useEmulator({
  prepare: async () => {
    await page.open();
    await page.auth.anonymousAuthProvider().signIn();
  },
});
const page = usePage(emulator);

test('a file goes up, has an address, comes down and goes', async () => {
  const filePath = path.join(page.wx.env.USER_DATA_PATH, 'a.txt');
  fs.writeFileSync(filePath, '你好');
  const { fileID } = await page.app.uploadFile({ cloudPath: 'dir/文 a.txt', filePath });
  assert.match(fileID, /^cloud:\/\/sdk-tests\..*\/dir\/文 a\.txt$/);
  const { fileList } = await page.app.getTempFileURL({ fileList: [fileID] });
  assert.equal(fileList[0].code, 'SUCCESS');
  assert.equal(await (await fetch(fileList[0].tempFileURL)).text(), '你好');
  const { tempFilePath } = await page.app.downloadFile({ fileID });
  assert.equal(fs.readFileSync(tempFilePath, 'utf8'), '你好');
  assert.equal((await page.app.deleteFile({ fileList: [fileID] })).fileList[0].code, 'SUCCESS');
  assert.equal((await page.app.getTempFileURL({ fileList: [fileID] })).fileList[0].code, 'STORAGE_FILE_NONEXIST');
});

test('a function gets its data and knows the caller', async () => {
  const { uid } = await page.auth.getUserInfo();
  const { result } = await page.app.callFunction({ name: 'echo', data: { a: 1 } });
  assert.equal(result.event.a, 1);
  assert.equal(result.event.userInfo.openId, uid);
});
