// How the client finds the emulator of its mini program, signs in, and stays signed in.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { assertFails } = require('./support/errors');
const { openSimulator } = require('./support/simulator');
const { APPID, openStub } = require('./support/stub');

const PORTS = [7366, 7365, 7364, 7363, 7362, 7361, 7360, 7359, 7358, 7357];
let mini = 0;

/** An appid that no other emulator on this machine serves. */
function uniqueAppid() {
  mini += 1;
  return `wxfinding${process.pid}x${mini}`;
}

/** A stub on one of the ports the client searches. */
async function openFindable(options) {
  for (const port of PORTS) {
    try {
      return await openStub({ ...options, port });
    } catch (error) {
      assert.equal(error.code, 'EADDRINUSE');
    }
  }
  return assert.fail('no port is free');
}

test('it is found on the ports 7357 to 7366 by its appid', async () => {
  const appid = uniqueAppid();
  const stub = await openFindable({ appid });
  const { wx, console } = openSimulator({ appid });
  wx.cloud.init({ env: 'e' });
  await wx.cloud.database().collection('c').get();
  assert.equal(stub.bodies('database.queryDocument').length, 1);
  assert.ok(stub.requests.some((request) => request.url === `/_emulator/hello?appid=${appid}`));
  assert.deepEqual(console.lines, [`info: [emulator] wx.cloud is answered by the emulator at ${stub.url}`]);
});

test("another mini program's emulator is passed over", async () => {
  const appid = uniqueAppid();
  await openFindable({ appid: uniqueAppid() });
  const stub = await openFindable({ appid });
  const { wx } = openSimulator({ appid });
  wx.cloud.init();
  await wx.cloud.callFunction({ name: 'f' });
  assert.equal(stub.bodies('functions.invokeFunction').length, 1);
});

test("where there is another mini program's only, the error names both and the cure", async () => {
  const appid = uniqueAppid();
  const stranger = await openFindable({ appid: uniqueAppid() });
  const { wx, console } = openSimulator({ appid });
  wx.cloud.init();
  const error = await assertFails(
    wx.cloud.callFunction({ name: 'f' }),
    -1,
    `${stranger.url} serves ${stranger.appid}`,
    appid,
  );
  assert.match(error.errMsg, /^cloud\.callFunction:fail the emulator found here is another mini program's/);
  assert.match(error.errMsg, /emulator start/);
  assert.match(console.lines.join(), /error: \[emulator\] the emulator found here is another/);
  assert.equal(stranger.bodies('emulator.signIn').length, 0);
});

test('where there is none, the error says where it was looked for and what to do', async () => {
  const { wx } = openSimulator({ place: { address: 'http://127.0.0.1:9' } });
  wx.cloud.init();
  await assertFails(
    wx.cloud.database().collection('c').get(),
    -1,
    'collection.get:fail no emulator answers at http://127.0.0.1:9 (request:fail net::ERR_CONNECTION_REFUSED).',
    'Run `emulator start`',
    'remove the line',
  );
});

test('an emulator that starts later is found by the next call', async () => {
  const appid = uniqueAppid();
  const { wx } = openSimulator({ appid });
  wx.cloud.init();
  await assertFails(wx.cloud.callFunction({ name: 'f' }), -1);
  await openFindable({ appid });
  await wx.cloud.callFunction({ name: 'f' });
});

test('DevTools that checks domains is told of', async () => {
  const simulator = openSimulator();
  simulator.wx.request = (call) =>
    setImmediate(() => {
      call.fail({ errMsg: 'request:fail url not in domain list', errno: 600002 });
      call.complete({});
    });
  simulator.wx.cloud.init();
  await assertFails(simulator.wx.cloud.callFunction({ name: 'f' }), -1, '不校验合法域名', '"urlCheck": false');
});

test('what answers and is no emulator is no emulator', async () => {
  const stub = await openStub({ appid: undefined });
  const { wx } = openSimulator({ place: { address: `${stub.url}/elsewhere` } });
  wx.cloud.init();
  await assertFails(wx.cloud.callFunction({ name: 'f' }), -1, 'nothing here');
});

test('a named place is asked with its token, wherever the line carries it', async () => {
  const stub = await openStub();
  for (const place of [{ address: `${stub.url}/`, token: 'a&b' }, { address: `${stub.url}/?token=a%26b` }]) {
    stub.requests.length = 0;
    const { wx } = openSimulator({ platform: 'ios', place });
    wx.cloud.init();
    await wx.cloud.callFunction({ name: 'f' });
    const urls = stub.requests.map((request) => request.url);
    assert.deepEqual(
      [...new Set(urls)].sort(),
      [`/_emulator/hello?appid=${APPID}&token=a%26b`, '/web?env=&token=a%26b'].sort(),
    );
  }
});

test('it signs in once, by the code of wx.login, and sends the token with every action', async () => {
  const stub = await openStub();
  const { wx } = openSimulator({ code: 'alice', place: { address: stub.url } });
  wx.cloud.init({ env: 'e' });
  await Promise.all([1, 2, 3].map((id) => wx.cloud.database().collection('c').doc(id).get()));
  const [signIn] = stub.bodies('emulator.signIn');
  assert.equal(stub.signIns, 1);
  assert.deepEqual([signIn.env, signIn.code, signIn.openid, signIn.access_token], ['e', 'alice', '', undefined]);
  assert.deepEqual(
    stub.bodies('database.queryDocument').map((body) => body.access_token),
    Array(3).fill('token-1'),
  );
});

test('a simulator stays the user it was', async () => {
  const stub = await openStub({
    reply: (body) =>
      body.action === 'emulator.signIn' && !body.openid
        ? { data: { access_token: 't', openid: 'openid-of-alice', env: 'e' } }
        : undefined,
  });
  const storage = new Map();
  for (let run = 0; run < 2; run += 1) {
    const { wx } = openSimulator({ storage, place: { address: stub.url } });
    wx.cloud.init();
    await wx.cloud.callFunction({ name: 'f' });
  }
  assert.deepEqual(
    stub.bodies('emulator.signIn').map((body) => body.openid),
    ['', 'openid-of-alice'],
  );
});

test('two environments are two sessions of one user', async () => {
  const stub = await openStub();
  const { wx } = openSimulator({ place: { address: stub.url } });
  wx.cloud.init({ env: 'one' });
  await Promise.all([
    wx.cloud.callFunction({ name: 'f' }),
    wx.cloud.callFunction({ name: 'f', config: { env: 'two' } }),
    wx.cloud.database({ env: 'two' }).collection('c').get(),
  ]);
  assert.deepEqual(
    stub.bodies('emulator.signIn').map(({ env, openid }) => [env, openid]),
    [
      ['one', ''],
      ['two', 'openid-of-nobody'],
    ],
  );
  assert.deepEqual(
    stub.bodies('functions.invokeFunction').map((body) => body.env),
    ['one', 'two'],
  );
});

test('without a code of wx.login it signs in nevertheless', async () => {
  const stub = await openStub();
  const { wx } = openSimulator({ code: null, place: { address: stub.url } });
  wx.cloud.init();
  await wx.cloud.callFunction({ name: 'f' });
  assert.equal(stub.bodies('emulator.signIn')[0].code, '');
});

for (const code of ['ACCESS_TOKEN_EXPIRED', 'CHECK_LOGIN_FAILED']) {
  test(`after ${code} it signs in again and repeats the call`, async () => {
    const stub = await openStub({
      reply: (body) => (body.access_token === 'token-1' ? { code, message: 'expired' } : undefined),
    });
    const { wx } = openSimulator({ place: { address: stub.url } });
    wx.cloud.init();
    await Promise.all([1, 2, 3].map(() => wx.cloud.callFunction({ name: 'f' })));
    assert.equal(stub.signIns, 2);
    assert.equal(stub.bodies('functions.invokeFunction').length, 6);
  });
}

test('a session that is refused twice fails the call', async () => {
  const stub = await openStub({
    reply: (body) => (body.action === 'emulator.signIn' ? undefined : { code: 'CHECK_LOGIN_FAILED', message: 'who?' }),
  });
  const { wx } = openSimulator({ place: { address: stub.url } });
  wx.cloud.init();
  await assertFails(wx.cloud.callFunction({ name: 'f' }), -501001, 'who?');
  assert.equal(stub.bodies('functions.invokeFunction').length, 2);
});

test('a failed sign-in is tried anew by the next call', async () => {
  let refusals = 1;
  const stub = await openStub({
    reply: (body) => {
      refusals -= body.action === 'emulator.signIn' ? 1 : 0;
      return refusals >= 0 && body.action === 'emulator.signIn'
        ? { code: 'INVALID_ENV', message: 'no such env' }
        : undefined;
    },
  });
  const { wx } = openSimulator({ place: { address: stub.url } });
  wx.cloud.init({ env: 'x' });
  await assertFails(wx.cloud.callFunction({ name: 'f' }), -501000, 'errCode: -501000 | errMsg: [100003] no such env');
  await wx.cloud.callFunction({ name: 'f' });
});

test('an emulator that comes back at another port is found again', async () => {
  const appid = uniqueAppid();
  const first = await openFindable({ appid });
  const { wx } = openSimulator({ appid });
  wx.cloud.init();
  await wx.cloud.callFunction({ name: 'f' });
  await first.close();
  await assertFails(wx.cloud.callFunction({ name: 'f' }), -1, `the emulator at ${first.url} does not answer`);
  await openFindable({ appid });
  await wx.cloud.callFunction({ name: 'f' });
});

test('more than ten calls at a time wait for each other, beside the requests of the mini program', async () => {
  const stub = await openStub({ reply: async () => void (await new Promise((resolve) => setTimeout(resolve, 5))) });
  const { wx } = openSimulator({ place: { address: stub.url } });
  wx.cloud.init();
  await wx.cloud.callFunction({ name: 'f' });
  const own = Array.from(
    { length: 4 },
    () => new Promise((success, fail) => wx.request({ url: stub.url, success, fail })),
  );
  await Promise.all(Array.from({ length: 60 }, () => wx.cloud.callFunction({ name: 'f' })));
  await Promise.all(own);
  assert.equal(stub.bodies('functions.invokeFunction').length, 61);
});
