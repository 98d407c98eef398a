// A phone on the local network: the client at the address that `emulator start --lan` prints, and what stays shut to it.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { ENVIRONMENT, simulatorBeside, until, useEmulator } = require('./support');

const emulator = useEmulator({ flags: ['--lan'] });

/** The addresses of the lines it prints for app.js. */
async function printed() {
  await until(() => /!! OPEN TO THE LOCAL NETWORK/.test(emulator.log), 'the warning');
  const found = () => [...emulator.log.matchAll(/address: '([^']+)'/g)].map((line) => line[1]);
  const expected = networkAddresses().length;
  await until(() => found().length === expected, 'a line for each address of this machine');
  return found();
}

function networkAddresses() {
  const all = Object.values(os.networkInterfaces()).flat();
  return all.filter((one) => one.family === 'IPv4' && !one.internal);
}

test('a page does everything by the address that is printed', async () => {
  for (const address of await printed()) {
    const phone = simulatorBeside(emulator, { platform: 'ios', place: { address } });
    const { name } = await emulator.collection();
    const c = phone.db.collection(name);
    const snapshots = [];
    const listener = c.watch({ onChange: (snapshot) => snapshots.push(snapshot), onError: assert.fail });
    await until(() => snapshots.length, 'the first snapshot');
    await c.add({ data: { title: 'milk' } });
    await until(() => snapshots.length === 2, 'the event');
    await listener.close();
    const filePath = path.join(phone.wx.env.USER_DATA_PATH, 'a.txt');
    fs.writeFileSync(filePath, 'content');
    const { fileID } = await phone.cloud.uploadFile({ cloudPath: 'a.txt', filePath });
    const { tempFilePath } = await phone.cloud.downloadFile({ fileID });
    assert.equal(fs.readFileSync(tempFilePath, 'utf8'), 'content');
    const { fileList } = await phone.cloud.getTempFileURL({ fileList: [fileID] });
    assert.ok(fileList[0].tempFileURL.startsWith(new URL(address).origin), 'addresses it is given lead back there');
  }
});

test('without the token, by another name, or to the doors of administrators: nothing', async () => {
  for (const address of await printed()) {
    const { origin, search } = new URL(address);
    const ask = (target, options = {}) => fetch(`${origin}${target}`, { method: 'POST', body: '{}', ...options });
    const statuses = await Promise.all([
      ask(`/web?env=${ENVIRONMENT}`),
      ask(`/web?env=${ENVIRONMENT}&token=wrong`),
      ask(`/_emulator/hello${search}x`, { method: 'GET', body: undefined }),
      ask(`/admin${search}`),
      ask(`/_emulator/reset${search}`),
      ask(`/${search}`, { method: 'GET', body: undefined }),
      ask(`/web${search}`, { headers: { origin: 'http://evil.example' } }),
    ]);
    assert.deepEqual(statuses.map((response) => response.status), Array(7).fill(403));
    assert.match((await statuses[0].json()).message, /--lan/);
    const hello = await ask(`/_emulator/hello${search}`, { method: 'GET', body: undefined });
    assert.equal(hello.status, 200);
  }
});

test('this machine needs no token', async () => {
  const here = simulatorBeside(emulator);
  const { name } = await emulator.collection();
  await here.db.collection(name).add({ data: {} });
});
