// A query kept open by js-sdk.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { useEmulator } = require('../support/emulator');
const { usePage } = require('./support/page');

const emulator = useEmulator({
  prepare: async () => {
    await page.open();
    await page.auth.anonymousAuthProvider().signIn();
  },
});
const page = usePage(emulator);

const PATIENCE_MS = 20_000;

test('a watch tells what was, what comes, what changes and what goes', async () => {
  const { name } = await emulator.collection();
  const collection = page.db.collection(name);
  await collection.add({ _id: 'a', n: 1 });
  const snapshots = [];
  const watcher = collection.where({ n: page.db.command.gt(0) }).watch({
    onChange: (snapshot) => snapshots.push(snapshot),
    onError: (error) => snapshots.push(error),
  });
  const shown = ({ docs, docChanges }) => [
    docs.map(({ _id, n }) => `${_id}${n}`).join(),
    docChanges.map(({ dataType, queueType }) => `${dataType} ${queueType}`).join(),
  ];
  const until = async (isSo) => {
    const deadline = Date.now() + PATIENCE_MS;
    while (!isSo()) {
      assert.ok(Date.now() < deadline, `${isSo} ${JSON.stringify(snapshots)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const told = (count) => until(() => snapshots.length >= count);
  await told(1);
  await collection.doc('a').update({ n: 2 });
  await told(2);
  await collection.add({ _id: 'b', n: 5 });
  await told(3);
  await emulator.db.collection(name).add({ _id: 'c', n: 6 });
  await collection.doc('a').remove();
  await told(4);
  await watcher.close();
  // With nothing left to watch the SDK says goodbye; one that the emulator cut short it would open again for a minute.
  await until(() => page.controls.openSockets() === 0);
  assert.deepEqual(snapshots.map(shown), [
    ['a1', 'init init'],
    ['a2', 'update update'],
    ['a2,b5', 'add enqueue'],
    ['b5', 'remove dequeue'],
  ]);
});
