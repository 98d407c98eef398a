// Cloud functions called by a server: arguments, results, failures, and what a function sees of its platform (semantics §11).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('../support/assertions');
const { ENVIRONMENT } = require('../support/emulator');

module.exports = (emulator) => {
  const call = (name, data) => emulator.call(name, data);
  const fails = (name, data, code, ...texts) => assertFails(emulator.app.callFunction({ name, data }), code, ...texts);

  test('callFunction answers { result, requestId }', async () => {
    const answer = await emulator.app.callFunction({ name: 'echo', data: { a: 1 } });
    assert.deepEqual(Object.keys(answer).sort(), ['requestId', 'result']);
    assert.ok(typeof answer.requestId === 'string' && answer.requestId);
    assert.deepEqual(answer.result.event, { a: 1 });
  });

  test('the event is the data of the call, or an empty object', async () => {
    const data = { text: '你好\n"', number: 1.5, list: [1, null, { a: [] }], nested: { yes: true }, none: null };
    assert.deepEqual((await call('echo', data)).event, data);
    assert.deepEqual((await call('echo', {})).event, {});
    assert.deepEqual((await call('echo')).event, {});
  });

  test('a large event and a large result', async () => {
    const text = '大'.repeat(50_000);
    assert.equal((await call('echo', { text })).event.text, text);
  });

  test('results are what JSON makes of them (FN-01)', async () => {
    const check = async (kind, expected) => assert.deepEqual(await call('values', { kind }), expected, kind);
    await check('undefined', null);
    await check('null', null);
    await check('number', 1.5);
    await check('string', 'text');
    await check('emptyString', '');
    await check('jsonString', '{"looks":"like JSON"}');
    await check('boolean', false);
    await check('array', [1, [2, { a: 3 }]]);
    await check('date', '2020-01-02T03:04:05.678Z');
    await check('buffer', { type: 'Buffer', data: [1, 2, 255] });
    await check('undefinedField', { kept: 1 });
    await check('notANumber', null);
    await check('promise', { later: true });
    await check('synchronous', { at: 'once' });
    await check('toJSON', { made: 'by toJSON' });
  });

  test('a result that is no JSON fails', async () => {
    await fails('values', { kind: 'circular' }, 'FUNCTIONS_EXECUTE_FAIL');
  });

  test('a thrown error is a failure with its stack (FN-11)', async () => {
    await fails('failures', { kind: 'error' }, 'FUNCTIONS_EXECUTE_FAIL', 'Error: boom', 'at ', 'index.js');
    await fails('failures', { kind: 'typeError' }, 'FUNCTIONS_EXECUTE_FAIL', 'TypeError: ');
    await fails('failures', { kind: 'rejection' }, 'FUNCTIONS_EXECUTE_FAIL', 'Error: rejected');
    await fails('failures', { kind: 'late' }, 'FUNCTIONS_EXECUTE_FAIL', 'Error: late');
    await fails('failures', { kind: 'custom' }, 'FUNCTIONS_EXECUTE_FAIL', 'no such order');
  });

  test('anything can be thrown (FN-12)', async () => {
    await fails('failures', { kind: 'string' }, 'FUNCTIONS_EXECUTE_FAIL', 'just text');
    await fails('failures', { kind: 'object' }, 'FUNCTIONS_EXECUTE_FAIL', 'ORDER_MISSING');
    await fails('failures', { kind: 'undefined' }, 'FUNCTIONS_EXECUTE_FAIL');
  });

  test('a process that ends by itself (§9.4)', async () => {
    await fails('failures', { kind: 'exit' }, 'FUNCTIONS_EXECUTE_FAIL', 'code exit unexpected');
    assert.deepEqual((await call('echo', { still: 'here' })).event, { still: 'here' });
    await fails('failures', { kind: 'error' }, 'FUNCTIONS_EXECUTE_FAIL', 'boom');
  });

  test('a module that is missing, and a file that does not parse', async () => {
    await fails('failures', { kind: 'missingModule' }, 'FUNCTIONS_EXECUTE_FAIL', "Cannot find module 'no-such-module'");
    await fails('missing-module', {}, 'FUNCTIONS_EXECUTE_FAIL', "Cannot find module 'no-such-module'");
    await fails('syntax-error', {}, 'FUNCTIONS_EXECUTE_FAIL', 'SyntaxError');
  });

  test('what is installed above a function is not there for it, as in the cloud (FN-32)', async () => {
    await fails('failures', { kind: 'moduleOfTheTests' }, 'FUNCTIONS_EXECUTE_FAIL', "Cannot find module '@cloudbase/node-sdk'");
  });

  test('a function that is missing', async () => {
    const text = 'FunctionName parameter could not be found. 更多错误信息请访问：https://docs.cloudbase.net/error-code/basic/FUNCTION_NOT_FOUND';
    await fails('no-such-function', {}, 'FUNCTION_NOT_FOUND', text);
    await fails('../functions/echo', {}, 'FUNCTION_NOT_FOUND');
    await fails('..', {}, 'FUNCTION_NOT_FOUND');
  });

  test('a function is ended after three seconds, busy or waiting (FN-33)', async () => {
    for (const kind of ['never', 'loop']) {
      const started = Date.now();
      await fails('failures', { kind }, 'FUNCTIONS_TIME_LIMIT_EXCEEDED', 'Invoking task timed out after 3 seconds');
      const took = Date.now() - started;
      assert.ok(took >= 2_900 && took < 8_000, `${kind}: ${took} ms`);
    }
    assert.deepEqual((await call('echo', { still: 'here' })).event, { still: 'here' });
  });

  test('modules keep their state from call to call (FN-07)', async () => {
    const first = await call('counter');
    const second = await call('counter');
    assert.equal(second.instance, first.instance);
    assert.equal(second.count, first.count + 1);
  });

  test('calls at once run at once, each instance one at a time (FN-07)', async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => call('counter', { waitMs: 300 })));
    assert.ok(results.every(({ overlapping }) => overlapping === false));
    assert.ok(new Set(results.map(({ instance }) => instance)).size > 1);
  });

  test('many calls, one after another and at once', async () => {
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    const results = await Promise.all(numbers.map((n) => call('echo', { n })));
    assert.deepEqual(results.map(({ event }) => event.n), numbers);
  });

  test('the context says what runs where (FN-03)', async () => {
    const { context } = await call('echo');
    assert.equal(context.function_name, 'echo');
    assert.equal(context.function_version, '$LATEST');
    assert.equal(context.namespace, ENVIRONMENT);
    assert.equal(context.memory_limit_in_mb, 256);
    assert.equal(context.time_limit_in_ms, 3000);
    assert.ok(typeof context.request_id === 'string' && context.request_id);
    assert.ok('callbackWaitsForEmptyEventLoop' in context);
  });

  test('the environment variables of the platform (FN-31)', async () => {
    const { variables } = await call('platform');
    assert.equal(variables.TENCENTCLOUD_RUNENV, 'SCF');
    assert.equal(variables.TCB_ENV, ENVIRONMENT);
    assert.equal(variables.SCF_NAMESPACE, ENVIRONMENT);
    assert.equal(variables.SCF_FUNCTIONNAME, 'platform');
    assert.match(variables.WX_CONTEXT_KEYS, /WX_APPID/);
    assert.equal(variables.WX_OPENID, undefined);
  });

  test('time is UTC, __dirname the function, /tmp writable (FN-09)', async () => {
    const { timezoneOffset, ownFile, temporary } = await call('platform');
    assert.equal(timezoneOffset, 0);
    assert.equal(ownFile, 'a file beside the function\n');
    assert.equal(temporary, 'written and read');
  });

  test('the modules of Node are there', async () => {
    const { hash, joined, zipped, buffer, url, event } = (await call('platform')).modules;
    assert.equal(hash, '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
    assert.equal(joined, 'a/c');
    assert.equal(zipped, 'hello hello hello');
    assert.equal(buffer, '5L2g5aW9');
    assert.equal(url, '中');
    assert.equal(event, 'heard');
  });

  test('a function has its own files in several modules, JSON among them', async () => {
    assert.deepEqual((await call('platform')).required, { fromModule: 'double 42', fromJson: { name: 'data', list: [1, 2] } });
  });

  test('what a function prints does not disturb its result', async () => {
    assert.deepEqual(await call('values', { kind: 'printing' }), { printed: true });
  });

  test('the emulator is told what a function prints', async () => {
    await call('values', { kind: 'printing' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(emulator.log.includes('a line for the log'), emulator.log.slice(-2000));
  });

  test('a server is nobody: no OPENID', async () => {
    const { wxContext, event } = await call('whoami', { a: 1 });
    assert.equal(wxContext.OPENID, undefined);
    assert.equal(wxContext.ENV, ENVIRONMENT);
    assert.deepEqual(event, { a: 1 });
  });
};
