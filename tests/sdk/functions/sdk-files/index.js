// Runs one scenario of the files of wx-server-sdk. Answers `{ answer }`, or `{ error }` with what the SDK throws.
const fs = require('fs');
const cloud = require('wx-server-sdk');

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV });

const upload = (cloudPath, content) => cloud.uploadFile({ cloudPath, fileContent: Buffer.from(content) });

const SCENARIOS = {
  upload: () => upload('wx/目录/a b.txt', 'hello'),
  uploadStream: async () => {
    fs.writeFileSync('/tmp/stream.txt', 'from a stream');
    const { fileID } = await cloud.uploadFile({ cloudPath: 'wx/stream.txt', fileContent: fs.createReadStream('/tmp/stream.txt') });
    const { fileContent } = await cloud.downloadFile({ fileID });
    return { fileID, content: String(fileContent) };
  },
  download: async () => {
    const { fileID } = await upload('wx/download.txt', '下载');
    const { fileContent, ...rest } = await cloud.downloadFile({ fileID });
    return { ...rest, isBuffer: Buffer.isBuffer(fileContent), content: String(fileContent) };
  },
  downloadMissing: ({ missing }) => cloud.downloadFile({ fileID: missing }),
  urls: async ({ missing }) => {
    const { fileID } = await upload('wx/url.txt', 'by address');
    return cloud.getTempFileURL({ fileList: [fileID, missing, { fileID, maxAge: 60 }] });
  },
  remove: async ({ missing }) => {
    const { fileID } = await upload('wx/remove.txt', 'x');
    return cloud.deleteFile({ fileList: [fileID, missing] });
  },
  tooMany: ({ missing }) => cloud.deleteFile({ fileList: Array.from({ length: 51 }, () => missing) }),
  noList: () => cloud.getTempFileURL({}),
  noOptions: () => cloud.getTempFileURL(),
};

exports.main = async (event) => {
  try {
    return { answer: await SCENARIOS[event.scenario](event) };
  } catch (error) {
    return { error: { errCode: error.errCode, errMsg: error.errMsg, message: error.message } };
  }
};
