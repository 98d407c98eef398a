// A `wx` for Node: the network, storage, device and login APIs as WeChat documents them, those of user interfaces as a user
// answers them who agrees to everything, and nothing of `wx.cloud`.
//
//   const { wx, controls } = createWx({ appid: 'wx…' });
//
// What the documentation says and tests rely on:
// - every answer of a server is a success, whatever its status; only a missing answer fails
// - `dataType: 'json'`, the default, parses what is JSON and leaves alone what is not; other values parse nothing
// - `responseType: 'arraybuffer'` gives an ArrayBuffer; header names keep the server's case
// - of `request`, `uploadFile` and `downloadFile` ten may run at a time, five sockets may be open; those beyond fail
// - callbacks come later, never during the call; `complete` comes after `success` or `fail`
// - failures are `{ errMsg: 'request:fail …', errno }`
//
// `controls` is the tests' own door: `storage`, `openSockets()`, `dropSockets()` and `close()`.
//
// Under a test runner some globals are replaced: by fake timers, by those of a browser. What is needed comes from Node itself.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { clearTimeout, setImmediate, setTimeout } = require('node:timers');
const v8 = require('node:v8');

// By its file: where jest plays a browser, the package's own entry is one that refuses to work.
const WebSocket = require(path.join(path.dirname(require.resolve('ws/package.json')), 'lib/websocket.js'));

const CALLS_MAX = 10;
const SOCKETS_MAX = 5;
const TIMEOUT_MS = 60_000;

const ERRNO_TIMEOUT = 5;
const ERRNO_CRONET = 600001;
const ERRNO_CROWDED = 600007;
const ERRNO_INVALID_URL = 600009;

/**
 * `platform` and `envVersion` are what device and account tell; `code` is what `wx.login` answers (null: it fails);
 * `storage` may be a Map of an earlier simulator; `cloud` is the native `wx.cloud`.
 */
function createWx(options = {}) {
  const simulator = {
    appid: 'wx0123456789abcdef',
    platform: 'devtools',
    envVersion: 'develop',
    code: 'code-of-nobody',
    storage: new Map(),
    ...options,
    running: { request: 0, uploadFile: 0, downloadFile: 0 },
    sockets: new Set(),
    agent: new http.Agent({ keepAlive: true }),
    folder: '',
    isClosed: false,
  };
  const wx = {
    ...interfaceOf(),
    ...networkOf(simulator),
    ...storageOf(simulator),
    ...deviceOf(simulator),
    login: (callbacks = {}) => login(simulator, callbacks),
    connectSocket: (call) => connectSocket(simulator, call),
  };
  if (options.cloud) {
    wx.cloud = options.cloud;
  }
  return { wx, controls: controlsOf(simulator) };
}

function controlsOf(simulator) {
  return {
    storage: simulator.storage,
    /** How many there are. */
    openSockets: () => simulator.sockets.size,
    /** Cuts the connections as a lost network does. */
    dropSockets: () => simulator.sockets.forEach((socket) => socket.terminate()),
    /** Whether `close` was called. */
    isClosed: () => simulator.isClosed,
    /** Ends what is running; later calls fail. */
    close: () => {
      simulator.isClosed = true;
      simulator.sockets.forEach((socket) => socket.terminate());
      simulator.agent.destroy();
      if (simulator.folder) {
        fs.rmSync(simulator.folder, { recursive: true, force: true });
        simulator.folder = '';
      }
    },
  };
}

/** Where the simulator's own files are, made at the first use. */
function folderOf(simulator) {
  simulator.folder = simulator.folder || fs.mkdtempSync(path.join(os.tmpdir(), 'wx-'));
  return simulator.folder;
}

// Requests -------------------------------------------------------------------------------------------------------------

function networkOf(simulator) {
  return {
    request: (call) => startCall(simulator, 'request', call, sendRequest),
    uploadFile: (call) => startCall(simulator, 'uploadFile', call, sendFile),
    downloadFile: (call) => startCall(simulator, 'downloadFile', call, fetchFile),
  };
}

/** Runs `send` unless the call cannot be made; answers its task. */
function startCall(simulator, api, call, send) {
  const task = createTask(api);
  const settle = settler(api, call, () => {
    simulator.running[api] -= 1;
  });
  simulator.running[api] += 1;
  if (simulator.isClosed) {
    settle.fail('the simulator was closed');
  } else if (simulator.running[api] > CALLS_MAX) {
    settle.fail('exceed max task count', ERRNO_CROWDED);
  } else if (typeof call.url !== 'string') {
    settle.fail('parameter error: parameter.url should be String instead of Undefined;', 1001);
  } else if (!/^https?:\/\/[^/]/.test(call.url)) {
    settle.fail(`invalid url "${call.url}"`, ERRNO_INVALID_URL);
  } else {
    send(simulator, call, task, settle);
  }
  return task.handle;
}

/** The two ways a call ends. The first counts; callbacks come later. */
function settler(api, call, ended = () => {}) {
  let isSettled = false;
  const settle = (callback, result) => {
    if (isSettled) {
      return;
    }
    isSettled = true;
    setImmediate(() => {
      ended();
      call[callback]?.(result);
      call.complete?.(result);
    });
  };
  return {
    success: (result) => settle('success', { ...result, errMsg: `${api}:ok` }),
    fail: (reason, errno) => settle('fail', { errMsg: `${api}:fail ${reason}`, ...(errno && { errno }) }),
  };
}

function createTask(api) {
  const listeners = { HeadersReceived: [], ProgressUpdate: [] };
  const task = { emit: (event, result) => listeners[event].forEach((listener) => listener(result)), abort: () => {} };
  task.handle = { abort: () => task.abort() };
  Object.keys(listeners).forEach((event) => {
    if (event === 'HeadersReceived' || api !== 'request') {
      task.handle[`on${event}`] = (listener) => listeners[event].push(listener);
      task.handle[`off${event}`] = (listener) => {
        listeners[event] = listener ? listeners[event].filter((other) => other !== listener) : [];
      };
    }
  });
  return task;
}

/** One HTTP exchange. `onResponse` gets the response once its headers are there. */
function exchange(simulator, call, method, headers, task, settle, onResponse) {
  const isSecure = call.url.startsWith('https:');
  const request = (isSecure ? https : http).request(call.url, {
    method,
    headers,
    agent: isSecure ? undefined : simulator.agent,
  });
  const timer = setTimeout(() => {
    settle.fail('timeout', ERRNO_TIMEOUT);
    request.destroy();
  }, call.timeout ?? TIMEOUT_MS);
  request.on('close', () => clearTimeout(timer));
  request.on('error', (error) => settle.fail(networkReason(error), ERRNO_CRONET));
  request.on('response', (response) => {
    response.on('error', (error) => settle.fail(networkReason(error), ERRNO_CRONET));
    response.on('aborted', () => settle.fail('net::ERR_CONTENT_LENGTH_MISMATCH', ERRNO_CRONET));
    task.emit('HeadersReceived', {
      statusCode: response.statusCode,
      header: headerOf(response),
      cookies: cookiesOf(response),
    });
    onResponse(response);
  });
  task.abort = () => {
    settle.fail('abort');
    request.destroy();
  };
  return request;
}

function networkReason(error) {
  const reasons = {
    ECONNREFUSED: 'net::ERR_CONNECTION_REFUSED',
    ECONNRESET: 'net::ERR_CONNECTION_RESET',
    ENOTFOUND: 'net::ERR_NAME_NOT_RESOLVED',
  };
  return reasons[error.code] ?? `net::ERR_FAILED ${error.code ?? error.message}`;
}

/** Names in the server's case; a name that comes again is joined. */
function headerOf(response) {
  const header = {};
  for (let index = 0; index < response.rawHeaders.length; index += 2) {
    const name = response.rawHeaders[index];
    const value = response.rawHeaders[index + 1];
    header[name] = header[name] === undefined ? value : `${header[name]},${value}`;
  }
  return header;
}

function cookiesOf(response) {
  return response.headers['set-cookie'] ?? [];
}

function bodyOf(response, onEnd) {
  const chunks = [];
  response.on('data', (chunk) => chunks.push(chunk));
  response.on('end', () => response.complete && onEnd(Buffer.concat(chunks)));
}

function sendRequest(simulator, call, task, settle) {
  const method = (call.method ?? 'GET').toUpperCase();
  const header = withContentType(call.header);
  const { url, body } = placeData(call, method, header);
  const request = exchange(simulator, { ...call, url }, method, header, task, settle, (response) => {
    bodyOf(response, (bytes) =>
      settle.success({
        data: readData(bytes, call),
        statusCode: response.statusCode,
        header: headerOf(response),
        cookies: cookiesOf(response),
      }),
    );
  });
  request.end(body);
}

function withContentType(header = {}) {
  const names = Object.keys(header).filter((name) => name.toLowerCase() !== 'referer');
  const sent = Object.fromEntries(names.map((name) => [name, header[name]]));
  return names.some((name) => name.toLowerCase() === 'content-type')
    ? sent
    : { 'content-type': 'application/json', ...sent };
}

/** GET data goes into the address; other data into the body, in the form that the content type says. */
function placeData(call, method, header) {
  const { data, url } = call;
  if (data === undefined || typeof data === 'string' || data instanceof ArrayBuffer) {
    return { url, body: data instanceof ArrayBuffer ? Buffer.from(data) : data };
  }
  const query = new URLSearchParams(Object.entries(data)).toString();
  if (method === 'GET') {
    return { url: `${url}${url.includes('?') ? '&' : '?'}${query}` };
  }
  const contentType = Object.entries(header).find(([name]) => name.toLowerCase() === 'content-type')[1];
  return { url, body: contentType.startsWith('application/x-www-form-urlencoded') ? query : JSON.stringify(data) };
}

function readData(bytes, call) {
  if (call.responseType === 'arraybuffer') {
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  }
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  if ((call.dataType ?? 'json') !== 'json') {
    return text;
  }
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

// Files ----------------------------------------------------------------------------------------------------------------

function sendFile(simulator, call, task, settle) {
  let content;
  try {
    content = fs.readFileSync(call.filePath);
  } catch {
    settle.fail('createUploadTask:fail file not found', 1301006);
    return;
  }
  const form = formOf(call, content);
  const header = { ...call.header, 'content-type': form.type, 'content-length': form.body.length };
  const request = exchange(simulator, call, 'POST', header, task, settle, (response) => {
    bodyOf(response, (bytes) => settle.success({ data: bytes.toString('utf8'), statusCode: response.statusCode }));
  });
  sendWithProgress(request, form.body, task);
}

function formOf(call, content) {
  const boundary = `----wx${Math.random().toString(16).slice(2)}`;
  const fields = Object.entries(call.formData ?? {}).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file =
    `--${boundary}\r\nContent-Disposition: form-data; name="${call.name}"; filename="${path.basename(call.filePath)}"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  const body = Buffer.concat([Buffer.from(fields.join('') + file), content, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { body, type: `multipart/form-data; boundary=${boundary}` };
}

const CHUNK_BYTES = 64 * 1024;

function sendWithProgress(request, body, task, sent = 0) {
  if (request.destroyed) {
    return;
  }
  if (sent >= body.length) {
    request.end();
    return;
  }
  const end = Math.min(sent + CHUNK_BYTES, body.length);
  request.write(body.subarray(sent, end), () => {
    task.emit('ProgressUpdate', {
      progress: Math.floor((end / body.length) * 100),
      totalBytesSent: end,
      totalBytesExpectedToSend: body.length,
    });
    sendWithProgress(request, body, task, end);
  });
}

function fetchFile(simulator, call, task, settle) {
  const request = exchange(simulator, call, 'GET', call.header ?? {}, task, settle, (response) => {
    const expected = Number(response.headers['content-length'] ?? 0);
    let written = 0;
    response.on('data', (chunk) => {
      written += chunk.length;
      const progress = expected ? Math.floor((written / expected) * 100) : 100;
      task.emit('ProgressUpdate', { progress, totalBytesWritten: written, totalBytesExpectedToWrite: expected });
    });
    bodyOf(response, (bytes) => {
      const filePath = call.filePath ?? path.join(folderOf(simulator), `tmp_${Math.random().toString(16).slice(2)}`);
      fs.writeFileSync(filePath, bytes);
      settle.success({
        statusCode: response.statusCode,
        header: headerOf(response),
        ...(call.filePath ? { filePath } : { tempFilePath: filePath }),
      });
    });
  });
  request.end();
}

// Sockets --------------------------------------------------------------------------------------------------------------

function connectSocket(simulator, call) {
  const settle = settler('connectSocket', call);
  const listeners = { Open: [], Message: [], Error: [], Close: [] };
  const emit = (event, result) => listeners[event].forEach((listener) => listener(result));
  const task = Object.fromEntries(
    Object.keys(listeners).map((event) => [`on${event}`, (listener) => listeners[event].push(listener)]),
  );
  if (simulator.sockets.size >= SOCKETS_MAX) {
    settle.fail('exceed max task count', ERRNO_CROWDED);
    setImmediate(() => emit('Error', { errMsg: 'connectSocket:fail exceed max task count' }));
    return Object.assign(task, { send: () => {}, close: () => {} });
  }
  const socket = new WebSocket(call.url, call.protocols ?? [], { headers: call.header });
  simulator.sockets.add(socket);
  settle.success({});
  socket.on('open', () => emit('Open', { header: {} }));
  socket.on('message', (data, isBinary) =>
    emit('Message', { data: isBinary ? toArrayBuffer(data) : data.toString('utf8') }),
  );
  socket.on('error', (error) => emit('Error', { errMsg: networkReason(error) }));
  socket.on('close', (code, reason) => {
    simulator.sockets.delete(socket);
    emit('Close', { code, reason: reason.toString('utf8') });
  });
  return Object.assign(task, {
    send: (message) => sendMessage(socket, message),
    close: (closing = {}) => closeSocket(socket, closing),
  });
}

function toArrayBuffer(data) {
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
}

function sendMessage(socket, message) {
  const settle = settler('sendSocketMessage', message);
  if (socket.readyState !== WebSocket.OPEN) {
    settle.fail('SocketTask.readyState is not OPEN');
    return;
  }
  const data = message.data instanceof ArrayBuffer ? Buffer.from(message.data) : String(message.data);
  socket.send(data, (error) => (error ? settle.fail(error.message) : settle.success({})));
}

function closeSocket(socket, closing) {
  const settle = settler('closeSocket', closing);
  const code = closing.code ?? 1000;
  if (code !== 1000 && !(code >= 3000 && code <= 4999)) {
    settle.fail('the code must be 1000 or between 3000 and 4999');
    return;
  }
  socket.close(code, closing.reason);
  settle.success({});
}

// Storage, device, login -----------------------------------------------------------------------------------------------

function storageOf({ storage }) {
  return {
    getStorageSync: (key) => (storage.has(key) ? copyOf(storage.get(key)) : ''),
    setStorageSync: (key, data) => void storage.set(key, copyOf(data)),
    removeStorageSync: (key) => void storage.delete(key),
    clearStorageSync: () => storage.clear(),
    getStorage: (call) => {
      const settle = settler('getStorage', call);
      return storage.has(call.key)
        ? settle.success({ data: copyOf(storage.get(call.key)) })
        : settle.fail('data not found');
    },
    setStorage: (call) => {
      storage.set(call.key, copyOf(call.data));
      settler('setStorage', call).success({});
    },
  };
}

function copyOf(value) {
  return v8.deserialize(v8.serialize(value));
}

function deviceOf(simulator) {
  const device = { platform: simulator.platform, system: 'iOS 16.0', brand: 'devtools', model: 'iPhone 12/13 Pro' };
  return {
    env: {
      get USER_DATA_PATH() {
        return folderOf(simulator);
      },
    },
    getDeviceInfo: () => ({ ...device }),
    getSystemInfoSync: () => ({ ...device, SDKVersion: '3.7.0' }),
    getAccountInfoSync: () => ({
      miniProgram: { appId: simulator.appid, envVersion: simulator.envVersion, version: '' },
    }),
  };
}

/** Answers a promise where no callback is given, as most APIs do. */
function login(simulator, callbacks) {
  const code = typeof simulator.code === 'function' ? simulator.code() : simulator.code;
  const settle = (call) =>
    code === null ? settler('login', call).fail('network error') : settler('login', call).success({ code });
  return withPromise(callbacks, settle);
}

/** Calls `settle` with the callbacks; without any, answers a promise. */
function withPromise(callbacks, settle) {
  if (callbacks.success || callbacks.fail || callbacks.complete) {
    return settle(callbacks);
  }
  return new Promise((resolve, reject) => settle({ ...callbacks, success: resolve, fail: reject }));
}

// User interface --------------------------------------------------------------------------------------------------------

/** What is answered beside `errMsg`, by API, sorted. */
const ANSWERS = {
  chooseMedia: { tempFiles: [], type: 'image' },
  hideLoading: {},
  hideToast: {},
  navigateBack: {},
  navigateTo: {},
  pageScrollTo: {},
  reLaunch: {},
  redirectTo: {},
  setNavigationBarTitle: {},
  showActionSheet: { tapIndex: 0 },
  showLoading: {},
  showModal: { confirm: true, cancel: false },
  showToast: {},
  startPullDownRefresh: {},
  stopPullDownRefresh: {},
  switchTab: {},
  vibrateShort: {},
};

function interfaceOf() {
  const answer =
    (api) =>
    (call = {}) =>
      withPromise(call, (callbacks) => settler(api, callbacks).success(ANSWERS[api]));
  return Object.fromEntries(Object.keys(ANSWERS).map((api) => [api, answer(api)]));
}

module.exports = { createWx };
