exports.main = async () => {
  Promise.reject(new Error('nobody waits for this'));
  return 'returned';
};
