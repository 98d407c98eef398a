// The emulator's clock, one for all its environments: what `serverDate` gives, and when tokens, addresses and codes expire.
'use strict';

function createClock(door) {
  const tell = async (params) => new Date((await door.command('clock', params)).ms);
  return {
    now: () => tell({}),
    set: (when) => tell({ set: isDate(when) ? when.getTime() : when }),
    advance: (duration) => tell({ advance: duration }),
    freeze: () => tell({ freeze: true }),
    resume: () => tell({ freeze: false }),
    reset: () => tell({ reset: true }),
  };
}

function isDate(value) {
  return Object.prototype.toString.call(value) === '[object Date]';
}

module.exports = { createClock };
