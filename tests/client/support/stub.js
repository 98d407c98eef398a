// What the offline tests talk to: it keeps what it is sent and answers what the test says. It knows nothing of a database.
// How the real emulator answers is judged in live/.
'use strict';

const http = require('node:http');
const { WebSocketServer } = require('ws');
const { closeLater } = require('./cleanup');

const APPID = 'wx0123456789abcdef';

/** Replies that suffice where a test is about the request. */
const REPLIES = {
  'database.addDocument': { _id: 'new' },
  'database.aggregate': { list: '[]' },
  'database.countDocument': { total: 0 },
  'database.deleteDocument': { deleted: 1 },
  'database.queryDocument': { list: [{ _id: 'x' }] },
  'database.updateDocument': { updated: 1, upserted_id: null, upsert_id: null },
  'functions.invokeFunction': { response_data: 'null' },
};

/**
 * `appid` is whose emulator it is; `reply(body)` answers an action, undefined for the usual reply; `frames(frame, send)` is
 * called for each frame but LOGIN and PING.
 */
async function openStub({ appid = APPID, port = 0, reply = () => undefined, frames = () => {} } = {}) {
  const stub = { appid, reply, frames, requests: [], received: [], sockets: new Set(), signIns: 0 };
  const server = http.createServer((request, response) => {
    receive(stub, request, response).catch(() => response.destroy()); // The client went away.
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  new WebSocketServer({ server }).on('connection', (socket) => connect(stub, socket));
  stub.url = `http://127.0.0.1:${server.address().port}`;
  stub.bodies = (action) =>
    stub.requests.map((request) => request.body).filter((body) => body && body.action === action);
  stub.dropSockets = () => stub.sockets.forEach((socket) => socket.terminate());
  stub.close = () => {
    stub.dropSockets();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  closeLater(() => stub.close());
  return stub;
}

async function receive(stub, request, response) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const isAction = request.url.startsWith('/web');
  const kept = {
    method: request.method,
    url: request.url,
    headers: request.headers,
    text,
    body: isAction ? JSON.parse(text) : null,
  };
  stub.requests.push(kept);
  const answer = await (isAction ? answerAction(stub, kept.body) : answerOther(stub, request));
  response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json' });
  response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
}

async function answerOther(stub, request) {
  if (request.url.startsWith('/_emulator/hello')) {
    return { body: { emulator: true, appid: stub.appid, env: 'cloud1', version: '0' } };
  }
  return (
    (await stub.reply({ path: request.url })) ?? { status: 404, body: { code: 'NOT_FOUND', message: 'nothing here' } }
  );
}

async function answerAction(stub, body) {
  const given = await stub.reply(body);
  if (given) {
    return given.status ? given : { body: { requestId: 'r', ...given } };
  }
  return { body: { requestId: 'r', data: usualReply(stub, body) } };
}

function usualReply(stub, body) {
  if (body.action === 'emulator.signIn') {
    stub.signIns += 1;
    const openid = body.openid || 'openid-of-nobody';
    return { access_token: `token-${stub.signIns}`, openid, appid: stub.appid, env: body.env || 'cloud1' };
  }
  if (body.action === 'auth.wsWebSign') {
    return {
      signStr: 'sign',
      wsUrl: `${stub.url.replace('http', 'ws')}/ws`,
      secretVersion: 1,
      envId: body.env || 'cloud1',
    };
  }
  return REPLIES[body.action] ?? {};
}

function connect(stub, socket) {
  stub.sockets.add(socket);
  socket.on('close', () => stub.sockets.delete(socket));
  const send = (frame) => socket.send(JSON.stringify(frame));
  socket.on('message', (data) => {
    const frame = JSON.parse(data.toString());
    stub.received.push(frame);
    if (frame.msgType === 'LOGIN') {
      send({ requestId: frame.requestId, msgType: 'LOGIN_RES', msgData: { envId: frame.msgData.envId } });
    } else if (frame.msgType === 'PING') {
      send({ requestId: frame.requestId, msgType: 'PONG', msgData: null });
    } else {
      stub.frames(frame, send);
    }
  });
}

module.exports = { APPID, openStub };
