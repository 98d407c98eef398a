// Fails in the way asked for.
const KINDS = {
  error: async () => {
    throw new Error('boom');
  },
  typeError: async () => undefined.property,
  rejection: () => Promise.reject(new Error('rejected')),
  late: () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 50)),
  custom: async () => {
    throw Object.assign(new Error('no such order'), { code: 404 });
  },
  string: async () => {
    throw 'just text';
  },
  object: async () => {
    throw { code: 'ORDER_MISSING', order: 7 };
  },
  undefined: async () => {
    throw undefined;
  },
  exit: async () => process.exit(3),
  missingModule: async () => require('no-such-module'),
  moduleOfTheTests: async () => require('@cloudbase/node-sdk'),
  never: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
  loop: async () => {
    for (;;) {
      Math.random();
    }
  },
};

exports.main = (event) => KINDS[event.kind]();
