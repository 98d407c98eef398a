const absent = require('a-package-that-is-not-installed');
exports.main = async () => absent;
