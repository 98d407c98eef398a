// Subjects of shared/ that wait for what the emulator does not have yet, each with what it waits for. To be empty in the end: then
// this file goes, and `ready` with it.
'use strict';

const PENDING = {
  aggregation: 'aggregation',
  transactions: 'transactions',
  'wx-aggregation': 'aggregation',
  'wx-transactions': 'transactions',
};

/** The subjects that wait for nothing. */
function ready(subjects) {
  return subjects.filter((subject) => !(subject in PENDING));
}

module.exports = { ready };
