// Compiled, never run: the client's types beside those of miniprogram-api-typings (`types.test.js`).
import useEmulator = require('../../../emulator/miniprogram/wx-cloud');

const { cloud } = useEmulator;

// What is served may stand wherever the native one does.
const served: Pick<WxCloud, useEmulator.Served> = cloud;
const typed: useEmulator.Cloud['database'] = wx.cloud.database;
useEmulator({ address: 'http://192.168.1.5:7357', token: 't' }).init({ env: 'e' });

async function use(): Promise<void> {
  cloud.init({ env: 'e', traceUser: true });
  const db = cloud.database({ env: 'e' });
  const _ = db.command;
  const todos = db.collection('todos');
  const found: DB.IQueryResult = await todos
    .where({ done: _.neq(true), at: _.lt(db.serverDate()) })
    .orderBy('at', 'asc')
    .limit(5)
    .get();
  const one: DB.IDocumentData = (await todos.doc('x').get()).data;
  const none: void = todos.doc('x').update({ data: { n: _.inc(1), tags: _.push(['a', 'b']) }, success: () => {} });
  const { total }: DB.ICountResult = await todos.count();
  await todos
    .aggregate()
    .match({ done: true })
    .group({ _id: '$owner', n: _.aggregate.sum(1) })
    .end();
  const listener: DB.RealtimeListener = todos.where({ p: db.Geo.Point(1, 2) }).watch({
    onChange: (snapshot: DB.ISnapshot) => snapshot.docs.length + total,
    onError: () => {},
  });
  await listener.close();
  const { result } = await cloud.callFunction({ name: 'sum', data: { a: 1, run: cloud.CloudID('id') } });
  const task: WechatMiniprogram.UploadTask = cloud.uploadFile({ cloudPath: 'a', filePath: 'b', success: () => {} });
  task.onProgressUpdate(({ progress }) => progress);
  const { fileID } = await cloud.uploadFile({ cloudPath: 'a', filePath: 'b' });
  const { fileList } = await cloud.getTempFileURL({ fileList: [fileID] });
  await cloud.deleteFile({ fileList: fileList.map((file) => file.fileID) });
  const other = new cloud.Cloud({ resourceEnv: 'shared' });
  await other.init();
  await other.database().collection('c').get();
  console.log(served, typed, found, one, none, result);
}

// What is not served is not typed, so that the compiler says what the emulator would.
// @ts-expect-error
cloud.callContainer({ path: '/' });
// @ts-expect-error
useEmulator({ token: 'without an address' });

use();
