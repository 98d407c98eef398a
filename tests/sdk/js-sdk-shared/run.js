// Runs every subject in one surrounding of one version: a test a row.
//
//   runSubjects(__dirname, 'mini-program', { setMerges: true, … });
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useEmulator } = require('../support/emulator');
const { adminOf } = require('./admin');
const SUBJECTS = require('./subjects');

const SURROUNDINGS = {
  chromium: () => require('./surroundings/chromium'),
  'mini-program': () => require('./surroundings/mini-program'),
  node: () => require('./surroundings/node'),
};

/**
 * `folder` holds the SDK. `traits` are what versions and surroundings differ in: whether `set()` merges, and the codes that the SDK
 * tells of a taken `_id` and a missing collection. By /v1, only a browser's `fetch` lets 3.x see that a write was refused.
 */
function runSubjects(folder, name, traits) {
  const surrounding = SURROUNDINGS[name]();
  const state = {};
  const emulator = useEmulator({
    keepsData: true,
    prepare: async () => {
      state.page = await surrounding.open(folder, emulator, adminOf(emulator));
    },
  });
  surrounding.closeAfter(state);
  for (const [subject, rows] of Object.entries(SUBJECTS)) {
    rows.forEach((row, index) => {
      test(`${subject}: ${row.name}`, async () => {
        const found = await state.page.run(subject, index);
        assert.deepEqual(found, typeof row.expected === 'function' ? row.expected(traits) : row.expected);
      });
    });
  }
}

module.exports = { runSubjects };
