// What bob may do with alice's files and his own under each permission mode, in the words of the client (semantics §7.4).
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { assertFails } = require('../support/errors');
const { addUser, seed, simulatorBeside, useEmulator } = require('./support');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'file-modes-'));
const file = path.join(folder, 'file.txt');

let alice;
let bob;
let ofAlice;
const emulator = useEmulator({
  keepsData: true,
  prepare: async () => {
    fs.writeFileSync(file, 'content');
    await addUser(emulator, 'alice');
    await addUser(emulator, 'bob');
    alice = simulatorBeside(emulator, { code: 'alice' });
    bob = simulatorBeside(emulator, { code: 'bob' });
    ofAlice = (await upload(alice, 'alice.txt')).fileID;
  },
});
after(() => fs.rmSync(folder, { recursive: true }));

const upload = (user, cloudPath) => user.cloud.uploadFile({ cloudPath, filePath: file });

/** Whether bob reads alice's files, and writes his own. */
const MODES = {
  READONLY: { reads: true, writes: true },
  PRIVATE: { reads: false, writes: true },
  ADMINWRITE: { reads: true, writes: false },
  ADMINONLY: { reads: false, writes: false },
};

for (const [mode, { reads, writes }] of Object.entries(MODES)) {
  test(mode, async () => {
    fs.writeFileSync(path.join(folder, 'permissions.json'), JSON.stringify({ files: mode }));
    await seed(emulator, folder);
    await checkReading(reads);
    await checkWriting(writes);
    await assertFails(upload(bob, 'alice.txt'), -503002, 'storage permission denied');
    const { fileList } = await bob.cloud.deleteFile({ fileList: [ofAlice] });
    assert.deepEqual([fileList[0].status, fileList[0].errMsg], [-503002, 'storage permission denied']);
  });
}

async function checkReading(isAllowed) {
  const { fileList } = await bob.cloud.getTempFileURL({ fileList: [ofAlice] });
  assert.equal(fileList[0].status, isAllowed ? 0 : -503002);
  if (isAllowed) {
    const { tempFilePath } = await bob.cloud.downloadFile({ fileID: ofAlice });
    assert.equal(fs.readFileSync(tempFilePath, 'utf8'), 'content');
  } else {
    assert.equal(fileList[0].tempFileURL, '');
    await assertFails(bob.cloud.downloadFile({ fileID: ofAlice }), -503002, 'storage permission denied');
  }
}

async function checkWriting(isAllowed) {
  if (isAllowed) {
    const { fileID } = await upload(bob, 'bob.txt');
    assert.equal((await bob.cloud.getTempFileURL({ fileList: [fileID] })).fileList[0].status, 0);
    assert.equal((await bob.cloud.deleteFile({ fileList: [fileID] })).fileList[0].status, 0);
  } else {
    await assertFails(upload(bob, 'bob.txt'), -503002, 'storage permission denied');
  }
}
