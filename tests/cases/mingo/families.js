// The families of cases, each with how mingo runs one of its cases and what the case expects. The form of the cases is that of
// tests/support/cases.rs. Left out: `geo`, of which mingo has nothing.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const mingo = require('mingo');
const { NotComparable, fromEjson, plain } = require('./values');

const CASES = path.join(__dirname, '..');

/** What each family's function gives: `found`, mingo's answer, and `expected`, the file's; neither where an error is expected. */
const FAMILIES = {
  filter: { folder: 'filter', prefix: '', run: find },
  update: { folder: 'update', prefix: '', run: update },
  expressions: { folder: 'aggregate', prefix: 'expressions-', run: evaluate },
  stages: { folder: 'aggregate/stages', prefix: '', run: aggregate },
};

/** The pages of every family: `{ name, cases, run }`, the file's documents filled in. */
function pages() {
  return Object.values(FAMILIES).flatMap(({ folder, prefix, run }) => {
    const files = fs.readdirSync(path.join(CASES, folder)).filter((file) => file.startsWith(prefix) && file.endsWith('.json'));
    return files.sort().map((file) => ({ ...page(path.join(CASES, folder, file)), name: `${folder}/${path.parse(file).name}`, run }));
  });
}

function page(file) {
  const { documents = [], cases } = JSON.parse(fs.readFileSync(file, 'utf8'));
  return { cases: cases.map((row) => ({ documents, ...row })) };
}

function find(row) {
  const { query, sort, projection, documents, expect, expect_documents: expectDocuments } = fields(row);
  const cursor = mingo.find(documents, query, projection);
  if (sort) cursor.sort(sort);
  if (row.skip) cursor.skip(row.skip);
  if (row.limit) cursor.limit(row.limit);
  const found = cursor.all();
  return { found: expect ? found.map((document) => document._id) : found, expected: expect ?? expectDocuments };
}

function update(row) {
  if (row.replace) throw new NotComparable('replacements');
  if (row.upsert) throw new NotComparable('upserts');
  const { query = {}, document, documents, update: changes, expect } = fields(row);
  const found = document ? [document] : documents;
  const expected = expect === undefined ? structuredClone(found) : [expect].flat();
  const run = row.multi ? mingo.updateMany : mingo.updateOne;
  run(found, query, changes);
  return { found, expected };
}

function evaluate(row) {
  const { document = {}, expression, expect } = fields(row);
  const [found] = mingo.aggregate([document], [{ $replaceRoot: { newRoot: { value: expression } } }]);
  return { found, expected: row.missing ? {} : { value: expect } };
}

function aggregate(row) {
  const { documents, collections = {}, pipeline, expect, expect_unordered: unordered } = fields(row);
  const collectionResolver = (name) => collections[name] ?? [];
  const found = mingo.aggregate(documents, pipeline, { collectionResolver });
  if (row.expect_count !== undefined) return { found: found.length, expected: row.expect_count };
  return unordered ? { found: sorted(found), expected: sorted(unordered) } : { found, expected: expect };
}

function sorted(documents) {
  return documents.map((document) => JSON.stringify(document)).sort();
}

function fields(row) {
  return fromEjson(row);
}

module.exports = { pages };
