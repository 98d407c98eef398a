// Functions that call functions through wx-server-sdk: what comes back, and whose call it stays (semantics FN-06, FN-17).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertContains } = require('../support/assertions');
const { useEmulator } = require('../support/emulator');

const emulator = useEmulator({ keepsData: true });
const ALICE = 'oALICE0000000000000000000001';

const relay = (options) => emulator.call('relay', { options });

async function errorOf(options) {
  const { error } = await relay(options);
  assert.ok(error, 'expected an error');
  return error;
}

test('callFunction answers { result, errMsg, requestID }', async () => {
  const { answer } = await relay({ name: 'echo', data: { a: [1, '二'] } });
  assert.deepEqual(Object.keys(answer).sort(), ['errMsg', 'requestID', 'result']);
  assert.equal(answer.errMsg, 'callFunction:ok');
  assert.ok(answer.requestID);
  assert.deepEqual(answer.result.event, { a: [1, '二'] });
});

test('callFunction without data', async () => {
  assert.deepEqual((await relay({ name: 'echo' })).answer.result.event, {});
});

test('a result that is JSON in a string is parsed', async () => {
  assert.deepEqual((await relay({ name: 'values', data: { kind: 'jsonString' } })).answer.result, { looks: 'like JSON' });
  assert.equal((await relay({ name: 'values', data: { kind: 'string' } })).answer.result, 'text');
  assert.equal((await relay({ name: 'values', data: { kind: 'undefined' } })).answer.result, null);
});

test('the failure of the called function is thrown', async () => {
  const error = await errorOf({ name: 'failures', data: { kind: 'error' } });
  assertContains(error.errMsg, ['callFunction:fail', 'boom']);
  assert.equal(error.errCode, -1);
});

test('a function that is missing', async () => {
  const error = await errorOf({ name: 'no-such-function' });
  assertContains(error.errMsg, ['callFunction:fail', 'FunctionName parameter could not be found.']);
});

test('arguments that the SDK refuses itself (FN-17)', async () => {
  assertContains((await errorOf(undefined)).errMsg, ['callFunction:fail', 'Params for callFunction must be an object instead of undefined']);
  assertContains((await errorOf({})).errMsg, ['parameter.name should be string instead of undefined;']);
  assertContains((await errorOf({ name: 'echo', data: [1] })).errMsg, ['parameter.data should be object instead of array;']);
});

test('a function may call itself through others, several deep', async () => {
  const deep = { name: 'relay', data: { options: { name: 'relay', data: { options: { name: 'echo', data: { depth: 3 } } } } } };
  const { answer } = await relay(deep);
  assert.deepEqual(answer.result.answer.result.answer.result.event, { depth: 3 });
});

test('the user of the first function is the user of the second (FN-06)', async () => {
  const { answer } = await emulator.callAs(ALICE, 'relay', { options: { name: 'whoami', data: { a: 1 } } });
  const { wxContext, event } = answer.result;
  assert.equal(wxContext.OPENID, ALICE);
  assert.equal(wxContext.SOURCE, 'wx_client,scf');
  assert.deepEqual(event, { a: 1 });
});

test('the user is carried through several functions', async () => {
  const whoami = { name: 'whoami', data: {} };
  const { answer } = await emulator.callAs(ALICE, 'relay', { options: { name: 'relay', data: { options: whoami } } });
  assert.equal(answer.result.answer.result.wxContext.OPENID, ALICE);
});

test('calls of several users at once keep their users apart', async () => {
  const users = Array.from({ length: 6 }, (_, n) => `oUSER000000000000000000000${n}`);
  const calls = users.map((user) => emulator.callAs(user, 'relay', { options: { name: 'whoami', data: {} } }));
  const seen = (await Promise.all(calls)).map(({ answer }) => answer.result.wxContext.OPENID);
  assert.deepEqual(seen, users);
});

test('a server that calls stays nobody', async () => {
  const { answer } = await relay({ name: 'whoami', data: {} });
  assert.equal(answer.result.wxContext.OPENID, undefined);
});
