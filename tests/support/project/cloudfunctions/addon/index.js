exports.main = async () => require('./build/addon.node');
