// What a test file opened is closed after its last test, wherever it was opened: in a test, or before them all.
'use strict';

const { after } = require('node:test');

const closings = [];

after(async () => {
  for (const close of closings.reverse()) {
    await close();
  }
});

function closeLater(close) {
  closings.push(close);
}

module.exports = { closeLater };
