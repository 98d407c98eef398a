// Documents: values, queries, updates, and what a user may not do.
'use strict';

const { failure } = require('../failure');

const CLOCKS_APART_MS_MAX = 60_000;

/** A new collection under the default mode, with documents of this page. */
async function collectionWith({ db }, admin, documents) {
  const collection = db.collection(await admin.collection());
  for (const document of documents) {
    await collection.add(document);
  }
  return collection;
}

module.exports = [
  {
    name: 'values come back as they went',
    async run(page, admin) {
      const when = new Date('2026-11-22T05:00:00.123Z');
      const values = { s: '牛奶', n: 1, big: 9007199254740991, f: 1.5, b: true, nul: null, when, list: [1, { x: 'y' }] };
      const place = new page.db.Geo.Point(113, 23);
      const collection = await collectionWith(page, admin, [{ _id: 'a', ...values, place }]);
      const { data } = await collection.doc('a').get();
      const { _openid, place: found, ...rest } = data[0];
      return [rest, [found.longitude, found.latitude], _openid === page.uid];
    },
    expected: [
      {
        _id: 'a',
        s: '牛奶',
        n: 1,
        big: 9007199254740991,
        f: 1.5,
        b: true,
        nul: null,
        when: new Date('2026-11-22T05:00:00.123Z'),
        list: [1, { x: 'y' }],
      },
      [113, 23],
      true,
    ],
  },
  {
    name: 'a server date is the server clock with its offset',
    async run(page, admin) {
      const collection = await collectionWith(page, admin, []);
      const { db } = page;
      const { id } = await collection.add({ now: db.serverDate(), later: db.serverDate({ offset: 60_000 }) });
      const [{ now, later }] = (await collection.doc(id).get()).data;
      return [later - now, Math.abs(now - Date.now()) < CLOCKS_APART_MS_MAX];
    },
    expected: [60_000, true],
  },
  {
    name: 'a query filters, orders, skips, limits and projects',
    async run(page, admin) {
      const _ = page.db.command;
      const documents = [1, 2, 3, 4, 5].map((n) => ({ n, tag: n % 2 ? 'odd' : 'even', o: { q: n } }));
      const collection = await collectionWith(page, admin, documents);
      const query = collection.where({ n: _.gt(1), o: { q: _.lt(5) } });
      const found = await query.orderBy('tag', 'asc').orderBy('n', 'desc').skip(1).limit(2).field({ _id: false, n: true }).get();
      return [found.data, (await query.count()).total];
    },
    expected: [[{ n: 2 }, { n: 3 }], 3],
  },
  {
    name: 'several documents are added at once',
    async run(page, admin) {
      const name = await admin.collection();
      await page.db.collection(name).add([{ _id: 'a' }, { _id: 'b' }]);
      return (await admin.documents(name)).map(({ _id }) => _id);
    },
    expected: ['a', 'b'],
  },
  {
    name: 'documents are updated and removed, one and many',
    async run(page, admin) {
      const _ = page.db.command;
      const collection = await collectionWith(page, admin, [{ _id: 'a', n: 1, o: { x: 1 }, gone: 1 }, { _id: 'b', n: 1 }]);
      const updated = [
        (await collection.doc('a').update({ n: _.inc(2), o: { y: 2 }, gone: _.remove() })).updated,
        (await collection.doc('none').update({ n: 1 })).updated,
        (await collection.where({ n: _.gte(1) }).update({ done: true })).updated,
      ];
      const [{ _openid, ...document }] = (await collection.doc('a').get()).data;
      const deleted = [
        (await collection.doc('a').remove()).deleted,
        (await collection.where({ done: true }).remove()).deleted,
        (await collection.doc('a').remove()).deleted,
      ];
      return { updated, document, deleted, left: (await collection.count()).total };
    },
    expected: {
      updated: [1, 0, 2],
      document: { _id: 'a', n: 3, o: { x: 1, y: 2 }, done: true },
      deleted: [1, 1, 0],
      left: 0,
    },
  },
  {
    name: 'set() makes a document, or writes over one that is there',
    async run(page, admin) {
      const collection = await collectionWith(page, admin, [{ _id: 'a', n: 1, o: { x: 1 } }]);
      await collection.doc('a').set({ n: 9, o: { y: 2 } });
      await collection.doc('b').set({ n: 8 });
      const { data } = await collection.orderBy('_id', 'asc').get();
      return data.map(({ _openid, ...document }) => ({ ...document, isMine: _openid === page.uid }));
    },
    expected: [
      { _id: 'a', n: 9, o: { y: 2 }, isMine: true },
      { _id: 'b', n: 8, isMine: true },
    ],
  },
  {
    name: 'a field that set() does not name stays by /v1 and goes by /web',
    async run(page, admin) {
      const collection = await collectionWith(page, admin, [{ _id: 'a', kept: 1 }]);
      await collection.doc('a').set({ n: 1 });
      const [document] = (await collection.doc('a').get()).data;
      return 'kept' in document;
    },
    expected: ({ setMerges }) => setMerges,
  },
  {
    name: 'a page is a hundred documents unless it says',
    async run({ db, uid }, admin) {
      const name = await admin.collection(Array.from({ length: 150 }, (_, n) => ({ n, _openid: uid })));
      const collection = db.collection(name);
      return [(await collection.get()).data.length, (await collection.limit(150).get()).data.length];
    },
    expected: [100, 150],
  },
  {
    name: "others' documents are out of reach under the default mode",
    async run({ db }, admin) {
      const documents = [{ _id: 'other', kind: 'user', _openid: 'oOTHER' }, { _id: 'server', kind: 'server' }];
      const name = await admin.collection(documents);
      const collection = db.collection(name);
      const found = [(await collection.get()).data, (await collection.where({ kind: 'user' }).get()).data];
      const changed = [
        (await collection.where({ _id: 'other' }).update({ a: 1 })).updated,
        (await collection.where({ _id: 'server' }).remove()).deleted,
      ];
      await failure(collection.doc('other').set({ a: 1 }));
      await failure(collection.add({ _id: 'x', _openid: 'oOTHER' }));
      return { found, changed, left: await admin.documents(name) };
    },
    expected: {
      found: [[], []],
      changed: [0, 0],
      left: [
        { _id: 'other', kind: 'user', _openid: 'oOTHER' },
        { _id: 'server', kind: 'server' },
      ],
    },
  },
  {
    name: 'an id that is taken is not taken again',
    async run(page, admin) {
      const name = await admin.collection();
      const collection = page.db.collection(name);
      await collection.add({ _id: 'a', n: 1 });
      const { code } = await failure(collection.add({ _id: 'a', n: 2 }));
      return { code, left: (await admin.documents(name)).map(({ n }) => n) };
    },
    expected: ({ duplicateCode }) => ({ code: duplicateCode, left: [1] }),
  },
  {
    name: 'a collection that is not there is told',
    run: async ({ db }) => (await failure(db.collection('nowhere').get())).code,
    expected: ({ missingCode }) => missingCode,
  },
];
