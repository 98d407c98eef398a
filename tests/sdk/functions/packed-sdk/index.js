// Has no wx-server-sdk of its own: tells which one it got, and writes and reads with it.
const path = require('path');
const cloud = require('wx-server-sdk');

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV });

exports.main = async ({ collection }) => {
  const todos = cloud.database().collection(collection);
  const { _id } = await todos.add({ data: { from: cloud.getWXContext().OPENID } });
  const { data } = await todos.doc(_id).get();
  const resolved = path.relative(__dirname, require.resolve('wx-server-sdk'));
  return { version: cloud.version, resolved, from: data.from };
};
