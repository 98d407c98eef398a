// An emulator for one test file: started before its first test, stopped after its last, its data gone afterwards.
//
//   const emulator = useEmulator();
//   test('…', async () => { const { collection } = await emulator.collection([{ a: 1 }]); … });
'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before } = require('node:test');
const tcb = require('@cloudbase/node-sdk');
const { BINARY, EmulatorProcess, cleanEnvironment } = require('./process');

const PROJECT = path.resolve(__dirname, '..');

const ENVIRONMENT = 'sdk-tests';
const APPID = 'wx0123456789abcdef';

/**
 * `prepare` runs once, when it is ready. `keepsData: true`: not ephemeral, so that `emulator call` finds it; `callAs` needs that.
 * `flags` are more of `emulator start`'s. `open(url, env)`: an app of the SDK under test, node-sdk 3.18.3 where none is given.
 */
function useEmulator({ keepsData = false, flags = [], prepare = async () => {}, open = openNodeSdk } = {}) {
  const emulator = new Emulator(keepsData, flags, open);
  // One hook for both: those of a file run side by side.
  before(async () => {
    await emulator.start();
    await prepare();
  });
  after(() => emulator.stop());
  return emulator;
}

class Emulator {
  constructor(keepsData, flags, open) {
    this.flags = flags;
    this.open = open;
    this.dataFolder = keepsData ? fs.mkdtempSync(path.join(os.tmpdir(), 'emulator-sdk-tests-')) : null;
    this.collections = 0;
  }

  async start() {
    const data = this.dataFolder ? ['--data', this.dataFolder] : ['--ephemeral'];
    this.process = await EmulatorProcess.start([...data, '--project', PROJECT, '--env', ENVIRONMENT, ...this.flags]);
    pointSdkAt(this.url);
    this.app = this.open(this.url, ENVIRONMENT);
    this.db = this.app.database();
    this.setup = openNodeSdk(this.url, ENVIRONMENT).database();
  }

  get url() {
    return this.process.url;
  }

  /** What it has said so far. */
  get log() {
    return this.process.log;
  }

  async stop() {
    await this.process?.stop();
    if (this.dataFolder) {
      fs.rmSync(this.dataFolder, { recursive: true, force: true });
    }
  }

  /** A new collection holding `documents`, made by node-sdk 3.18.3 and opened by the SDK under test. */
  async collection(documents = []) {
    this.collections += 1;
    const name = `collection-${this.collections}`;
    await this.setup.createCollection(name);
    if (documents.length) {
      await this.setup.collection(name).add(documents);
    }
    return { name, collection: this.db.collection(name) };
  }

  /** The result of a cloud function called through the SDK under test, as a server. */
  async call(name, data) {
    const { result } = await this.app.callFunction({ name, data });
    return result;
  }

  /** The result of a cloud function called as the mini-program user `openid`, or as nobody. */
  callAs(openid, name, data = {}) {
    const caller = openid ? ['--as', openid] : [];
    const place = ['--data-folder', this.dataFolder, '--project', PROJECT, '--env', ENVIRONMENT];
    const call = ['call', name, '--data', JSON.stringify(data), ...caller, ...place];
    return new Promise((resolve, reject) => {
      execFile(BINARY, call, { env: cleanEnvironment() }, (error, stdout, stderr) => {
        if (error) {
          reject(new Error(stderr));
        } else {
          resolve(JSON.parse(stdout));
        }
      });
    });
  }
}

/** The id that the cloud gives to a file at this path (ST-01). */
function fileIdOf(cloudPath) {
  return `cloud://${ENVIRONMENT}.7364-${ENVIRONMENT}-${APPID}/${cloudPath}`;
}

/** It finds the emulator by the variables of `pointSdkAt`. */
function openNodeSdk(_url, env) {
  return tcb.init({ env });
}

/** What a user sets to point the SDK here without touching code (protocol §1.1). */
function pointSdkAt(url) {
  process.env.TCB_CONTEXT_CNFG = JSON.stringify({ URL: `${url}/admin` });
  process.env.TENCENTCLOUD_RUNENV = 'SCF';
  process.env.TENCENTCLOUD_SECRETID = 'x';
  process.env.TENCENTCLOUD_SECRETKEY = 'y';
  // Without these two the SDK prints an error with every request of an SCF environment.
  process.env.TENCENTCLOUD_REGION = 'ap-shanghai';
  process.env.SCF_NAMESPACE = ENVIRONMENT;
}

module.exports = { APPID, ENVIRONMENT, fileIdOf, useEmulator };
