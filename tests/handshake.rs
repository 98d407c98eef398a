//! `emulator start --handshake`, as a test kit uses it: one line that says where the emulator is, and an end with its parent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
}

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use support::http::{Connection, request};

/// No end in order takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn one_line_says_where_the_emulator_is() {
    let (mut child, ready) = start(&["--env", "tests"]);
    assert_eq!(
        (&ready["emulator"], &ready["env"], &ready["pid"]),
        (&json!("ready"), &json!("tests"), &json!(child.id()))
    );
    assert!(PathBuf::from(ready["data"].as_str().unwrap()).is_dir());
    let port = ready["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap();
    let authorization = format!("Bearer {}", ready["token"].as_str().unwrap());
    let head = [("Authorization", authorization.as_str())];
    let mut connection = Connection::open(port);
    connection.send(&request("POST", "/_emulator/collections", &head, b"{}"));
    assert_eq!(connection.read().status, 200);
    drop(connection);
    let mut output = child.stdout.take().unwrap();
    drop(child.stdin.take());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "nothing else is said on standard output");
    wait(&mut child);
}

#[test]
fn the_end_of_standard_input_ends_it_in_order() {
    let (mut child, ready) = start(&[]);
    let data = PathBuf::from(ready["data"].as_str().unwrap());
    drop(child.stdin.take());
    assert!(wait(&mut child).success());
    assert!(!data.exists(), "the temporary folder is removed");
}

#[cfg(unix)]
#[test]
fn no_orphan_is_left_by_a_parent_that_is_killed() {
    // `sleep` stands for the test runner: it holds the other end of the emulator's standard input.
    let emulator = env!("CARGO_BIN_EXE_emulator");
    let mut shell = command("sh");
    shell.args(["-c", &format!("sleep 60 | {emulator} start --ephemeral --port 0 --handshake")]);
    let mut shell = shell.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let ready = read_line(&mut shell);
    let is_runner = |pid: &u32| json!(pid) != ready["pid"];
    let runner = children_of(shell.id()).into_iter().find(is_runner).unwrap();
    assert!(Command::new("kill").args(["-9", &runner.to_string()]).status().unwrap().success());
    assert!(wait(&mut shell).success());
}

#[test]
fn standard_input_means_nothing_without_it() {
    let mut child = command(env!("CARGO_BIN_EXE_emulator"));
    child.args(["start", "--ephemeral", "--port", "0"]);
    let mut child = child.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("emulator ready at http://127.0.0.1:"), "{line}");
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
}

fn start(arguments: &[&str]) -> (Child, Value) {
    let mut child = command(env!("CARGO_BIN_EXE_emulator"));
    child.args(["start", "--ephemeral", "--port", "0", "--handshake"]).args(arguments);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let ready = read_line(&mut child);
    (child, ready)
}

/// A command without the developer's own variables.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EMULATOR_")) {
        command.env_remove(name);
    }
    command
}

/// The first line that `child` says; the rest is left.
fn read_line(child: &mut Child) -> Value {
    let output = child.stdout.as_mut().unwrap();
    let (mut line, mut byte) = (Vec::new(), [0]);
    while output.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    serde_json::from_slice(&line).unwrap()
}

fn wait(child: &mut Child) -> ExitStatus {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

#[cfg(unix)]
fn children_of(pid: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["-o", "pid=", "--ppid", &pid.to_string()]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}
