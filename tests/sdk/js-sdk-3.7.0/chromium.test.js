// js-sdk 3.7.0 in a page in Chromium.
'use strict';

const { runSubjects } = require('../js-sdk-shared/run');

runSubjects(__dirname, 'chromium', {
  setMerges: true,
  duplicateCode: 'DATABASE_DUPLICATE_WRITE',
  missingCode: 'DATABASE_COLLECTION_NOT_EXIST',
});
