import { createHash } from 'node:crypto';
import helper from './helper.cjs';
import data from './data.json' with { type: 'json' };

export const main = async (event) => ({
  hash: createHash('md5').update(event.text).digest('hex'),
  helped: helper.help(data.word),
});
