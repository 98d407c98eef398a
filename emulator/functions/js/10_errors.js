// Errors as the cloud prints them: the stack of the user's code, paths instead of URLs.

const FRAME = /^\s*at /;
const INTERNAL_FRAME = /^\s*at (?:.*[(\s])?(?:ext:|node:|function:start)/;
// What the engine adds to a refusal: it speaks of its own command line.
const ENGINE_ADVICE = /, run again with the --allow-[a-z]+ flag/g;

// Text as a developer reads it. Only stack frames are changed, whatever else the text holds.
function cleanStack(text) {
  if (!text.includes("\n    at ")) return text.replace(ENGINE_ADVICE, "");
  const lines = text.split("\n").filter((line) => !INTERNAL_FRAME.test(line));
  return lines.map((line) => FRAME.test(line) ? line.replace("file://", "") : line).join("\n").replace(ENGINE_ADVICE, "");
}

function stackOf(error) {
  const stack = typeof error.stack === "string" ? error.stack : "";
  const head = `${error.name ?? "Error"}${error.message ? `: ${error.message}` : ""}`;
  if (stack.trim() === "") return head;
  if (FRAME.test(stack)) return `${head}\n${stack}`;
  // The engine's syntax errors name their kind twice.
  return stack.startsWith("SyntaxError: SyntaxError: ") ? stack.slice("SyntaxError: ".length) : stack;
}

function plainText(value) {
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

// Whatever was thrown, as text. A thrown value that is no error is its own text or its JSON.
function describe(error) {
  try {
    const isError = error instanceof Error || (typeof error === "object" && error !== null && typeof error.stack === "string");
    return isError ? cleanStack(stackOf(error)) : plainText(error);
  } catch {
    return "Error: the function threw something that cannot be printed";
  }
}

const MISSING_MODULE = /^Cannot find (?:module|package) '([^']+)'/;

// The package that could not be found, or null: files of one's own have no package to install.
function missingPackage(error) {
  const name = MISSING_MODULE.exec(String(error?.message))?.[1];
  if (name === undefined || /^(?:[./#]|[A-Za-z]:|file:|node:)/.test(name)) return null;
  return name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/");
}

export { cleanStack, describe, missingPackage };
