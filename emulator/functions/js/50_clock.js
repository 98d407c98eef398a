// The time that functions are told: the emulator's, which may be moved and stopped, as it was set when the call began.
// Timers, `performance` and `process.hrtime` measure, and keep to the machine's time.

const MachineDate = Date;
const { now: machineNow } = Date;
const { construct } = Reflect;

let offsetMs = 0;
// A number while the time stands still.
let frozenMs = null;

function now() {
  return frozenMs ?? machineNow() + offsetMs;
}

// Sets what the next call is told.
function turn(clock) {
  ({ offsetMs, frozenMs } = clock);
}

function install() {
  const ClockDate = new Proxy(MachineDate, {
    apply: () => new MachineDate(now()).toString(),
    construct: (target, args, newTarget) => construct(target, args.length === 0 ? [now()] : args, newTarget),
  });
  define(MachineDate, "now", now);
  define(MachineDate.prototype, "constructor", ClockDate);
  define(globalThis, "Date", ClockDate);
}

function define(object, name, value) {
  Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
}

export { install, turn };
