// `doc(id).get()` of a document that is not there (semantics DB-1.02, DB-1.10).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

test('wx.cloud: missing or hidden, in one sentence', async () => {
  const c = await page.collection();
  const { errMsg } = await assertFails(c.doc('x').get(), -1);
  assert.equal(
    errMsg,
    'document.get:fail cannot find document with _id x, please make sure that the document exists and you have the corresponding access permission',
  );
});

test('wx-server-sdk: missing, or null if so asked for', async () => {
  const c = await server.collection();
  const { errMsg } = await assertFails(c.doc('x').get(), -1);
  assert.equal(errMsg, 'document.get:fail document with _id x does not exist');
  const quiet = server.cloud.database({ throwOnNotFound: false }).collection(c.collectionName);
  assert.deepEqual(await quiet.doc('x').get(), { data: null, errMsg: 'document.get:ok' });
});
