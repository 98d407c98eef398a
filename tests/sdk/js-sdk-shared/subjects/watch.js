// A query kept open, over a connection that is lost too.
'use strict';

const PATIENCE_MS = 40_000;

/** Opens a watch: `told(count)` waits for so many snapshots. */
function watching(query) {
  const snapshots = [];
  const watcher = query.watch({
    onChange: ({ docs, docChanges }) => snapshots.push([shownDocuments(docs), shownChanges(docChanges)]),
    onError: (error) => snapshots.push(['error', String(error.message ?? error)]),
  });
  return { snapshots, watcher, told: (count) => until(() => snapshots.length >= count, () => JSON.stringify(snapshots)) };
}

const shownDocuments = (docs) => docs.map(({ _id, n }) => `${_id}${n}`).join();
const shownChanges = (changes) => changes.map(({ dataType, queueType }) => `${dataType} ${queueType}`).join();

async function until(isSo, shown) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!isSo()) {
    if (Date.now() > deadline) {
      throw new Error(`waited for nothing: ${shown()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

module.exports = [
  {
    name: 'a watch tells what was, what comes, what changes and what goes',
    async run(page, admin) {
      const name = await admin.collection();
      const collection = page.db.collection(name);
      await collection.add({ _id: 'a', n: 1 });
      const { snapshots, watcher, told } = watching(collection.where({ n: page.db.command.gt(0) }));
      await told(1);
      await collection.doc('a').update({ n: 2 });
      await told(2);
      await collection.add({ _id: 'b', n: 5 });
      await told(3);
      await admin.add(name, { _id: 'c', n: 6 });
      await collection.doc('a').remove();
      await told(4);
      await watcher.close();
      return snapshots;
    },
    expected: [
      ['a1', 'init init'],
      ['a2', 'update update'],
      ['a2,b5', 'add enqueue'],
      ['b5', 'remove dequeue'],
    ],
  },
  {
    name: 'a watch goes on after its connection was lost, and missed nothing',
    async run(page, admin) {
      const name = await admin.collection();
      const collection = page.db.collection(name);
      await collection.add({ _id: 'a', n: 1 });
      const { snapshots, watcher, told } = watching(collection.where({ n: page.db.command.gt(0) }));
      await told(1);
      await page.dropSockets();
      await collection.doc('a').update({ n: 2 });
      await told(2);
      await collection.add({ _id: 'b', n: 3 });
      await told(3);
      await watcher.close();
      return snapshots;
    },
    expected: [
      ['a1', 'init init'],
      ['a2', 'update update'],
      ['a2,b3', 'add enqueue'],
    ],
  },
];
