// Serving calls: load the function's code once, call its `main` for each call, report how that ended.

import { core, internals } from "ext:core/mod.js";
import {
  op_function_bad_result,
  op_function_booted,
  op_function_failed,
  op_function_idle,
  op_function_next,
  op_function_out_of_memory,
  op_function_print,
  op_function_returned,
  op_require_is_maybe_cjs,
} from "ext:core/ops";
import { describe, missingPackage } from "ext:functions/10_errors.js";
import { install as installConsole } from "ext:functions/20_console.js";
import { install as installNode } from "ext:functions/30_node.js";
import { install as installLocale } from "ext:functions/40_locale.js";
import { install as installClock, turn as turnClock } from "ext:functions/50_clock.js";

// User code may replace what it likes of the globals; calls are served with these.
const { parse, stringify } = JSON;
const { setImmediate } = core.loadExtScript("ext:deno_node/timers.ts");

let requireFile = null;
// Entry file → its exports, once loaded.
const loaded = new Map();

function start() {
  const preload = Deno.args.length > 0;
  const require = core.createLazyLoader("node:module")().default.createRequire("/var/runtime/bootstrap.js");
  requireFile = require;
  installConsole(require);
  installNode(require);
  installLocale();
  installClock();
  if (preload) preloadSdk(require);
  serve();
}

// A spare worker has the SDK loaded before any function wants it. A failure will show when a function asks for it.
function preloadSdk(require) {
  try {
    require("wx-server-sdk");
  } catch (error) {
    op_function_print(3, `${describe(error)}\n`);
  }
}

async function serve() {
  op_function_booted();
  for (let call = op_function_next(); call !== null; call = op_function_next()) {
    // What arrived on sockets while the worker stood still is seen before the call is.
    await turn();
    await run(call);
    await turn();
    op_function_idle();
  }
}

function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

async function run(call) {
  turnClock(call.clock);
  let result;
  try {
    const main = await load(call.entry);
    result = await invoke(main, parse(call.event), call.context);
  } catch (error) {
    if (isOutOfMemory(error)) op_function_out_of_memory();
    else op_function_failed(explain(error, call.entry));
    return;
  }
  report(result);
}

function isOutOfMemory(error) {
  return error instanceof Error && /^(?:Internal|Range)Error$/.test(error.name) && /out of memory|Array buffer allocation failed/i.test(error.message);
}

function report(result) {
  let text;
  try {
    text = stringify(result) ?? "null";
  } catch (error) {
    op_function_bad_result(describe(error));
    return;
  }
  op_function_returned(text);
}

// The message of a failed call. For a package that is not installed, also what to do about it.
function explain(error, entry) {
  const name = missingPackage(error);
  if (name === null) return describe(error);
  const folder = entry.replace(/[/\\][^/\\]*$/, "");
  const hint = `(the emulator: run \`npm install ${name}\` in ${folder})`;
  return `Error: Cannot find module '${name}'\n${hint}\n${describe(error).split("\n").slice(1).join("\n")}`.trimEnd();
}

async function load(entry) {
  let exports = loaded.get(entry);
  if (exports === undefined) {
    exports = await loadEntry(entry);
    loaded.set(entry, exports);
  }
  const main = exports?.main ?? exports?.default?.main;
  if (typeof main !== "function") throw new Error("index.main is undefined or not exported");
  // The name that stacks show for it, as in the cloud.
  if (main.name === "") Object.defineProperty(main, "name", { value: "exports.main", configurable: true });
  return main;
}

function loadEntry(entry) {
  const isModule = entry.endsWith(".mjs") || !(entry.endsWith(".cjs") || op_require_is_maybe_cjs(entry));
  if (isModule) return import(fileUrl(entry));
  return requireFile(entry);
}

function fileUrl(path) {
  return core.loadExtScript("ext:deno_node/url.ts").pathToFileURL(path).href;
}

// `main` returns a value or a promise, or, in the old way, takes a callback as its third argument.
function invoke(main, event, context) {
  if (main.length < 3) return main(event, context);
  return new Promise((resolve, reject) => {
    const callback = (error, value) => error ? reject(error) : resolve(value);
    const returned = main(event, context, callback);
    if (returned !== undefined) resolve(returned);
  });
}

internals.functions = { start };
