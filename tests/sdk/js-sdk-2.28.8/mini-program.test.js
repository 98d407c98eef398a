// js-sdk 2.28.8 in a mini program.
'use strict';

const { runSubjects } = require('../js-sdk-shared/run');

runSubjects(__dirname, 'mini-program', {
  setMerges: false,
  duplicateCode: 'DATABASE_REQUEST_FAILED',
  missingCode: 'DATABASE_COLLECTION_NOT_EXIST',
});
