exports.main = () => Promise.reject(new TypeError('refused'));
