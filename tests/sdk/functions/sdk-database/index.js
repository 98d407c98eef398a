// Runs one scenario of the database of wx-server-sdk, `{ scenario, collection }`, on a collection that exists. Answers
// `{ answer }`, or `{ error }` with what the SDK throws.
const cloud = require('wx-server-sdk');

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV });
const db = cloud.database();
const _ = db.command;

const SCENARIOS = {
  add: (todos) => todos.add({ data: { title: 'new', done: false } }),
  addOwnId: (todos) => todos.add({ data: { _id: 'own', title: 'new' } }),
  addMany: (todos) => todos.add({ data: [{ _id: 'm1' }, { _id: 'm2' }] }),
  addTaken: (todos) => todos.add({ data: { _id: 'a' } }),
  get: (todos) => todos.where({ done: false }).orderBy('n', 'desc').skip(0).limit(2).field({ title: true }).get(),
  docGet: (todos) => todos.doc('a').get(),
  docGetField: (todos) => todos.doc('a').field({ n: true }).get(),
  docGetMissing: (todos) => todos.doc('missing').get(),
  docGetMissingQuietly: ({ collectionName }) => cloud.database({ throwOnNotFound: false }).collection(collectionName).doc('missing').get(),
  count: (todos) => todos.where({ n: _.gt(1) }).count(),
  setNew: (todos) => todos.doc('new').set({ data: { title: 'set' } }),
  setExisting: (todos) => todos.doc('a').set({ data: { title: 'set' } }),
  docUpdate: (todos) => todos.doc('a').update({ data: { n: _.inc(10), style: { color: 'blue' } } }),
  docUpdateMissing: (todos) => todos.doc('missing').update({ data: { n: 1 } }),
  update: (todos) => todos.where({ done: false }).update({ data: { done: true } }),
  updateOne: (todos) => todos.where({ done: false }).update({ data: { done: true }, multi: false }),
  docRemove: (todos) => todos.doc('a').remove(),
  docRemoveMissing: (todos) => todos.doc('missing').remove(),
  remove: (todos) => todos.where({ done: false }).remove(),
  removeOne: (todos) => todos.where({ done: false }).remove({ multi: false }),
  createCollection: ({ collectionName }) => db.createCollection(`${collectionName}-created`),
  createTaken: ({ collectionName }) => db.createCollection(collectionName),
  missingCollection: () => db.collection('nowhere').get(),
  updateId: (todos) => todos.doc('a').update({ data: { _id: 'b' } }),
  setId: (todos) => todos.doc('a').set({ data: { _id: 'b' } }),
  underNull: (todos) => todos.doc('b').update({ data: { nothing: { deep: 1 } } }),
  emptySet: (todos) => todos.doc('a').update({ data: { style: {} } }),
  emptyData: (todos) => todos.doc('a').update({ data: {} }),
  dataMissing: (todos) => todos.doc('a').update({}),
  updateWithoutWhere: (todos) => todos.update({ data: { n: 1 } }),
  types: async (todos) => {
    const { _id } = await todos.add({ data: { date: new Date(1000), now: db.serverDate(), place: db.Geo.Point(113, 23), text: 'Abc' } });
    const { data } = await todos.doc(_id).get();
    const found = await todos.where({ text: db.RegExp({ regexp: '^a', options: 'i' }) }).count();
    return {
      date: data.date instanceof Date && data.date.getTime(),
      now: data.now instanceof Date && Math.abs(data.now - Date.now()) < 60_000,
      place: [data.place.longitude, data.place.latitude],
      found: found.total,
    };
  },
  noIndexes: async (todos) => ({ createIndex: typeof todos.createIndex, drop: typeof todos.drop, watch: typeof todos.watch }),
};

exports.main = async ({ scenario, collection }) => {
  try {
    return { answer: await SCENARIOS[scenario](db.collection(collection)) };
  } catch (error) {
    return { error: { errCode: error.errCode, errMsg: error.errMsg, message: error.message, keys: Object.keys(error).sort() } };
  }
};
