// Stored files: upload, addresses, download, deletion and copies (protocol §2.6 and §3, semantics §12).
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { assertFails, rejection } = require('../support/assertions');
const { fileIdOf } = require('../support/emulator');

module.exports = (emulator) => {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'emulator-files-test-'));
  after(() => fs.rmSync(temporary, { recursive: true, force: true }));

  const missing = fileIdOf('no/such/file');

  async function upload(cloudPath, content) {
    const fileContent = typeof content === 'string' ? Buffer.from(content) : content;
    const { fileID } = await emulator.app.uploadFile({ cloudPath, fileContent });
    return fileID;
  }

  async function download(fileID) {
    const { fileContent } = await emulator.app.downloadFile({ fileID });
    assert.ok(Buffer.isBuffer(fileContent));
    return fileContent;
  }

  async function addressOf(fileID) {
    const { fileList } = await emulator.app.getTempFileURL({ fileList: [fileID] });
    assert.equal(fileList[0].code, 'SUCCESS');
    return fileList[0].tempFileURL;
  }

  async function addressOfNew(cloudPath, content) {
    return addressOf(await upload(cloudPath, content));
  }

  test('the id of an uploaded file names environment, bucket and path (ST-01)', async () => {
    assert.equal(await upload('dir/a.txt', 'hello'), fileIdOf('dir/a.txt'));
  });

  test('what is uploaded comes back, byte for byte', async () => {
    const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    for (const [name, content] of Object.entries({ text: Buffer.from('hello'), everyByte, empty: Buffer.alloc(0), large: crypto.randomBytes(3_000_000) })) {
      const fileID = await upload(`bytes/${name}`, content);
      assert.ok((await download(fileID)).equals(content), name);
    }
  });

  test('a stream can be uploaded', async () => {
    const content = crypto.randomBytes(700_000);
    const file = path.join(temporary, 'upload.bin');
    fs.writeFileSync(file, content);
    const fileID = await upload('stream.bin', fs.createReadStream(file));
    assert.ok((await download(fileID)).equals(content));
  });

  test('names are plain: Chinese, blanks, percent signs, dots, other characters (ST-08)', async () => {
    const names = ['目录/中 文.txt', '100%.txt', '%E4%B8%AD.txt', 'a+b&c=d#e?f.txt', '../up.txt', 'a/../b.txt', 'b.txt', "quote'\"<>.txt", '😀.png', 'C:\\x', 'A.TXT', 'a.txt'];
    const ids = [];
    for (const name of names) {
      ids.push(await upload(name, `content of ${name}`));
    }
    for (const [index, name] of names.entries()) {
      assert.equal(ids[index], fileIdOf(name));
      assert.equal(String(await download(ids[index])), `content of ${name}`, name);
    }
  });

  test('uploading to the same path replaces the file', async () => {
    const first = await upload('same.txt', 'a rather long first content');
    const address = await addressOf(first);
    const second = await upload('same.txt', 'short');
    assert.equal(second, first);
    assert.equal(String(await download(first)), 'short');
    assert.equal(await (await fetch(address)).text(), 'short');
  });

  test('of uploads to one path at once, one wins whole', async () => {
    const contents = Array.from({ length: 8 }, (_, n) => Buffer.alloc(200_000, n));
    const ids = await Promise.all(contents.map((content) => upload('race.bin', content)));
    const won = await download(ids[0]);
    assert.ok(contents.some((content) => content.equals(won)));
  });

  test('names that cannot be are refused (ST-08)', async () => {
    for (const cloudPath of ['/a.txt', 'a//b.txt', 'x'.repeat(851), '文'.repeat(284), 'a\u001bb']) {
      const error = await rejection(emulator.app.getUploadMetadata({ cloudPath }));
      assert.match(`${error.code} ${error.message}`, /INVALID_PARAM/, cloudPath);
    }
    await emulator.app.getUploadMetadata({ cloudPath: 'x'.repeat(850) });
  });

  test('getUploadMetadata answers where to send a file', async () => {
    const { data, requestId } = await emulator.app.getUploadMetadata({ cloudPath: '目录/a b.txt' });
    assert.ok(requestId);
    assert.equal(data.fileId, fileIdOf('目录/a b.txt'));
    for (const name of ['url', 'token', 'authorization', 'cosFileId']) {
      assert.equal(typeof data[name], 'string', name);
    }
    assert.ok(data.url.startsWith(`${emulator.url}/`));
    assert.equal(encodeURI(decodeURI(data.url)), data.url);
  });

  test('a form upload, as older SDKs do it', async () => {
    const post = async (fields, content) => {
      const { data } = await emulator.app.getUploadMetadata({ cloudPath: 'form/中文.txt' });
      const form = new FormData();
      const common = { key: 'form/中文.txt', Signature: data.authorization, 'x-cos-security-token': data.token, 'x-cos-meta-fileid': data.cosFileId };
      for (const [name, value] of Object.entries({ ...common, ...fields })) {
        form.append(name, value);
      }
      form.append('file', new Blob([content]), 'file.txt');
      const { status } = await fetch(data.url, { method: 'POST', body: form });
      assert.equal(String(await download(data.fileId)), content);
      return status;
    };
    assert.equal(await post({}, 'first'), 204);
    assert.equal(await post({ success_action_status: '201' }, 'second'), 201);
  });

  test('an upload address that was changed is refused, and nothing is stored', async () => {
    const { data } = await emulator.app.getUploadMetadata({ cloudPath: 'forged.txt' });
    const changed = data.url.slice(0, -1) + (data.url.endsWith('A') ? 'B' : 'A');
    const response = await fetch(changed, { method: 'PUT', body: 'forged' });
    assert.ok(response.status >= 400, String(response.status));
    await assertFails(emulator.app.downloadFile({ fileID: data.fileId }), 'STORAGE_FILE_NONEXIST');
  });

  test('an upload that breaks off leaves nothing', async () => {
    const { data } = await emulator.app.getUploadMetadata({ cloudPath: 'broken.txt' });
    const request = http.request(data.url, { method: 'PUT', headers: { 'content-length': 1_000_000 } });
    request.on('error', () => {});
    await new Promise((resolve) => request.write('half', resolve));
    request.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await assertFails(emulator.app.downloadFile({ fileID: data.fileId }), 'STORAGE_FILE_NONEXIST');
  });

  test('getTempFileURL answers each file in order, missing ones too (ST-05)', async () => {
    const a = await upload('temp/a.txt', 'a');
    const b = await upload('temp/b.txt', 'b');
    const { fileList, requestId } = await emulator.app.getTempFileURL({ fileList: [b, missing, { fileID: a, maxAge: 120 }, b] });
    assert.ok(requestId);
    assert.deepEqual(fileList.map(({ fileID, code }) => [fileID, code]), [
      [b, 'SUCCESS'], [missing, 'STORAGE_FILE_NONEXIST'], [a, 'SUCCESS'], [b, 'SUCCESS'],
    ]);
    assert.equal(fileList[1].tempFileURL, '');
    assert.equal(fileList[2].maxAge, 120);
    assert.equal(await (await fetch(fileList[0].tempFileURL)).text(), 'b');
    assert.equal(await (await fetch(fileList[2].tempFileURL)).text(), 'a');
  });

  test('file ids of another environment, and texts that are none, are missing files', async () => {
    await upload('temp/here.txt', 'a');
    const elsewhere = 'cloud://another-env.616e-another-env-wx0123456789abcdef/temp/here.txt';
    const { fileList } = await emulator.app.getTempFileURL({ fileList: [elsewhere, 'nonsense'] });
    assert.deepEqual(fileList.map(({ code }) => code), ['STORAGE_FILE_NONEXIST', 'STORAGE_FILE_NONEXIST']);
  });

  test('an address works as it is and after encodeURI (protocol §3)', async () => {
    const address = await addressOfNew('目录/图 片.txt', 'hello');
    assert.equal(encodeURI(address), address);
    assert.equal(await (await fetch(address)).text(), 'hello');
  });

  test('a download has type, length and tag, and is not cached (ST-11)', async () => {
    const response = await fetch(await addressOfNew('head/pixel.png', 'not really'));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.equal(response.headers.get('content-length'), '10');
    assert.match(response.headers.get('etag'), /^"[0-9a-f]+"$/);
    assert.match(response.headers.get('cache-control'), /no-store/);
  });

  test('HEAD answers the same without the body', async () => {
    const address = await addressOfNew('head/a.json', '{"a":1}');
    const response = await fetch(address, { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-length'), '7');
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.equal(await response.text(), '');
  });

  test('ranges', async () => {
    const address = await addressOfNew('range.txt', '0123456789');
    const check = async (range, status, content, contentRange) => {
      const response = await fetch(address, { headers: { range } });
      assert.equal(response.status, status, range);
      assert.equal(response.headers.get('content-range'), contentRange, range);
      if (content !== null) {
        assert.equal(await response.text(), content, range);
      }
    };
    assert.equal((await fetch(address)).headers.get('accept-ranges'), 'bytes');
    await check('bytes=0-3', 206, '0123', 'bytes 0-3/10');
    await check('bytes=4-', 206, '456789', 'bytes 4-9/10');
    await check('bytes=-2', 206, '89', 'bytes 8-9/10');
    await check('bytes=8-100', 206, '89', 'bytes 8-9/10');
    await check('bytes=10-', 416, null, 'bytes */10');
    await check('nonsense', 200, '0123456789', null);
  });

  test('an address that was changed opens nothing', async () => {
    const address = new URL(await addressOfNew('secret.txt', 'secret'));
    const other = new URL(await addressOfNew('other.txt', 'other'));
    const forged = new URL(address);
    forged.search = other.search;
    for (const url of [forged, new URL(address.pathname, address)]) {
      const response = await fetch(url);
      assert.ok(response.status >= 400, String(response.status));
      assert.ok(!(await response.text()).includes('secret'));
    }
  });

  test('an address ends with its maxAge', async () => {
    const fileID = await upload('brief.txt', 'brief');
    const { fileList } = await emulator.app.getTempFileURL({ fileList: [{ fileID, maxAge: 1 }] });
    assert.equal((await fetch(fileList[0].tempFileURL)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.ok((await fetch(fileList[0].tempFileURL)).status >= 400);
  });

  test('downloading a missing file', async () => {
    await assertFails(emulator.app.downloadFile({ fileID: missing }), 'STORAGE_FILE_NONEXIST');
  });

  test('deleteFile answers each file in order, missing ones too (ST-06)', async () => {
    const a = await upload('delete/a.txt', 'a');
    const b = await upload('delete/b.txt', 'b');
    const address = await addressOf(a);
    const { fileList, requestId } = await emulator.app.deleteFile({ fileList: [a, missing] });
    assert.ok(requestId);
    assert.deepEqual(fileList.map(({ fileID, code }) => [fileID, code]), [[a, 'SUCCESS'], [missing, 'STORAGE_FILE_NONEXIST']]);
    assert.equal((await fetch(address)).status, 404);
    await assertFails(emulator.app.downloadFile({ fileID: a }), 'STORAGE_FILE_NONEXIST');
    assert.equal(String(await download(b)), 'b');
    assert.equal((await emulator.app.deleteFile({ fileList: [a] })).fileList[0].code, 'STORAGE_FILE_NONEXIST');
  });

  test('fifty files are the most of one call (ST-07)', async () => {
    const fileID = await upload('fifty.txt', 'a');
    const times = (count) => Array.from({ length: count }, () => fileID);
    assert.equal((await emulator.app.getTempFileURL({ fileList: times(50) })).fileList.length, 50);
    await assertFails(emulator.app.getTempFileURL({ fileList: times(51) }), 'INVALID_PARAM');
    await assertFails(emulator.app.deleteFile({ fileList: times(51) }), 'INVALID_PARAM');
    assert.equal(String(await download(fileID)), 'a');
  });
};
