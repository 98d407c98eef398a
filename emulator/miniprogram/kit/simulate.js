// Components under miniprogram-simulate with a `wx.cloud` that answers.
//
//   const simulate = require('miniprogram-simulate');
//   const restore = useSimulate(simulate, fork, { as: 'alice' });
//   const component = simulate.render(simulate.load('/path/to/component'));
'use strict';

/**
 * Gives the global `wx`, which miniprogram-simulate made, the network, storage, login and `cloud` of a user of `handle`. Answers
 * a function that takes them away again.
 */
function useSimulate(simulate, handle, { as: user } = {}) {
  if (!simulate || typeof simulate.load !== 'function') {
    throw new TypeError("useSimulate takes what require('miniprogram-simulate') answers: it makes a `wx` of its own");
  }
  const before = globalThis.wx;
  const wx = handle.wx(user);
  // In tests nobody runs app.js, which would do it.
  wx.cloud.init();
  globalThis.wx = Object.assign({}, before, wx);
  return () => {
    globalThis.wx = before;
  };
}

module.exports = { useSimulate };
