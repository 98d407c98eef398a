// Waiting by the real clock, whatever a test makes of `setTimeout` and `Date`.
'use strict';

const { clearTimeout, setTimeout } = require('node:timers');

const PAUSE_MS = 20;

/** What `look` answers as soon as that is true; its last answer when `withinMs` have passed. */
async function until(look, withinMs) {
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
  }, withinMs);
  try {
    for (;;) {
      const isLast = isOver || withinMs === 0;
      const found = await look();
      if (found || isLast) {
        return found;
      }
      await pause(PAUSE_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

module.exports = { pause, until };
