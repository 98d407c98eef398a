// How an error of the database is put into words: the older form on a page, the newer one on a server (semantics §9.1, UNC-47).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const REASON =
  '[ResourceNotFound] Db or Table not exist: nowhere. Please check your request, but if the problem persists, contact us.';

test('wx.cloud: the message tells code and text, errMsg the API before it', async () => {
  const error = await assertFails(page.db.collection('nowhere').get(), -502005);
  assert.equal(error.message, `errCode: -502005 database collection not exists | errMsg: ${REASON}`);
  assert.equal(error.errMsg, `collection.get:fail Error: ${error.message}`);
});

test('wx-server-sdk: the message is errMsg', async () => {
  const error = await assertFails(server.db.collection('nowhere').get(), -502005);
  assert.equal(error.errMsg, `collection.get:fail -502005 database collection not exists. ${REASON}`);
  assert.equal(error.message, error.errMsg);
});
