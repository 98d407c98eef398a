// The emulator as a process of a test: started on a port nobody has, without variables that would steer it, and ended with the test.
//
// EMULATOR_BINARY names the binary, EMULATOR_TEST_LOG=1 shows its log.
'use strict';

const { spawn } = require('node:child_process');
const path = require('node:path');

const BINARY = process.env.EMULATOR_BINARY || path.resolve(__dirname, '../../../target/release/emulator');
const START_MS_MAX = 20_000;
const STOP_MS_MAX = 15_000;

/** This process's variables without those that would steer the emulator. */
function cleanEnvironment() {
  const names = Object.keys(process.env).filter((name) => !/^(EMULATOR|NODE_TEST|SCF|TCB|TENCENTCLOUD|WX)_/.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** An emulator that runs: `url` is where it answers, `log` what it has said so far. */
class EmulatorProcess {
  /** Starts one with `flags`; resolves when it is ready. */
  static async start(flags) {
    const started = new EmulatorProcess(flags);
    started.url = await started.ready();
    return started;
  }

  constructor(flags) {
    this.log = '';
    const words = ['start', '--port', '0', '--lang', 'en', ...flags];
    this.child = spawn(BINARY, words, { stdio: ['ignore', 'pipe', 'pipe'], env: cleanEnvironment() });
    this.killAtExit = () => this.child.kill('SIGKILL');
    process.on('exit', this.killAtExit);
  }

  ready() {
    return new Promise((resolve, reject) => {
      const fail = (reason) => reject(new Error(`${BINARY} ${reason}\n${this.log}`));
      const timer = setTimeout(() => fail(`was not ready within ${START_MS_MAX} ms`), START_MS_MAX);
      const listen = (chunk) => {
        this.log += chunk;
        if (process.env.EMULATOR_TEST_LOG) {
          process.stderr.write(chunk);
        }
        const found = /emulator ready at (http:\/\/127\.0\.0\.1:\d+)/.exec(this.log);
        if (found) {
          clearTimeout(timer);
          resolve(found[1]);
        }
      };
      this.child.stdout.on('data', listen);
      this.child.stderr.on('data', listen);
      this.child.on('error', (error) => fail(`cannot be started: ${error.message}`));
      this.child.on('exit', (code, signal) => fail(`ended with ${signal || code}`));
    });
  }

  /** Ends it as Ctrl-C would, or by force if it takes too long. */
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
      await ended;
      clearTimeout(timer);
    }
    process.off('exit', this.killAtExit);
  }
}

module.exports = { BINARY, EmulatorProcess, cleanEnvironment };
