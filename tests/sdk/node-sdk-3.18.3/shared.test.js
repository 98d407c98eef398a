// The tests of shared/, with node-sdk 3.18.3.
'use strict';

const { describe } = require('node:test');
const tcb = require('@cloudbase/node-sdk');
const { useEmulator } = require('../support/emulator');

const SUBJECTS = [
  'aggregation',
  'database-errors',
  'database-newer',
  'database-read',
  'database-write',
  'files',
  'files-newer',
  'functions',
  'query-operators',
  'transactions',
  'update-operators',
];

const emulator = useEmulator({ open: (_url, env) => tcb.init({ env }) });

for (const subject of SUBJECTS) {
  describe(subject, () => require(`../shared/${subject}`)(emulator));
}
