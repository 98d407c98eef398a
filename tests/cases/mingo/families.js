// The families of cases, and how mingo runs a case of each. The form of the cases is that of tests/support/cases.rs.
// `geo` is left out: mingo has nothing of it.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const mingo = require('mingo');
const { NotComparable, fromEjson } = require('./values');

const CASES = path.join(__dirname, '..');

/** `run` gives mingo's answer and the file's, both as JavaScript values, or throws what mingo throws. */
const FAMILIES = [
  { folder: 'filter', prefix: '', run: find },
  { folder: 'update', prefix: '', run: update },
  { folder: 'aggregate', prefix: 'expressions-', run: evaluate },
  { folder: 'aggregate/stages', prefix: '', run: aggregate },
];

/** Every page as `{ name, cases, run }`, its cases as JSON with the page's documents filled in. */
function pages() {
  return FAMILIES.flatMap(({ folder, prefix, run }) => {
    const files = fs.readdirSync(path.join(CASES, folder)).filter((file) => file.startsWith(prefix) && file.endsWith('.json'));
    return files.sort().map((file) => {
      const name = `${folder}/${path.parse(file).name}`;
      return { name, cases: read(`${name}.json`), run };
    });
  });
}

function read(file) {
  const { documents = [], cases } = JSON.parse(fs.readFileSync(path.join(CASES, file), 'utf8'));
  return cases.map((row) => ({ documents, ...row }));
}

function find(row) {
  const { documents, query, sort, skip, limit, projection, expect, expect_documents: whole } = fromEjson(row);
  const cursor = mingo.find(documents, query, projection);
  if (sort) cursor.sort(sort);
  if (skip) cursor.skip(skip);
  if (limit) cursor.limit(limit);
  const found = cursor.all();
  return { found: whole ? found : found.map((document) => document._id), expected: whole ?? expect };
}

function update(row) {
  if (row.replace) throw new NotComparable('replacements, which mingo does not have');
  if (row.upsert) throw new NotComparable('upserts, which mingo does not have');
  const { document, documents, query = {}, update: operators, multi, expect } = fromEjson(row);
  const found = document ? [document] : documents;
  const expected = expect === undefined ? structuredClone(found) : [expect].flat();
  (multi ? mingo.updateMany : mingo.updateOne)(found, query, operators);
  return { found, expected };
}

function evaluate(row) {
  const { document = {}, expression, expect, missing } = fromEjson(row);
  const [found] = mingo.aggregate([document], [{ $replaceRoot: { newRoot: { value: expression } } }]);
  return { found, expected: missing ? {} : { value: expect } };
}

function aggregate(row) {
  const { documents, collections, pipeline, expect, expect_unordered: unordered, expect_count: count } = fromEjson(row);
  const all = { this: documents, ...collections };
  const found = mingo.aggregate(documents, pipeline, { collectionResolver: (name) => all[name] ?? [] });
  if (count !== undefined) return { found: found.length, expected: count };
  return unordered ? { found: sorted(found), expected: sorted(unordered) } : { found, expected: expect };
}

function sorted(documents) {
  return documents.map((document) => JSON.stringify(document)).sort();
}

module.exports = { pages };
