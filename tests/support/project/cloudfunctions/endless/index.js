exports.main = async () => {
  for (;;) {}
};
