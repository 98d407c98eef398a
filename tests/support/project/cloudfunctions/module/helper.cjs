exports.help = (word) => word.toUpperCase();
