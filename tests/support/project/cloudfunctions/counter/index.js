let calls = 0;
exports.main = async () => {
  calls += 1;
  return calls;
};
