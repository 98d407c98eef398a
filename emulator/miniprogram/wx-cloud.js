/**
 * `wx.cloud` of a mini program, answered by the emulator on this machine instead of the cloud. One line at the top of
 * app.js, before anything touches `wx.cloud`, loads it; the line may stay when the file is gone:
 *
 *   try { require('./wx-cloud.js') } catch (e) {}
 *
 * It acts in WeChat DevTools only. On a phone, beside `emulator start --lan`, the line names the place:
 *
 *   try { require('./wx-cloud.js')({ address: 'http://192.168.1.5:7357', token: '…' }) } catch (e) {}
 *
 * For tests, `kit/` loads it in Node.
 *
 * Everywhere else, and in every released mini program, native `wx.cloud` stays. `require('./wx-cloud.js').cloud` is always
 * the one to use, for code that cannot rely on `wx.cloud` having been replaced.
 *
 * This file shapes the API: builders, argument checks, the client's error codes and texts, its limits. What a query means,
 * who may do what and what is stored is decided by the emulator, which it asks over `POST /web` and a WebSocket.
 *
 * ## Differences from the cloud
 * - Where `wx-server-sdk` encodes a documented form wrongly (`_.not(_.or(…))`, two fields with `_.or`, `_.elemMatch` of a
 *   chain, `$.gt('$a', '$b')`, …), this client gives it the documented meaning (semantics UNC-09).
 * - A command inside the data of `add` is refused; the cloud stores junk.
 * - `watch` tries a lost connection again at once, then ever more slowly, and gives up when five tries in a row fail; the
 *   cloud's waits 10 s between them.
 * - `<image src="cloud://…">` and its like are WeChat's own and still ask the cloud: use `getTempFileURL`.
 * - What native `wx.cloud` has and the emulator has not is refused by its name.
 *
 * The syntax is kept to what DevTools turns into ES5 without helper modules: no classes, spread, array destructuring,
 * `for…of`, `async`, computed keys (`tests/client/syntax.test.js`).
 */
'use strict';

// ---------------------------------------------------------------------------------------------------------------------
// What `require` gives, and when it acts
// ---------------------------------------------------------------------------------------------------------------------

module.exports = useEmulator;

Object.defineProperty(module.exports, 'cloud', { enumerable: true, get: cloudInUse });

/**
 * Where the emulator is. `address` is empty until a line names it: then the emulator is searched on this machine. The rest is
 * the test kit's: `env` is the environment, such as a fork, that stands for the one the code means, `isOpen` spares `init`,
 * `documentsMax` is how many documents a query answers at most.
 */
const place = { address: '', token: '', found: null, env: '', isOpen: false, documentsMax: 0 };

/** `native` is what WeChat gave; `ours` stays null wherever this file does not act. */
const clouds = { native: typeof wx === 'undefined' ? undefined : wx.cloud, ours: null };

/** Acts wherever this runs, towards the emulator at `address`, unless it runs in a released mini program. */
function useEmulator(options) {
  if (options && options.address && !isReleased()) {
    const parts = String(options.address).split('?');
    place.address = parts[0].replace(/\/+$/, '');
    place.token = options.token || tokenIn(parts[1] || '');
    place.env = options.env || '';
    place.isOpen = Boolean(options.isOpen);
    place.documentsMax = options.documentsMax || 0;
    place.found = null;
    act();
  }
  return cloudInUse();
}

function start() {
  if (typeof wx !== 'undefined' && isDevTools() && !isReleased()) {
    act();
  }
}

function act() {
  if (!clouds.ours) {
    clouds.ours = createCloud();
    refuseUnserved(clouds.ours, clouds.native);
    takePlaceOfNative(clouds.ours);
  }
}

function cloudInUse() {
  return clouds.ours || clouds.native;
}

function takePlaceOfNative(cloud) {
  attempt(() =>
    Object.defineProperty(wx, 'cloud', { value: cloud, configurable: true, enumerable: true, writable: true }),
  );
  if (wx.cloud !== cloud) {
    console.warn(`${LABEL} wx.cloud cannot be replaced here: use require('./wx-cloud.js').cloud in its place`);
  }
}

function isDevTools() {
  const device = attempt(() => wx.getDeviceInfo()) || attempt(() => wx.getSystemInfoSync()) || {};
  const platform = device.platform || (typeof __wxConfig === 'undefined' ? '' : __wxConfig.platform);
  return platform === 'devtools';
}

function isReleased() {
  return accountInfo().envVersion === 'release';
}

function appid() {
  return accountInfo().appId || '';
}

function accountInfo() {
  const info = attempt(() => wx.getAccountInfoSync()) || {};
  return info.miniProgram || {};
}

/** The token of an address as `emulator start --lan` prints it. */
function tokenIn(query) {
  const found = /(?:^|&)token=([^&#]*)/.exec(query);
  return found ? decodeURIComponent(found[1]) : '';
}

// ---------------------------------------------------------------------------------------------------------------------
// Settings
// ---------------------------------------------------------------------------------------------------------------------

const LABEL = '[emulator]';

const PORT_FIRST = 7357;
const PORT_LAST = 7366;
const HELLO_TIMEOUT_MS = 2000;

/** Where a simulator keeps the user it is, so that each stays its own. */
const OPENID_STORAGE_KEY = 'emulator.openid';

/** How many calls of one network API may run at a time; WeChat fails those beyond. */
const NETWORK_CALLS_MAX = 10;
const CROWDED_RETRY_MS = 50;

const DATA_VERSION = '2020-01-10';

/** The server's answers that a new sign-in cures. */
const SIGN_IN_AGAIN = ['ACCESS_TOKEN_EXPIRED', 'CHECK_LOGIN_FAILED'];
const REALTIME_SIGN_IN_AGAIN = SIGN_IN_AGAIN.concat('SIGN_EXPIRED_ERROR', 'SIGN_INVALID_ERROR', 'SIGN_PARAM_INVALID');

/** semantics §1.1, DB-4.02 */
const DOCUMENTS_MAX = 20;
/** semantics DB-1.34, FN-11 */
const RESULT_BYTES_MAX = 1024 * 1024;
/** semantics FN-15 */
const FUNCTION_DATA_BYTES_MAX = 100 * 1024;

const SOCKET_OPEN_TIMEOUT_MS = 10000;
const LOGIN_TIMEOUT_MS = 5000;
const WATCH_TIMEOUT_MS = 10000;
const WATCH_TRIES_MAX = 3;
const PING_AFTER_MS = 10000;
const PONG_TIMEOUT_MS = 5000;
const PONGS_MISSED_MAX = 2;
const CHECK_LAST_AFTER_MS = 10000;
const CHECK_LAST_TIMEOUT_MS = 5000;
/** How long an event that CHECK_EVENT tells of may still be on its way. */
const CHECK_LAST_GRACE_MS = 5000;
const RECONNECT_AFTER_MS = [50, 500, 2000, 5000, 10000];
/** How many sessions in a row may be refused before a watch ends. */
const REFUSALS_MAX = 1;

const CLOSE_NO_WATCHES = 3001;
const CLOSE_NO_PONG = 3002;
const CLOSE_SIGN_IN_AGAIN = 3000;

// ---------------------------------------------------------------------------------------------------------------------
// The surface: wx.cloud, and what `new wx.cloud.Cloud()` makes
// ---------------------------------------------------------------------------------------------------------------------

/** `wx.cloud` itself. */
function createCloud() {
  const scope = { started: false, env: {} };
  const cloud = createServices(scope);
  cloud.init = (config) => {
    if (!scope.started) {
      openScope(scope, config || {});
      findEmulator().then(tellFound, (error) => console.error(`${LABEL} ${error.message}`));
    }
  };
  cloud.Cloud = Cloud;
  cloud.CloudID = CloudID;
  cloud.DYNAMIC_CURRENT_ENV = CURRENT_ENV;
  return cloud;
}

/** Another environment beside the one of `wx.cloud` (semantics 13.7, 13.8). `await cloud.init()` comes first here, too. */
function Cloud(options) {
  const settings = options || {};
  if (settings.identityless) {
    throw new Error(unsupported('Cloud({ identityless })'));
  }
  const scope = { started: false, env: {} };
  Object.assign(this, createServices(scope));
  this.init = () => {
    openScope(scope, { env: settings.resourceEnv });
    return run('cloud.init', undefined, findEmulator).then(() => undefined);
  };
}

/** What every cloud serves. `scope` tells its environments, and whether `init` was called. */
function createServices(scope) {
  return {
    database: (config) => createDatabase(scope, config || {}),
    callFunction: (options) => callFunction(scope, options),
    uploadFile: (options) => uploadFile(scope, options),
    downloadFile: (options) => downloadFile(scope, options),
    getTempFileURL: (options) => getTempFileURL(scope, options),
    deleteFile: (options) => deleteFile(scope, options),
  };
}

/** `env` is one name, or one for each service. */
function openScope(scope, config) {
  const env = config.env;
  const one = { database: env, storage: env, functions: env };
  scope.env = isPlainObject(env) ? env : one;
  scope.started = true;
}

/** The environment of a call: its own, else its cloud's, else (`''`) the emulator's default one. */
function envOf(scope, service, config) {
  const env = (config && config.env) || scope.env[service];
  return standingFor(env === String(env) ? env : '');
}

/** A fork stands for what it is a fork of, and for nothing in particular: `cloud1--a` for `cloud1`, `cloud1--a` and `''`. */
function standingFor(env) {
  return env === '' || place.env.indexOf(`${env}--`) === 0 ? place.env : env;
}

function requireInit(scope) {
  if (!scope.started && !place.isOpen) {
    throw failure(
      -1,
      "Cloud API isn't enabled, please call init first\n" +
        '请先调用 init 完成初始化后再调用其他云 API。init 方法可传入一个对象用于设置默认配置，详见文档。',
    );
  }
}

function tellFound(found) {
  console.info(`${LABEL} wx.cloud is answered by the emulator at ${found.address}`);
}

/** Stands for the cloud's `DYNAMIC_CURRENT_ENV`; here, the emulator's default environment. */
const CURRENT_ENV = Symbol.for('SYMBOL_CURRENT_ENV');

/** Marks a value of a function's data that the server replaces by open data (semantics 13.1). */
function CloudID(cloudID) {
  if (!isA(this, CloudID)) {
    return new CloudID(cloudID);
  }
  this.cloudID = cloudID;
}

CloudID.prototype.toJSON = function toJSON() {
  return { $cloudID: this.cloudID };
};

/** What typings and documentation name and the emulator has not; native members that are neither join them. */
const UNSERVED = ['CDN', 'callContainer', 'callHTTPFunction', 'connectContainer', 'extend', 'models', 'services'];

function refuseUnserved(cloud, native) {
  UNSERVED.concat(Object.keys(Object(native))).forEach((name) => {
    if (!(name in cloud)) {
      const value = attempt(() => native[name]);
      cloud[name] = value === undefined || isObject(value) ? refusal(`wx.cloud.${name}`) : value;
    }
  });
}

/** Something that refuses by its name however it is used: called, constructed, or through its members. */
function refusal(path) {
  return new Proxy(function unserved() {}, {
    get: (target, name) => (isOrdinaryMember(target, name) ? target[name] : refusal(`${path}.${name}`)),
    apply: (target, self, values) => refuse(path, values[0]),
    construct: () => {
      throw new Error(unsupported(path));
    },
  });
}

function isOrdinaryMember(target, name) {
  return name !== String(name) || name in target || name === 'then' || name === 'toJSON';
}

/** An API's refusal reaches its caller as the API's failures do; a constructor's is thrown. */
function refuse(path, options) {
  const error = new Error(unsupported(path));
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (name[0] !== name[0].toLowerCase()) {
    throw error;
  }
  return run(path.replace(/^wx\./, ''), options, () => Promise.reject(error));
}

function unsupported(what) {
  return `not supported by the emulator: ${what}`;
}

// ---------------------------------------------------------------------------------------------------------------------
// Database: collections, queries, documents (semantics §1)
// ---------------------------------------------------------------------------------------------------------------------

function createDatabase(scope, config) {
  requireInit(scope);
  const env = envOf(scope, 'database', config);
  return {
    config: { env },
    command,
    Geo,
    RegExp: DatabaseRegExp,
    serverDate: (options) => new ServerDate(options),
    collection: (name) => createCollection(env, name),
  };
}

function createCollection(env, name) {
  if (!name || name !== String(name)) {
    throw new Error('Collection name is required');
  }
  const source = { env, name };
  return Object.assign(createQuery(source, {}), {
    collectionName: name,
    doc: (id) => createDocument(source, id, undefined),
    add: (options) => add(source, options),
    aggregate: () => createAggregate(source),
  });
}

/**
 * A query: `view` holds `query` (encoded), `order`, `offset`, `limit` and `projection`, each absent until asked for. Every
 * builder call answers a new query, and `where` after `where` replaces the condition (DB-1.04).
 */
function createQuery(source, view) {
  const having = (name, value) => createQuery(source, Object.assign({}, view, pair(name, value)));
  return {
    where: (condition) => having('query', encodeWhere(condition)),
    orderBy: (field, direction) => having('order', orderedBy(view.order || [], field, direction)),
    limit: (count) => having('limit', integer(count, 'limit')),
    skip: (count) => having('offset', integer(count, 'offset')),
    field: (projection) => having('projection', encodeProjection(projection)),
    get: (options) => getDocuments(source, view, options),
    count: (options) => countDocuments(source, view, options),
    update: (options) => updateDocuments(source, view, options),
    remove: (options) => removeDocuments(source, view, options),
    watch: (options) => watchQuery(source, view, options),
  };
}

function createDocument(source, id, projection) {
  if (id !== String(id) && id !== Number(id)) {
    throw new Error('docId必须为字符串或数字');
  }
  return {
    field: (fields) => createDocument(source, id, encodeProjection(fields)),
    get: (options) => getDocument(source, id, projection, options),
    set: (options) => setDocument(source, id, options),
    update: (options) => updateDocument(source, id, options),
    remove: (options) => removeDocument(source, id, options),
    watch: (options) => watchQuery(source, { query: { _id: id } }, options),
  };
}

function add(source, options) {
  return run('collection.add', options, () => {
    const data = encodeDocument(dataOf(options));
    return callDatabase(source, 'addDocument', { data }).then((reply) => ({ _id: reply.data._id }));
  });
}

function getDocuments(source, view, options) {
  return run('collection.get', options, () => {
    const params = {
      queryType: 'WHERE',
      query: view.query,
      order: view.order,
      offset: view.offset,
      limit: pageSize(view.limit),
      projection: view.projection,
    };
    return callDatabase(source, 'queryDocument', params).then((reply) => {
      requireSize(reply.data.list, -602001);
      return { data: reply.data.list.map(decodeValue) };
    });
  });
}

function countDocuments(source, view, options) {
  return run('collection.count', options, () =>
    callDatabase(source, 'countDocument', { queryType: 'WHERE', query: view.query }).then((reply) => ({
      total: reply.data.total,
    })),
  );
}

function updateDocuments(source, view, options) {
  return run('collection.update', options, () => {
    const data = encodeUpdate(dataOf(options));
    const params = { queryType: 'WHERE', query: view.query, data, multi: true, merge: true, upsert: false };
    return callDatabase(source, 'updateDocument', params).then(updatedStats);
  });
}

function removeDocuments(source, view, options) {
  return run('collection.remove', options, () => {
    if (view.offset !== undefined || view.limit !== undefined || view.projection || view.order) {
      console.warn('`offset`, `limit`, `projection`, `orderBy` are not supported in remove() operation');
    }
    const params = { queryType: 'WHERE', query: view.query, multi: true };
    return callDatabase(source, 'deleteDocument', params).then((reply) => ({
      stats: { removed: reply.data.deleted || 0 },
    }));
  });
}

function getDocument(source, id, projection, options) {
  return run('document.get', options, () => {
    const params = { queryType: 'DOC', query: { _id: id }, multi: false, projection };
    return callDatabase(source, 'queryDocument', params).then((reply) => {
      if (!reply.data.list.length) {
        throw failure(-1, `cannot find document with _id ${id}, ${MAKE_SURE}`);
      }
      return { data: decodeValue(reply.data.list[0]) };
    });
  });
}

function setDocument(source, id, options) {
  return run('document.set', options, () => {
    const data = encodeDocument(withoutId(dataOf(options)));
    const params = { queryType: 'DOC', query: { _id: id }, data, multi: false, merge: false, upsert: true };
    return callDatabase(source, 'updateDocument', params).then((reply) => {
      const created = createdId(reply.data) === null ? 0 : 1;
      return { _id: id, stats: { updated: created ? 0 : reply.data.updated || 0, created } };
    });
  });
}

function updateDocument(source, id, options) {
  return run('document.update', options, () => {
    const data = encodeUpdate(dataOf(options));
    const params = { queryType: 'DOC', query: { _id: id }, data, multi: false, merge: true, upsert: false };
    return callDatabase(source, 'updateDocument', params).then(updatedStats);
  });
}

/** The client refuses to remove what is not there; the server SDK counts 0 (DB-1.12, UNC-04). */
function removeDocument(source, id, options) {
  return run('document.remove', options, () => {
    const params = { queryType: 'DOC', query: { _id: id }, multi: false };
    return callDatabase(source, 'deleteDocument', params).then((reply) => {
      if (!reply.data.deleted) {
        throw failure(-1, `cannot remove document with _id ${id}, ${MAKE_SURE}`);
      }
      return { stats: { removed: reply.data.deleted } };
    });
  });
}

/** How the client's messages about missing documents end: a document that is hidden is as good as missing (DB-1.10). */
const MAKE_SURE = 'please make sure that the document exists and you have the corresponding access permission';

function callDatabase(source, action, params) {
  return callEmulator(source.env, `database.${action}`, Object.assign({ collectionName: source.name }, params));
}

function updatedStats(reply) {
  return { stats: { updated: reply.data.updated || 0 } };
}

/** Only a document that was created has an id in the reply to an update; which of the names it has depends on the server. */
function createdId(data) {
  const ids = [data.upserted_id, data.upsert_id].filter((id) => id !== undefined && id !== null);
  return ids.length ? ids[0] : null;
}

/** The data of a write: checked, and free of cycles. */
function dataOf(options) {
  requireOptions(options);
  requireType(options.data, 'data', 'object');
  requireNoCycle(options.data, []);
  return options.data;
}

function withoutId(data) {
  if (data._id !== undefined) {
    throw failure(-501007, '不能更新_id的值');
  }
  return data;
}

/** A client's page: 20 documents unless fewer are asked for; 0 asks for nothing special (semantics §1.1, §1.3). */
function pageSize(limit) {
  const size = limit || documentsMax();
  return size < 0 ? Math.max(size, -documentsMax()) : Math.min(size, documentsMax());
}

function documentsMax() {
  return place.documentsMax || DOCUMENTS_MAX;
}

function integer(value, name) {
  if (value !== Math.trunc(value)) {
    throw new Error(`${name}must be integer`);
  }
  return value;
}

/** The first call names the primary key; a field that comes again keeps its place (DB-1.30). */
function orderedBy(order, field, direction) {
  if (direction !== 'asc' && direction !== 'desc') {
    throw new Error('排序字符不合法');
  }
  if (!/^[a-zA-Z0-9\-_.]/.test(field)) {
    throw new Error('');
  }
  const key = { field, direction };
  const known = order.some((other) => other.field === field);
  return known ? order.map((other) => (other.field === field ? key : other)) : order.concat(key);
}

// ---------------------------------------------------------------------------------------------------------------------
// Aggregation pipelines (semantics §4)
// ---------------------------------------------------------------------------------------------------------------------

const STAGES = words(
  'addFields bucket bucketAuto count geoNear group limit lookup match project replaceRoot sample skip sort sortByCount unwind',
);

const STAGES_UNSUPPORTED = words('collStats facet graphLookup indexStats out redact');

function createAggregate(source) {
  const aggregate = createPipeline();
  aggregate.end = (options) =>
    run('collection.aggregate', options, () => {
      const stages = withPageSize(aggregate.stages).map((stage) => ({
        stageKey: stage.key,
        stageValue: JSON.stringify(stage.value),
      }));
      return callDatabase(source, 'aggregate', { stages }).then((reply) => ({ list: decodeList(reply.data.list) }));
    });
  return aggregate;
}

/** The stages of `aggregate()` and of `$.pipeline()`. */
function createPipeline() {
  const pipeline = {};
  Object.defineProperty(pipeline, 'stages', { value: [] });
  STAGES.forEach((name) => {
    pipeline[name] = (value) => {
      pipeline.stages.push({ key: `$${name}`, value: encodeStage(name, value) });
      return pipeline;
    };
  });
  STAGES_UNSUPPORTED.forEach((name) => {
    pipeline[name] = () => {
      throw new Error(unsupported(`aggregate().${name}()`));
    };
  });
  pipeline.done = () => pipeline.stages.map((stage) => pair(stage.key, stage.value));
  return pipeline;
}

function encodeStage(name, value) {
  requireNoCycle(value, []);
  if (name === 'match') {
    return encodeWhere(value);
  }
  const stage = encodeValue(value);
  if (name === 'geoNear' && isPlainObject(value) && value.query !== undefined) {
    stage.query = encodeWhere(value.query);
  }
  return stage;
}

/** A client's pipeline without a `limit` of its own answers 20 documents (DB-4.02). */
function withPageSize(stages) {
  const limited = stages.some((stage) => stage.key === '$limit');
  return limited ? stages : stages.concat({ key: '$limit', value: documentsMax() });
}

/** The list comes as one JSON text that holds a JSON text for each document (protocol §2.5). */
function decodeList(list) {
  return parsed(list).map((document) => decodeValue(parsed(document)));
}

function parsed(value) {
  return value === String(value) ? JSON.parse(value) : value;
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands: `db.command` (semantics §2, §3, §4.3)
// ---------------------------------------------------------------------------------------------------------------------

/** A condition on a value, or several joined: `operator` is a query operator of the database, or LOGIC's. */
function QueryCommand(operator, operands) {
  this.operator = operator;
  this.operands = operands;
}

/** A change of a field. */
function UpdateCommand(operator, value) {
  this.operator = operator;
  this.value = value;
}

/** An expression of `db.command.aggregate`. */
function Expression(operator, value) {
  this.operator = operator;
  this.value = value;
}

/** What `field()` may ask of an array. */
function ProjectionCommand(operator, value) {
  this.operator = operator;
  this.value = value;
}

const LOGIC = ['$and', '$nor', '$not', '$or'];

/** Conditions that speak of the document, not of the field they stand at. */
const DOCUMENT_CONDITIONS = ['$expr', '$jsonSchema'];

/** Each condition by its name: the values of the call → a QueryCommand. All may be chained: `_.gt(1).lt(5)`. */
const CONDITIONS = {
  eq: (value) => new QueryCommand('$eq', [value]),
  neq: (value) => new QueryCommand('$ne', [value]),
  gt: (value) => new QueryCommand('$gt', [value]),
  gte: (value) => new QueryCommand('$gte', [value]),
  lt: (value) => new QueryCommand('$lt', [value]),
  lte: (value) => new QueryCommand('$lte', [value]),
  in: (values) => new QueryCommand('$in', [values]),
  nin: (values) => new QueryCommand('$nin', [values]),
  exists: (value) => new QueryCommand('$exists', [value === undefined ? true : value]),
  mod: (divisor, remainder) => new QueryCommand('$mod', [Array.isArray(divisor) ? divisor : [divisor, remainder]]),
  all: (values) => new QueryCommand('$all', [values]),
  elemMatch: (value) => new QueryCommand('$elemMatch', [value]),
  size: (value) => new QueryCommand('$size', [value]),
  geoNear: (options) => new QueryCommand('$nearSphere', [nearOptions(options || {})]),
  geoWithin: (options) => new QueryCommand('$geoWithin', [withinOptions(options || {})]),
  geoIntersects: (options) => new QueryCommand('$geoIntersects', [intersectsOptions(options || {})]),
};

/** How conditions join. The operands come one by one, or as one array. */
const JOINS = { and: '$and', or: '$or', nor: '$nor' };

Object.keys(CONDITIONS).forEach((name) => {
  QueryCommand.prototype[name] = function chain(first, second) {
    return new QueryCommand('$and', [this, CONDITIONS[name](first, second)]);
  };
});

Object.keys(JOINS).forEach((name) => {
  QueryCommand.prototype[name] = function join(...values) {
    return new QueryCommand(JOINS[name], [this].concat(oneByOne(values)));
  };
});

QueryCommand.prototype.not = function not(value) {
  return new QueryCommand('$and', [this, new QueryCommand('$not', [value])]);
};

const UPDATES = {
  set: (value) => new UpdateCommand('$set', value),
  remove: () => new UpdateCommand('$unset', ''),
  inc: (value) => new UpdateCommand('$inc', value),
  mul: (value) => new UpdateCommand('$mul', value),
  min: (value) => new UpdateCommand('$min', value),
  max: (value) => new UpdateCommand('$max', value),
  rename: (path) => new UpdateCommand('$rename', path),
  bit: (value) => new UpdateCommand('$bit', value),
  push: (...values) => new UpdateCommand('$push', pushed(values)),
  pop: () => new UpdateCommand('$pop', 1),
  shift: () => new UpdateCommand('$pop', -1),
  unshift: (...values) => new UpdateCommand('$push', { $each: oneByOne(values), $position: 0 }),
  pull: (value) => new UpdateCommand('$pull', value),
  pullAll: (values) => new UpdateCommand('$pullAll', values),
  addToSet: (value) => new UpdateCommand('$addToSet', added(value)),
};

/** The operators of `db.command.aggregate`: each is `$` and its name, but for `neq` (semantics §4.3, UNC-20). */
const EXPRESSIONS = words(
  'abs add addToSet allElementsTrue and anyElementTrue arrayElemAt arrayToObject avg ceil cmp concat ' +
    'concatArrays cond convert dateFromParts dateFromString dateToParts dateToString dayOfMonth dayOfWeek ' +
    'dayOfYear divide eq exp filter first floor gt gte hour ifNull in indexOfArray indexOfBytes indexOfCP ' +
    'isArray isoDayOfWeek isoWeek isoWeekYear last let literal ln log log10 lt lte ltrim map max mergeObjects ' +
    'meta millisecond min minute mod month multiply neq not objectToArray or pow push range reduce ' +
    'reverseArray rtrim second setDifference setEquals setIntersection setIsSubset setUnion size slice split ' +
    'sqrt stdDevPop stdDevSamp strcasecmp strLenBytes strLenCP substr substrBytes substrCP subtract sum ' +
    'switch toBool toDate toDecimal toDouble toInt toLong toLower toObjectId toString toUpper trim trunc type ' +
    'week year zip',
);

const command = createCommand();

function createCommand() {
  const joins = {};
  Object.keys(JOINS).forEach((name) => {
    joins[name] = (...values) => new QueryCommand(JOINS[name], oneByOne(values));
  });
  return Object.assign({}, CONDITIONS, joins, UPDATES, {
    not: (value) => new QueryCommand('$not', [value]),
    expr: (value) => new QueryCommand('$expr', [value]),
    jsonSchema: (value) => new QueryCommand('$jsonSchema', [value]),
    aggregate: createExpressions(),
    project: {
      slice: (value) => new ProjectionCommand('$slice', value),
      elemMatch: (condition) => new ProjectionCommand('$elemMatch', condition),
    },
  });
}

function createExpressions() {
  const expressions = { pipeline: createPipeline };
  EXPRESSIONS.forEach((name) => {
    const operator = name === 'neq' ? '$ne' : `$${name}`;
    expressions[name] = (...values) => new Expression(operator, values.length > 1 ? values : values[0]);
  });
  return expressions;
}

function oneByOne(values) {
  return values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
}

/** `push` of values, or of `{ each, position, sort, slice }` (DB-3.20, DB-3.21). */
function pushed(values) {
  const options = values[0];
  if (values.length > 1 || !isPlainObject(options) || options.each === undefined) {
    return { $each: oneByOne(values) };
  }
  const modifiers = {};
  ['each', 'position', 'sort', 'slice'].forEach((name) => {
    if (options[name] !== undefined) {
      modifiers[`$${name}`] = options[name];
    }
  });
  return modifiers;
}

/** Several values come as `$each`; the documentation also writes `each` (DB-3.22, UNC-15). */
function added(value) {
  const isEach = isPlainObject(value) && Array.isArray(value.each) && Object.keys(value).length === 1;
  if (isEach) {
    console.warn(`${LABEL} _.addToSet({ each }): wx-server-sdk understands { $each } only`);
  }
  return isEach ? { $each: value.each } : value;
}

function nearOptions(options) {
  requireGeometry(options.geometry, [Geo.Point], 'Point');
  const near = { $geometry: options.geometry };
  ['maxDistance', 'minDistance'].forEach((name) => {
    if (options[name] !== undefined) {
      requireNumber(options[name], name);
      near[`$${name}`] = options[name];
    }
  });
  return near;
}

function withinOptions(options) {
  if (options.centerSphere !== undefined) {
    return { $centerSphere: centerSphere(options.centerSphere) };
  }
  requireGeometry(options.geometry, [Geo.Polygon, Geo.MultiPolygon], 'Polygon or MultiPolygon');
  return { $geometry: options.geometry };
}

/** `[centre, radius in radians]`; the centre is a Point or `[longitude, latitude]`. */
function centerSphere(value) {
  const center = Array.isArray(value) && value.length === 2 ? value[0] : null;
  const position = isA(center, Geo.Point) ? center.toJSON().coordinates : center;
  if (!isPosition(position) || value[1] !== Number(value[1])) {
    throw new Error('centersPhere结构不合法');
  }
  return [position, value[1]];
}

function intersectsOptions(options) {
  const types = Object.keys(Geo).map((name) => Geo[name]);
  requireGeometry(options.geometry, types, Object.keys(Geo).join(', '));
  return { $geometry: options.geometry };
}

function requireGeometry(value, types, names) {
  if (!types.some((type) => isA(value, type))) {
    throw new Error(`"geometry" must be of type ${names}. Received type ${typeName(value)}`);
  }
}

function requireNumber(value, name) {
  if (value !== Number(value)) {
    throw new Error(`"${name}" must be of type Number. Received type ${typeName(value)}`);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Queries, updates and projections in the database's own terms (protocol §2.3)
// ---------------------------------------------------------------------------------------------------------------------

/** The condition of `where` or `match`. */
function encodeWhere(condition) {
  if (!isPlainObject(condition) && !isDocumentCondition(condition)) {
    throw new Error('查询参数必须为对象');
  }
  const fields = isPlainObject(condition) ? Object.keys(condition) : [];
  if (fields.length && fields.every((field) => condition[field] === undefined)) {
    throw new Error('查询参数对象值不能均为undefined');
  }
  requireNoCycle(condition, []);
  return encodeCondition(condition);
}

/** Commands that may stand without a field. */
function isDocumentCondition(value) {
  return isA(value, QueryCommand) && LOGIC.concat(DOCUMENT_CONDITIONS).indexOf(value.operator) >= 0;
}

/** A condition on a document: `{field: …}`, or commands that join such. */
function encodeCondition(condition) {
  if (isA(condition, QueryCommand)) {
    return encodeDocumentCommand(condition);
  }
  if (!isPlainObject(condition)) {
    throw new Error('查询参数必须为对象');
  }
  return allOf(Object.keys(condition).map((field) => encodeRootField(field, condition[field])));
}

function encodeDocumentCommand(condition) {
  if (DOCUMENT_CONDITIONS.indexOf(condition.operator) >= 0) {
    return pair(condition.operator, encodeValue(condition.operands[0]));
  }
  if (LOGIC.indexOf(condition.operator) < 0) {
    throw new Error('查询参数必须为对象');
  }
  const operands = condition.operands.map(encodeCondition);
  return condition.operator === '$not' ? { $nor: operands } : joined(condition.operator, operands);
}

/** A field, or an operator of the database written by hand. */
function encodeRootField(field, value) {
  if (field[0] !== '$' || value === undefined) {
    return encodeField(field, value);
  }
  const isJoin = LOGIC.indexOf(field) >= 0 && Array.isArray(value);
  return pair(field, isJoin ? value.map(encodeCondition) : encodeValue(value));
}

/** The condition that `value` puts on `path`. Plain objects go into their fields (DB-2.02); `undefined` says nothing. */
function encodeField(path, value) {
  if (value === undefined || isFunction(value)) {
    return {};
  }
  if (isA(value, QueryCommand)) {
    return encodeFieldCommand(path, value);
  }
  if (isA(value, UpdateCommand)) {
    throw failure(-502002, `the update command ${value.operator} cannot be part of a query`);
  }
  if (!isPlainObject(value) || hasOperators(value)) {
    return pair(path, encodeValue(value));
  }
  return allOf(Object.keys(value).map((field) => encodeField(`${path}.${field}`, value[field])));
}

function encodeFieldCommand(path, condition) {
  const operands = condition.operands;
  switch (condition.operator) {
    case '$and':
    case '$or':
    case '$nor':
      return joined(
        condition.operator,
        operands.map((operand) => encodeField(path, operand)),
      );
    case '$not':
      return encodeNegation(path, operands[0]);
    case '$expr':
    case '$jsonSchema':
      return encodeDocumentCommand(condition);
    case '$elemMatch':
      return encodeElementMatch(path, operands[0]);
    default:
      return pair(path, operatorsOf(condition));
  }
}

/** Joined conditions and objects have no `$not` of their own: none of them may hold. */
function encodeNegation(path, operand) {
  if (isA(operand, QueryCommand) && LOGIC.indexOf(operand.operator) < 0) {
    return pair(path, { $not: operatorsOf(operand) });
  }
  if (isRegExp(operand)) {
    return pair(path, { $not: encodeValue(operand) });
  }
  if (isA(operand, QueryCommand) || isPlainObject(operand)) {
    return { $nor: [encodeField(path, operand)] };
  }
  return pair(path, { $not: { $eq: encodeValue(operand) } });
}

/** An element that meets one of several conditions: either some element meets the first, or some meets the second, … */
function encodeElementMatch(path, operand) {
  const isEither = isA(operand, QueryCommand) && operand.operator === '$or' && !speaksOfFields(operand);
  if (isEither) {
    return joined(
      '$or',
      operand.operands.map((one) => encodeElementMatch(path, one)),
    );
  }
  return pair(path, { $elemMatch: encodeElementCondition(operand) });
}

/** What an element must meet: operators for elements that are values, fields for elements that are objects. */
function encodeElementCondition(operand) {
  if (isPlainObject(operand)) {
    return hasOperators(operand) ? encodeValue(operand) : encodeCondition(operand);
  }
  if (isA(operand, QueryCommand)) {
    return speaksOfFields(operand) ? encodeCondition(operand) : operatorsOf(operand);
  }
  return isRegExp(operand) ? encodeValue(operand) : { $eq: encodeValue(operand) };
}

function speaksOfFields(condition) {
  const isSpeaking = (operand) => isPlainObject(operand) || (isA(operand, QueryCommand) && speaksOfFields(operand));
  return LOGIC.indexOf(condition.operator) >= 0 && condition.operands.some(isSpeaking);
}

/** The condition as operators beside each other, `{$gt: 1, $lt: 5}`: the form that values inside arrays need. */
function operatorsOf(condition) {
  const value = condition.operands[0];
  switch (condition.operator) {
    case '$and':
      return condition.operands.map(elementOperators).reduce(besideEachOther, {});
    case '$not':
      return { $not: elementOperators(value) };
    case '$or':
    case '$nor':
      throw new Error(
        unsupported(`${condition.operator} on the elements of an array, other than directly in _.elemMatch`),
      );
    case '$elemMatch':
      return { $elemMatch: encodeElementCondition(value) };
    case '$all':
      return { $all: Array.isArray(value) ? value.map(encodeMember) : encodeValue(value) };
    default:
      return pair(condition.operator, encodeValue(value));
  }
}

function elementOperators(operand) {
  return isA(operand, QueryCommand) ? operatorsOf(operand) : encodeElementCondition(operand);
}

function besideEachOther(operators, more) {
  Object.keys(more).forEach((name) => {
    if (hasOwn(operators, name)) {
      throw new Error(unsupported(`${name} twice on the elements of an array`));
    }
  });
  return Object.assign(operators, more);
}

/** An item of `_.all([…])`. */
function encodeMember(value) {
  return isA(value, QueryCommand) ? operatorsOf(value) : encodeValue(value);
}

/** Conditions that must all hold, as one: side by side where their keys differ, else under `$and`. */
function allOf(conditions) {
  const all = {};
  const others = [];
  conditions.forEach((condition) => {
    Object.keys(condition).forEach((key) => {
      if (key === '$and') {
        condition.$and.forEach((one) => others.push(one));
      } else if (hasOwn(all, key)) {
        others.push(pair(key, condition[key]));
      } else {
        set(all, key, condition[key]);
      }
    });
  });
  return others.length ? Object.assign(all, { $and: others }) : all;
}

/** `operator` over the conditions; those that are joined by the same operator already come in one by one. */
function joined(operator, conditions) {
  const isSame = (condition) => operator !== '$nor' && Object.keys(condition).join() === operator;
  const each = conditions.map((condition) => (isSame(condition) ? condition[operator] : [condition]));
  return pair(operator, [].concat.apply([], each));
}

/** `{$gt: 1}` written by hand. */
function hasOperators(value) {
  return Object.keys(value).some((key) => key[0] === '$');
}

/** The change that the data of `update` asks for: plain values are set, plain objects go into their fields (DB-3.01). */
function encodeUpdate(data) {
  if (!Object.keys(data).length) {
    throw failure(-401002, 'parameter.data must not be empty');
  }
  withoutId(data);
  const changes = {};
  Object.keys(data).forEach((field) => {
    if (field[0] === '$' && isPlainObject(data[field])) {
      const byHand = encodeValue(data[field]);
      Object.keys(byHand).forEach((path) => putChange(changes, field, path, byHand[path]));
    } else {
      encodeChange(changes, field, data[field]);
    }
  });
  return changes;
}

function encodeChange(changes, path, value) {
  if (value === undefined || isFunction(value)) {
    return;
  }
  if (isA(value, UpdateCommand)) {
    putChange(changes, value.operator, path, encodeOperand(value));
  } else if (isPlainObject(value)) {
    Object.keys(value).forEach((field) => encodeChange(changes, `${path}.${field}`, value[field]));
  } else {
    putChange(changes, '$set', path, encodeValue(value));
  }
}

function putChange(changes, operator, path, value) {
  changes[operator] = set(changes[operator] || {}, path, value);
}

/** `_.pull` takes a condition on the elements; every other command a value. */
function encodeOperand(update) {
  const isCondition = isA(update.value, QueryCommand) || isPlainObject(update.value);
  return update.operator === '$pull' && isCondition ? encodeElementCondition(update.value) : encodeValue(update.value);
}

/** `{field: 1 | 0 | an operator}` (DB-1.33). */
function encodeProjection(projection) {
  requireType(projection, 'projection', 'object');
  const fields = {};
  Object.keys(projection).forEach((field) => {
    set(fields, field, encodeProjected(projection[field]));
  });
  return fields;
}

function encodeProjected(value) {
  if (isA(value, ProjectionCommand)) {
    const operand = value.operator === '$elemMatch' ? encodeElementCondition(value.value) : encodeValue(value.value);
    return pair(value.operator, operand);
  }
  return isObject(value) ? encodeValue(value) : Number(value === true || value > 0);
}

// ---------------------------------------------------------------------------------------------------------------------
// Values: types of their own, and their forms on the wire (semantics §1.5, §2.5; protocol §2.2, dialect A)
// ---------------------------------------------------------------------------------------------------------------------

/** The server's time of writing, `offset` milliseconds later. */
function ServerDate(options) {
  this.options = { offset: (options && options.offset) || 0 };
}

function DatabaseRegExp(options) {
  if (!isA(this, DatabaseRegExp)) {
    return new DatabaseRegExp(options);
  }
  const settings = options || {};
  requireType(settings.regexp, 'regexp', 'string');
  this.regexp = settings.regexp;
  this.options = settings.options || '';
}

/** `Point(longitude, latitude)`, with or without `new`, or from its GeoJSON. */
function Point(longitude, latitude) {
  if (!isA(this, Point)) {
    return new Point(longitude, latitude);
  }
  const given = isGeoJson(longitude, 'Point') ? longitude.coordinates : [longitude, latitude];
  if (!isPosition(given)) {
    throw new Error('Geo Point must be number type');
  }
  if (Math.abs(given[0]) > 180) {
    throw new Error('longitude should be a number ranges from -180 to 180');
  }
  if (Math.abs(given[1]) > 90) {
    throw new Error('latitude should be a number ranges from -90 to 90');
  }
  this.longitude = given[0];
  this.latitude = given[1];
}

Point.prototype.toJSON = function toJSON() {
  return { type: 'Point', coordinates: [this.longitude, this.latitude] };
};

Point.prototype.toString = function toString() {
  return `[${this.longitude},${this.latitude}]`;
};

const LineString = createShape('LineString', 'points', 'Point', Point, (points) => {
  if (points.length < 2) {
    throw new Error('"points" must contain 2 points at least');
  }
});

const MultiPoint = createShape('MultiPoint', 'points', 'Point', Point, (points) => {
  if (!points.length) {
    throw new Error('"points" must contain 1 point at least');
  }
});

const Polygon = createShape('Polygon', 'lines', 'LineString', LineString, (lines) => {
  if (!lines.length) {
    throw new Error('Polygon must contain 1 linestring at least');
  }
  lines.forEach((line) => {
    if (String(line.points[0]) !== String(line.points[line.points.length - 1])) {
      throw new Error(`LineString ${line} is not a closed cycle`);
    }
  });
});

const MultiLineString = createShape('MultiLineString', 'lines', 'LineString', LineString, (lines) => {
  if (!lines.length) {
    throw new Error('MultiLineString must contain 1 linestring at least');
  }
});

const MultiPolygon = createShape('MultiPolygon', 'polygons', 'Polygon', Polygon, (polygons) => {
  if (!polygons.length) {
    throw new Error('MultiPolygon must contain 1 polygon at least');
  }
});

const Geo = { Point, LineString, Polygon, MultiPoint, MultiLineString, MultiPolygon };

/** The constructor of a shape that is a list of parts; works with or without `new`, from parts or from its GeoJSON. */
function createShape(type, member, partName, Part, check) {
  function Shape(given) {
    if (!isA(this, Shape)) {
      return new Shape(given);
    }
    const parts = isGeoJson(given, type) ? given.coordinates.map((one) => fromCoordinates(partName, Part, one)) : given;
    if (!Array.isArray(parts) || !parts.every((part) => isA(part, Part))) {
      throw new Error(`"${member}" must be of type ${partName}[]. Received type ${typeName(parts)}`);
    }
    check(parts);
    this[member] = parts;
  }
  Shape.prototype.toJSON = function toJSON() {
    return { type, coordinates: this[member].map((part) => part.toJSON().coordinates) };
  };
  Shape.prototype.toString = function toString() {
    return JSON.stringify(this.toJSON().coordinates);
  };
  return Shape;
}

function fromCoordinates(type, Type, coordinates) {
  return new Type({ type, coordinates });
}

function isGeoJson(value, type) {
  return isPlainObject(value) && value.type === type && Array.isArray(value.coordinates);
}

function isPosition(value) {
  return Array.isArray(value) && value.length === 2 && value.every((one) => one === Number(one));
}

/** A document as it is stored whole, by `add` and `set`: no commands, no paths. */
function encodeDocument(data) {
  requireNoCommand(data);
  return encodeValue(data);
}

function requireNoCommand(value) {
  if (isCommand(value)) {
    throw failure(-502001, 'update operator complicit');
  }
  if (Array.isArray(value) || isPlainObject(value)) {
    Object.keys(value).forEach((key) => requireNoCommand(value[key]));
  }
}

function isCommand(value) {
  return isA(value, QueryCommand) || isA(value, UpdateCommand);
}

/** A value in its form on the wire. What JSON drops is dropped; what JSON cannot say is said in its EJSON form. */
function encodeValue(value) {
  if (!isObject(value)) {
    return encodeScalar(value);
  }
  if (isDate(value)) {
    return { $date: value.getTime() };
  }
  if (isA(value, ServerDate)) {
    return { $date: { offset: value.options.offset } };
  }
  if (isRegExp(value)) {
    return encodeRegExp(value);
  }
  if (isA(value, Expression)) {
    return pair(value.operator, encodeValue(value.value));
  }
  if (isA(value, QueryCommand)) {
    return operatorsOf(value);
  }
  if (isA(value, UpdateCommand)) {
    throw failure(-502001, 'update operator complicit');
  }
  return Array.isArray(value) ? value.map(encodeElement) : encodeObject(value);
}

function encodeScalar(value) {
  if (tagOf(value) === 'BigInt') {
    throw new TypeError('Do not know how to serialize a BigInt');
  }
  return tagOf(value) === 'Number' && !isFinite(value) ? { $numberDouble: String(value) } : value;
}

function encodeElement(value) {
  return value === undefined || isFunction(value) ? null : encodeValue(value);
}

function encodeObject(value) {
  if (isFunction(value.toJSON)) {
    return encodeValue(value.toJSON());
  }
  const encoded = {};
  Object.keys(value).forEach((key) => {
    if (value[key] !== undefined && !isFunction(value[key])) {
      set(encoded, key, encodeValue(value[key]));
    }
  });
  return encoded;
}

/** The flags that the database has not (`g`, `u`, `y`) make no difference to a match: they are left out (UNC-10). */
function encodeRegExp(value) {
  const isOurs = isA(value, DatabaseRegExp);
  const flags = isOurs ? value.options : value.flags;
  const options = flags.replace(/[^imsx]/g, '');
  if (options !== flags) {
    console.warn(`${LABEL} the flags "${flags}" of a regular expression: the database knows i, m, s and x only`);
  }
  return { $regex: isOurs ? value.regexp : value.source, $options: options };
}

/** A value as the mini program sees it: dates are Dates, GeoJSON is `db.Geo`'s, numbers are numbers. */
function decodeValue(value) {
  if (Array.isArray(value)) {
    return value.map(decodeValue);
  }
  if (!isObject(value)) {
    return value;
  }
  const keys = Object.keys(value);
  if (keys.length === 1 && hasOwn(DECODERS, keys[0])) {
    return DECODERS[keys[0]](value[keys[0]]);
  }
  return decodeGeo(value, keys) || decodeObject(value, keys);
}

function decodeObject(value, keys) {
  const decoded = {};
  keys.forEach((key) => set(decoded, key, decodeValue(value[key])));
  return decoded;
}

/** The wire's forms of one key, sorted. */
const DECODERS = {
  $date: (value) => new Date(isObject(value) ? Number(value.$numberLong) : value),
  $numberDecimal: (value) => Number(value),
  $numberDouble: (value) => Number(value),
  $numberInt: (value) => Number(value),
  $numberLong: (value) => Number(value),
  $oid: (value) => value,
};

/** The geometry that `value` is, or null: what only looks like one stays an object. */
function decodeGeo(value, keys) {
  const isShaped = keys.length === 2 && hasOwn(Geo, value.type) && Array.isArray(value.coordinates);
  return (isShaped && attempt(() => new Geo[value.type](decodeObject(value, keys)))) || null;
}

// ---------------------------------------------------------------------------------------------------------------------
// Cloud functions (semantics §11.2)
// ---------------------------------------------------------------------------------------------------------------------

function callFunction(scope, options) {
  return run('cloud.callFunction', options, () => {
    requireInit(scope);
    requireOptions(options, 'callFunction');
    requireType(options.name, 'name', 'string');
    const params = { function_name: options.name, request_data: functionData(options.data) };
    return callEmulator(envOf(scope, 'functions', options.config), 'functions.invokeFunction', params).then(
      functionResult,
      (error) => {
        throw onOneLine(error);
      },
    );
  });
}

function functionData(data) {
  if (data === undefined) {
    return '{}';
  }
  requireType(data, 'data', 'object');
  requireNoCycle(data, []);
  const text = JSON.stringify(data);
  if (byteLength(text) > FUNCTION_DATA_BYTES_MAX) {
    throw failure(-501007, 'parameter.data exceeds 100 KB');
  }
  return text;
}

function functionResult(reply) {
  const text = reply.data.response_data;
  requireSize(text, -604001);
  return { result: attempt(() => JSON.parse(text), text), requestID: reply.requestId };
}

/** A function's stack comes in several lines and is told in one (FN-11). */
function onOneLine(error) {
  const line = new Error(error.message.replace(/\s*\n\s*/g, ' '));
  line.errCode = error.errCode;
  return line;
}

// ---------------------------------------------------------------------------------------------------------------------
// Files (semantics §12, protocol §2.6, §3)
// ---------------------------------------------------------------------------------------------------------------------

/** Answers a promise, or, called with callbacks, an UploadTask. */
function uploadFile(scope, options) {
  const transfer = createTransfer();
  const outcome = run('uploadFile', options, () => {
    requireInit(scope);
    requireOptions(options, 'uploadFile');
    requireName(options.cloudPath, 'cloudPath');
    requireName(options.filePath, 'filePath');
    const params = { path: options.cloudPath, method: 'post' };
    return callEmulator(envOf(scope, 'storage', options.config), 'storage.getUploadMetadata', params).then((reply) =>
      sendFile(transfer, reply.data, options),
    );
  });
  return isCallbackStyle(options) ? transfer.task : outcome;
}

function sendFile(transfer, ticket, options) {
  if (!ticket.url) {
    throw failure(-403002, 'no upload url');
  }
  const formData = {
    key: options.cloudPath,
    signature: ticket.authorization,
    'x-cos-meta-fileid': ticket.cosFileId,
    'x-cos-security-token': ticket.token,
    success_action_status: '201',
  };
  const sending = { url: ticket.url, filePath: options.filePath, name: 'file', header: options.header || {}, formData };
  return transfer.begin('uploadFile', sending).then((answer) => {
    if (answer.statusCode < 200 || answer.statusCode > 299) {
      throw failure(-503001, `${answer.statusCode} ${reasonIn(answer.data)}`);
    }
    return { fileID: ticket.fileId, statusCode: 200 };
  });
}

/** What an answer of the object store, in XML or in JSON, gives as its reason. */
function reasonIn(data) {
  const found = /<Message>([^<]*)<|"message":"([^"]*)"/.exec(String(data)) || [];
  return found[1] || found[2] || String(data).slice(0, 200);
}

/** Answers a promise, or, called with callbacks, a DownloadTask. */
function downloadFile(scope, options) {
  const transfer = createTransfer();
  const outcome = run('downloadFile', options, () => {
    requireInit(scope);
    requireOptions(options, 'downloadFile');
    requireName(options.fileID, 'fileID');
    const params = { file_list: [{ fileid: options.fileID }] };
    return callEmulator(envOf(scope, 'storage', options.config), 'storage.batchGetDownloadUrl', params).then((reply) =>
      fetchFile(transfer, reply.data.download_list[0]),
    );
  });
  return isCallbackStyle(options) ? transfer.task : outcome;
}

function fetchFile(transfer, file) {
  const code = codeNumber(file.code);
  if (code !== 0) {
    throw failure(code, CODE_TEXTS[code]);
  }
  if (!file.tempFileURL) {
    throw failure(-403003, 'no download url');
  }
  return transfer.begin('downloadFile', { url: file.tempFileURL }).then((answer) => {
    if (answer.statusCode !== 200) {
      const status = answer.statusCode === 404 ? -503003 : -503001;
      throw failure(status, `the download answered ${answer.statusCode}`);
    }
    return { tempFilePath: answer.tempFilePath, statusCode: 200 };
  });
}

function getTempFileURL(scope, options) {
  return run('getTempFileURL', options, () => {
    requireInit(scope);
    requireOptions(options, 'getTempFileURL');
    requireFileList(options.fileList, true);
    const params = { file_list: options.fileList.map(downloadRequest) };
    return callEmulator(envOf(scope, 'storage', options.config), 'storage.batchGetDownloadUrl', params).then(
      (reply) => ({
        fileList: reply.data.download_list.map((file, index) => downloadAnswer(file, params.file_list[index])),
      }),
    );
  });
}

function downloadRequest(item) {
  if (!isObject(item)) {
    return { fileid: item };
  }
  return item.maxAge === undefined ? { fileid: item.fileID } : { fileid: item.fileID, max_age: item.maxAge };
}

function downloadAnswer(file, asked) {
  return Object.assign(fileStatus(file, asked.fileid), { tempFileURL: file.tempFileURL || '', maxAge: asked.max_age });
}

function deleteFile(scope, options) {
  return run('deleteFile', options, () => {
    requireInit(scope);
    requireOptions(options, 'deleteFile');
    requireFileList(options.fileList, false);
    const params = { fileid_list: options.fileList };
    return callEmulator(envOf(scope, 'storage', options.config), 'storage.batchDeleteFile', params).then((reply) => ({
      fileList: reply.data.delete_list.map((file, index) => fileStatus(file, params.fileid_list[index])),
    }));
  });
}

/** How one file of a list fared: `status` 0 or an error's number (ST-05, ST-06). */
function fileStatus(file, fileID) {
  const status = codeNumber(file.code);
  return { fileID, status, errMsg: status === 0 ? 'ok' : CODE_TEXTS[status] };
}

function requireFileList(list, withOptions) {
  requireType(list, 'fileList', 'array');
  list.forEach((item, index) => {
    if (withOptions && isPlainObject(item)) {
      requireType(item.fileID, `fileList[${index}].fileID`, 'string');
    } else {
      requireType(item, `fileList[${index}]`, 'string');
    }
  });
}

function requireName(value, name) {
  requireType(value, name, 'string');
  if (!value) {
    throw failure(-401002, `parameter.${name} must not be empty`);
  }
}

/**
 * A file on its way. The task is there before WeChat's own, which `begin` makes: listeners wait for it, and an abort
 * before it prevents it.
 */
function createTransfer() {
  const state = { native: null, aborted: false, listeners: { HeadersReceived: [], ProgressUpdate: [] } };
  const task = {
    abort: () => {
      state.aborted = true;
      if (state.native) {
        state.native.abort();
      }
    },
  };
  Object.keys(state.listeners).forEach((event) => {
    task[`on${event}`] = (listener) => {
      state.listeners[event].push(listener);
    };
    task[`off${event}`] = (listener) => {
      state.listeners[event] = listener ? state.listeners[event].filter((other) => other !== listener) : [];
    };
  });
  return { task, begin: (api, options) => beginTransfer(state, api, options) };
}

function beginTransfer(state, api, options) {
  if (state.aborted) {
    return Promise.reject(failure(-1, 'abort'));
  }
  const attach = (native) => {
    state.native = native;
    if (state.aborted) {
      native.abort();
    }
    Object.keys(state.listeners).forEach((event) => {
      native[`on${event}`]((result) => state.listeners[event].forEach((listener) => listener(result)));
    });
  };
  return callNetwork(api, options, attach).catch((error) => {
    throw failure(-1, withoutApi(error.errMsg));
  });
}

function withoutApi(errMsg) {
  return String(errMsg).replace(/^\w+:fail:? ?/, '');
}

// ---------------------------------------------------------------------------------------------------------------------
// Watches (semantics §6, protocol §4)
// ---------------------------------------------------------------------------------------------------------------------

/** Starts watching; answers `{close}` at once. From then on errors go to `onError` alone. */
function watchQuery(source, view, options) {
  const callbacks = options || {};
  requireFunction(callbacks.onChange, 'onChange');
  requireFunction(callbacks.onError, 'onError');
  if (view.offset !== undefined || view.projection) {
    console.warn(`${LABEL} watch() takes no skip and no field: they are ignored`);
  }
  const watch = createWatch(source, view, callbacks);
  const channel = channelOf(source.env);
  channel.watches[watch.id] = watch;
  openChannel(channel);
  return { close: () => closeWatch(channel, watch) };
}

/**
 * One query kept open. `begun` is false until the first connection asks for it; `queryId` and `eventId` are null until
 * INIT_EVENT, and from then on `documents` is the result after the event `eventId`. `isBehind` is true from the asking for
 * missed events until they are there.
 */
function createWatch(source, view, callbacks) {
  return {
    id: uniqueName('watchid'),
    question: {
      envId: source.env,
      collName: source.name,
      query: JSON.stringify(view.query || {}),
      limit: view.limit || undefined,
      orderBy: view.order && directionsOf(view.order),
    },
    onChange: callbacks.onChange,
    onError: callbacks.onError,
    queryId: null,
    eventId: null,
    documents: [],
    begun: false,
    isBehind: false,
    tries: 0,
    checkTimer: null,
  };
}

function directionsOf(order) {
  const directions = {};
  order.forEach((key) => set(directions, key.field, key.direction));
  return directions;
}

function closeWatch(channel, watch) {
  if (forgetWatch(channel, watch)) {
    sendFrame(channel, { watchId: watch.id, requestId: uniqueName('close'), msgType: 'CLOSE_WATCH', msgData: null });
    closeWithoutWatches(channel);
  }
  return Promise.resolve();
}

/** Ends a watch by an error. */
function failWatch(channel, watch, error) {
  if (forgetWatch(channel, watch)) {
    closeWithoutWatches(channel);
    callBack(watch.onError, told('collection.watch', error));
  }
}

/** Whether it was open. */
function forgetWatch(channel, watch) {
  const wasOpen = isOpen(channel, watch);
  clearTimeout(watch.checkTimer);
  delete channel.watches[watch.id];
  return wasOpen;
}

function isOpen(channel, watch) {
  return channel.watches[watch.id] === watch;
}

/** Asks for the first result, or, when there was one, for what happened since. */
function beginWatch(channel, watch) {
  const isNew = watch.queryId === null;
  watch.isBehind = !isNew;
  const msgData = isNew
    ? Object.assign({}, watch.question, { envId: channel.envId })
    : { envId: channel.envId, collName: watch.question.collName, queryID: watch.queryId, eventID: watch.eventId };
  const frame = { watchId: watch.id, msgType: isNew ? 'INIT_WATCH' : 'REBUILD_WATCH', msgData };
  ask(channel, frame, WATCH_TIMEOUT_MS).catch((error) => retryWatch(channel, watch, error));
}

function retryWatch(channel, watch, error) {
  if (error.isDropped || !isOpen(channel, watch)) {
    return; // The channel comes back and begins it again, or it was closed meanwhile.
  }
  watch.tries += 1;
  if (error.isTimeout && watch.tries < WATCH_TRIES_MAX) {
    beginWatch(channel, watch);
  } else {
    failWatch(channel, watch, failure(watch.queryId === null ? -402002 : -402004, error.message));
  }
}

function receiveFirst(channel, watch, data) {
  if (watch.queryId !== null) {
    return;
  }
  watch.queryId = data.queryID;
  watch.eventId = data.currEvent;
  watch.tries = 0;
  watch.documents = data.events.map((event) => ({ id: event.DocID, document: documentOf(event.Doc) }));
  const changes = watch.documents.map((entry) => ({
    id: data.currEvent,
    queueType: 'init',
    dataType: 'init',
    docId: entry.id,
    doc: cloneValue(entry.document),
  }));
  tellChange(watch, changes, 'init');
  checkLastLater(channel, watch);
}

/** Applies what is new. Events that were seen are dropped; where one is missing, what was missed is asked for. */
function receiveNext(channel, watch, data, isAnswer) {
  if (watch.queryId === null) {
    return;
  }
  const fresh = data.events.filter((event) => event.ID > watch.eventId).sort((left, right) => left.ID - right.ID);
  while (isOpen(channel, watch) && fresh.length && fresh[0].ID === watch.eventId + 1) {
    const id = fresh[0].ID;
    const same = fresh.filter((event) => event.ID === id);
    fresh.splice(0, same.length);
    watch.eventId = id;
    tellChange(
      watch,
      same.map((event) => applyEvent(watch, event)),
      undefined,
    );
  }
  if (isAnswer) {
    caughtUp(channel, watch, data, fresh);
  } else if (fresh.length && !watch.isBehind) {
    beginWatch(channel, watch);
  }
  checkLastLater(channel, watch);
}

function caughtUp(channel, watch, data, missing) {
  watch.isBehind = false;
  watch.tries = 0;
  if (missing.length) {
    throw failure(-402007, `the events after ${watch.eventId} are missing`);
  }
  watch.eventId = Math.max(watch.eventId, data.currEvent);
}

/** Brings the documents up to the event, and answers the change as the mini program is told it (DB-6.05 … DB-6.07). */
function applyEvent(watch, event) {
  const index = watch.documents.findIndex((entry) => entry.id === event.DocID);
  const updated = decodeValue(fieldOf(event.UpdatedFields));
  const removed = fieldOf(event.removedFields || event.RemovedFields);
  const document =
    documentOf(event.Doc) || patched(index < 0 ? null : watch.documents[index].document, updated, removed);
  if (!document && event.QueueType !== 'dequeue') {
    throw failure(-402007, `the event ${event.ID} brings no document`);
  }
  if (event.QueueType === 'dequeue') {
    watch.documents = watch.documents.filter((entry) => entry.id !== event.DocID);
  } else {
    const position = index < 0 ? watch.documents.length : index;
    watch.documents = watch.documents.slice();
    watch.documents[position] = { id: event.DocID, document };
  }
  return changeOf(
    event,
    document,
    event.DataType === 'update' ? { updatedFields: updated || {}, removedFields: removed || [] } : {},
  );
}

function changeOf(event, document, fields) {
  const doc = cloneValue(document);
  return Object.assign(
    { id: event.ID, queueType: event.QueueType, dataType: event.DataType, docId: event.DocID, doc },
    fields,
  );
}

/** `docs` is made when it is looked at: a copy for each snapshot, so that what is done to it concerns nobody else. */
function tellChange(watch, changes, type) {
  const documents = watch.documents;
  const snapshot = { id: watch.eventId, docChanges: changes };
  let docs;
  Object.defineProperty(snapshot, 'docs', {
    enumerable: true,
    get: () => {
      docs = docs || documents.map((entry) => cloneValue(entry.document));
      return docs;
    },
  });
  callBack(watch.onChange, Object.assign(snapshot, type ? { type } : {}));
}

/** The document of an event; null where none is given (protocol §4.3). */
function documentOf(text) {
  return text && text !== '{}' ? decodeValue(parsed(text)) : null;
}

function fieldOf(text) {
  return text ? parsed(text) : undefined;
}

/** `document` with fields, named by path, changed and taken away. */
function patched(document, updated, removed) {
  const copy = document && cloneValue(document);
  if (copy) {
    Object.keys(updated || {}).forEach((path) => set(parentOf(copy, path), lastOf(path), updated[path]));
    (removed || []).forEach((path) => delete parentOf(copy, path)[lastOf(path)]);
  }
  return copy;
}

function parentOf(document, path) {
  return path
    .split('.')
    .slice(0, -1)
    .reduce((parent, key) => {
      if (!isObject(parent[key])) {
        set(parent, key, {});
      }
      return parent[key];
    }, document);
}

function lastOf(path) {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** Some time after the last event, asks whether it was the last. */
function checkLastLater(channel, watch) {
  clearTimeout(watch.checkTimer);
  if (!isOpen(channel, watch)) {
    return;
  }
  watch.checkTimer = setTimeout(() => {
    if (!channel.socket || watch.isBehind) {
      return checkLastLater(channel, watch);
    }
    const msgData = { queryID: watch.queryId, eventID: watch.eventId };
    ask(channel, { watchId: watch.id, msgType: 'CHECK_LAST', msgData }, CHECK_LAST_TIMEOUT_MS).then(
      (frame) => catchUpLater(channel, watch, frame.msgData.currEvent),
      (error) => afterCheckFailed(channel, watch, error),
    );
  }, CHECK_LAST_AFTER_MS);
}

function afterCheckFailed(channel, watch, error) {
  if (!isOpen(channel, watch)) {
    return;
  }
  if (error.isDropped || error.isTimeout) {
    checkLastLater(channel, watch); // The heartbeat sees to a connection that is dead.
  } else {
    failWatch(channel, watch, failure(-402010, error.message));
  }
}

function catchUpLater(channel, watch, lastEvent) {
  if (!isOpen(channel, watch)) {
    return;
  }
  checkLastLater(channel, watch);
  if (lastEvent > watch.eventId) {
    setTimeout(() => {
      if (isOpen(channel, watch) && channel.socket && lastEvent > watch.eventId && !watch.isBehind) {
        beginWatch(channel, watch);
      }
    }, CHECK_LAST_GRACE_MS);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The connection of an environment's watches
// ---------------------------------------------------------------------------------------------------------------------

const channels = {};

/**
 * One WebSocket carries all watches of an environment. `socket` is null unless it is open and signed in; `questions` are
 * the frames that await an answer, by their request id. `drops` counts the connections that were lost or not made since
 * the last one that was signed in, `refusals` the sessions that were refused since the last event.
 */
function channelOf(env) {
  if (!channels[env]) {
    channels[env] = {
      env,
      envId: env,
      watches: {},
      questions: {},
      socket: null,
      isOpening: false,
      drops: 0,
      refusals: 0,
      pongsMissed: 0,
      pingTimer: null,
    };
  }
  return channels[env];
}

/** Opens the connection and begins every watch; on an open one, begins those that were not. */
function openChannel(channel) {
  if (channel.socket) {
    return watchesOf(channel)
      .filter((watch) => !watch.begun)
      .forEach((watch) => beginOnce(channel, watch));
  }
  if (channel.isOpening) {
    return undefined;
  }
  channel.isOpening = true;
  return signedInSocket(channel).then(
    (socket) => channelOpened(channel, socket),
    (error) => channelFailed(channel, error),
  );
}

function channelOpened(channel, socket) {
  channel.isOpening = false;
  channel.socket = socket;
  channel.drops = 0;
  closeWithoutWatches(channel);
  watchesOf(channel).forEach((watch) => beginOnce(channel, watch));
}

function beginOnce(channel, watch) {
  watch.begun = true;
  beginWatch(channel, watch);
}

/** A watch that never began ends here, unless trying again is the cure; one that did waits for the next try. */
function channelFailed(channel, error) {
  channel.isOpening = false;
  if (!error.isSignInOver && !error.isDropped) {
    watchesOf(channel)
      .filter((watch) => watch.queryId === null)
      .forEach((watch) => failWatch(channel, watch, failure(-402002, `login fail ${String(error)}`)));
  }
  reopenLater(channel, error);
}

function reopenLater(channel, error) {
  if (!watchesOf(channel).length || channel.isOpening) {
    return;
  }
  if (channel.drops >= RECONNECT_AFTER_MS.length) {
    channel.drops = 0;
    watchesOf(channel).forEach((watch) => failWatch(channel, watch, failure(-402003, String(error))));
    return;
  }
  const delay = RECONNECT_AFTER_MS[channel.drops];
  channel.drops += 1;
  channel.isOpening = true;
  setTimeout(() => {
    channel.isOpening = false;
    if (watchesOf(channel).length) {
      openChannel(channel);
    }
  }, delay);
}

function watchesOf(channel) {
  return Object.keys(channel.watches).map((id) => channel.watches[id]);
}

function closeWithoutWatches(channel) {
  if (channel.socket && !watchesOf(channel).length) {
    dropSocket(channel, channel.socket, CLOSE_NO_WATCHES, 'No Realtime Listeners');
  }
}

/** A socket that the server knows the user of. */
function signedInSocket(channel) {
  return callEmulator(channel.env, 'auth.wsWebSign', { runtime: 'wx_mp' }).then((reply) =>
    session(channel.env).then((current) =>
      openSocket(channel, withToken(reply.data.wsUrl)).then((socket) => logIn(channel, socket, reply.data, current)),
    ),
  );
}

function openSocket(channel, url) {
  return new Promise((resolve, reject) => {
    const fail = (reason) => reject(new Error(`the WebSocket ${url} does not open: ${reason}`));
    const socket = wx.connectSocket({ url, fail: (error) => fail(error.errMsg) });
    const end = (reason) => {
      clearTimeout(timer);
      fail(reason);
      socketDropped(channel, socket, reason);
    };
    const timer = setTimeout(() => {
      attempt(() => socket.close({}));
      end('timed out');
    }, SOCKET_OPEN_TIMEOUT_MS);
    socket.onOpen(() => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.onMessage((message) => receiveFrame(channel, socket, message.data));
    socket.onError((error) => end(error.errMsg));
    socket.onClose((closed) => end(`closed with ${closed.code} ${closed.reason || ''}`));
  });
}

function logIn(channel, socket, sign, current) {
  channel.envId = sign.envId || current.env;
  const msgData = {
    envId: channel.envId,
    accessToken: current.accessToken,
    referrer: 'web',
    sdkVersion: '',
    dataVersion: '',
  };
  const exMsgData = { runtime: 'wx_mp', signStr: sign.signStr, secretVersion: sign.secretVersion };
  return ask(channel, { msgType: 'LOGIN', msgData, exMsgData }, LOGIN_TIMEOUT_MS, socket).then(
    () => socket,
    (error) => {
      attempt(() => socket.close({ code: CLOSE_SIGN_IN_AGAIN }));
      if (REALTIME_SIGN_IN_AGAIN.indexOf(error.serverCode) >= 0) {
        error.isSignInOver = true;
        forgetSession(channel.env, current);
      }
      throw error;
    },
  );
}

/** Closes the socket and forgets it, whatever the other side does. */
function dropSocket(channel, socket, code, reason) {
  attempt(() => socket.close({ code, reason }));
  socketDropped(channel, socket, reason);
}

function socketDropped(channel, socket, reason) {
  rejectQuestions(channel, socket, reason);
  if (channel.socket === socket) {
    channel.socket = null;
    clearTimeout(channel.pingTimer);
    reopenLater(channel, new Error(`ws connection not exists: ${reason}`));
  }
}

function rejectQuestions(channel, socket, reason) {
  Object.keys(channel.questions).forEach((id) => {
    if (channel.questions[id].socket === socket) {
      takeQuestion(channel, id).reject(marked(new Error(`ws connection not exists: ${reason}`), 'isDropped'));
    }
  });
}

/** Sends a frame and waits for the one with its request id. */
function ask(channel, frame, timeoutMs, socket) {
  const requestId = uniqueName('request');
  const question = { socket: socket || channel.socket };
  const answered = new Promise((resolve, reject) => {
    question.resolve = resolve;
    question.reject = reject;
  });
  question.timer = setTimeout(() => {
    takeQuestion(channel, requestId).reject(marked(new Error('wsclient.send timedout'), 'isTimeout'));
  }, timeoutMs);
  channel.questions[requestId] = question;
  sendFrame(channel, Object.assign({ requestId }, frame), question.socket);
  return answered;
}

/** The question with this id, no longer open. */
function takeQuestion(channel, requestId) {
  const question = channel.questions[requestId];
  delete channel.questions[requestId];
  if (question) {
    clearTimeout(question.timer);
  }
  return question;
}

function sendFrame(channel, frame, socket) {
  const through = socket || channel.socket;
  if (through) {
    through.send({
      data: JSON.stringify(frame),
      fail: (error) => dropSocket(channel, through, CLOSE_NO_PONG, error.errMsg),
    });
  }
}

function receiveFrame(channel, socket, text) {
  const frame = attempt(() => JSON.parse(text)) || {};
  const question = takeQuestion(channel, frame.requestId);
  const watch = channel.watches[frame.watchId];
  pingLater(channel, socket);
  const failed = frameFailure(frame);
  if (failed) {
    return receiveFailure(channel, socket, question, watch, failed);
  }
  if (watch) {
    receiveEvent(channel, watch, frame, Boolean(question));
  }
  return question && question.resolve(frame);
}

/** The error that a frame tells of, or null. */
function frameFailure(frame) {
  const data = frame.msgData || {};
  if (frame.msgType !== 'ERROR' && !data.code) {
    return null;
  }
  const error = new Error(`${data.code} - ${data.message}`);
  error.serverCode = data.code;
  return error;
}

function receiveFailure(channel, socket, question, watch, error) {
  const isSignInOver = REALTIME_SIGN_IN_AGAIN.indexOf(error.serverCode) >= 0;
  if (isSignInOver && channel.socket === socket && channel.refusals < REFUSALS_MAX) {
    renewSignIn(channel, socket, question, error);
  } else if (question) {
    question.reject(error);
  } else {
    const concerned = watch ? [watch] : watchesOf(channel);
    concerned.forEach((one) => failWatch(channel, one, failure(-402006, error.message)));
  }
}

/** A new session and a new connection, over which every watch begins again. */
function renewSignIn(channel, socket, question, error) {
  channel.refusals += 1;
  forgetSession(channel.env, null);
  if (question) {
    question.reject(marked(error, 'isDropped'));
  }
  dropSocket(channel, socket, CLOSE_SIGN_IN_AGAIN, error.message);
}

function receiveEvent(channel, watch, frame, isAnswer) {
  channel.refusals = 0;
  try {
    if (frame.msgType === 'INIT_EVENT') {
      receiveFirst(channel, watch, frame.msgData);
    } else if (frame.msgType === 'NEXT_EVENT') {
      receiveNext(channel, watch, frame.msgData, isAnswer);
    }
  } catch (error) {
    failWatch(channel, watch, error.errCode ? error : failure(-402011, String(error)));
  }
}

/** Some time after the last frame, asks whether the other side is there; after several silences, drops the connection. */
function pingLater(channel, socket) {
  channel.pongsMissed = 0;
  clearTimeout(channel.pingTimer);
  channel.pingTimer = setTimeout(() => ping(channel, socket), PING_AFTER_MS);
}

function ping(channel, socket) {
  if (channel.socket !== socket) {
    return;
  }
  ask(channel, { msgType: 'PING', msgData: null }, PONG_TIMEOUT_MS).catch((error) => {
    if (channel.socket !== socket || error.isDropped) {
      return;
    }
    channel.pongsMissed += 1;
    if (channel.pongsMissed > PONGS_MISSED_MAX) {
      dropSocket(channel, socket, CLOSE_NO_PONG, 'no answer to PING');
    } else {
      ping(channel, socket);
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// The emulator: found, signed in to, asked
// ---------------------------------------------------------------------------------------------------------------------

/** The sessions by environment, as promises of `{accessToken, openid, env}`. */
const sessions = {};

/** Sign-ins take turns, so that the second knows the openid that the first was given. */
let lastSignIn = Promise.resolve();

/** The reply to an action. Signs in before the first one, and once more when the server no longer knows the session. */
function callEmulator(env, action, params) {
  return session(env).then((current) =>
    post(env, action, params, current.accessToken).then((reply) => {
      if (SIGN_IN_AGAIN.indexOf(reply.code) < 0) {
        return succeeded(reply);
      }
      forgetSession(env, current);
      return session(env)
        .then((renewed) => post(env, action, params, renewed.accessToken))
        .then(succeeded);
    }),
  );
}

function session(env) {
  if (!sessions[env]) {
    const entry = lastSignIn.then(() => signIn(env));
    sessions[env] = entry;
    lastSignIn = entry.catch(() => {
      if (sessions[env] === entry) {
        delete sessions[env];
      }
    });
  }
  return sessions[env];
}

/** Forgets the session, unless it is another than `current` by now. Null forgets whatever there is. */
function forgetSession(env, current) {
  if (!current || !sessions[env] || current.entry === sessions[env]) {
    delete sessions[env];
  }
}

/** The user of a code the emulator knows, else the one this simulator was before, else the default one. */
function signIn(env) {
  const openid = attempt(() => wx.getStorageSync(OPENID_STORAGE_KEY)) || '';
  return loginCode()
    .then((code) => post(env, 'emulator.signIn', { code, openid }))
    .then((reply) => {
      const data = succeeded(reply).data;
      attempt(() => wx.setStorageSync(OPENID_STORAGE_KEY, data.openid));
      return { accessToken: data.access_token, openid: data.openid, env: data.env, entry: sessions[env] };
    });
}

function loginCode() {
  return new Promise((resolve) => {
    wx.login({ success: (answer) => resolve(answer.code || ''), fail: () => resolve('') });
  });
}

function post(env, action, params, accessToken) {
  const seqId = uniqueName('seq');
  const body = Object.assign({ action, env, dataVersion: DATA_VERSION, access_token: accessToken, seqId }, params);
  return findEmulator().then((found) => {
    const request = {
      url: withToken(`${found.address}/web?env=${encodeURIComponent(env)}`),
      method: 'POST',
      header: { 'content-type': 'application/json' },
      data: JSON.stringify(body),
      dataType: 'text',
    };
    return callNetwork('request', request).then(
      (response) => replyOf(response, found),
      (error) => {
        place.found = null;
        throw failure(-1, `the emulator at ${found.address} does not answer (${error.errMsg}). ${CURE}`);
      },
    );
  });
}

/** Errors of the cloud come with HTTP 200; anything else without a code is nothing the emulator says. */
function replyOf(response, found) {
  const reply = attempt(() => JSON.parse(response.data));
  if (!isPlainObject(reply) || (response.statusCode !== 200 && !reply.code)) {
    throw failure(-1, `${found.address} answered ${response.statusCode} ${String(response.data).slice(0, 200)}`);
  }
  return reply;
}

function succeeded(reply) {
  if (reply.code) {
    throw failure(codeNumber(reply.code), reply.code === 'INVALID_ENV' ? `[100003] ${reply.message}` : reply.message);
  }
  return reply;
}

/** The emulator of this mini program, `{address}`. Searched at the first use, and again after it was lost or not found. */
function findEmulator() {
  if (!place.found) {
    const search = tryAddresses(addresses(), []);
    place.found = search;
    search.catch(() => {
      if (place.found === search) {
        place.found = null;
      }
    });
  }
  return place.found;
}

function addresses() {
  if (place.address) {
    return [place.address];
  }
  const local = [];
  for (let port = PORT_FIRST; port <= PORT_LAST; port += 1) {
    local.push(`http://127.0.0.1:${port}`);
  }
  return local;
}

/** The first address where the emulator of this mini program answers; `seen` is what the ones before it said. */
function tryAddresses(rest, seen) {
  if (!rest.length) {
    return Promise.reject(failure(-1, notFound(seen)));
  }
  return sayHello(rest[0]).then((hello) =>
    hello.isOurs ? { address: rest[0] } : tryAddresses(rest.slice(1), seen.concat(hello)),
  );
}

/** `{address, isOurs, appid, reason}`: `appid` is another mini program's, `reason` tells why nobody answered. */
function sayHello(address) {
  const url = withToken(`${address}/_emulator/hello?appid=${encodeURIComponent(appid())}`);
  return callNetwork('request', { url, timeout: HELLO_TIMEOUT_MS }).then(
    (response) => {
      const hello = Object(response.data);
      if (hello.emulator !== true) {
        return { address, reason: hello.message || `answered ${response.statusCode}, which is no emulator's answer` };
      }
      return { address, isOurs: !hello.appid || !appid() || hello.appid === appid(), appid: hello.appid };
    },
    (error) => ({ address, reason: error.errMsg }),
  );
}

function withToken(url) {
  const separator = url.indexOf('?') < 0 ? '?' : '&';
  return place.token ? `${url}${separator}token=${encodeURIComponent(place.token)}` : url;
}

const CURE =
  'Run `emulator start` in the folder of this project and try again; to use the cloud itself, remove the line that ' +
  'requires wx-cloud.js.';

/** Why there is no emulator, and what to do. */
function notFound(seen) {
  const strangers = seen.filter((one) => one.appid).map((one) => `${one.address} serves ${one.appid}`);
  if (strangers.length) {
    return `the emulator found here is another mini program's: ${strangers.join(', ')}, and this is ${appid()}. ${CURE}`;
  }
  if (seen.some((one) => /not in domain list/.test(one.reason))) {
    return (
      'DevTools forbids requests to the emulator: tick 详情 → 本地设置 → 不校验合法域名 (project.private.config.json: ' +
      '"urlCheck": false) and compile again'
    );
  }
  const where = place.address || `127.0.0.1, ports ${PORT_FIRST} to ${PORT_LAST}`;
  return `no emulator answers at ${where} (${seen[seen.length - 1].reason}). ${CURE}`;
}

const networks = {
  request: { running: 0, waiting: [] },
  uploadFile: { running: 0, waiting: [] },
  downloadFile: { running: 0, waiting: [] },
};

/** Calls `wx[api]` as soon as it may be called. `onTask` gets the task that WeChat answers. */
function callNetwork(api, options, onTask) {
  return new Promise((resolve, reject) => {
    networks[api].waiting.push({ options, onTask, resolve, reject });
    callNext(api);
  });
}

function callNext(api) {
  const network = networks[api];
  while (network.running < NETWORK_CALLS_MAX && network.waiting.length) {
    callNow(api, network, network.waiting.shift());
  }
}

/** The mini program's own requests count, too: a call beyond the limit waits a little and comes again. */
function callNow(api, network, call) {
  network.running += 1;
  const options = Object.assign({}, call.options, {
    success: call.resolve,
    fail: (error) => {
      if (/exceed max task count/.test(error.errMsg)) {
        setTimeout(() => {
          network.waiting.unshift(call);
          callNext(api);
        }, CROWDED_RETRY_MS);
      } else {
        call.reject(error);
      }
    },
    complete: () => {
      network.running -= 1;
      callNext(api);
    },
  });
  const task = wx[api](options);
  if (call.onTask && task) {
    call.onTask(task);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Calls: promise and callback style, arguments, errors (semantics §1.1, §1.3, §9)
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What `work` comes to, as the API `api` tells it: to the callbacks among the options, which are then called and nothing is
 * answered, or by a promise. `work` runs at once, so that it sees the arguments as they are now.
 */
function run(api, options, work) {
  const outcome = new Promise((resolve) => resolve(work())).then(
    (result) => Object.assign({}, result, { errMsg: `${api}:ok` }),
    (error) => {
      throw told(api, error);
    },
  );
  if (!isCallbackStyle(options)) {
    return outcome;
  }
  outcome.then(
    (result) => [options.success, options.complete].forEach((callback) => callBack(callback, result)),
    (error) => [options.fail, options.complete].forEach((callback) => callBack(callback, error)),
  );
  return undefined;
}

function isCallbackStyle(options) {
  return isObject(options) && [options.success, options.fail, options.complete].some(isFunction);
}

/** What a callback throws is its own affair: it is shown, and nothing else suffers. */
function callBack(callback, value) {
  try {
    if (isFunction(callback)) {
      callback(value);
    }
  } catch (error) {
    console.error(error);
  }
}

/** An error of the client's: `detail` after the number and its text. */
function failure(errCode, detail) {
  const text = CODE_TEXTS[errCode] && errCode !== -1 ? ` ${CODE_TEXTS[errCode]}` : '';
  const error = new Error(errCode === -1 ? detail : `errCode: ${errCode}${text} | errMsg: ${detail}`);
  error.errCode = errCode;
  return error;
}

/** The error as the API's caller gets it: `errCode` and `errMsg` beside the message (semantics §9.1, UNC-47). */
function told(api, error) {
  const isNumbered = error.errCode !== undefined && error.errCode !== -1;
  const errMsg = `${api}:fail ${isNumbered ? String(error) : error.message}`;
  return Object.assign(new Error(isNumbered ? error.message : errMsg), {
    errCode: isNumbered ? error.errCode : -1,
    errMsg,
  });
}

function codeNumber(code) {
  return hasOwn(CODE_NUMBERS, code) ? CODE_NUMBERS[code] : -501001;
}

/** The server's codes (semantics §9.2; the misspellings are the cloud's), and what the client makes of some others. */
const CODE_NUMBERS = {
  DATABASE_COLLECTION_EXCEED_LIMIT: -502004,
  DATABASE_COLLECTION_NOT_EXIST: -502005,
  DATABASE_INVALID_OPERRATOR: -502002,
  DATABASE_PERMISSION_DENIED: -502003,
  DATABASE_REQUEST_FAILED: -502001,
  EXCEED_CONCURRENT_REQUEST_LIMIT: -501004,
  EXCEED_REQUEST_LIMIT: -501003,
  FUNCTIONS_EXECUTE_FAIL: -504002,
  FUNCTIONS_MEMORY_LIMIT_EXCEEDED: -504002,
  FUNCTIONS_REQUEST_FAIL: -504001,
  FUNCTIONS_TIME_LIMIT_EXCEEDED: -504003,
  FUNCTION_NOT_FOUND: -501000,
  INVALIID_ENV: -501005,
  INVALID_COMMON_PARAM: -501006,
  INVALID_ENV: -501000,
  INVALID_PARAM: -501007,
  INVALID_REQUEST_SOURCE: -501008,
  PERMISSION_DENIED: -501023,
  RESOURCE_NOT_INITIAL: -501009,
  SERVER_TIMEOUT: -501002,
  STORAGE_EXCEED_AUTHORITY: -503002,
  STORAGE_FILE_NONEXIST: -503003,
  STORAGE_REQUEST_FAIL: -503001,
  STORAGE_SIGN_PARAM_INVALID: -503004,
  SUCCESS: 0,
  SYS_ERR: -501001,
};

/** semantics §9.3; -501000 and -504003 have none. */
const CODE_TEXTS = {
  '-1': 'unknown error',
  '-401002': 'api parameter error',
  '-401003': 'api parameter type error',
  '-402001': 'circular reference detected',
  '-402002': 'realtime listener init watch fail',
  '-402003': 'realtime listener reconnect watch fail',
  '-402004': 'realtime listener rebuild watch fail',
  '-402006': 'realtime listener receive server error msg',
  '-402007': 'realtime listener receive invalid server data',
  '-402010': 'realtime listener check last fail',
  '-402011': 'realtime listener unexpected fatal error',
  '-403002': 'internal server error: empty upload url',
  '-403003': 'internal server error: empty download url',
  '-501001': 'resource system error',
  '-501002': 'resource server timeout',
  '-501003': 'exceed request limit',
  '-501004': 'exceed concurrent request limit',
  '-501005': 'invalid env',
  '-501006': 'invalid common parameters',
  '-501007': 'invalid parameters',
  '-501008': 'invalid request source',
  '-501009': 'resource not initialized',
  '-501023': 'permission denied',
  '-502001': 'database request fail',
  '-502002': 'database invalid command',
  '-502003': 'database permission denied',
  '-502004': 'database exceed collection limit',
  '-502005': 'database collection not exists',
  '-503001': 'storage request fail',
  '-503002': 'storage permission denied',
  '-503003': 'storage file not exists',
  '-503004': 'storage invalid sign parameter',
  '-504001': 'functions request fail',
  '-504002': 'functions execute fail',
  '-602001': 'database query result size exceed limit (1MB)',
  '-604001': 'cloudfunction result size exceed limit (1MB)',
};

function requireOptions(options, name) {
  if (!isPlainObject(options)) {
    const subject = name ? `Params for ${name}` : 'Params';
    throw failure(-401003, `${subject} must be an object instead of ${typeName(options)}`);
  }
}

function requireType(value, name, type) {
  if (typeName(value) !== type) {
    throw failure(-401003, `parameter.${name} should be ${type} instead of ${typeName(value)};`);
  }
}

function requireFunction(value, name) {
  if (!isFunction(value)) {
    throw new Error(`parameter.${name} should be function instead of ${typeName(value)};`);
  }
}

function requireNoCycle(value, parents) {
  if (!isObject(value) || isFunction(value)) {
    return;
  }
  if (parents.indexOf(value) >= 0) {
    throw failure(-402001, 'Cannot convert circular structure to JSON');
  }
  const path = parents.concat([value]);
  Object.keys(value).forEach((key) => requireNoCycle(value[key], path));
}

function requireSize(value, errCode) {
  const text = value === String(value) ? value : JSON.stringify(value);
  if (byteLength(text) > RESULT_BYTES_MAX) {
    throw failure(errCode, CODE_TEXTS[errCode]);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Small tools. Many avoid syntax for which DevTools would load a helper module.
// ---------------------------------------------------------------------------------------------------------------------

/** What `work` answers; `otherwise` when it throws. */
function attempt(work, otherwise) {
  try {
    return work();
  } catch (error) {
    return otherwise;
  }
}

function isObject(value) {
  return Object(value) === value;
}

function isA(value, Type) {
  return isObject(value) && (Type.prototype.isPrototypeOf(value) || isTwin(value, Type));
}

/** Under what the prototypes of `db`'s own values say what they are. */
const TYPE = Symbol.for('emulator.type');

/** Whether it was made by this file as another mini program loaded it: tests have several users in one process. */
function isTwin(value, Type) {
  return Type.prototype[TYPE] !== undefined && value[TYPE] === Type.prototype[TYPE];
}

function nameTypes() {
  const types = { QueryCommand, UpdateCommand, Expression, ProjectionCommand, ServerDate, DatabaseRegExp };
  const named = Object.assign(types, Geo);
  Object.keys(named).forEach((name) => {
    Object.defineProperty(named[name].prototype, TYPE, { value: name });
  });
}

nameTypes();

function isFunction(value) {
  return typeof value === 'function';
}

/** An object that stands for its fields: no array, date, command, geometry, … */
function isPlainObject(value) {
  return tagOf(value) === 'Object' && !isOurs(value) && !isFunction(value.toJSON);
}

function isOurs(value) {
  const types = [QueryCommand, UpdateCommand, Expression, ProjectionCommand, ServerDate, DatabaseRegExp];
  return types.some((type) => isA(value, type));
}

function isDate(value) {
  return tagOf(value) === 'Date';
}

function isRegExp(value) {
  return tagOf(value) === 'RegExp' || isA(value, DatabaseRegExp);
}

function typeName(value) {
  return tagOf(value).toLowerCase();
}

function tagOf(value) {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function hasOwn(object, key) {
  return Object.prototype.hasOwnProperty.call(object, key);
}

function words(text) {
  return text.split(' ');
}

/** `{[key]: value}` */
function pair(key, value) {
  return set({}, key, value);
}

/** `object[key] = value`, also for the key `__proto__`, which is a key like any other. */
function set(object, key, value) {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
  } else {
    object[key] = value;
  }
  return object;
}

function cloneValue(value) {
  if (Array.isArray(value)) {
    return value.map(cloneValue);
  }
  if (isDate(value)) {
    return new Date(value.getTime());
  }
  return isPlainObject(value)
    ? Object.keys(value).reduce((copy, key) => set(copy, key, cloneValue(value[key])), {})
    : value;
}

/** The length of a text in UTF-8. */
function byteLength(text) {
  return text
    .replace(/[\u0080-\u07ff]/g, '**')
    .replace(/[\u0800-\ud7ff\ue000-\uffff]/g, '***')
    .replace(/[\ud800-\udfff]/g, '**').length;
}

function marked(error, name) {
  error[name] = true;
  return error;
}

function uniqueName(prefix) {
  return `${prefix}_${Date.now()}_${Math.random()}`;
}

start();
