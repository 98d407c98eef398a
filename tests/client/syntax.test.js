// The file as WeChat runs it: DevTools turns it into ES5, where a helper module that is missing is a blank page; in the
// mini-program runtime there is no Node, no `eval`, and of `wx` the client uses a few APIs only.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const swc = require('@swc/core');
const { CLIENT } = require('./support/simulator');

const source = fs.readFileSync(CLIENT, 'utf8');
const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

test('it becomes ES5 without helper modules', () => {
  const options = { jsc: { parser: { syntax: 'ecmascript' }, target: 'es5', externalHelpers: true }, isModule: false };
  const compiled = swc.transformSync(source, options).code;
  assert.deepEqual(compiled.match(/require\([^)]*\)/g)?.filter((call) => !call.includes('wx-cloud')) ?? [], []);
});

test('of wx it uses what it says', () => {
  const used = [...new Set(code.match(/\bwx\.\w+/g))].map((name) => name.slice(3)).sort();
  const said = [
    'cloud',
    'connectSocket',
    'getAccountInfoSync',
    'getDeviceInfo',
    'getStorageSync',
    'getSystemInfoSync',
    'login',
    'setStorageSync',
  ];
  assert.deepEqual(used, said);
  assert.deepEqual(code.match(/\bwx\[\w+\]/g), ['wx[api]']);
});

test('it needs nothing that only Node, browsers or eval have', () => {
  const foreign =
    /\b(process|Buffer|global|globalThis|window|document\.|XMLHttpRequest|fetch\(|WebSocket\(|eval|new Function|import\()/g;
  assert.deepEqual(code.replace(/\bdocument\.\w+/g, '').match(foreign), null);
});
