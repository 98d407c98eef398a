exports.main = async () => {
  const result = {};
  result.self = result;
  return result;
};
