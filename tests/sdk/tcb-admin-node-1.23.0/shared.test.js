// The tests of shared/, with tcb-admin-node 1.23.0: dialect A at /admin.
'use strict';

const { describe } = require('node:test');
const tcb = require('tcb-admin-node');
const { useEmulator } = require('../support/emulator');

const SUBJECTS = [
  'aggregation',
  'database-errors',
  'database-read',
  'database-write',
  'files',
  'functions',
  'query-operators',
  'transactions',
  'update-operators',
];

const open = (url, env) => tcb.init({ env, serviceUrl: `${url}/admin`, secretId: 'x', secretKey: 'y' });
const emulator = useEmulator({ open });

for (const subject of SUBJECTS) {
  describe(subject, () => require(`../shared/${subject}`)(emulator));
}
