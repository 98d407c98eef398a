// The subjects, in the order in which they run. `PENDING` waits for what the emulator does not have yet: to be moved up, and empty in
// the end.
'use strict';

const SUBJECTS = {
  'sign-in': require('./sign-in'),
  database: require('./database'),
  operators: require('./operators'),
  'files-and-functions': require('./files-and-functions'),
  watch: require('./watch'),
};

const PENDING = {
  aggregation: require('./aggregation'),
  geo: require('./geo'),
  transactions: require('./transactions'),
};

module.exports = { PENDING, SUBJECTS };
