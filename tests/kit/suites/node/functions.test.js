const path = require('node:path');
const { after, before, beforeEach, test } = require('node:test');

const todo = path.join(__dirname, '../todo');
require('../shared/functions')(
  { test, beforeAll: before, beforeEach, afterAll: after },
  { project: todo, fixtures: todo },
);
