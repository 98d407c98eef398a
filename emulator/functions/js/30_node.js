// The world a function wakes up in: Node's, without what only this engine has.

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

function install(require) {
  const process = require("process");
  const Module = require("module");
  process.argv = ["/usr/local/bin/node", "/var/runtime/node/bootstrap.js"];
  delete process.versions.deno;
  refuseNativeAddons(Module);
  // A refused file is, as in Node, an error with this code.
  Object.defineProperty(Deno.errors.NotCapable.prototype, "code", { value: "EACCES", writable: true, configurable: true });
  for (const name of FOREIGN_GLOBALS) delete globalThis[name];
}

export { install };
