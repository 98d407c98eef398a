// wx.cloud.callFunction against the emulator (semantics §11.2). The functions are those of tests/sdk.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../support/errors');
const { APPID, simulatorBeside, useEmulator } = require('./support');

let simulator;
let call;
const emulator = useEmulator({
  prepare: async () => {
    simulator = simulatorBeside(emulator);
    call = (name, data) => simulator.cloud.callFunction({ name, data });
  },
});

test('data, result, and who calls (FN-02, FN-10)', async () => {
  const answer = await call('echo', { a: 1, list: [null, '中'] });
  assert.deepEqual(Object.keys(answer).sort(), ['errMsg', 'requestID', 'result']);
  assert.equal(answer.errMsg, 'cloud.callFunction:ok');
  const { userInfo, ...event } = answer.result.event;
  assert.deepEqual(event, { a: 1, list: [null, '中'] });
  assert.deepEqual(userInfo, { appId: APPID, openId: simulator.openid() });
});

test('what a page sends cannot pretend to be another (FN-02)', async () => {
  const { result } = await call('echo', { userInfo: { openId: 'somebody else' } });
  assert.equal(result.event.userInfo.openId, simulator.openid());
});

test('getWXContext knows the caller (FN-04)', async () => {
  const { wxContext } = (await call('whoami')).result;
  assert.equal(wxContext.OPENID, simulator.openid());
  assert.equal(wxContext.APPID, APPID);
  assert.match(wxContext.SOURCE, /^wx_(devtools|client)$/);
});

test('failures in the words of the client (FN-11, §9.4)', async () => {
  await assertFails(
    call('no-such-function'),
    -501000,
    'errCode: -501000 | errMsg: FunctionName parameter could not be found',
  );
  const thrown = await assertFails(
    call('failures', { kind: 'error' }),
    -504002,
    'cloud.callFunction:fail Error: errCode: -504002 functions execute fail | errMsg: Error: boom at ',
  );
  assert.ok(!thrown.errMsg.includes('\n'));
  await assertFails(
    call('failures', { kind: 'never' }),
    -504003,
    'errCode: -504003 | errMsg: Invoking task timed out after 3 seconds',
  );
  await assertFails(call('missing-module'), -504002, 'Cannot find module');
});

test('callback style', async () => {
  const answer = await new Promise((success, fail) =>
    simulator.cloud.callFunction({ name: 'echo', data: { a: 1 }, success, fail }),
  );
  assert.equal(answer.result.event.a, 1);
});
