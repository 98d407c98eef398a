// An environment that is not there (semantics §9.1, §9.4, 13.8).
'use strict';

const { test } = require('node:test');
const { assertFails } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

test('wx.cloud', async () => {
  const c = page.cloud.database({ env: 'no-such-environment' }).collection('todos');
  await assertFails(c.get(), -501000, 'collection.get:fail ', 'errCode: -501000 | errMsg: [100003] ', 'env not exists');
});

test('wx-server-sdk', async () => {
  const c = server.cloud.database({ env: 'no-such-environment' }).collection('todos');
  await assertFails(c.get(), -501001, 'collection.get:fail -501001 resource system error. ', 'env not exists');
});
