// Arguments that are refused before anything is sent: a page has codes of its own for them, wx-server-sdk says -1 or leaves it
// to the server (semantics §1.3, FN-17, ST-13).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { rejection } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const circular = () => {
  const data = {};
  return Object.assign(data, { data });
};

/** Each a call, and the code and the words of either side. */
const CALLS = [
  [
    ({ c }) => c.add({}),
    [-401003, 'parameter.data should be object instead of undefined;'],
    [-501007, 'data: expected an object'],
  ],
  [
    ({ c }) => c.add({ data: circular() }),
    [-402001, 'Cannot convert circular structure to JSON'],
    [-1, 'Cannot convert circular structure to JSON'],
  ],
  [
    ({ c }) => c.doc('a').update({}),
    [-401003, 'parameter.data should be object instead of undefined;'],
    [-1, 'parameter.data should be object instead of undefined;'],
  ],
  [
    ({ c }) => c.doc('a').update({ data: {} }),
    [-401002, 'parameter.data must not be empty'],
    [-1, 'options.data must not be empty'],
  ],
  [
    ({ cloud }) => cloud.callFunction(),
    [-401003, 'Params for callFunction must be an object instead of undefined'],
    [-1, 'Params for callFunction must be an object instead of undefined'],
  ],
  [
    ({ cloud }) => cloud.callFunction({}),
    [-401003, 'parameter.name should be string instead of undefined;'],
    [-1, 'parameter.name should be string instead of undefined;'],
  ],
  [
    ({ cloud }) => cloud.callFunction({ name: 'echo', data: [] }),
    [-401003, 'parameter.data should be object instead of array;'],
    [-1, 'parameter.data should be object instead of array;'],
  ],
  [
    ({ cloud }) => cloud.downloadFile({}),
    [-401003, 'parameter.fileID should be string instead of undefined;'],
    [-1, 'parameter.fileID should be string instead of undefined;'],
  ],
  [
    ({ cloud }) => cloud.getTempFileURL({}),
    [-401003, 'parameter.fileList should be array instead of undefined;'],
    [-1, 'parameter.fileList should be array instead of undefined;'],
  ],
  [
    ({ cloud }) => cloud.deleteFile({ fileList: 'x' }),
    [-401003, 'parameter.fileList should be array instead of string;'],
    [-1, 'parameter.fileList should be array instead of string;'],
  ],
];

for (const [side, index] of [
  [page, 1],
  [server, 2],
]) {
  test(side.name, async () => {
    const c = await side.collection([{ _id: 'a' }]);
    for (const row of CALLS) {
      const [errCode, text] = row[index];
      const error = await rejection(row[0]({ c, cloud: side.cloud }));
      assert.equal(error.errCode, errCode, error.errMsg);
      assert.ok(error.errMsg.includes(text), error.errMsg);
    }
  });
}

test('set of nothing: wx.cloud empties the document, wx-server-sdk refuses', async () => {
  const c = await page.collection([{ _id: 'a', n: 1 }]);
  await c.doc('a').set({ data: {} });
  assert.deepEqual(page.content((await c.doc('a').get()).data), { _id: 'a' });
  const other = await server.collection([{ _id: 'a', n: 1 }]);
  const error = await rejection(other.doc('a').set({ data: {} }));
  assert.deepEqual([error.errCode, error.errMsg], [-1, 'options.data must not be empty']);
});
