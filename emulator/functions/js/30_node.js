// The world a function wakes up in: Node's, without what only this engine has.

// What user code sees of the runtime: the newest Node version of the cloud.
const NODE_VERSION = "20.19.0";

// Globals of this engine that Node does not have. Libraries take some of them for a browser.
const FOREIGN_GLOBALS = [
  "Deno", "Window", "Worker", "alert", "confirm", "prompt", "close", "closed", "name", "location", "self",
  "localStorage", "sessionStorage", "Storage", "caches", "Cache", "CacheStorage", "onload", "onunload", "onbeforeunload", "onerror",
  "addEventListener", "removeEventListener", "dispatchEvent", "reportError",
];

function define(object, name, value) {
  Object.defineProperty(object, name, { value, writable: false, configurable: true, enumerable: true });
}

function refuseNativeAddons(Module) {
  Module._extensions[".node"] = (_module, filename) => {
    throw new Error(`native addons are not supported by the emulator: ${filename}`);
  };
}

function install(require) {
  const process = require("process");
  const Module = require("module");
  define(process, "version", `v${NODE_VERSION}`);
  const versions = { ...process.versions, node: NODE_VERSION };
  delete versions.deno;
  define(process, "versions", Object.freeze(versions));
  define(process, "release", Object.freeze({ name: "node", lts: "Iron" }));
  process.argv = ["/usr/local/bin/node", "/var/runtime/node/bootstrap.js"];
  refuseNativeAddons(Module);
  for (const name of FOREIGN_GLOBALS) delete globalThis[name];
}

export { install };
