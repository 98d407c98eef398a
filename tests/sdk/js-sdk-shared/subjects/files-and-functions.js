// Files and functions.
'use strict';

const { failure } = require('../failure');

module.exports = [
  {
    name: 'a file goes up, has an address, comes down and goes',
    async run(page) {
      const { fileID } = await page.app.uploadFile({ cloudPath: 'dir/文 a.txt', filePath: page.file('你好') });
      const [before] = (await page.app.getTempFileURL({ fileList: [fileID] })).fileList;
      const text = await (await fetch(before.tempFileURL)).text();
      const [deleted] = (await page.app.deleteFile({ fileList: [fileID] })).fileList;
      const [after] = (await page.app.getTempFileURL({ fileList: [fileID] })).fileList;
      return { isId: /^cloud:\/\/sdk-tests\..*\/dir\/文 a\.txt$/.test(fileID), codes: [before.code, deleted.code, after.code], text };
    },
    expected: { isId: true, codes: ['SUCCESS', 'SUCCESS', 'STORAGE_FILE_NONEXIST'], text: '你好' },
  },
  {
    name: "somebody else's file stays as it is",
    async run(page) {
      const cloudPath = 'theirs.txt';
      const { fileID } = await page.app.uploadFile({ cloudPath, filePath: page.file('theirs') });
      await page.auth.signInAnonymously();
      await failure(page.app.uploadFile({ cloudPath, filePath: page.file('mine') }));
      const [deleted] = (await page.app.deleteFile({ fileList: [fileID] })).fileList;
      const [{ tempFileURL }] = (await page.app.getTempFileURL({ fileList: [fileID] })).fileList;
      return [deleted.code, await (await fetch(tempFileURL)).text()];
    },
    expected: ['STORAGE_EXCEED_AUTHORITY', 'theirs'],
  },
  {
    name: 'a function gets its data, knows the caller and answers',
    async run({ app, uid }) {
      const { result } = await app.callFunction({ name: 'echo', data: { a: 1, deep: { text: '文' } } });
      return [result.event.a, result.event.deep, result.event.userInfo.openId === uid];
    },
    expected: [1, { text: '文' }, true],
  },
  {
    name: 'a function that is not there is told',
    run: async ({ app }) => (await failure(app.callFunction({ name: 'nowhere', data: {} }))).code,
    expected: 'FUNCTION_NOT_FOUND',
  },
];
