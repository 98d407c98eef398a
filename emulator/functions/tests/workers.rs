//! Worker processes: how many, in which order, how they end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use functions::InvocationError;
use serde_json::json;

use crate::common::{Project, Settings, invocation};

#[tokio::test]
async fn calls_at_one_time_have_workers_of_their_own_and_the_rest_wait_in_order() {
    let code = "exports.main = async (event) => { console.log('start', event.n); await new Promise((r) => setTimeout(r, event.ms)); return process.pid }";
    let project = Project::with(Settings { workers_per_function: 2, ..Settings::default() }, &[("f/index.js", code)]);
    let calls: Vec<_> = (0..6)
        .map(|n| {
            let functions = project.functions.clone();
            let call = invocation("f", &format!(r#"{{"n": {n}, "ms": 60}}"#));
            tokio::spawn(async move { functions.invoke(call).await.unwrap().result })
        })
        .collect();
    let mut workers = Vec::new();
    for call in calls {
        workers.push(call.await.unwrap());
    }
    workers.sort();
    workers.dedup();
    assert_eq!(workers.len(), 2, "{workers:?}");
    let started: Vec<usize> =
        project.printed().into_iter().map(|line| line.3.trim_start_matches("start ").parse().unwrap()).collect();
    assert_eq!(started.len(), 6);
    // The first two boot a worker each; the others waited.
    let waited: Vec<usize> = started.iter().copied().filter(|n| *n >= 2).collect();
    assert_eq!(waited, [2, 3, 4, 5], "{started:?}");
}

#[tokio::test]
async fn a_spare_worker_serves_the_first_call_at_once() {
    let code = "require('wx-server-sdk'); exports.main = () => require('fs').writeFileSync('/tmp/called', '')";
    let project = Project::with(Settings { spare_worker: true, ..Settings::default() }, &[("f/index.js", code)]);
    project.functions.boot_spare();
    while project.private_folders().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let spare = project.private_folders();
    project.result("f", "{}").await;
    let called: Vec<PathBuf> = project.private_folders().into_iter().filter(|f| f.join("called").exists()).collect();
    assert_eq!(called, spare, "nothing had to be booted for the call");
    project.functions.close().await;
}

#[tokio::test]
async fn closing_ends_everything() {
    let project = Project::with(
        Settings { spare_worker: true, ..Settings::default() },
        &[("f/index.js", "exports.main = (event) => event.wait ? new Promise(() => {}) : process.pid")],
    );
    let warm = project.result("f", "{}").await.as_u64().unwrap();
    let waiting = tokio::spawn({
        let (functions, call) = (project.functions.clone(), invocation("f", r#"{"wait": true}"#));
        async move { functions.invoke(call).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    project.functions.close().await;
    assert_eq!(waiting.await.unwrap(), Err(InvocationError::Closed));
    assert_eq!(project.call("f", "{}").await, Err(InvocationError::Closed));
    assert!(!std::path::Path::new(&format!("/proc/{warm}")).exists(), "not even a zombie is left");
}

#[tokio::test]
async fn a_worker_stands_still_between_calls() {
    let code = "let ticks = 0; exports.main = async (event) => { if (event.start) setInterval(() => ticks++, 5); else await new Promise((r) => setTimeout(r, 50)); return ticks }";
    let project = Project::new(&[("f/index.js", code)]);
    assert_eq!(project.result("f", r#"{"start": true}"#).await, 0);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let ticks = project.result("f", "{}").await.as_u64().unwrap();
    assert!((1..40).contains(&ticks), "{ticks}");
}

#[tokio::test]
async fn a_worker_that_was_killed_is_replaced() {
    let project = Project::new(&[
        ("f/index.js", "exports.main = () => { process.kill(process.pid, 'SIGKILL') }"),
        ("g/index.js", "exports.main = () => 'fine'"),
    ]);
    let error = project.call("f", "{}").await.unwrap_err();
    assert!(matches!(error, InvocationError::Exited { code: 137 } | InvocationError::Failed { .. }), "{error:?}");
    assert_eq!(project.result("g", "{}").await, "fine");
}

#[tokio::test]
async fn a_completion_tells_its_cost() {
    let project = Project::new(&[("f/index.js", "exports.main = () => new Promise((r) => setTimeout(r, 30))")]);
    let completion = project.call("f", "{}").await.unwrap();
    assert!(completion.duration >= Duration::from_millis(30) && completion.duration < Duration::from_secs(3));
    #[cfg(target_os = "linux")]
    assert!(completion.memory_bytes.unwrap() > 10 << 20);
    assert_eq!(json!(completion.result), json!("null"));
}

#[tokio::test]
async fn without_a_root_there_are_no_functions() {
    let options = functions::FunctionsOptions {
        root: None,
        worker_program: "/nowhere".into(),
        worker_arguments: Vec::new(),
        workers_per_function: 8,
        spare_worker: true,
        temporary: std::env::temp_dir().join("functions-without-a-root"),
    };
    let functions = functions::Functions::open(options, std::sync::Arc::new(crate::common::Lines::default())).unwrap();
    functions.boot_spare();
    assert_eq!(functions.names(), Vec::<String>::new());
    assert_eq!(functions.invoke(invocation("f", "{}")).await, Err(InvocationError::NotFound));
    functions.close().await;
}

/// Kills a small emulator amid a call and waits for the ends of its worker.
#[cfg(target_os = "linux")]
fn check_killed(code: &str) {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    crate::common::write(&folder.path().join("functions/f/index.js"), code);
    let mut emulator = std::process::Command::new(env!("CARGO_BIN_EXE_function-worker"))
        .arg("emulator")
        .arg(folder.path().join("functions"))
        .arg(folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(emulator.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let worker = std::path::PathBuf::from(format!("/proc/{}", line.trim()));
    assert!(worker.exists(), "{line}");
    emulator.kill().unwrap();
    emulator.wait().unwrap();
    let start = Instant::now();
    while worker.exists() && !std::fs::read_to_string(worker.join("stat")).is_ok_and(|stat| stat.contains(") Z ")) {
        assert!(start.elapsed() < Duration::from_secs(30), "the worker outlived the emulator: {code}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn workers_end_with_an_emulator_that_is_killed() {
    check_killed("exports.main = () => { console.log(process.pid); for (;;) {} }");
    check_killed("exports.main = () => { console.log(process.pid); return new Promise((r) => setTimeout(r, 60000)) }");
}

#[tokio::test]
async fn environments_do_not_share_a_worker() {
    let code = "let count = 0; exports.main = () => ++count";
    let project = Project::with(Settings::default(), &[("f/index.js", code)]);
    let count = async |environment: &str| {
        let call = functions::Invocation { environment: environment.to_owned(), ..invocation("f", "{}") };
        project.functions.invoke(call).await.unwrap().result
    };
    assert_eq!([count("a").await, count("a").await, count("b").await], ["1", "2", "1"]);
    project.functions.end_environment("a").await;
    assert_eq!([count("a").await, count("b").await], ["1", "2"]);
    project.functions.close().await;
}
