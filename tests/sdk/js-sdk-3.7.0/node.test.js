// js-sdk 3.7.0 in Node.
'use strict';

const { runSubjects } = require('../js-sdk-shared/run');

runSubjects(__dirname, 'node', {
  setMerges: true,
  duplicateCode: undefined,
  missingCode: 'DATABASE_COLLECTION_NOT_EXIST',
});
