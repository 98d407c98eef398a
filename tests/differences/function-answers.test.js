// What the API of functions calls itself, and the codes of its failures, which wx-server-sdk 4 loses
// (semantics FN-06, FN-10, FN-11, §9.4; protocol §2.9).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { rejection } = require('../client/support/errors');
const { useSides } = require('../client/live/sides');

const { page, server } = useSides();

/** The ways to fail, and what a page is told. */
const FAILURES = [
  ['no-such-function', {}, -501000, 'errCode: -501000 | errMsg: FunctionName parameter could not be found.'],
  ['failures', { kind: 'error' }, -504002, 'errCode: -504002 functions execute fail | errMsg: Error: boom at '],
  ['failures', { kind: 'string' }, -504002, 'errCode: -504002 functions execute fail | errMsg: just text'],
  ['failures', { kind: 'never' }, -504003, 'errCode: -504003 | errMsg: Invoking task timed out after 3 seconds'],
];

test('wx.cloud', async () => {
  const { errMsg } = await page.cloud.callFunction({ name: 'echo' });
  assert.equal(errMsg, 'cloud.callFunction:ok');
  for (const [name, data, errCode, text] of FAILURES) {
    const error = await rejection(page.cloud.callFunction({ name, data }));
    assert.deepEqual(Object.keys(error).sort(), ['errCode', 'errMsg']);
    assert.equal(error.errCode, errCode);
    assert.ok(error.errMsg.startsWith(`cloud.callFunction:fail Error: ${text}`), error.errMsg);
    assert.ok(!error.errMsg.includes('\n'), 'a stack is told in one line');
  }
});

test('wx-server-sdk', async () => {
  const { errMsg } = await server.cloud.callFunction({ name: 'echo' });
  assert.equal(errMsg, 'callFunction:ok');
  for (const [name, data, , text] of FAILURES) {
    const error = await rejection(server.cloud.callFunction({ name, data }));
    assert.equal(error.errCode, -1);
    const reason = text.slice(text.indexOf('errMsg: ') + 'errMsg: '.length).replace(/ at $/, '\n    at ');
    assert.ok(error.errMsg.startsWith(`callFunction:fail ${reason}`), error.errMsg);
  }
});
