// The subjects, in the order in which they run.
'use strict';

module.exports = {
  'sign-in': require('./sign-in'),
  database: require('./database'),
  operators: require('./operators'),
  aggregation: require('./aggregation'),
  geo: require('./geo'),
  transactions: require('./transactions'),
  'files-and-functions': require('./files-and-functions'),
  watch: require('./watch'),
};
