// Calls another function: `{ name, data }`, and answers what the SDK answers, or the error it throws.
const cloud = require('wx-server-sdk');

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV });

exports.main = async (event) => {
  try {
    return { answer: await cloud.callFunction(event.options) };
  } catch (error) {
    return { error: { errCode: error.errCode, errMsg: error.errMsg, message: error.message } };
  }
};
