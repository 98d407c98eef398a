// The mini program as DevTools takes it: every page has its files, WeChat's compilers accept them, app.js starts.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const compiler = require('miniprogram-compiler');
const { CLIENT, copyMiniprogram } = require('./support/miniprogram');

const folder = copyMiniprogram({ withClient: false });
const app = JSON.parse(fs.readFileSync(path.join(folder, 'app.json'), 'utf8'));

test('every page has its four files, and every tab is a page', () => {
  for (const page of app.pages) {
    for (const extension of ['js', 'json', 'wxml', 'wxss']) {
      assert.ok(fs.existsSync(path.join(folder, `${page}.${extension}`)), `${page}.${extension}`);
    }
  }
  assert.ok(app.tabBar.list.every(({ pagePath }) => app.pages.includes(pagePath)));
  assert.ok(fs.existsSync(path.join(folder, app.sitemapLocation)));
});

test("WeChat's compilers accept WXML and WXSS", () => {
  const wxml = compiler.wxmlToJs(folder);
  const wxss = compiler.wxssToJs(folder);
  for (const page of app.pages) {
    assert.ok(wxml.includes(`${page}.wxml`), page);
    assert.ok(wxss.includes(`${page}.wxss`), page);
  }
});

test('app.js begins with the line that the client documents', () => {
  const [line] = fs.readFileSync(path.join(folder, 'app.js'), 'utf8').split('\n');
  assert.match(line, /^try \{ require/);
  assert.ok(fs.readFileSync(CLIENT, 'utf8').includes(` *   ${line}\n`));
});

test('without the file, as in a release, the mini program starts with native wx.cloud', () => {
  const started = [];
  global.wx = { cloud: { init: (config) => started.push(config) } };
  global.App = (options) => options.onLaunch();
  require(path.join(folder, 'app.js'));
  assert.deepEqual(started, [{ traceUser: true }]);
});
