// The thread of one simulator: a document, a `wx` of the client tests' with the pages' APIs, `App` and `Page`, and
// miniprogram-simulate, which compiles WXML with WeChat's own compiler and renders it. WXSS is not applied.
//
// miniprogram-simulate knows components and no pages: a page becomes a component whose methods are the page's functions, and
// its life (`onLoad`, `onShow`, `onUnload`) is told here.
'use strict';

const path = require('node:path');
const { parentPort, workerData } = require('node:worker_threads');
const { JSDOM } = require('jsdom');
const { createWx } = require('../../../emulator/miniprogram/kit/wx');

const { folder, address, appid, openid } = workerData;

/** Where the client keeps who the simulator is. */
const OPENID_STORAGE_KEY = 'emulator.openid';
const DOCUMENT_GLOBALS = ['window', 'document', 'CustomEvent', 'Event', 'HTMLElement', 'Node'];

/** The component ids of pages by their routes, once loaded. */
const loaded = {};
/** The open pages, the one on top last. */
const stack = [];
const kept = { app: null, controls: null, media: [], toasts: [] };

openDocument();
const simulate = require('miniprogram-simulate');
openGlobals();

const actions = {
  /** Runs app.js, with the emulator named beforehand: the tests' is on no port that the client would search. */
  launch() {
    require(path.join(folder, 'wx-cloud.js'))({ address });
    require(path.join(folder, 'app.js'));
    kept.app.onLaunch();
  },

  /** Closes the open pages and opens this one. */
  open(route, query = {}) {
    while (stack.length) {
      closePage();
    }
    openPage(route, query);
  },

  tap: (selector, index = 0) => find(selector, index).dispatchEvent('tap'),

  type: (selector, value) => find(selector, 0).dispatchEvent('input', { detail: { value } }),

  choose: (selector, value) => find(selector, 0).dispatchEvent('change', { detail: { value: String(value) } }),

  /** The texts of all that `selector` selects. */
  texts(selector) {
    const found = top().querySelectorAll(selector);
    return found.map(({ dom }) => dom.textContent.trim());
  },

  /** What WXML gives to the attribute of a built-in component. */
  attribute(selector, name, index = 0) {
    const { attrs } = find(selector, index).toJSON();
    return attrs.find((attribute) => attribute.name === name)?.value;
  },

  /** The files that the user picks the next time. */
  answerChooseMedia(...filePaths) {
    kept.media = filePaths;
  },

  /** What the pages told in passing. */
  toasts: () => kept.toasts,

  close: () => kept.controls.close(),
};

parentPort.on('message', async ({ id, action, values }) => {
  try {
    parentPort.postMessage({ id, result: await actions[action](...values) });
  } catch (error) {
    parentPort.postMessage({ id, error: error.stack });
  }
});

function openDocument() {
  const { window } = new JSDOM('<!doctype html><html><head></head><body></body></html>');
  DOCUMENT_GLOBALS.forEach((name) => {
    global[name] = window[name];
  });
}

/** After miniprogram-simulate was loaded, whose own `wx` answers everything with nothing. */
function openGlobals() {
  const { wx, controls } = createWx({ appid, storage: new Map([[OPENID_STORAGE_KEY, openid]]) });
  kept.controls = controls;
  global.wx = Object.assign(wx, pageApis());
  global.App = (app) => {
    kept.app = app;
  };
  global.Page = (page) => Component(componentOf(page));
}

/** The `wx` of user interfaces, answered by a user who agrees to everything. */
function pageApis() {
  return {
    chooseMedia({ success }) {
      const tempFiles = kept.media.map((tempFilePath) => ({ tempFilePath, fileType: 'image' }));
      setImmediate(() => success({ tempFiles, type: 'image', errMsg: 'chooseMedia:ok' }));
    },
    navigateTo({ url }) {
      const [route, query] = url.replace(/^\//, '').split('?');
      openPage(route, Object.fromEntries(new URLSearchParams(query)));
    },
    showModal({ success }) {
      setImmediate(() => success({ confirm: true, cancel: false, errMsg: 'showModal:ok' }));
    },
    showToast: ({ title }) => void kept.toasts.push(title),
    stopPullDownRefresh: () => {},
  };
}

function componentOf({ data, ...methods }) {
  return { data, methods };
}

function openPage(route, query) {
  loaded[route] = loaded[route] || simulate.load(path.join(folder, route), 'page', { rootPath: folder });
  const page = simulate.render(loaded[route]);
  page.attach(document.body);
  stack.push(page);
  tell(page, 'onLoad', query);
  tell(page, 'onShow');
}

function closePage() {
  const page = stack.pop();
  tell(page, 'onUnload');
  page.detach();
}

function tell(page, event, ...values) {
  if (page.instance[event]) {
    page.instance[event](...values);
  }
}

function top() {
  return stack[stack.length - 1];
}

function find(selector, index) {
  const found = top().querySelectorAll(selector)[index];
  if (!found) {
    throw new Error(`no ${selector} [${index}] in ${top().dom.innerHTML}`);
  }
  return found;
}
