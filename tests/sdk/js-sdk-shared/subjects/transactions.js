// Transactions: all of it, or nothing.
'use strict';

module.exports = [
  {
    name: 'a transaction is seen when it is committed, and never when it is rolled back',
    async run({ db }, admin) {
      const name = await admin.collection();
      await db.collection(name).add({ _id: 'a', n: 1 });
      const seen = [];
      for (const end of ['rollback', 'commit']) {
        const transaction = await db.startTransaction();
        await transaction.collection(name).doc('a').update({ n: 2 });
        seen.push((await admin.documents(name))[0].n);
        await transaction[end]();
        seen.push((await admin.documents(name))[0].n);
      }
      return seen;
    },
    expected: [1, 1, 1, 2],
  },
];
