const path = require('node:path');
const { after, before, beforeEach, test } = require('node:test');

const todo = path.join(__dirname, '../todo');
require('../shared/watch')({ test, beforeAll: before, beforeEach, afterAll: after }, { project: todo, fixtures: todo });
