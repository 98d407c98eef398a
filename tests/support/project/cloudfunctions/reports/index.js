exports.main = async (event, context) => ({
  event,
  context,
  openid: process.env.WX_OPENID,
  source: process.env.TCB_SOURCE,
  zone: new Date(0).getHours(),
  directory: require('path').basename(__dirname),
});
