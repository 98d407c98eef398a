// The world a function wakes up in: Node's, without what only this engine has.

import { core } from "ext:core/mod.js";
import { op_import_sync, op_require_is_maybe_cjs, op_require_read_file } from "ext:core/ops";

// Globals of this engine that Node does not have. Libraries take some of them for a browser.
const FOREIGN_GLOBALS = [
  "Deno", "Window", "Worker", "alert", "confirm", "prompt", "close", "closed", "name", "location", "self",
  "localStorage", "sessionStorage", "Storage", "caches", "Cache", "CacheStorage", "onload", "onunload", "onbeforeunload", "onerror",
  "addEventListener", "removeEventListener", "dispatchEvent", "reportError",
];

function refuseNativeAddons(Module) {
  Module._extensions[".node"] = (_module, filename) => {
    throw new Error(`native addons are not supported by the emulator: ${filename}`);
  };
}

// `require` of a file: CommonJS, or the ES module it says it is. What looks like an ES module and does not say so is a
// syntax error, as in most Node versions of the cloud.
function loadByKind(Module) {
  const loadJs = (module, filename) => {
    if (op_require_is_maybe_cjs(filename)) loadCommonJs(module, filename);
    else module.exports = requireEsModule(filename);
  };
  Module._extensions[".cjs"] = loadCommonJs;
  Module._extensions[".js"] = loadJs;
  Module._extensions[".mjs"] = (module, filename) => {
    module.exports = requireEsModule(filename);
  };
}

function loadCommonJs(module, filename) {
  const source = op_require_read_file(filename);
  try {
    module._compile(source, filename, "commonjs");
  } catch (error) {
    if (error instanceof SyntaxError) correctSyntaxError(error, source);
    throw error;
  }
}

// Where the engine says that code cannot be compiled: a frame without a function.
const COMPILE_FRAME = /^(SyntaxError: )(.*)\n(\s+at )(file:\/\/[^()\n]*):(\d+):(\d+)/;

// The engine counts the line that it wraps around a file, and has words of its own.
function correctSyntaxError(error, source) {
  const found = COMPILE_FRAME.exec(error.stack ?? "");
  if (found === null) return;
  const [whole, name, message, at, file, lineText, column] = found;
  const lines = source.split("\n");
  const line = Math.min(Number(lineText) - 1, lines.length);
  const words = nodeWords(message, lines[line - 1] ?? "", Number(lineText) - 1 > lines.length);
  error.message = words;
  error.stack = `${name}${words}\n${at}${file}:${line}:${column}${error.stack.slice(whole.length)}`;
}

// `isBehind`: the engine met the end of its own wrapping.
function nodeWords(message, line, isBehind) {
  if (isBehind && message.startsWith("unexpected token in expression: ")) return "Unexpected end of input";
  if (/^\s*import\b/.test(line)) return "Cannot use import statement outside a module";
  if (/^unsupported keyword: export/.test(message)) return "Unexpected token 'export'";
  return message.replace(/^unexpected token in expression: /, "Unexpected token ");
}

// Goes through a module that holds the whole (`loader.rs` makes it): the engine cannot wrap a default export itself.
function requireEsModule(filename) {
  const url = core.loadExtScript("ext:deno_node/url.ts").pathToFileURL(filename).href;
  const { whole } = op_import_sync(`${url}?function-bridge`);
  if (Object.hasOwn(whole, "module.exports")) return whole["module.exports"];
  if (!Object.hasOwn(whole, "default") || Object.hasOwn(whole, "__esModule")) return whole;
  const exports = { __proto__: null };
  for (const name of Object.keys(whole)) Object.defineProperty(exports, name, { get: () => whole[name], enumerable: true });
  return Object.defineProperty(exports, "__esModule", { value: true });
}

function install(require) {
  const process = require("process");
  const Module = require("module");
  process.argv = ["/usr/local/bin/node", "/var/runtime/node/bootstrap.js"];
  delete process.versions.deno;
  // Node's newest deprecations are unknown to the cloud's versions.
  process.noDeprecation = true;
  loadByKind(Module);
  refuseNativeAddons(Module);
  // A refused file is, as in Node, an error with this code.
  Object.defineProperty(Deno.errors.NotCapable.prototype, "code", { value: "EACCES", writable: true, configurable: true });
  for (const name of FOREIGN_GLOBALS) delete globalThis[name];
}

export { install };
