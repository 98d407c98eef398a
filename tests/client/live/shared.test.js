// The tests of shared/, once for each side of the API.
'use strict';

const { describe } = require('node:test');
const { useSides } = require('./sides');

const SUBJECTS = ['documents', 'errors', 'files', 'functions', 'queries', 'updates', 'values'];

const { page, server } = useSides();

for (const side of [page, server]) {
  for (const subject of SUBJECTS) {
    describe(`${side.name}: ${subject}`, () => require(`../shared/${subject}`)(side));
  }
}
