exports.main = async ({ text }) => {
  console.log('a line', { nested: [1, 'two'] });
  console.warn('careful');
  console.error('wrong');
  process.stdout.write(`${text}\n`);
  return typeof Deno;
};
