exports.main = async () => {
  return return;
};
