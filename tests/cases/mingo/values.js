// Values between the relaxed EJSON of the cases and what mingo works with: JavaScript's numbers, dates and regular expressions,
// and the object ids of npm's bson.
'use strict';

const { BSONRegExp, Decimal128, EJSON } = require('bson');

/** `$regex` is missing on purpose: it is an operator here, although old EJSON has it, too. */
const FORMS = new Set(['$date', '$numberDecimal', '$numberDouble', '$numberInt', '$numberLong', '$oid', '$regularExpression']);

/** A case that mingo cannot be asked; the message says why. */
class NotComparable extends Error {}

/** The JavaScript value of relaxed EJSON. Throws `NotComparable` where JavaScript has none. */
function fromEjson(json) {
  return walk(json, (form) => (FORMS.has(Object.keys(form)[0]) ? special(form) : undefined));
}

/** The value without the fields that are `undefined`, which is how mingo says that they are missing. */
function withoutMissing(value) {
  return walk(value, () => undefined);
}

/** A copy of the value; `replace` may give another value for an object, or `undefined` to keep it. */
function walk(value, replace) {
  if (Array.isArray(value)) return value.map((element) => walk(element, replace));
  if (value?.constructor !== Object) return value;
  const present = Object.entries(value).filter(([, field]) => field !== undefined);
  return replace(value) ?? Object.fromEntries(present.map(([name, field]) => [name, walk(field, replace)]));
}

function special(form) {
  const value = EJSON.deserialize(form);
  if (value instanceof Decimal128) throw new NotComparable('decimals');
  if (value instanceof BSONRegExp) return regExp(value);
  if ('$numberLong' in form && !Number.isSafeInteger(value)) throw new NotComparable('longs that no double holds');
  return value;
}

function regExp({ pattern, options }) {
  try {
    return new RegExp(pattern, options);
  } catch {
    throw new NotComparable('regular expressions that JavaScript does not have');
  }
}

module.exports = { NotComparable, fromEjson, withoutMissing };
