exports.main = async () => 'quick';
