// js-sdk 3.3.3 in a mini program.
'use strict';

const { runSubjects } = require('../js-sdk-shared/run');

runSubjects(__dirname, 'mini-program', {
  setMerges: true,
  duplicateCode: undefined,
  missingCode: undefined,
});
