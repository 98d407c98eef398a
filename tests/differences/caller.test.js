// What a function learns of its caller (semantics FN-02, FN-04, FN-05).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { APPID, ENVIRONMENT } = require('../client/live/support');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

const ask = async (side, data) => (await side.cloud.callFunction({ name: 'whoami', data })).result;

test('wx.cloud: the user, whatever the page says', async () => {
  const { event, wxContext } = await ask(page, { a: 1, userInfo: { openId: 'another' } });
  assert.deepEqual(event, { a: 1, userInfo: { appId: APPID, openId: page.openid() } });
  assert.deepEqual([wxContext.OPENID, wxContext.APPID, wxContext.ENV], [page.openid(), APPID, ENVIRONMENT]);
  assert.match(wxContext.SOURCE, /^wx_(client|devtools)$/);
});

test('wx-server-sdk: nobody', async () => {
  const { event, wxContext } = await ask(server, { a: 1 });
  assert.deepEqual(event, { a: 1 });
  assert.ok(!('OPENID' in wxContext));
  assert.equal(wxContext.ENV, ENVIRONMENT);
});
