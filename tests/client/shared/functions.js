// Functions called: what goes in, what comes out, what fails (semantics §11.1, §11.2).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { rejection } = require('../support/errors');

/** What the function `values` returns, and what its caller gets. */
const RESULTS = {
  undefined: null,
  null: null,
  number: 1.5,
  string: 'text',
  emptyString: '',
  boolean: false,
  array: [1, [2, { a: 3 }]],
  date: '2020-01-02T03:04:05.678Z',
  undefinedField: { kept: 1 },
  promise: { later: true },
  synchronous: { at: 'once' },
  toJSON: { made: 'by toJSON' },
};

module.exports = (side) => {
  const call = (name, data) => side.cloud.callFunction({ name, data });

  test('data in, a result out (FN-01, FN-10)', async () => {
    const answer = await call('echo', { a: 1, list: [null, '中'], at: new Date(0), gone: undefined });
    assert.deepEqual(Object.keys(answer).sort(), ['errMsg', 'requestID', 'result']);
    assert.match(answer.requestID, /./);
    const { userInfo, ...event } = answer.result.event;
    assert.deepEqual(event, { a: 1, list: [null, '中'], at: '1970-01-01T00:00:00.000Z' });
    const { result } = await side.cloud.callFunction({ name: 'echo' });
    assert.deepEqual({ ...result.event, userInfo: null }, { userInfo: null }, 'without data');
  });

  test('results are what JSON makes of them (FN-01)', async () => {
    for (const [kind, expected] of Object.entries(RESULTS)) {
      assert.deepEqual((await call('values', { kind })).result, expected, kind);
    }
  });

  test('a failure tells the reason (FN-11, FN-12)', async () => {
    const failures = [
      ['failures', { kind: 'error' }, 'Error: boom'],
      ['failures', { kind: 'rejection' }, 'Error: rejected'],
      ['failures', { kind: 'string' }, 'just text'],
      ['missing-module', {}, "Cannot find module 'no-such-module'"],
      ['syntax-error', {}, 'SyntaxError'],
      ['no-such-function', {}, 'FunctionName parameter could not be found'],
    ];
    for (const [name, data, reason] of failures) {
      const error = await rejection(call(name, data));
      assert.ok(error instanceof Error, reason);
      assert.equal(typeof error.errCode, 'number', reason);
      assert.match(error.errMsg, /callFunction:fail /);
      assert.ok(error.errMsg.includes(reason), `${error.errMsg} has ${reason}`);
    }
  });

  test('a function that takes too long (FN-33)', async () => {
    const error = await rejection(call('failures', { kind: 'never' }));
    assert.match(error.errMsg, /Invoking task timed out after 3 seconds/);
  });
};
