// What the tests say about failures.
'use strict';

const assert = require('node:assert/strict');

/** The failure of a call: what `promise` rejects with, or answers where the SDK is one that answers its failures. */
async function rejection(promise) {
  let answer;
  try {
    answer = await promise;
  } catch (error) {
    return error;
  }
  assert.ok(answer?.code, `expected a failure instead of ${JSON.stringify(answer)}`);
  return answer;
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
