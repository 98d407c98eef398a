// The SDK in a page in headless Chromium, bundled as a web project bundles it. Its origin is a port of loopback that is not the
// emulator's, so every request is one across origins.
'use strict';

const http = require('node:http');
const { createRequire } = require('node:module');
const path = require('node:path');
const { after } = require('node:test');
const { APPID, ENVIRONMENT } = require('../../support/emulator');

const CHROMIUM = process.env.CHROMIUM || '/usr/bin/chromium';

async function open(folder, emulator, admin) {
  const require = createRequire(path.join(folder, 'package.json'));
  const server = await serve(await bundle(require, folder));
  const browser = await require('playwright-core').chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const tab = await browser.newPage();
  await tab.exposeFunction('askAdmin', (name, args) => admin[name](...args));
  tab.on('pageerror', (error) => process.stderr.write(`page: ${error.stack}\n`));
  await tab.goto(`http://localhost:${server.address().port}/`);
  await tab.evaluate((place) => window.openPage(place), { host: new URL(emulator.url).host, env: ENVIRONMENT, appid: APPID });
  const run = (...row) => tab.evaluate(([subject, index]) => window.runRow(subject, index), row);
  return { browser, server, run };
}

function closeAfter(state) {
  after(async () => {
    await state.page?.browser.close();
    state.page?.server.close();
  });
}

async function bundle(require, folder) {
  const { outputFiles } = await require('esbuild').build({
    entryPoints: [path.join(__dirname, 'chromium-page.js')],
    alias: { 'js-sdk': path.join(folder, 'node_modules/@cloudbase/js-sdk/dist/index.esm.js') },
    bundle: true,
    format: 'iife',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

function serve(script) {
  const server = http.createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
    response.end(isScript ? script : '<!doctype html><title>js-sdk</title><script src="/page.js"></script>');
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

module.exports = { closeAfter, open };
