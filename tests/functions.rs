//! Cloud functions from outside: good ones, and the bad ones of a bad day. Each bad one ends its own call with the cloud's error
//! (semantics §9.4) and leaves everything else working.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod process;
}

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::process::Emulator;

#[test]
fn a_function_returns_and_what_it_printed_comes_apart() {
    let emulator = with_functions();
    let reply = emulator.call("prints", json!({"text": "raw line"}));
    assert_eq!(reply["result"], json!("undefined"), "Deno is not to be seen: {reply}");
    let logs = reply["logs"].as_array().unwrap();
    let line = |level: &str, text: &str| logs.contains(&json!({"level": level, "text": text}));
    assert!(line("info", "a line { nested: [ 1, 'two' ] }"), "{reply}");
    assert!(line("warn", "careful") && line("error", "wrong") && line("info", "raw line"), "{reply}");
}

#[test]
fn a_function_sees_its_event_context_and_user() {
    let emulator = with_functions();
    let result = emulator.call_as("reports", json!({"a": 1}), "alice")["result"].take();
    assert_eq!(result["event"], json!({"a": 1, "userInfo": {"appId": "wx0123456789abcdef", "openId": "alice"}}));
    assert_eq!(result["context"]["function_name"], json!("reports"));
    assert_eq!(result["context"]["time_limit_in_ms"], json!(3000));
    assert_eq!(result["openid"], json!("alice"));
    assert_eq!(result["source"], json!("wx_client"));
    assert_eq!(result["zone"], json!(0), "functions run in UTC (semantics FN-09)");
    assert_eq!(result["directory"], json!("reports"));
}

#[test]
fn es_modules_commonjs_and_json_work_together() {
    let emulator = with_functions();
    let reply = emulator.call("module", json!({"text": "x"}));
    assert_eq!(reply["result"], json!({"hash": "9dd4e461268c8034f5c8564e155c67a6", "helped": "JSON"}), "{reply}");
}

#[test]
fn module_state_stays_warm_and_a_saved_file_is_live() {
    let project = tempfile::tempdir().unwrap();
    let function = project.path().join("cloudfunctions/counter");
    std::fs::create_dir_all(&function).unwrap();
    std::fs::write(project.path().join("project.config.json"), r#"{"cloudfunctionRoot": "cloudfunctions"}"#).unwrap();
    std::fs::write(function.join("index.js"), "let n = 0; exports.main = () => ++n;").unwrap();
    let emulator = Emulator::start(&["--project", &project.path().display().to_string()]);
    assert_eq!(emulator.call("counter", json!({}))["result"], json!(1));
    assert_eq!(emulator.call("counter", json!({}))["result"], json!(2));
    std::fs::write(function.join("index.js"), "let n = 100; exports.main = () => ++n;").unwrap();
    assert_eq!(emulator.call("counter", json!({}))["result"], json!(101));
}

#[test]
fn what_a_function_throws_is_the_error_with_its_file_and_line() {
    check("throws", "FUNCTIONS_EXECUTE_FAIL", &["Error: boom", "throws/index.js:2"]);
    check("rejects", "FUNCTIONS_EXECUTE_FAIL", &["TypeError: refused", "rejects/index.js:1"]);
    check("throws-text", "FUNCTIONS_EXECUTE_FAIL", &["just text"]);
}

#[test]
fn code_that_cannot_be_loaded_says_where() {
    check("syntax", "FUNCTIONS_EXECUTE_FAIL", &["SyntaxError", "syntax/index.js:2"]);
    check(
        "missing-module",
        "FUNCTIONS_EXECUTE_FAIL",
        &["Cannot find module 'a-package-that-is-not-installed'", "npm install"],
    );
    check("no-main", "FUNCTIONS_EXECUTE_FAIL", &["main"]);
    check("addon", "FUNCTIONS_EXECUTE_FAIL", &["addon.node"]);
}

#[test]
fn a_function_that_ends_its_process_ends_that_call_alone() {
    check("exits", "FUNCTIONS_EXECUTE_FAIL", &["7 code exit unexpected"]);
}

#[test]
fn a_function_that_takes_too_long_is_ended_after_three_seconds() {
    for name in ["endless", "endless-load", "never"] {
        check(name, "FUNCTIONS_TIME_LIMIT_EXCEEDED", &["Invoking task timed out after 3 seconds"]);
    }
}

#[test]
fn a_function_that_takes_too_much_memory_is_ended() {
    for name in ["greedy", "greedy-buffer"] {
        let mut emulator = with_functions();
        let reply = emulator.call(name, json!({}));
        assert!(reply["error"]["code"].is_string(), "{name}: {reply}");
        still_works(&mut emulator);
    }
}

#[test]
fn deep_recursion_and_odd_results_are_errors() {
    check("deep", "FUNCTIONS_EXECUTE_FAIL", &[]);
    check("circular", "FUNCTIONS_EXECUTE_FAIL", &[]);
    check("large-result", "FUNCTIONS_EXECUTE_FAIL", &["6 MB"]);
}

#[test]
fn a_function_reaches_neither_other_programs_nor_other_files() {
    check("subprocess", "FUNCTIONS_EXECUTE_FAIL", &[]);
    let emulator = with_functions();
    let secret = emulator.data().join("emulator.json").display().to_string();
    let read = emulator.call("escapes", json!({"path": secret}));
    assert_eq!(read["error"]["code"], json!("FUNCTIONS_EXECUTE_FAIL"), "{read}");
    let target = emulator.data().join("written").display().to_string();
    let written = emulator.call("escapes", json!({"path": target, "write": true}));
    assert_eq!(written["error"]["code"], json!("FUNCTIONS_EXECUTE_FAIL"), "{written}");
    assert!(!emulator.data().join("written").exists());
    let private = emulator.call("escapes", json!({"path": "/tmp/a-function-wrote-this", "write": true}));
    assert_eq!(private["error"], Value::Null, "{private}");
    assert!(!std::path::Path::new("/tmp/a-function-wrote-this").exists(), "/tmp is private to the worker");
}

#[test]
fn a_rejection_nobody_waits_for_does_not_spoil_the_result() {
    let mut emulator = with_functions();
    assert_eq!(emulator.call("late-rejection", json!({}))["result"], json!("returned"));
    still_works(&mut emulator);
}

#[test]
fn a_function_that_is_not_there_is_the_clouds_error() {
    let emulator = with_functions();
    for name in ["absent", "../quick", "", "a/b", "..", "quick/index.js"] {
        let body = json!({"action": "functions.invokeFunction", "function_name": name, "request_data": "{}"});
        let reply = emulator.admin(&body);
        assert!(reply["code"] == "FUNCTION_NOT_FOUND" || reply["code"] == "INVALID_PARAM", "{name}: {reply}");
    }
}

#[test]
fn calls_beyond_eight_wait_their_turn() {
    let emulator = with_functions();
    let started = Instant::now();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..12).map(|_| scope.spawn(|| emulator.call("slow", json!({})))).collect();
        for call in calls {
            let reply = call.join().unwrap();
            assert_eq!(reply["result"], json!("done"), "{reply}");
        }
    });
    assert!(started.elapsed() >= Duration::from_millis(3000), "twelve calls of 1.5 s on eight workers take two rounds");
}

fn with_functions() -> Emulator {
    Emulator::start(&["--project", &format!("{}/tests/support/project", env!("CARGO_MANIFEST_DIR"))])
}

/// Calls `function` and asserts how it fails, and that the emulator and other functions do not notice.
fn check(function: &str, code: &str, fragments: &[&str]) {
    let mut emulator = with_functions();
    let reply = emulator.call(function, json!({}));
    assert_eq!(reply["error"]["code"], json!(code), "{function}: {reply}");
    let message = reply["error"]["message"].as_str().unwrap();
    for fragment in fragments {
        assert!(message.contains(fragment), "{function}: {fragment} in {message}");
    }
    still_works(&mut emulator);
}

fn still_works(emulator: &mut Emulator) {
    assert_eq!(emulator.call("quick", json!({}))["result"], json!("quick"));
    assert!(emulator.is_well());
}
