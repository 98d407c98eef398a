// js-sdk 3.7.0 with an access key in the place of a sign-in (protocol §1.5): a visitor, the same one always.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { adminOf } = require('../js-sdk-shared/admin');
const { openApp } = require('../js-sdk-shared/open-app');
const { ENVIRONMENT, useEmulator } = require('../support/emulator');

const issuer = 'https://sdk-tests.ap-shanghai.tcb-api.tencentcloudapi.com';
const claims = { aud: ENVIRONMENT, project_id: ENVIRONMENT, scope: 'anonymous', iss: issuer };
const accessKey = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2lnbmF0dXJl`;

const emulator = useEmulator({
  keepsData: true,
  prepare: async () => {
    admin = adminOf(emulator);
    delete process.env.TENCENTCLOUD_SECRETID;
    page = openApp(require('@cloudbase/js-sdk'), new URL(emulator.url).host, ENVIRONMENT, { accessKey });
  },
});
let admin;
let page;

test('documents, files and functions answer a visitor', async () => {
  const name = await admin.collection([{ _id: 'server' }]);
  const collection = page.db.collection(name);
  await collection.add({ _id: 'a', n: 1 });
  assert.deepEqual((await collection.get()).data, [{ _id: 'a', n: 1, _openid: 'anonymous' }]);
  const { result } = await page.app.callFunction({ name: 'echo', data: { a: 1 } });
  assert.equal(result.event.userInfo.openId, 'anonymous');
  const { fileID } = await page.app.uploadFile({ cloudPath: 'a.txt', filePath: new Blob(['text']) });
  const { fileList } = await page.app.getTempFileURL({ fileList: [fileID] });
  assert.equal(await (await fetch(fileList[0].tempFileURL)).text(), 'text');
});
