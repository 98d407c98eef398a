// `/_emulator/*`, the emulator's own door: JSON over HTTP with the bearer token. Works where `fetch` is missing or replaced.
'use strict';

const http = require('node:http');

/** What the emulator refused: `code` is stable, the message is for people. */
class EmulatorError extends Error {
  constructor(code, message) {
    super(message);
    this.name = 'EmulatorError';
    this.code = code;
  }
}

/** `{ url, command, status, close }`; nothing is sent yet. */
function openDoor({ url, token }) {
  const agent = new http.Agent({ keepAlive: true });
  const ask = (method, path, body) => send({ url: `${url}/_emulator/${path}`, method, token, agent }, body);
  return {
    url,
    token,
    /** The answer to a command, such as `fork`. Params that are undefined are not sent. */
    command: (name, params = {}) => ask('POST', name, JSON.stringify(params)),
    /** What runs there. */
    status: () => ask('GET', 'status'),
    close: () => agent.destroy(),
  };
}

function send({ url, method, token, agent }, body) {
  const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', (error) => reject(unanswered(url, error)));
      response.on('end', () => {
        try {
          resolve(read(response.statusCode, Buffer.concat(chunks).toString('utf8')));
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on('error', (error) => reject(unanswered(url, error)));
    request.end(body);
  });
}

function read(status, text) {
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new EmulatorError('BAD_ANSWER', `the emulator answered ${status} ${text.slice(0, 200)}`);
  }
  if (status !== 200) {
    throw new EmulatorError(answer.code, answer.message);
  }
  return answer;
}

function unanswered(url, error) {
  return new EmulatorError(
    'NO_EMULATOR',
    `the emulator at ${new URL(url).origin} does not answer (${error.code || error.message}): it has ended, or was stopped`,
  );
}

module.exports = { EmulatorError, openDoor };
