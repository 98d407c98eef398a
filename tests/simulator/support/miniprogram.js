// The mini program of the fixture as it is on disk after `emulator init`, in a folder of its own.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { closeLater } = require('../../client/support/cleanup');

const ROOT = path.resolve(__dirname, '../../..');
const CLIENT = path.join(ROOT, 'emulator/miniprogram/wx-cloud.js');
const PROJECT = path.join(ROOT, 'fixtures/todo');

/** Copies the mini program to a temporary folder; `withClient: false`: as it is released, without wx-cloud.js. */
function copyMiniprogram({ withClient = true } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'miniprogram-'));
  closeLater(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.cpSync(path.join(PROJECT, 'miniprogram'), folder, {
    recursive: true,
    filter: (file) => !path.basename(file).startsWith('wx-cloud.'),
  });
  if (withClient) {
    fs.copyFileSync(CLIENT, path.join(folder, 'wx-cloud.js'));
  }
  return folder;
}

module.exports = { CLIENT, PROJECT, copyMiniprogram };
