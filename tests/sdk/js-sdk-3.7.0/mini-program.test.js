// js-sdk 3.7.0 in a mini program.
'use strict';

const { runSubjects } = require('../js-sdk-shared/run');

runSubjects(__dirname, 'mini-program', {
  setMerges: true,
  duplicateCode: undefined,
  missingCode: 'DATABASE_COLLECTION_NOT_EXIST',
});
