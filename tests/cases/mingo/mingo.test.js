// Every case of tests/cases run by npm's mingo, a second implementation of MongoDB's language, and compared with what the case
// expects. Types of numbers, the order of fields and the texts of errors are not compared. Where the two disagree,
// differences.js must say so; where it says so, they must.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { inspect, isDeepStrictEqual } = require('node:util');
const { differences, harmful } = require('./differences');
const { pages } = require('./families');
const { NotComparable, withoutMissing } = require('./values');

/** What mingo says of operators and stages that it does not know, be they MongoDB's or nobody's. */
const UNKNOWN = /is not registered\.$|^(unregistered pipeline|unknown query|unknown top level|unknown update) operator/i;

const counts = new Map();
const used = new Set();

for (const page of pages()) {
  test(page.name, () => {
    const mistakes = page.cases.map((row) => mistake(page, row)).filter(Boolean);
    assert.deepEqual(mistakes, []);
  });
}

test('every line of differences.js names a case', (t) => {
  const lines = [harmful, ...differences].flatMap(({ cases }) => Object.entries(cases));
  const names = lines.flatMap(([page, patterns]) => patterns.map((pattern) => `${page}: ${pattern}`));
  assert.deepEqual(names.filter((name) => !used.has(name)), []);
  counts.forEach((number, what) => t.diagnostic(`${number} cases: ${what}`));
});

/** What is wrong about the case or its line in differences.js, in words; `undefined` where all is well. */
function mistake(page, row) {
  if (isListed(harmful, page, row)) return count(`not run: ${harmful.reason}`);
  const outcome = compare(page, row);
  if (outcome instanceof NotComparable) return count(`not comparable: ${outcome.message}`);
  const entries = differences.filter((entry) => isListed(entry, page, row));
  count('compared');
  if (entries.length === 0) return outcome && `${row.name}: ${outcome}`;
  count('listed as different, of those compared');
  if (entries.length > 1) return `${row.name}: is listed twice`;
  return outcome ? undefined : `${row.name}: agrees, but is listed`;
}

/** How mingo's answer differs from what the case expects, in words; `undefined` where it does not; or a `NotComparable`. */
function compare(page, row) {
  try {
    const { found, expected } = page.run(row);
    if (row.error !== undefined) return `mingo does not throw: ${row.error}`;
    return isDeepStrictEqual(withoutMissing(found), expected) ? undefined : `mingo finds ${inspect(found, { depth: null })}`;
  } catch (error) {
    if (error instanceof NotComparable) return error;
    if (UNKNOWN.test(error.message)) return new NotComparable('operators that mingo does not know');
    return row.error === undefined ? `mingo throws: ${error.message}` : undefined;
  }
}

function isListed({ cases }, page, row) {
  const patterns = (cases[page.name] ?? []).filter((pattern) => matches(pattern, row.name));
  patterns.forEach((pattern) => used.add(`${page.name}: ${pattern}`));
  return patterns.length > 0;
}

/** Whether the name is the pattern, in which one `*` may stand for anything. */
function matches(pattern, name) {
  const [start, end] = pattern.split('*');
  if (end === undefined) return name === start;
  return name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end);
}

function count(what) {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
