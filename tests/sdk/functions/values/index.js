// Returns a value of the kind asked for.
const circular = { name: 'circular' };
circular.self = circular;

const KINDS = {
  undefined: async () => undefined,
  null: async () => null,
  number: async () => 1.5,
  string: async () => 'text',
  emptyString: async () => '',
  jsonString: async () => '{"looks":"like JSON"}',
  boolean: async () => false,
  array: async () => [1, [2, { a: 3 }]],
  date: async () => new Date('2020-01-02T03:04:05.678Z'),
  buffer: async () => Buffer.from([1, 2, 255]),
  undefinedField: async () => ({ gone: undefined, kept: 1 }),
  notANumber: async () => NaN,
  promise: () => new Promise((resolve) => setTimeout(() => resolve({ later: true }), 20)),
  synchronous: () => ({ at: 'once' }),
  toJSON: async () => ({ toJSON: () => ({ made: 'by toJSON' }) }),
  circular: async () => circular,
  printing: async () => {
    console.log('a line for the log', { with: 'an object' });
    console.error('an error line');
    process.stdout.write('{"not":"the result"}\n');
    return { printed: true };
  },
};

exports.main = (event) => KINDS[event.kind]();
