// A version of wx-server-sdk in the test's own process, beside an emulator, as tests/client/live has the newest one.
'use strict';

const { describe } = require('node:test');
const { ENVIRONMENT, useEmulator } = require('./emulator');

/** Of tests/client/shared, which both sides of the API share, and of tests/sdk/shared, which servers have alone. */
const SUBJECTS = ['documents', 'errors', 'files', 'functions', 'queries', 'updates', 'values'];
const SERVER_SUBJECTS = ['wx-aggregation', 'wx-transactions'];

/** Runs the shared tests against `sdk`. `isOld`: it lacks what came with the second dialect. */
function testShared({ name, sdk, subjects = SUBJECTS, isOld = false }) {
  const { side } = useServerSide({ name, sdk, isOld });
  for (const subject of subjects) {
    describe(subject, () => require(`../../client/shared/${subject}`)(side));
  }
  for (const subject of SERVER_SUBJECTS) {
    describe(subject, () => require(`../shared/${subject}`)(side));
  }
}

/** `{ emulator, side }`: what the shared tests work with, see tests/client/live/sides.js. Filled before the first test. */
function useServerSide({ name, sdk, isOld = false }) {
  const side = { name, cloud: sdk, isOld };
  const emulator = useEmulator({
    prepare: async () => {
      sdk.init({ env: ENVIRONMENT, serviceUrl: `${emulator.url}/admin`, secretId: 'x', secretKey: 'y' });
      side.db = sdk.database();
    },
  });
  side.collection = async (documents = []) => {
    const { name } = await emulator.collection();
    for (const data of documents) {
      await side.db.collection(name).add({ data });
    }
    return side.db.collection(name);
  };
  side.content = (document) => document;
  side.fileOf = (text) => ({ fileContent: Buffer.from(text) });
  side.textOf = ({ fileContent }) => fileContent.toString('utf8');
  return { emulator, side };
}

module.exports = { testShared, useServerSide };
