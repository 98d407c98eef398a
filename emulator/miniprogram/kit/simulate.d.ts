import { Environment } from './index';

/**
 * Components under miniprogram-simulate with a `wx.cloud` that answers, as a user of the environment. `simulate` is
 * `require('miniprogram-simulate')`. The answer takes it away again.
 */
export function useSimulate(simulate: object, handle: Environment, options?: { as?: string }): () => void;
