// Counts its calls in module state, and tells whether two ever ran in this instance at once.
const instance = Math.random().toString(36).slice(2);
let count = 0;
let running = 0;

exports.main = async ({ waitMs = 0 }) => {
  count += 1;
  running += 1;
  const overlapping = running > 1;
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  running -= 1;
  return { instance, count, overlapping };
};
