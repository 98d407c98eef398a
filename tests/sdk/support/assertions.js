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

/** `promise` rejects with this `code`, and a message that contains `texts`. */
async function assertFails(promise, code, ...texts) {
  const error = await rejection(promise);
  assert.equal(error.code, code, error.message);
  assertContains(error.message, texts);
  return error;
}

function assertContains(message, texts) {
  for (const text of texts) {
    assert.ok(message.includes(text), `expected ${JSON.stringify(message)} to contain ${JSON.stringify(text)}`);
  }
}

module.exports = { assertContains, assertFails, rejection };
