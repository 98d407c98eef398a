// What functions were called with: the emulator keeps the last calls of an environment.
'use strict';

const { complaint, differences, shown } = require('./match');
const { until } = require('./wait');

const WITHIN_MS_DEFAULT = 3000;

/** The calls of an environment from `begin()` on. */
function createCalls(command) {
  /** The last call before the beginning; null: there was none. */
  let before = null;
  const all = async () => (await command('calls')).calls;
  return {
    /** Those before count no more. */
    begin: async () => {
      before = (await all()).at(-1)?.requestId ?? null;
    },
    list: async (name) => {
      const calls = await all();
      const begin = calls.findIndex((call) => call.requestId === before) + 1;
      return calls.slice(begin).filter((call) => name === undefined || call.function === name);
    },
  };
}

/** `openid`: whose calls are meant, null: those of no user, undefined: all. */
async function expectCall(
  calls,
  name,
  { event, result, openid, user, times, within = times === 0 ? 0 : WITHIN_MS_DEFAULT },
) {
  const expected = {
    ...(event !== undefined && { event }),
    ...(result !== undefined && { result }),
    ...(openid !== undefined && { openid }),
  };
  const seen = { calls: [], matching: [] };
  const isEnough = async () => {
    seen.calls = await calls.list();
    seen.matching = seen.calls.filter((call) => call.function === name && !differences(expected, call).length);
    return times === 0 || times === undefined ? seen.matching.length > 0 : seen.matching.length >= times;
  };
  await until(isEnough, within);
  if (times === undefined ? seen.matching.length > 0 : seen.matching.length === times) {
    return times === undefined ? seen.matching[0] : seen.matching;
  }
  throw unexpected(name, expected, { times, within, user, ...seen });
}

function unexpected(name, expected, { times, within, user, calls, matching }) {
  const wanted = [
    times === undefined ? `a call of ${name}` : `${times} call${times === 1 ? '' : 's'} of ${name}`,
    user !== undefined && (user === null ? 'by no user' : `as ${user}`),
    'event' in expected && `with ${shown(expected.event)}`,
    'result' in expected && `that answers ${shown(expected.result)}`,
  ];
  const count = matching.length
    ? `there were ${matching.length}`
    : calls.length
      ? 'there was none'
      : 'nothing was called';
  const others = times === undefined || matching.length < times ? calls : matching;
  return complaint(
    `expected ${wanted.filter(Boolean).join(' ')}${within ? ` within ${within} ms` : ''}; ${count}`,
    others.map((call) => ({
      text: told(call),
      differences: call.function === name ? differences(expected, call) : [],
    })),
    { expected, actual: calls, after: others === matching ? 'They are' : 'Instead came' },
  );
}

function told({ function: name, event, openid, error }) {
  const failed = error ? `, which failed: ${error.message}` : '';
  return `${name} ${shown(event)} ${openid ? `as ${openid}` : 'by no user'}${failed}`;
}

module.exports = { createCalls, expectCall };
