// Copies of stored files, which SDKs before node-sdk 2 cannot ask for (protocol §2.6).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../support/assertions');
const { fileIdOf } = require('../support/emulator');

module.exports = (emulator) => {
  const upload = (cloudPath, text) => emulator.app.uploadFile({ cloudPath, fileContent: Buffer.from(text) });
  const download = async (fileID) => (await emulator.app.downloadFile({ fileID })).fileContent;

  test('copyFile copies, and overwrites unless told not to', async () => {
    const copy = async (options) => {
      const { fileList } = await emulator.app.copyFile({ fileList: [{ srcPath: 'copy/from/a.txt', dstPath: 'copy/to/a.txt', ...options }] });
      return fileList[0].code;
    };
    await upload('copy/from/a.txt', 'first');
    assert.equal(await copy({}), 'SUCCESS');
    assert.equal(String(await download(fileIdOf('copy/to/a.txt'))), 'first');
    await upload('copy/from/a.txt', 'second');
    assert.notEqual(await copy({ overwrite: false }), 'SUCCESS');
    assert.equal(String(await download(fileIdOf('copy/to/a.txt'))), 'first');
    assert.equal(await copy({ overwrite: true }), 'SUCCESS');
    assert.equal(String(await download(fileIdOf('copy/to/a.txt'))), 'second');
    assert.equal(String(await download(fileIdOf('copy/from/a.txt'))), 'second');
  });

  test('copyFile with removeOriginal moves', async () => {
    await upload('move/from/a.txt', 'moved');
    const { fileList } = await emulator.app.copyFile({ fileList: [{ srcPath: 'move/from/a.txt', dstPath: 'move/to/a.txt', removeOriginal: true }] });
    assert.equal(fileList[0].code, 'SUCCESS');
    assert.equal(String(await download(fileIdOf('move/to/a.txt'))), 'moved');
    await assertFails(emulator.app.downloadFile({ fileID: fileIdOf('move/from/a.txt') }), 'STORAGE_FILE_NONEXIST');
  });

  test('copyFile answers each file by itself', async () => {
    await upload('several/from/a.txt', 'a');
    const { fileList } = await emulator.app.copyFile({
      fileList: [
        { srcPath: 'several/from/missing.txt', dstPath: 'several/to/missing.txt' },
        { srcPath: 'several/from/a.txt', dstPath: 'several/to/a.txt' },
      ],
    });
    assert.deepEqual(fileList.map(({ code }) => code), ['STORAGE_FILE_NONEXIST', 'SUCCESS']);
  });
};
