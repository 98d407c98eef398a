// Who calls, as wx-server-sdk tells it.
const cloud = require('wx-server-sdk');

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV });

exports.main = async (event) => ({ event, wxContext: cloud.getWXContext() });
