//! However a function ends, that call alone ends with it, and with what the cloud says.

use std::time::Duration;

use functions::{InvocationError, Level};

use crate::common::{Project, invocation};

const GOOD: (&str, &str) = ("good/index.js", "exports.main = () => 'good'");

/// A project whose function `f` has this code, beside one that works.
fn project(code: &str) -> Project {
    Project::new(&[("f/index.js", code), GOOD])
}

/// The call fails with this message; `$` stands for the function's folder. The next call of another function works.
async fn check(code: &str, event: &str, expected: &str) {
    let project = project(code);
    let message = project.failure("f", event).await;
    assert_eq!(message, expected.replace('$', &project.root.join("f").to_string_lossy()));
    assert_eq!(project.result("good", "{}").await, "good");
}

#[tokio::test]
async fn a_throw_and_a_rejection_show_file_and_line() {
    check(
        "exports.main = async (event) => {\n\n  throw new Error('boom')\n}",
        "{}",
        "Error: boom\n    at exports.main ($/index.js:3:9)",
    )
    .await;
    check(
        "exports.main = (event) => Promise.reject(new TypeError('no'))",
        "{}",
        "TypeError: no\n    at exports.main ($/index.js:1:42)",
    )
    .await;
    let deep = "function inner() { null.x }\nexports.main = () => inner()";
    check(deep, "{}", "TypeError: Cannot read properties of null (reading 'x')\n    at inner ($/index.js:1:25)\n    at exports.main ($/index.js:2:22)").await;
}

#[tokio::test]
async fn a_thrown_value_that_is_no_error_is_its_own_text() {
    let project = project("exports.main = async (event) => { throw event.what }");
    for (event, expected) in [
        (r#"{"what": "text"}"#, "text"),
        (r#"{"what": {"a": 1}}"#, r#"{"a":1}"#),
        (r#"{"what": 5}"#, "5"),
        ("{}", "undefined"),
    ] {
        assert_eq!(project.failure("f", event).await, expected);
    }
}

#[tokio::test]
async fn code_that_cannot_be_loaded_fails_the_call() {
    check("exports.handler = () => 1", "{}", "Error: index.main is undefined or not exported").await;
    let project = project("exports.main = async () => {\n  const a = ;\n}");
    let index = project.root.join("f/index.js");
    let expected = format!("SyntaxError: Unexpected token ';'\n    at {}:2:13", index.display());
    assert_eq!(project.failure("f", "{}").await, expected);
    for (code, expected) in [
        ("import a from 'fs'", "SyntaxError: Cannot use import statement outside a module\n"),
        ("export const a = 1", "SyntaxError: Unexpected token 'export'\n"),
        ("if (", "SyntaxError: Unexpected end of input\n"),
        ("return }", "SyntaxError: Unexpected token '}'\n"),
    ] {
        project.write("f/index.js", code);
        let message = project.failure("f", "{}").await;
        assert!(
            message.starts_with(expected)
                && message.ends_with(&format!("index.js:1:{}", message.rsplit(':').next().unwrap())),
            "{message}"
        );
    }
    project.write("f/index.js", "throw new Error('while loading')");
    let message = project.failure("f", "{}").await;
    assert!(message.starts_with("Error: while loading\n    at ") && message.contains("f/index.js:1:"), "{message}");
    project.write("f/index.js", "exports.main = () => 'repaired'");
    assert_eq!(project.result("f", "{}").await, "repaired");
}

#[tokio::test]
async fn a_missing_package_says_what_to_install_where() {
    for (file, code) in [
        ("f/index.js", "const _ = require('lodash')\nexports.main = () => 1"),
        ("f/index.mjs", "import _ from 'lodash'\nexport const main = () => 1"),
    ] {
        let project = Project::new(&[(file, code)]);
        let message = project.failure("f", "{}").await;
        assert!(message.starts_with("Error: Cannot find module 'lodash'\n"), "{message}");
        assert!(
            message.contains(&format!("run `npm install lodash` in {}", project.root.join("f").display())),
            "{message}"
        );
    }
    let project = project("require('./nowhere')");
    let message = project.failure("f", "{}").await;
    assert!(
        message.starts_with("Error: Cannot find module './nowhere'") && !message.contains("npm install"),
        "{message}"
    );
}

#[tokio::test]
async fn a_process_that_exits_ends_its_call_alone() {
    let project = project("exports.main = (event) => { process.stdout.write('last words'); process.exit(event.code) }");
    for code in [0, 3] {
        assert_eq!(project.call("f", &format!(r#"{{"code": {code}}}"#)).await, Err(InvocationError::Exited { code }));
    }
    assert!(project.printed().iter().any(|line| line.3 == "last words"));
    assert_eq!(project.result("good", "{}").await, "good");
}

#[tokio::test]
async fn an_endless_loop_is_ended_by_its_timeout() {
    let project = Project::new(&[
        ("f/index.js", "exports.main = () => { for (;;) {} }"),
        ("loading/index.js", "for (;;) {}"),
        ("waiting/index.js", "exports.main = () => new Promise(() => {})"),
        GOOD,
    ]);
    for function in ["f", "loading", "waiting"] {
        let mut call = invocation(function, "{}");
        call.timeout = Duration::from_millis(300);
        assert_eq!(
            project.functions.invoke(call).await,
            Err(InvocationError::TimedOut(Duration::from_millis(300))),
            "{function}"
        );
    }
    assert_eq!(project.result("good", "{}").await, "good");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_runaway_allocation_is_ended() {
    let codes = [
        "exports.main = () => { const all = []; for (;;) all.push(new Array(100000).fill(1.5)) }",
        "exports.main = () => { const all = []; for (;;) all.push(Buffer.alloc(10 << 20)) }",
        "exports.main = () => new Uint8Array(1 << 30).length + Buffer.alloc(2 ** 31).length",
        "exports.main = () => { let text = 'x'; for (;;) text = text + text + 'y' }",
    ];
    for code in codes {
        let project = project(code);
        let error = project.call("f", "{}").await.unwrap_err();
        let is_ended = matches!(
            error,
            InvocationError::OutOfMemory | InvocationError::Exited { .. } | InvocationError::Failed { .. }
        );
        assert!(is_ended, "{code}: {error:?}");
        assert_eq!(project.result("good", "{}").await, "good");
    }
}

#[tokio::test]
async fn deep_recursion_is_a_range_error() {
    let project = project(
        "function f() { return f() + 1 }\nexports.main = (event) => { if (event.caught) { try { f() } catch (e) { return e.name } } f() }",
    );
    assert_eq!(project.result("f", r#"{"caught": true}"#).await, "RangeError");
    assert!(project.failure("f", "{}").await.starts_with("RangeError: Maximum call stack size exceeded\n    at f ("));
}

#[tokio::test]
async fn results_have_a_limit_and_must_be_json() {
    let project = project(
        "exports.main = (event) => event.size ? 'x'.repeat(event.size) : event.big ? 1n : (() => { const a = {}; a.a = a; return a })()",
    );
    assert_eq!(project.call("f", "{}").await, Err(InvocationError::BadResult));
    assert_eq!(project.call("f", r#"{"big": true}"#).await, Err(InvocationError::BadResult));
    assert_eq!(project.result("f", r#"{"size": 5000000}"#).await.as_str().unwrap().len(), 5_000_000);
    assert_eq!(project.call("f", r#"{"size": 6291460}"#).await, Err(InvocationError::ResultTooLarge));
    assert_eq!(project.result("f", r#"{"size": 3}"#).await, "xxx");
}

#[tokio::test]
async fn an_error_nobody_catches_ends_the_call_under_way() {
    let waiting = "await new Promise((resolve) => setTimeout(resolve, 5000))";
    for code in ["setTimeout(() => { throw new Error('nobody') }, 1)", "Promise.reject(new Error('nobody'))"] {
        let project = project(&format!("exports.main = async () => {{ {code}; {waiting}; return 1 }}"));
        let message = project.failure("f", "{}").await;
        assert!(message.starts_with("Error: nobody\n    at ") && message.contains("f/index.js:1:"), "{message}");
        assert_eq!(project.result("good", "{}").await, "good");
    }
}

#[tokio::test]
async fn a_rejection_after_the_return_harms_no_later_call() {
    let project = project(
        "let calls = 0; exports.main = (event) => { calls++; if (event.late) Promise.reject(new Error('late')); return calls }",
    );
    assert_eq!(project.result("f", "{}").await, 1);
    assert_eq!(project.result("f", r#"{"late": true}"#).await, 2);
    assert_eq!(project.result("f", "{}").await, 1, "a new worker");
    assert!(project.printed().iter().any(|line| line.2 == Level::Error && line.3 == "Error: late"));
}

#[tokio::test]
async fn a_handler_of_ones_own_catches_rejections() {
    let code = "process.on('unhandledRejection', (reason) => console.log('handled', reason.message))\nexports.main = async () => { Promise.reject(new Error('it')); await new Promise((resolve) => setTimeout(resolve, 10)); return 1 }";
    let project = project(code);
    assert_eq!(project.result("f", "{}").await, 1);
    assert!(project.printed().iter().any(|line| line.3 == "handled it"), "{:?}", project.printed());
}

#[tokio::test]
async fn an_endless_loop_after_the_return_harms_no_later_call() {
    let project =
        project("let calls = 0; exports.main = () => { setImmediate(() => { for (;;) {} }); return ++calls }");
    assert_eq!(project.result("f", "{}").await, 1);
    assert_eq!(project.result("f", "{}").await, 1);
}

#[tokio::test]
async fn what_is_no_function_is_not_found() {
    let project = project("exports.main = () => 1");
    for name in ["nowhere", "../f", "", "f/../f", "."] {
        assert_eq!(project.call(name, "{}").await, Err(InvocationError::NotFound), "{name}");
    }
}
