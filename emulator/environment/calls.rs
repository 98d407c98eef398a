//! The calls of functions that ended, for tests that ask what was called. The last ones of each environment, in memory.

use crate::error::ActionError;
use crate::invocation::LogLine;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many calls of an environment are kept, and how many bytes of them.
const CALLS_MAX: usize = 1_000;
const BYTES_MAX: usize = 8 << 20;

/// A call that ended.
#[derive(Clone, Debug)]
pub(crate) struct EndedCall {
    pub(crate) function: String,
    /// As JSON.
    pub(crate) event: String,
    pub(crate) openid: Option<String>,
    pub(crate) source: String,
    /// What the function returned, as JSON, or the error as an SDK would see it.
    pub(crate) result: Result<String, ActionError>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) duration: Duration,
    pub(crate) request_id: String,
    /// When it began, in milliseconds since 1970, by the emulator's clock.
    pub(crate) at_ms: i64,
}

/// The calls of all environments.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    of_environments: Mutex<HashMap<String, Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    calls: VecDeque<EndedCall>,
    bytes: usize,
}

impl Calls {
    /// Keeps a call, and lets go of the oldest ones for it.
    pub(crate) fn keep(&self, environment: &str, call: EndedCall) {
        let mut all = self.lock();
        let kept = all.entry(environment.to_owned()).or_default();
        kept.bytes += call.bytes();
        kept.calls.push_back(call);
        while kept.calls.len() > CALLS_MAX || kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.calls.pop_front() else { break };
            kept.bytes -= oldest.bytes();
        }
    }

    /// Those of an environment, the oldest first.
    pub(crate) fn of(&self, environment: &str) -> Vec<EndedCall> {
        self.lock().get(environment).map(|kept| kept.calls.iter().cloned().collect()).unwrap_or_default()
    }

    /// Forgets those of an environment.
    pub(crate) fn forget(&self, environment: &str) {
        self.lock().remove(environment);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        // Every operation leaves the map whole, so a panic elsewhere cannot have left it half changed.
        self.of_environments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EndedCall {
    /// As `/_emulator/calls` tells it.
    pub(crate) fn to_json(&self) -> Value {
        let logs: Vec<Value> = self.logs.iter().map(|line| json!({ "level": line.level, "text": line.text })).collect();
        let mut fields = Map::from_iter([
            ("function".to_owned(), json!(self.function)),
            ("event".to_owned(), parse(&self.event)),
            ("openid".to_owned(), json!(self.openid)),
            ("source".to_owned(), json!(self.source)),
            ("logs".to_owned(), json!(logs)),
            ("durationMs".to_owned(), json!(self.duration.as_secs_f64() * 1_000.0)),
            ("requestId".to_owned(), json!(self.request_id)),
            ("atMs".to_owned(), json!(self.at_ms)),
        ]);
        match &self.result {
            Ok(result) => fields.insert("result".to_owned(), parse(result)),
            Err(error) => fields.insert("error".to_owned(), json!({ "code": error.code, "message": error.message })),
        };
        Value::Object(fields)
    }

    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        let result = match &self.result {
            Ok(text) => text.len(),
            Err(error) => error.message.len(),
        };
        let logs: usize = self.logs.iter().map(|line| line.text.len() + size_of::<LogLine>()).sum();
        size_of::<EndedCall>() + self.function.len() + self.event.len() + self.request_id.len() + result + logs
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_calls_are_kept() {
        let calls = Calls::default();
        for number in 0..CALLS_MAX + 5 {
            calls.keep("a", call(&number.to_string()));
        }
        let kept = calls.of("a");
        assert_eq!((kept.len(), kept.first().map(|call| call.event.as_str())), (CALLS_MAX, Some("5")));
        assert!(calls.of("b").is_empty());
        calls.forget("a");
        assert!(calls.of("a").is_empty());
    }

    #[test]
    fn large_calls_do_not_pile_up() {
        let calls = Calls::default();
        let large = "x".repeat(BYTES_MAX / 3);
        for _ in 0..5 {
            calls.keep("a", call(&large));
        }
        assert_eq!(calls.of("a").len(), 2);
        calls.keep("a", call(&"x".repeat(BYTES_MAX)));
        assert_eq!(calls.of("a").len(), 0);
    }

    fn call(event: &str) -> EndedCall {
        EndedCall {
            function: "f".into(),
            event: event.into(),
            openid: None,
            source: "scf".into(),
            result: Ok("null".into()),
            logs: Vec::new(),
            duration: Duration::ZERO,
            request_id: String::new(),
            at_ms: 0,
        }
    }
}
