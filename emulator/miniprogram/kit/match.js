// What a test expects beside what came. An expectation is partial: of objects, the fields that it names.
'use strict';

const { AssertionError } = require('node:assert');
const { inspect } = require('node:util');

const SHOWN = { depth: 6, breakLength: 100, compact: 3, maxArrayLength: 20, maxStringLength: 200 };
/** How many of those that came instead a message tells of. */
const SHOWN_MAX = 10;

/**
 * Where `actual` is not what `expected` says, a line each; none where it is. Objects may have more fields than expected, arrays
 * no more elements; a RegExp tests a text, a function says yes or no, and matchers such as `expect.any(String)` work.
 */
function differences(expected, actual, path = '') {
  if (expected && typeof expected.asymmetricMatch === 'function') {
    return unless(expected.asymmetricMatch(actual), expected, actual, path);
  }
  if (typeof expected === 'function') {
    return unless(expected(actual), expected, actual, path);
  }
  if (isA(expected, 'RegExp')) {
    return unless(typeof actual === 'string' && actual.search(expected) >= 0, expected, actual, path);
  }
  if (isA(expected, 'Date')) {
    return unless(isA(actual, 'Date') && expected.getTime() === actual.getTime(), expected, actual, path);
  }
  if (isA(expected, 'Array')) {
    return differencesOfArrays(expected, actual, path);
  }
  if (isA(expected, 'Object')) {
    return differencesOfObjects(expected, actual, path);
  }
  return unless(Object.is(expected, actual), expected, actual, path);
}

function differencesOfArrays(expected, actual, path) {
  if (!isA(actual, 'Array') || actual.length !== expected.length) {
    return [difference(expected, actual, path)];
  }
  return expected.flatMap((value, index) => differences(value, actual[index], `${path}[${index}]`));
}

function differencesOfObjects(expected, actual, path) {
  if (!isA(actual, 'Object')) {
    return [difference(expected, actual, path)];
  }
  return Object.keys(expected).flatMap((key) => differences(expected[key], actual[key], path ? `${path}.${key}` : key));
}

function unless(holds, expected, actual, path) {
  return holds ? [] : [difference(expected, actual, path)];
}

function difference(expected, actual, path) {
  const what = expected && expected.asymmetricMatch ? String(expected) : shown(expected);
  return `${path || 'it'}: expected ${what}, was ${actual === undefined ? 'missing' : shown(actual)}`;
}

/** By its tag: values may come from another realm than this file. */
function isA(value, tag) {
  return Object.prototype.toString.call(value) === `[object ${tag}]`;
}

function shown(value) {
  return inspect(value, SHOWN).replace(/\n\s*/g, ' ');
}

/** An AssertionError that lists what came: `others` are `{ text, differences }`. */
function complaint(message, others, { expected, actual, after = 'Instead came' }) {
  const lines = [message];
  if (others.length) {
    lines[0] += `. ${after}:`;
  }
  if (others.length > SHOWN_MAX) {
    lines.push(`  … ${others.length - SHOWN_MAX} earlier ones`);
  }
  for (const other of others.slice(-SHOWN_MAX)) {
    lines.push(`  - ${other.text}`, ...other.differences.map((line) => `      ${line}`));
  }
  return new AssertionError({ message: lines.join('\n'), expected, actual, operator: 'fail' });
}

module.exports = { complaint, differences, shown };
