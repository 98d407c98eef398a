// Does not parse.
exports.main = async () => {
  return return 1;
};
