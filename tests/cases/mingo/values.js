// Values between the relaxed EJSON of the cases and what mingo works with: numbers, dates, regular expressions of JavaScript.
'use strict';

const { Decimal128, Double, EJSON, Int32, Long, BSONRegExp } = require('bson');

/** A case that mingo cannot be asked; `message` says why. */
class NotComparable extends Error {}

/** The JavaScript value of relaxed EJSON. Throws `NotComparable` where JavaScript has none. */
function fromEjson(json) {
  return plain(EJSON.deserialize(json, { relaxed: false }));
}

/** The value without BSON's numbers, without fields that are `undefined`, which is how mingo says "missing". */
function plain(value) {
  if (value instanceof Decimal128) throw new NotComparable('decimals');
  if (value instanceof Int32 || value instanceof Double) return value.valueOf();
  if (value instanceof Long) return exact(value);
  if (value instanceof BSONRegExp) return regExp(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value?.constructor !== Object) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
}

function exact(long) {
  if (!Number.isSafeInteger(long.toNumber())) throw new NotComparable('longs beyond the whole numbers of a double');
  return long.toNumber();
}

function regExp({ pattern, options }) {
  try {
    return new RegExp(pattern, options);
  } catch {
    throw new NotComparable('regular expressions that JavaScript does not have');
  }
}

module.exports = { NotComparable, fromEjson, plain };
