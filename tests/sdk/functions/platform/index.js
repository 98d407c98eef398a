// Reports what a function finds around it.
const crypto = require('crypto');
const { EventEmitter } = require('node:events');
const fs = require('fs');
const path = require('path');
const zlib = require('node:zlib');
const double = require('./lib/double');

const VARIABLES = ['TENCENTCLOUD_RUNENV', 'TCB_ENV', 'SCF_NAMESPACE', 'SCF_FUNCTIONNAME', 'WX_CONTEXT_KEYS', 'WX_OPENID'];

exports.main = async () => ({
  variables: Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]])),
  timezoneOffset: new Date(2026, 6, 1).getTimezoneOffset(),
  ownFile: fs.readFileSync(path.join(__dirname, 'beside.txt'), 'utf8'),
  temporary: writeAndRead('/tmp/emulator-test.txt'),
  modules: useModules(),
  required: { fromModule: double(21), fromJson: require('./data.json') },
});

function writeAndRead(file) {
  fs.writeFileSync(file, 'written and read');
  const text = fs.readFileSync(file, 'utf8');
  fs.unlinkSync(file);
  return text;
}

function useModules() {
  const emitter = new EventEmitter();
  let event = 'not heard';
  emitter.on('call', (text) => {
    event = text;
  });
  emitter.emit('call', 'heard');
  return {
    hash: crypto.createHash('sha256').update('hello').digest('hex'),
    joined: path.posix.join('a', 'b', '..', 'c'),
    zipped: String(zlib.gunzipSync(zlib.gzipSync('hello hello hello'))),
    buffer: Buffer.from('你好').toString('base64'),
    url: new URL('http://host/?q=%E4%B8%AD').searchParams.get('q'),
    event,
  };
}
