// js-sdk 3.3.3 in Node.
'use strict';

const { runSubjects } = require('../js-sdk-shared/run');

runSubjects(__dirname, 'node', {
  setMerges: true,
  duplicateCode: undefined,
  missingCode: undefined,
});
