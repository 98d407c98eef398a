const fs = require('fs');
exports.main = async ({ path, write }) => (write ? fs.writeFileSync(path, 'x') : fs.readFileSync(path, 'utf8'));
