exports.main = async () => {
  process.exit(7);
};
