// Needs a module that is not installed.
require('no-such-module');

exports.main = async () => 'never reached';
