exports.main = async () => 'x'.repeat(7 << 20);
