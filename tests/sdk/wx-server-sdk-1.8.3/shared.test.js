// The tests that both sides of the mini program's API share (tests/client/shared), with wx-server-sdk 1.8.3: dialect A at
// /admin. Its errors have words of their own: errors.test.js.
'use strict';

const { testShared } = require('../support/wx-server-sdk');

const SUBJECTS = ['documents', 'files', 'functions', 'queries', 'updates', 'values'];

testShared({ name: 'wx-server-sdk 1.8.3', sdk: require('wx-server-sdk'), subjects: SUBJECTS, isOld: true });
