// Watches against a scripted WebSocket: snapshots, contiguous events, what was missed, lost connections, errors
// (semantics §6, protocol §4).
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { openSimulator } = require('./support/simulator');
const { openStub } = require('./support/stub');

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition, what) {
  for (let tries = 0; !condition(); tries += 1) {
    assert.ok(tries < 400, `waited in vain for ${what}`);
    await sleep(5);
  }
}

/**
 * A stub that answers INIT_WATCH with `documents` and keeps the way to each watch: `tell(events)` sends NEXT_EVENT.
 * `frames` may answer a frame otherwise, by returning true.
 */
async function openWatched(documents = [], frames = () => false) {
  const stub = await openStub();
  const watched = { stub, current: 1, ways: {} };
  stub.frames = (frame, send) => {
    watched.ways[frame.watchId] = send;
    watched.id = frame.watchId;
    if (frames(frame, send, watched)) {
      return;
    }
    if (frame.msgType === 'INIT_WATCH') {
      const events = documents.map((document) => event(0, 'init', 'init', document));
      send(reply(frame, 'INIT_EVENT', { queryID: 'q', currEvent: watched.current, events }));
    }
  };
  watched.tell = (events, id = watched.id) => {
    watched.current = Math.max(watched.current, ...events.map((one) => one.ID));
    watched.ways[id]({
      watchId: id,
      requestId: 'server',
      msgType: 'NEXT_EVENT',
      msgData: next(watched.current, events),
    });
  };
  const { wx, controls, console } = openSimulator({ place: { address: stub.url } });
  wx.cloud.init({ env: 'e' });
  return Object.assign(watched, { db: wx.cloud.database(), controls, console });
}

const reply = (frame, msgType, msgData) => ({ watchId: frame.watchId, requestId: frame.requestId, msgType, msgData });
const next = (currEvent, events) => ({ queryID: 'q', currEvent, events });
const sent = (watched, msgType) => watched.stub.received.filter((frame) => frame.msgType === msgType);

function event(ID, DataType, QueueType, document, more = {}) {
  return { ID, DataType, QueueType, DocID: document._id, Doc: JSON.stringify(document), ...more };
}

/** A watch and what it tells. */
function watch(query) {
  const told = { snapshots: [], errors: [] };
  told.listener = query.watch({
    onChange: (snapshot) => told.snapshots.push(snapshot),
    onError: (error) => told.errors.push(error),
  });
  return told;
}

const changes = (snapshot) =>
  snapshot.docChanges.map((one) => `${one.id} ${one.dataType} ${one.queueType} ${one.docId}`);
const ids = (snapshot) => snapshot.docs.map((document) => document._id);

test('it signs in and asks as protocol §4 has it', async () => {
  const watched = await openWatched();
  const _ = watched.db.command;
  const told = watch(
    watched.db
      .collection('c')
      .where({ n: _.gt(0), at: new Date(5) })
      .orderBy('n', 'asc')
      .limit(10),
  );
  await until(() => told.snapshots.length, 'the first snapshot');
  const [login] = sent(watched, 'LOGIN');
  assert.deepEqual(login.msgData, {
    envId: 'e',
    accessToken: 'token-1',
    referrer: 'web',
    sdkVersion: '',
    dataVersion: '',
  });
  assert.deepEqual(login.exMsgData, { runtime: 'wx_mp', signStr: 'sign', secretVersion: 1 });
  const [init] = sent(watched, 'INIT_WATCH');
  assert.deepEqual(init.msgData, {
    envId: 'e',
    collName: 'c',
    query: '{"n":{"$gt":0},"at":{"$date":5}}',
    limit: 10,
    orderBy: { n: 'asc' },
  });
  assert.ok(init.watchId && init.requestId);
  await told.listener.close();
  await until(() => sent(watched, 'CLOSE_WATCH').length, 'CLOSE_WATCH');
  await until(() => !watched.stub.sockets.size, 'the end of the socket');
});

test('doc(id).watch asks for the id; no limit means none', async () => {
  const watched = await openWatched();
  const told = watch(watched.db.collection('c').doc(5));
  await until(() => told.snapshots.length, 'the first snapshot');
  assert.deepEqual(sent(watched, 'INIT_WATCH')[0].msgData, { envId: 'e', collName: 'c', query: '{"_id":5}' });
  await told.listener.close();
});

test('the first snapshot, empty or not (DB-6.04)', async () => {
  const empty = await openWatched();
  const nothing = watch(empty.db.collection('c'));
  await until(() => nothing.snapshots.length, 'the empty snapshot');
  const [{ id, type, docs, docChanges }] = nothing.snapshots;
  assert.deepEqual({ id, type, docs, docChanges }, { id: 1, type: 'init', docs: [], docChanges: [] });
  const full = await openWatched([
    { _id: 'a', at: { $date: 5 }, p: { type: 'Point', coordinates: [1, 2] } },
    { _id: 'b' },
  ]);
  const told = watch(full.db.collection('c'));
  await until(() => told.snapshots.length, 'the full snapshot');
  const [first] = told.snapshots;
  assert.deepEqual(changes(first), ['1 init init a', '1 init init b']);
  assert.deepEqual(first.docs[0].at, new Date(5), 'dates are Dates (UNC-28)');
  assert.ok(first.docChanges[0].doc.p instanceof full.db.Geo.Point);
  assert.deepEqual(Object.keys(first), ['id', 'docChanges', 'docs', 'type']);
});

test('each kind of event (DB-6.05 … DB-6.07)', async () => {
  const watched = await openWatched([
    { _id: 'a', n: 1 },
    { _id: 'b', n: 2 },
  ]);
  const told = watch(watched.db.collection('c'));
  await until(() => told.snapshots.length, 'the first snapshot');
  const step = async (events, expectedIds) => {
    watched.tell(events);
    const count = told.snapshots.length + 1;
    await until(() => told.snapshots.length === count, JSON.stringify(events));
    const last = told.snapshots.at(-1);
    assert.deepEqual(ids(last), expectedIds);
    assert.equal(last.type, undefined);
    assert.equal(last.id, events[0].ID);
    return last;
  };
  const updated = { UpdatedFields: '{"n":5,"at":{"$date":7}}', removedFields: '["gone"]' };
  const update = await step([event(2, 'update', 'update', { _id: 'a', n: 5 }, updated)], ['a', 'b']);
  assert.deepEqual(update.docChanges[0].updatedFields, { n: 5, at: new Date(7) });
  assert.deepEqual(update.docChanges[0].removedFields, ['gone']);
  assert.deepEqual(update.docs[0], { _id: 'a', n: 5 });
  const add = await step([event(3, 'add', 'enqueue', { _id: 'c', n: 3 })], ['a', 'b', 'c']);
  assert.ok(!('updatedFields' in add.docChanges[0]));
  await step([event(4, 'replace', 'update', { _id: 'b', m: 1 })], ['a', 'b', 'c']);
  const removed = await step([{ ...event(5, 'remove', 'dequeue', { _id: 'b' }), Doc: '' }], ['a', 'c']);
  assert.deepEqual(removed.docChanges[0].doc, { _id: 'b', m: 1 }, 'the last known document');
  const left = {
    ...event(6, 'update', 'dequeue', { _id: 'a' }),
    Doc: '',
    UpdatedFields: '{"n":9,"o.p":1}',
    removedFields: '[]',
  };
  const dequeued = await step([left], ['c']);
  assert.deepEqual(dequeued.docChanges[0].doc, { _id: 'a', n: 9, o: { p: 1 } }, 'the document after the update');
  const both = [event(7, 'limit', 'dequeue', { _id: 'c', n: 3 }), event(7, 'add', 'enqueue', { _id: 'd', n: 0 })];
  assert.deepEqual(changes(await step(both, ['d'])), ['7 limit dequeue c', '7 add enqueue d']);
});

test('events of several ids in one message are several snapshots; those seen before are dropped', async () => {
  const watched = await openWatched([]);
  const told = watch(watched.db.collection('c'));
  await until(() => told.snapshots.length, 'the first snapshot');
  const add = (id, name) => event(id, 'add', 'enqueue', { _id: name });
  watched.tell([add(3, 'b'), add(2, 'a')]);
  await until(() => told.snapshots.length === 3, 'two snapshots');
  watched.tell([add(2, 'a'), add(3, 'b'), add(4, 'c')]);
  await until(() => told.snapshots.length === 4, 'a snapshot');
  assert.deepEqual(
    told.snapshots.map((snapshot) => [snapshot.id, ids(snapshot).join('')]),
    [
      [1, ''],
      [2, 'a'],
      [3, 'ab'],
      [4, 'abc'],
    ],
  );
});

test('what the mini program does to a snapshot concerns no other', async () => {
  const watched = await openWatched([{ _id: 'a', list: [1] }]);
  const told = watch(watched.db.collection('c'));
  await until(() => told.snapshots.length, 'the first snapshot');
  const [first] = told.snapshots;
  assert.equal(first.docs, first.docs);
  first.docs[0].list.push(2);
  first.docs.push('mine');
  first.docChanges[0].doc.list.push(3);
  watched.tell([event(2, 'add', 'enqueue', { _id: 'b' })]);
  await until(() => told.snapshots.length === 2, 'a snapshot');
  assert.deepEqual(told.snapshots[1].docs, [{ _id: 'a', list: [1] }, { _id: 'b' }]);
});

test('a gap asks for what was missed', async () => {
  const add = (id) => event(id, 'add', 'enqueue', { _id: `d${id}` });
  const watched = await openWatched([], (frame, send) => {
    if (frame.msgType === 'REBUILD_WATCH') {
      send(reply(frame, 'NEXT_EVENT', next(5, [add(2), add(3), add(4), add(5)])));
    }
  });
  const told = watch(watched.db.collection('c'));
  await until(() => told.snapshots.length, 'the first snapshot');
  watched.tell([add(2)]);
  watched.tell([add(4)]);
  await until(() => told.snapshots.length === 5, 'all snapshots');
  assert.deepEqual(
    told.snapshots.map((snapshot) => snapshot.id),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(
    sent(watched, 'REBUILD_WATCH').map((frame) => frame.msgData),
    [{ envId: 'e', collName: 'c', queryID: 'q', eventID: 2 }],
  );
});

test('a hundred lost connections lose nothing and repeat nothing', async () => {
  const log = [];
  const add = (id) => event(id, 'add', 'enqueue', { _id: `d${id}` });
  const watched = await openWatched([], (frame, send, { current }) => {
    if (frame.msgType === 'REBUILD_WATCH') {
      send(
        reply(
          frame,
          'NEXT_EVENT',
          next(
            current,
            log.filter((one) => one.ID > frame.msgData.eventID),
          ),
        ),
      );
    }
  });
  const told = watch(watched.db.collection('c'));
  const other = watch(watched.db.collection('other'));
  await until(() => told.snapshots.length && other.snapshots.length, 'the first snapshots');
  const id = sent(watched, 'INIT_WATCH')[0].watchId;
  for (let round = 0; round < 100; round += 1) {
    const missed = add(watched.current + 1);
    log.push(missed);
    watched.current += 1;
    const rebuilt = sent(watched, 'REBUILD_WATCH').length;
    (round % 2 ? watched.controls : watched.stub).dropSockets();
    await until(() => sent(watched, 'REBUILD_WATCH').length >= rebuilt + 2, 'both watches to begin again');
    const seen = add(watched.current + 1);
    log.push(seen);
    watched.tell([seen], id);
  }
  await until(() => told.snapshots.length === 201, 'all snapshots');
  assert.deepEqual(
    told.snapshots.map((snapshot) => snapshot.id),
    Array.from({ length: 201 }, (_, index) => index + 1),
  );
  assert.deepEqual(
    ids(told.snapshots.at(-1)),
    log.map((one) => one.DocID),
  );
  assert.deepEqual(told.errors, []);
  assert.equal(sent(watched, 'INIT_WATCH').length, 2);
});

test('several watches share a socket; the last one closed closes it', async () => {
  const watched = await openWatched([{ _id: 'a' }]);
  const told = ['x', 'y', 'z'].map((name) => watch(watched.db.collection(name)));
  await until(() => told.every((one) => one.snapshots.length), 'all first snapshots');
  const late = watch(watched.db.collection('late'));
  await until(() => late.snapshots.length, 'the late one');
  assert.equal(sent(watched, 'LOGIN').length, 1);
  const [x] = sent(watched, 'INIT_WATCH');
  await told[0].listener.close();
  await told[0].listener.close();
  watched.tell([event(2, 'add', 'enqueue', { _id: 'b' })], x.watchId);
  watched.tell([event(2, 'add', 'enqueue', { _id: 'b' })], sent(watched, 'INIT_WATCH')[1].watchId);
  await until(() => told[1].snapshots.length === 2, 'the second watch');
  assert.equal(told[0].snapshots.length, 1, 'a closed watch is told nothing');
  await Promise.all([told[1], told[2], late].map((one) => one.listener.close()));
  await until(() => !watched.stub.sockets.size, 'the end of the socket');
  assert.equal(sent(watched, 'CLOSE_WATCH').length, 4);
  const again = watch(watched.db.collection('x'));
  await until(() => again.snapshots.length, 'a new socket');
  await again.listener.close();
});

test('closed before it began, it never begins', async () => {
  const watched = await openWatched();
  const told = watch(watched.db.collection('c'));
  await told.listener.close();
  await sleep(50);
  assert.deepEqual([told.snapshots.length, told.errors.length, sent(watched, 'INIT_WATCH').length], [0, 0, 0]);
  assert.equal(watched.stub.sockets.size, 0);
});

test('closed in onChange, it is told no more', async () => {
  const watched = await openWatched();
  let count = 0;
  const listener = watched.db.collection('c').watch({
    onChange: () => {
      count += 1;
      if (count === 2) {
        listener.close();
      }
    },
    onError: assert.fail,
  });
  await until(() => count === 1, 'the first snapshot');
  watched.tell([2, 3].map((id) => event(id, 'add', 'enqueue', { _id: `d${id}` })));
  await until(() => sent(watched, 'CLOSE_WATCH').length, 'CLOSE_WATCH');
  await sleep(20);
  assert.equal(count, 2);
});

test('what onChange throws is shown, and the next event comes', async () => {
  const watched = await openWatched();
  let count = 0;
  const listener = watched.db.collection('c').watch({
    onChange: () => {
      count += 1;
      throw new Error('in onChange');
    },
    onError: assert.fail,
  });
  await until(() => count === 1, 'the first snapshot');
  watched.tell([event(2, 'add', 'enqueue', { _id: 'a' })]);
  await until(() => count === 2, 'the next one');
  assert.match(watched.console.lines.join(), /error: Error: in onChange/);
  await listener.close();
});

const refusing = (msgType, code) => (frame, send) => {
  if (frame.msgType === msgType) {
    send(reply(frame, 'ERROR', { code, message: 'why' }));
    return true;
  }
  return false;
};

test('a refusal ends the watch by one error (DB-6.11, DB-6.12)', async () => {
  const watched = await openWatched([], refusing('INIT_WATCH', 'COLLECTION_PERMISSION_DENIED'));
  const told = watch(watched.db.collection('c'));
  await until(() => told.errors.length, 'the error');
  const [error] = told.errors;
  assert.equal(error.errCode, -402002);
  assert.equal(
    error.message,
    'errCode: -402002 realtime listener init watch fail | errMsg: COLLECTION_PERMISSION_DENIED - why',
  );
  await until(() => !watched.stub.sockets.size, 'the end of the socket');
  assert.deepEqual([told.errors.length, told.snapshots.length], [1, 0]);
});

test('an error of the server later', async () => {
  const watched = await openWatched();
  const told = watch(watched.db.collection('c'));
  await until(() => told.snapshots.length, 'the first snapshot');
  watched.ways[watched.id]({
    watchId: watched.id,
    requestId: 'server',
    msgType: 'ERROR',
    msgData: { code: 'SYS_ERR', message: 'why' },
  });
  await until(() => told.errors.length, 'the error');
  assert.equal(
    told.errors[0].message,
    'errCode: -402006 realtime listener receive server error msg | errMsg: SYS_ERR - why',
  );
});

test('a query that the server forgot', async () => {
  const watched = await openWatched([], refusing('REBUILD_WATCH', 'QUERYID_INVALID_ERROR'));
  const told = watch(watched.db.collection('c'));
  await until(() => told.snapshots.length, 'the first snapshot');
  watched.stub.dropSockets();
  await until(() => told.errors.length, 'the error');
  assert.equal(told.errors[0].errCode, -402004);
  assert.match(told.errors[0].message, /realtime listener rebuild watch fail \| errMsg: QUERYID_INVALID_ERROR - why/);
});

test('a session that is over is renewed, and nothing is lost', async () => {
  let refusals = 1;
  const watched = await openWatched([{ _id: 'a' }], (frame, send) => {
    if (frame.msgType === 'INIT_WATCH' && refusals > 0) {
      refusals -= 1;
      send(reply(frame, 'ERROR', { code: 'CHECK_LOGIN_FAILED', message: 'who?' }));
      return true;
    }
    return false;
  });
  const told = watch(watched.db.collection('c'));
  await until(() => told.snapshots.length, 'the first snapshot');
  assert.deepEqual(told.errors, []);
  assert.deepEqual(
    sent(watched, 'LOGIN').map((frame) => frame.msgData.accessToken),
    ['token-1', 'token-2'],
  );
  await told.listener.close();
});

test('a session that stays refused ends the watch', async () => {
  const watched = await openWatched([], refusing('INIT_WATCH', 'CHECK_LOGIN_FAILED'));
  const told = watch(watched.db.collection('c'));
  await until(() => told.errors.length, 'the error');
  assert.equal(
    told.errors[0].message,
    'errCode: -402002 realtime listener init watch fail | errMsg: CHECK_LOGIN_FAILED - why',
  );
  assert.equal(sent(watched, 'LOGIN').length, 2);
});

test('events that cannot be', async () => {
  const watched = await openWatched([{ _id: 'a' }]);
  const told = watch(watched.db.collection('c'));
  await until(() => told.snapshots.length, 'the first snapshot');
  watched.tell([{ ...event(2, 'add', 'enqueue', { _id: 'b' }), Doc: '' }]);
  await until(() => told.errors.length, 'the error');
  assert.equal(told.errors[0].errCode, -402007);
});

test('where nobody answers, the watch ends by an error', async () => {
  const { wx } = openSimulator({ place: { address: 'http://127.0.0.1:9' } });
  wx.cloud.init();
  const told = watch(wx.cloud.database().collection('c'));
  await until(() => told.errors.length, 'the error');
  assert.match(
    told.errors[0].message,
    /^errCode: -402002 realtime listener init watch fail \| errMsg: login fail Error: no emulator/,
  );
});

test('skip and field are told to be ignored', async () => {
  const watched = await openWatched();
  const told = watch(watched.db.collection('c').skip(1));
  assert.match(watched.console.lines.join(), /watch\(\) takes no skip and no field/);
  await told.listener.close();
});
