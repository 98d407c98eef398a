// What starting an emulator from a test takes: a port nobody has, and variables that do not steer it.
'use strict';

const net = require('node:net');

/** This process's variables without those that would steer the emulator. */
function cleanEnvironment() {
  const names = Object.keys(process.env).filter((name) => !/^(EMULATOR|NODE_TEST|SCF|TCB|TENCENTCLOUD|WX)_/.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

module.exports = { cleanEnvironment, freePort };
