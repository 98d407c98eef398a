// A watch that writes down what it is told, so that a test can wait for it.
'use strict';

const { complaint, differences, shown } = require('./match');
const { pause, until } = require('./wait');

const WITHIN_MS_DEFAULT = 3000;
const SILENCE_MS_DEFAULT = 200;

/** Watches `query`, anything that has `watch`, and resolves once it was told what there is. */
async function recordWatch(query) {
  const state = { events: [], docs: [], error: null, isBegun: false, seen: 0 };
  const watch = query.watch({
    onChange: (snapshot) => receive(state, snapshot),
    onError: (error) => {
      state.error = error;
    },
  });
  const recorder = {
    /** What came since the beginning. */
    get events() {
      return [...state.events];
    },
    /** The result of the query as last told. */
    get docs() {
      return state.docs;
    },
    next: (expected) => next(state, expected),
    none: (ms = SILENCE_MS_DEFAULT) => none(state, ms),
    close: () => watch.close(),
  };
  await until(() => state.isBegun || state.error, WITHIN_MS_DEFAULT);
  if (!state.isBegun) {
    watch.close();
    throw state.error || complaint(`the watch was not told anything within ${WITHIN_MS_DEFAULT} ms`, [], {});
  }
  return recorder;
}

function receive(state, snapshot) {
  state.docs = snapshot.docs;
  if (state.isBegun) {
    state.events.push(...snapshot.docChanges.map(eventOf));
  }
  state.isBegun = true;
}

function eventOf({ dataType, queueType, docId, doc, updatedFields, removedFields }) {
  return {
    type: dataType,
    queueType,
    docId,
    doc,
    ...(updatedFields && { updatedFields }),
    ...(removedFields && { removedFields }),
  };
}

/** The next event that is as expected; those before it are passed over. */
async function next(state, { type, doc, within = WITHIN_MS_DEFAULT, ...unknown } = {}) {
  const names = Object.keys(unknown);
  if (names.length) {
    throw new TypeError(`next() takes type, doc and within, and not ${names.join(', ')}`);
  }
  const begin = state.seen;
  const found = await until(() => {
    requireNoError(state);
    const index = state.events.findIndex((event, place) => place >= begin && !mismatches({ type, doc }, event).length);
    return index < 0 ? null : { index };
  }, within);
  if (found) {
    state.seen = found.index + 1;
    return state.events[found.index];
  }
  const wanted = [type, doc !== undefined && shown(doc)].filter(Boolean).join(' ') || 'anything';
  const others = state.events.slice(begin);
  throw complaint(
    `expected the watch to tell of ${wanted} within ${within} ms${others.length ? '' : '; it told of nothing'}`,
    others.map((event) => ({ text: told(event), differences: mismatches({ type, doc }, event) })),
    { expected: { type, doc }, actual: others },
  );
}

/** Holds when nothing comes for `ms`, and nothing has come since the last `next`. */
async function none(state, ms) {
  const begin = state.seen;
  await pause(ms);
  requireNoError(state);
  const others = state.events.slice(begin);
  if (others.length) {
    throw complaint(
      `expected the watch to be silent for ${ms} ms`,
      others.map((event) => ({ text: told(event), differences: [] })),
      { expected: [], actual: others },
    );
  }
}

function mismatches({ type, doc }, event) {
  const types = type === undefined || type === event.type || type === event.queueType;
  return [
    ...(types ? [] : [`type: expected ${shown(type)}, was ${shown(event.type)} (${event.queueType})`]),
    ...(doc === undefined ? [] : differences(doc, event.doc, 'doc')),
  ];
}

function requireNoError({ error }) {
  if (error) {
    throw error;
  }
}

function told({ type, docId, doc }) {
  return `${type} ${doc ? shown(doc) : docId}`;
}

module.exports = { recordWatch };
