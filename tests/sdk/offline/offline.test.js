// No network at all: start, an SDK and functions in a network namespace that has nothing but loopback.
'use strict';

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { promisify } = require('node:util');

const SDK_TESTS = path.resolve(__dirname, '..');
const INSIDE = ['node-sdk-3.18.3/shared.test.js', 'wx-server-sdk-4.0.2/context.test.js', 'wx-server-sdk-4.0.2/files.test.js'];

test('start, an SDK and functions work with nothing but loopback', async () => {
  // Root makes the namespace as it is; others need a user namespace for it.
  const namespace = process.getuid() === 0 ? ['--net'] : ['--net', '--map-root-user'];
  const probe = 'ip link set lo up && ! ip route get 192.0.2.1 2> /dev/null';
  const script = `${probe} && exec "$0" --test --test-reporter=tap ${INSIDE.join(' ')}`;
  const environment = { ...process.env };
  // Or the runner inside would report to the one outside.
  delete environment.NODE_TEST_CONTEXT;
  const options = { cwd: SDK_TESTS, env: environment, maxBuffer: 64 << 20 };
  const { stdout } = await promisify(execFile)('unshare', [...namespace, 'sh', '-c', script, process.execPath], options);
  assert.match(stdout, /^# fail 0$/m, stdout);
  const passed = Number(/^# pass (\d+)$/m.exec(stdout)[1]);
  assert.ok(passed > 10, stdout);
});
