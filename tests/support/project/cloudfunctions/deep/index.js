const dive = (depth) => dive(depth + 1) + 1;
exports.main = async () => dive(0);
