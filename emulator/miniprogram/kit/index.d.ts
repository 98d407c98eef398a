/** A cloud for tests: `wx.cloud` as any user, forks for tests side by side, snapshots, a clock. Needs no test runner. */

declare global {
  // Merged with the interface of miniprogram-api-typings where a project has it.
  interface WxCloud {}

  // For TypeScript's libraries before ESNext, as @types/node has it.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
  interface AsyncDisposable {
    [Symbol.asyncDispose](): PromiseLike<void>;
  }
}

/** `wx.cloud`: typed where miniprogram-api-typings is installed. */
export type Cloud = keyof WxCloud extends never ? LooseCloud : WxCloud;

/** What the emulator serves of `wx.cloud`, without types of its own. */
export interface LooseCloud {
  init(config?: object): void;
  database(config?: object): any;
  callFunction(options: { name: string; data?: object; [option: string]: unknown }): Promise<any>;
  uploadFile(options: { cloudPath: string; filePath: string; [option: string]: unknown }): Promise<any>;
  downloadFile(options: { fileID: string; [option: string]: unknown }): Promise<any>;
  getTempFileURL(options: object): Promise<any>;
  deleteFile(options: object): Promise<any>;
  [member: string]: any;
}

/** `wx.cloud.database()`. */
export type Database = Cloud extends { database(...options: any[]): infer Found } ? Found : any;

export interface StartOptions {
  /** The project's folder, where `project.config.json` is. Its cloud functions run. Default: the current folder, and above. */
  project?: string;
  /** The folder that fills the cloud. Without it, the cloud is empty. */
  fixtures?: string;
  /** The emulator's program. Default: EMULATOR_BINARY, else `emulator` in PATH. */
  binary?: string;
  /** The name of the only environment. Default: `env` of emulator.toml, else `cloud1`, and others as they are named. */
  env?: string;
  /** Where its log goes: a function of each piece of text, or true for standard error. Default: nowhere, but into errors. */
  log?: boolean | ((text: string) => void);
}

/**
 * Starts an emulator with an empty cloud, or one filled from `fixtures`. It ends with `stop()`, and with this process, however
 * that ends. Where EMULATOR_URL and EMULATOR_TOKEN tell of one that runs (`emulator exec`, `export()`), it gives a handle on
 * that one, and the options are of no account.
 */
export function startEmulator(options?: StartOptions): Promise<Emulator>;

/** What the emulator refused. `code` is stable, the message is for people. */
export class EmulatorError extends Error {
  code: string;
  /** What a function printed before it failed. */
  logs?: Line[];
}

/** A cloud environment: the emulator's own, or a fork. */
export interface Environment extends AsyncDisposable {
  /** Its name. */
  readonly env: string;
  /** The emulator's address. */
  readonly url: string;
  /** `wx.cloud` as the default user. */
  readonly cloud: Cloud;
  /** One for all environments of the emulator. */
  readonly clock: Clock;
  readonly users: Users;

  /**
   * `wx.cloud` as a user, by name or by openid; the same object each time. `init` need not be called. Code that names the
   * emulator's environment means this one.
   */
  as(user?: string): Cloud;
  /** A whole `wx` as a user, for `globalThis.wx`: a new simulator each time, whose `cloud` wants `init` as in a mini program. */
  wx(user?: string): Wx;
  /** The database as an administrator, whom no permission holds: to arrange, and to look. Queries answer 1000 documents. */
  database(): Database;
  /** Calls a function: as a user, or as a server does. Rejects with what it threw. */
  call(name: string, data?: unknown, options?: { as?: string }): Promise<any>;

  /** A new environment with the same documents, indexes, users, permissions and files, at no cost. For tests side by side. */
  fork(name?: string): Promise<Fork>;
  /** Remembers the environment as it is now. */
  snapshot(name: string): Promise<void>;
  /** Back to a snapshot, as often as wished. */
  restore(name: string): Promise<void>;
  /** Back to how it was when this handle began: after the fixtures, or at the fork. `calls()` begin anew. */
  reset(): Promise<void>;
  /** Puts in what a folder of fixtures holds; `reset` empties first. */
  seed(folder: string, options?: { reset?: boolean }): Promise<Seeded>;
  /** Makes a collection. */
  create(collection: string, options?: { mode?: string }): Promise<void>;

  /** The calls of functions since this handle began, oldest first. */
  calls(name?: string): Promise<Call[]>;
  /** Resolves at a call that is as expected, and rejects with what was called instead. */
  expectCall(name: string, expected?: ExpectedCall & { times?: undefined }): Promise<Call>;
  /** With `times`, exactly that many; `times: 0` looks once unless `within` says how long. */
  expectCall(name: string, expected: ExpectedCall & { times: number }): Promise<Call[]>;
  /**
   * Writes down what a watch is told from now on. `query` is anything with `watch`, as any user; a name is a whole collection,
   * seen by the administrator.
   */
  recordWatch(query: Watchable | string): Promise<Recorder>;

  /** `process.env` of programs whose server SDKs (wx-server-sdk, @cloudbase/node-sdk) are to work here. */
  variables(): Record<string, string>;
  /** A command of `POST /_emulator/NAME`, for this environment. */
  command(name: string, params?: object): Promise<any>;
}

export interface Emulator extends Environment {
  readonly token: string;
  readonly pid: number;
  /**
   * Sets EMULATOR_URL, EMULATOR_TOKEN and EMULATOR_ENV, by which `startEmulator` in processes started from now on (workers of a
   * test runner) finds this emulator.
   */
  export(): Record<string, string>;
  /** Ends it; one that was found running is left as it was, without the forks of this handle. */
  stop(): Promise<void>;
}

export interface Fork extends Environment {
  /** Removes it. `await using` does. */
  drop(): Promise<void>;
}

/** Each answers what the time is now. */
export interface Clock {
  now(): Promise<Date>;
  set(when: Date | string | number): Promise<Date>;
  /** By `'1h30m'`, or by milliseconds. */
  advance(duration: string | number): Promise<Date>;
  freeze(): Promise<Date>;
  resume(): Promise<Date>;
  /** Back to the real time. */
  reset(): Promise<Date>;
}

export interface User {
  name: string;
  openid: string;
  default: boolean;
}

export interface Users {
  list(): Promise<User[]>;
  add(
    name: string,
    options?: { openid?: string; email?: string; phone?: string; password?: string },
  ): Promise<{ name: string; openid: string }>;
  remove(name: string): Promise<void>;
  /** Makes it the default user. */
  use(name: string): Promise<{ name: string; openid: string }>;
}

export interface Seeded {
  collections: number;
  documents: number;
  files: number;
  users: number;
}

export interface Line {
  level: string;
  text: string;
}

/** A function's call that has ended. */
export interface Call {
  function: string;
  event: any;
  /** Null: no user, but a server or a function without one. */
  openid: string | null;
  source: string;
  result?: any;
  error?: { code: string; message: string };
  logs: Line[];
  durationMs: number;
  requestId: string;
  atMs: number;
}

/**
 * Partial: objects may have more fields than are named. A RegExp tests a text, a function says yes or no, and matchers such as
 * `expect.any(String)` work.
 */
export interface ExpectedCall {
  event?: unknown;
  result?: unknown;
  /** A user, by name or openid; null: no user. */
  as?: string | null;
  /** How many milliseconds to wait for it, 3000 unless said. */
  within?: number;
}

/** Anything that has `watch`: a collection, a query, a document. */
export interface Watchable {
  watch(options: any): { close(): any };
}

export interface WatchEvent {
  /** `add`, `update`, `replace`, `remove`, `limit`. */
  type: string;
  /** `enqueue`, `update`, `dequeue`. */
  queueType: string;
  docId: any;
  doc: any;
  updatedFields?: any;
  removedFields?: any;
}

export interface Recorder {
  /** All since the watch began. */
  readonly events: WatchEvent[];
  /** What the query finds, as last told. */
  readonly docs: any[];
  /** The next event that is as expected; those before it are passed over. Rejects with what came instead within 3000 ms, unless `within` says how many. */
  next(expected?: { type?: string; doc?: unknown; within?: number }): Promise<WatchEvent>;
  /** Resolves when nothing has come since the last `next`, and nothing comes for `ms`, 200 unless said. */
  none(ms?: number): Promise<void>;
  close(): Promise<void>;
}

/** A mini program's `wx`, as far as Node can be one: network, storage, device, login, and a user who agrees to everything. */
export interface Wx {
  cloud: Cloud;
  [api: string]: any;
}
