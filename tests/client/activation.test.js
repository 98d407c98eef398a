// When the client acts, and how it takes the place of native `wx.cloud`.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { createConsole, loadClient, openSimulator } = require('./support/simulator');

const native = () => ({
  init: () => 'native',
  callContainer: () => 'native',
  version: '1.2.3',
  later: { member: () => 'native' },
});
const isOurs = (simulator, cloud) =>
  simulator.wx.cloud !== cloud && simulator.wx.cloud.init.toString().includes('scope');

test('in DevTools it takes the place of wx.cloud and exports the same', () => {
  const cloud = native();
  const simulator = openSimulator({ cloud });
  assert.ok(isOurs(simulator, cloud));
  assert.equal(simulator.client.cloud, simulator.wx.cloud);
});

test('elsewhere native wx.cloud stays, and is what it exports', () => {
  for (const platform of ['ios', 'android', 'windows', 'mac', 'ohos']) {
    const cloud = native();
    const simulator = openSimulator({ cloud, platform });
    assert.equal(simulator.wx.cloud, cloud);
    assert.equal(simulator.client.cloud, cloud);
  }
});

test('where there is no native wx.cloud either, it exports undefined', () => {
  assert.equal(openSimulator({ platform: 'ios' }).client.cloud, undefined);
});

test('on a phone it acts when the line names a place', () => {
  const cloud = native();
  const simulator = openSimulator({
    cloud,
    platform: 'ios',
    place: { address: 'http://192.168.1.5:7357', token: 't' },
  });
  assert.ok(isOurs(simulator, cloud));
  assert.equal(simulator.client.cloud, simulator.wx.cloud);
});

test('in a released mini program it never acts', () => {
  const cloud = native();
  const place = { address: 'http://192.168.1.5:7357', token: 't' };
  assert.equal(openSimulator({ cloud, envVersion: 'release' }).wx.cloud, cloud);
  assert.equal(openSimulator({ cloud, envVersion: 'release', platform: 'ios', place }).wx.cloud, cloud);
});

test('an old base library tells the platform by getSystemInfoSync, an older one by __wxConfig', () => {
  const { getAccountInfoSync } = openSimulator().wx;
  const isActive = (wx, globals) => Boolean(loadClient({ getAccountInfoSync, ...wx }, createConsole(), globals).cloud);
  assert.equal(isActive({ getSystemInfoSync: () => ({ platform: 'devtools' }) }), true);
  assert.equal(isActive({ getSystemInfoSync: () => ({ platform: 'ios' }) }), false);
  assert.equal(isActive({}, { __wxConfig: { platform: 'devtools' } }), true);
  assert.equal(isActive({}, {}), false);
});

test('where wx.cloud cannot be replaced, a warning names the export', () => {
  const cloud = native();
  const wx = Object.freeze({ ...openSimulator().wx, cloud });
  const console = createConsole();
  const client = loadClient(wx, console);
  assert.equal(wx.cloud, cloud);
  assert.ok(client.cloud.database);
  assert.match(console.lines.join('\n'), /warn: .*require\('\.\/wx-cloud\.js'\)\.cloud/);
});

test('wx.cloud can be replaced again, by tests of the mini program for instance', () => {
  const { wx } = openSimulator();
  wx.cloud = 'a mock';
  assert.equal(wx.cloud, 'a mock');
});

test('what native wx.cloud has and the emulator has not is refused by its name', async () => {
  const { wx } = openSimulator({ cloud: native() });
  const refused = (name) => ({
    message: `cloud.${name}:fail not supported by the emulator: wx.cloud.${name}`,
    errCode: -1,
  });
  await assert.rejects(wx.cloud.callContainer({ path: '/' }), refused('callContainer'));
  await assert.rejects(wx.cloud.later.member(), refused('later.member'));
  await assert.rejects(wx.cloud.extend.AI.createModel('x'), refused('extend.AI.createModel'));
  assert.throws(() => wx.cloud.CDN('x'), { message: 'not supported by the emulator: wx.cloud.CDN' });
  assert.throws(() => new wx.cloud.CDN('x'), { message: 'not supported by the emulator: wx.cloud.CDN' });
  assert.throws(() => new wx.cloud.services.Gateway({}), {
    message: 'not supported by the emulator: wx.cloud.services.Gateway',
  });
  assert.equal(wx.cloud.version, '1.2.3');
});

test('a refused API called with callbacks fails through them', async () => {
  const { wx } = openSimulator();
  const error = await new Promise((resolve) => {
    assert.equal(wx.cloud.callContainer({ path: '/', fail: resolve }), undefined);
  });
  assert.equal(error.errMsg, 'cloud.callContainer:fail not supported by the emulator: wx.cloud.callContainer');
});
