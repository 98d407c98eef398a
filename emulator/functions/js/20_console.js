// Printing: console and the standard streams of a function, formatted by Node's rules, sent to the emulator with a level.

import { core } from "ext:core/mod.js";
import { op_function_print } from "ext:core/ops";
import { cleanStack } from "ext:functions/10_errors.js";

const DEBUG = 0;
const INFO = 1;
const WARN = 2;
const ERROR = 3;

function standardStream(stream, fd, print) {
  const output = new stream.Writable({
    decodeStrings: false,
    write(chunk, encoding, done) {
      print(cleanStack(typeof chunk === "string" ? chunk : chunk.toString()));
      done();
    },
  });
  output.fd = fd;
  output.isTTY = false;
  output._isStdio = true;
  // Ending a standard stream is an error in Node too; nothing may close ours.
  output.destroy = () => output;
  output.end = () => output;
  return output;
}

function definePrinters(process, stdout, stderr) {
  for (const [name, value] of Object.entries({ stdout, stderr })) {
    Object.defineProperty(process, name, { value, writable: true, configurable: true, enumerable: true });
  }
}

// Replaces the engine's console and streams. `require` is Node's.
function install(require) {
  let errorLevel = ERROR;
  let outputLevel = INFO;
  const stream = require("stream");
  const stdout = standardStream(stream, 1, (text) => op_function_print(outputLevel, text));
  const stderr = standardStream(stream, 2, (text) => op_function_print(errorLevel, text));
  definePrinters(require("process"), stdout, stderr);

  const { Console } = core.loadExtScript("ext:deno_node/internal/console/constructor.mjs");
  const console = new Console({ stdout, stderr, colorMode: false });
  const warn = console.warn.bind(console);
  const debug = console.debug.bind(console);
  console.warn = function warn_(...values) {
    errorLevel = WARN;
    try {
      warn(...values);
    } finally {
      errorLevel = ERROR;
    }
  };
  console.debug = function debug_(...values) {
    outputLevel = DEBUG;
    try {
      debug(...values);
    } finally {
      outputLevel = INFO;
    }
  };
  console.Console = Console;
  Object.defineProperty(globalThis, "console", { value: console, writable: true, configurable: true, enumerable: false });
}

export { install };
