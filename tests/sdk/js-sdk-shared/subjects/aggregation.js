// Pipelines of users: over what they may read, without $lookup.
'use strict';

const DOCUMENTS = [1, 2, 3, 4, 5].map((n) => ({ _id: `d${n}`, n, tag: n % 2 ? 'odd' : 'even', list: [n, n * 10] }));

/** A pipeline, and what it ends in. */
const PIPELINES = [
  ['match and count', (pipeline, _) => pipeline.match({ n: _.gt(2) }).count('total'), [{ total: 3 }]],
  [
    'group and sort',
    (pipeline, _, $) => pipeline.group({ _id: '$tag', sum: $.sum('$n') }).sort({ _id: 1 }),
    [
      { _id: 'even', sum: 6 },
      { _id: 'odd', sum: 9 },
    ],
  ],
  [
    'project, sort, skip and limit',
    (pipeline) => pipeline.sort({ n: -1 }).skip(1).limit(2).project({ _id: 0, n: 1 }),
    [{ n: 4 }, { n: 3 }],
  ],
  ['unwind', (pipeline) => pipeline.match({ n: 1 }).unwind('$list').project({ _id: 0, list: 1 }), [{ list: 1 }, { list: 10 }]],
];

module.exports = [
  {
    name: 'pipelines end in what they should',
    async run({ db, uid }, admin) {
      const others = [{ _id: 'other', n: 9, _openid: 'oOTHER' }];
      const mine = DOCUMENTS.map((document) => ({ ...document, _openid: uid }));
      const collection = db.collection(await admin.collection([...mine, ...others]));
      const found = [];
      for (const [name, build] of PIPELINES) {
        const { data } = await build(collection.aggregate(), db.command, db.command.aggregate).end();
        found.push([name, data]);
      }
      return found;
    },
    expected: PIPELINES.map(([name, , documents]) => [name, documents]),
  },
];
