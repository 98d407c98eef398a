// What the tests say about failures.
'use strict';

const assert = require('node:assert/strict');

/** The error that `promise` rejects with. */
async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('expected a rejection');
}

/** An API's failure as the client tells it: an Error whose own keys are `errCode` and `errMsg`. */
async function assertFails(promise, errCode, ...texts) {
  const error = await rejection(promise);
  assert.ok(error instanceof Error);
  assert.deepEqual(Object.keys(error).sort(), ['errCode', 'errMsg'], error.message);
  assert.equal(error.errCode, errCode, error.message);
  for (const text of texts) {
    assert.ok(
      error.errMsg.includes(text),
      `expected ${JSON.stringify(error.errMsg)} to contain ${JSON.stringify(text)}`,
    );
  }
  return error;
}

module.exports = { assertFails, rejection };
