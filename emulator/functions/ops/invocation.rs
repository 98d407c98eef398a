//! One call after the other: waiting for it, and reporting how it ended.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::Receiver;

use deno_core::OpState;
use deno_core::error::{CoreError, CoreErrorKind};
use serde::Serialize;

use super::Environment;
use crate::frames::{FromWorker, Invoke, write_frame};
use crate::loader::LoadedFiles;
use crate::{CallClock, Level};

/// A result's JSON is at most this long (the cloud's limit of a synchronous reply).
pub(crate) const RESULT_BYTES_MAX: usize = 6 << 20;

/// The worker's end of the channel.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Where frames go.
    pub(crate) output: File,
    /// Written to the standard error when a call ends.
    pub(crate) marker: String,
}

impl Channel {
    /// Sends one frame. A broken channel means that the emulator is gone: so is the worker.
    pub(crate) fn send(&mut self, header: &FromWorker, body: &[u8]) {
        if write_frame(&mut self.output, header, body).is_err() {
            std::process::exit(1);
        }
    }

    /// Sends the frame that ends a call, behind all that the call printed.
    fn end(&mut self, header: &FromWorker, body: &[u8]) {
        let _ = io::stderr().write_all(self.marker.as_bytes());
        self.send(header, body);
    }
}

/// The channel and what is known of the call under way; kept in the op state.
pub(crate) struct ChannelState {
    pub(crate) channel: Channel,
    pub(crate) calls: Receiver<(Invoke, Vec<u8>)>,
    pub(crate) loaded: LoadedFiles,
    /// From the moment JavaScript has a call until it reports the end.
    pub(crate) is_calling: bool,
}

/// What JavaScript is told of a call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NextCall {
    entry: String,
    event: String,
    context: serde_json::Value,
    clock: NextClock,
}

/// What `Date` is to show; JavaScript has no other numbers than these.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NextClock {
    offset_ms: f64,
    frozen_ms: Option<f64>,
}

impl From<CallClock> for NextClock {
    fn from(clock: CallClock) -> NextClock {
        match clock {
            CallClock::Running { offset_ms } => NextClock { offset_ms: offset_ms as f64, frozen_ms: None },
            CallClock::Frozen { at_ms } => NextClock { offset_ms: 0.0, frozen_ms: Some(at_ms as f64) },
        }
    }
}

/// Waits for the next call, with the whole worker standing still as the cloud's containers do between calls
/// (semantics FN-08). `null`: there will be none.
#[deno_core::op2]
#[serde]
pub(super) fn op_function_next(state: &mut OpState) -> Option<NextCall> {
    let channel = state.borrow_mut::<ChannelState>();
    let (invoke, event) = channel.calls.recv().ok()?;
    channel.is_calling = true;
    let _ = std::env::set_current_dir(&invoke.folder);
    crate::worker::limit_memory(invoke.memory_bytes);
    state.put(Environment::of_call(invoke.environment));
    Some(NextCall {
        entry: invoke.entry.to_string_lossy().into_owned(),
        event: String::from_utf8_lossy(&event).into_owned(),
        context: invoke.context,
        clock: invoke.clock.into(),
    })
}

#[deno_core::op2(fast)]
pub(super) fn op_function_booted(state: &mut OpState) {
    state.borrow_mut::<ChannelState>().channel.send(&FromWorker::Booted, b"");
}

#[deno_core::op2(fast)]
pub(super) fn op_function_print(state: &mut OpState, #[smi] level: u32, #[string] text: &str) {
    let level = match level {
        0 => Level::Debug,
        1 => Level::Info,
        2 => Level::Warn,
        _ => Level::Error,
    };
    state.borrow_mut::<ChannelState>().channel.send(&FromWorker::Printed(level), text.as_bytes());
}

#[deno_core::op2(fast)]
pub(super) fn op_function_returned(state: &mut OpState, #[string] result: &str) {
    let state = state.borrow_mut::<ChannelState>();
    if result.len() > RESULT_BYTES_MAX {
        state.end_call(&FromWorker::TooLarge, b"");
    } else {
        state.end_call(&FromWorker::Returned, result.as_bytes());
    }
}

#[deno_core::op2(fast)]
pub(super) fn op_function_failed(state: &mut OpState, #[string] message: &str) {
    state.borrow_mut::<ChannelState>().end_call(&FromWorker::Failed, message.as_bytes());
}

#[deno_core::op2(fast)]
pub(super) fn op_function_bad_result(state: &mut OpState, #[string] reason: &str) {
    state.borrow_mut::<ChannelState>().end_call(&FromWorker::BadResult, reason.as_bytes());
}

#[deno_core::op2(fast)]
pub(super) fn op_function_out_of_memory(state: &mut OpState) {
    state.borrow_mut::<ChannelState>().end_call(&FromWorker::OutOfMemory, b"");
}

#[deno_core::op2(fast)]
pub(super) fn op_function_idle(state: &mut OpState) {
    state.borrow_mut::<ChannelState>().channel.send(&FromWorker::Idle, b"");
}

impl ChannelState {
    /// Ends the call under way; only its first end counts.
    fn end_call(&mut self, header: &FromWorker, body: &[u8]) {
        if !std::mem::take(&mut self.is_calling) {
            return;
        }
        let mut loaded = self.loaded.take();
        loaded.sort();
        loaded.dedup();
        if !loaded.is_empty() {
            self.channel.send(&FromWorker::Loaded(loaded), b"");
        }
        self.channel.end(header, body);
    }

    /// Reports an error that no code caught: it ends the call under way, or is printed when there is none.
    pub(crate) fn end_by_fatal(&mut self, message: &str) {
        if self.is_calling {
            self.end_call(&FromWorker::Failed, message.as_bytes());
        } else {
            self.channel.send(&FromWorker::Printed(Level::Error), format!("{message}\n").as_bytes());
        }
    }
}

/// An error that reached the event loop, as text: its stack where it has one.
pub(crate) fn describe_fatal(error: &CoreError) -> String {
    let CoreErrorKind::Js(error) = error.as_kind() else { return error.to_string() };
    let bare = || {
        let message = error.exception_message.trim_start_matches("Uncaught ").trim_start_matches("(in promise) ");
        message.to_owned()
    };
    error.stack.as_deref().map_or_else(bare, clean_stack)
}

/// A stack as a developer reads it: paths instead of URLs, without the engine's own frames.
fn clean_stack(stack: &str) -> String {
    let is_internal = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("at ")
            && ["(ext:", "at ext:", "at async ext:", "(node:", "at node:"].iter().any(|mark| line.contains(mark))
    };
    let lines: Vec<&str> = stack.lines().filter(|line| !is_internal(line)).collect();
    lines.join("\n").replace("file://", "")
}
