// The client as a simulator runs it: the file itself, under a `wx` of its own.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { createWx } = require('../../../emulator/miniprogram/kit/wx');
const { closeLater } = require('./cleanup');

const CLIENT = path.resolve(__dirname, '../../../emulator/miniprogram/wx-cloud.js');

const PATIENCE_MS = 500;
const startTimer = setTimeout;

/**
 * A simulator that has loaded the client: `{ wx, controls, client, console }`. `options` are those of `createWx`; with
 * `place`, the line names where the emulator is. `console` keeps what the client prints.
 */
function openSimulator({ place, globals, ...options } = {}) {
  const simulator = { ...createWx(options), console: createConsole() };
  simulator.client = loadClient(simulator.wx, simulator.console, globals);
  if (place) {
    simulator.client(place);
  }
  closeLater(() => simulator.controls.close());
  return simulator;
}

/** What `require('./wx-cloud.js')` gives where `wx` is this one. */
function loadClient(wx, console, globals = {}) {
  const module = { exports: {} };
  const scope = { module, exports: module.exports, wx, console, setTimeout: setPatientTimeout, ...globals };
  const load = vm.compileFunction(fs.readFileSync(CLIENT, 'utf8'), Object.keys(scope), { filename: CLIENT });
  load(...Object.values(scope));
  return module.exports;
}

/** What the client means to do much later does not keep a finished test file waiting. */
function setPatientTimeout(work, delay, ...values) {
  const timer = startTimer(work, delay, ...values);
  return delay >= PATIENCE_MS ? timer.unref() : timer;
}

function createConsole() {
  const kept = { lines: [] };
  for (const level of ['log', 'info', 'warn', 'error']) {
    kept[level] = (...values) => kept.lines.push(`${level}: ${values.map(String).join(' ')}`);
  }
  return kept;
}

module.exports = { CLIENT, createConsole, loadClient, openSimulator, setPatientTimeout };
