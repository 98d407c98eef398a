// Returns what it was called with.
exports.main = async (event, context) => ({ event, context });
