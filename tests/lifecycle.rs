//! The life of an emulator: start, ports, the lock on its data, restart, sudden death, an orderly end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod process;
}

use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::http::request;
use support::process::Emulator;

const PATIENCE: Duration = Duration::from_secs(20);

/// How often the emulator is killed right after it answered.
const KILLS: usize = 100;

#[test]
fn the_ready_screen_says_what_a_developer_needs_next() {
    let emulator = Emulator::start(&[]);
    let screen = emulator.screen();
    for expected in ["TCB_CONTEXT_CNFG", "TENCENTCLOUD_SECRETID", "cloud1", "data"] {
        assert!(screen.contains(expected), "{expected} in {screen}");
    }
    assert!(screen.contains(&emulator.data().display().to_string()), "{screen}");
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_the_holder() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let output = run(&["start", "--ephemeral", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains(&port) && error.contains(&std::process::id().to_string()), "{error}");
}

#[test]
fn a_data_folder_in_use_is_an_error_that_names_the_process_and_its_port() {
    let emulator = Emulator::start(&[]);
    let output = run(&["start", "--port", "0", "--data", &emulator.data().display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains(&emulator.pid().to_string()), "{error}");
    assert!(error.contains(&emulator.port().to_string()), "{error}");
}

#[test]
fn a_restart_finds_everything() {
    let mut emulator = Emulator::start(&[]);
    create(&emulator, "todos");
    insert(&emulator, "todos", "a");
    assert_eq!(emulator.terminate(PATIENCE).unwrap().code(), Some(0));
    let emulator = emulator.restart();
    assert_eq!(emulator.count("todos"), 1);
    assert_eq!(fetch(&emulator, "todos", "a")["list"].as_array().unwrap().len(), 1);
}

#[test]
fn an_answered_write_survives_a_sudden_death() {
    let mut emulator = Emulator::start(&[]);
    create(&emulator, "todos");
    for round in 0..KILLS {
        insert(&emulator, "todos", &format!("id-{round}"));
        emulator.kill();
        emulator = emulator.restart();
        let found = fetch(&emulator, "todos", &format!("id-{round}"));
        assert_eq!(found["list"].as_array().unwrap().len(), 1, "round {round}");
    }
    assert_eq!(emulator.count("todos"), KILLS as u64);
}

#[test]
fn an_interrupt_finishes_what_runs_and_leaves_no_process_and_no_holder() {
    let mut emulator = Emulator::start(&["--project", &functions_project()]);
    let pid = emulator.pid();
    let mut connection = emulator.connect();
    let body = json!({"action": "functions.invokeFunction", "function_name": "slow", "request_data": "{}"}).to_string();
    connection.send(&request("POST", "/admin", &[], body.as_bytes()));
    std::thread::sleep(Duration::from_millis(500));
    let status = emulator.interrupt(PATIENCE).unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(connection.read().json()["data"]["response_data"], json!("\"done\""));
    assert!(!emulator.data().join("emulator.json").exists());
    assert_eq!(children_of(pid), Vec::<u32>::new());
}

#[test]
fn workers_end_with_an_emulator_that_is_killed() {
    let mut emulator = Emulator::start(&["--project", &functions_project()]);
    let reply = emulator.call("quick", json!({}));
    assert_eq!(reply["result"], json!("quick"), "{reply}");
    let workers = children_of(emulator.pid());
    assert!(!workers.is_empty());
    emulator.kill();
    let deadline = Instant::now() + PATIENCE;
    while workers.iter().any(|pid| is_alive(*pid)) {
        assert!(Instant::now() < deadline, "workers {workers:?} outlive the emulator");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_ephemeral_cloud_leaves_nothing_behind() {
    let mut emulator = Emulator::start_ephemeral(&[]);
    create(&emulator, "todos");
    insert(&emulator, "todos", "a");
    let folder = ephemeral_folder(emulator.pid());
    assert_eq!(emulator.terminate(PATIENCE).unwrap().code(), Some(0));
    assert!(!folder.exists(), "{}", folder.display());
}

#[test]
fn fixtures_fill_an_empty_cloud_and_change_nothing_in_another() {
    let fixtures = format!("{}/fixtures/todo", env!("CARGO_MANIFEST_DIR"));
    let mut emulator = Emulator::start(&["--fixtures", &fixtures]);
    let seeded = emulator.count("todos");
    assert!(seeded > 5);
    insert(&emulator, "todos", "mine");
    assert_eq!(emulator.terminate(PATIENCE).unwrap().code(), Some(0));
    let emulator = emulator.restart();
    assert_eq!(emulator.count("todos"), seeded + 1);
    assert!(emulator.screen().contains("nothing was changed"), "{}", emulator.screen());
}

#[test]
fn a_mistake_in_a_fixture_names_its_file_and_line_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("database")).unwrap();
    std::fs::write(folder.path().join("database/good.jsonl"), "{\"_id\":\"a\"}\n").unwrap();
    std::fs::write(folder.path().join("database/bad.jsonl"), "{\"_id\":\"a\"}\n{\"n\":{\"$numberInt\":\"x\"}}\n")
        .unwrap();
    let output = run(&["start", "--ephemeral", "--port", "0", "--fixtures", &folder.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("bad.jsonl:2") && error.contains('n'), "{error}");
}

#[test]
fn flags_come_before_variables_and_those_before_the_file() {
    let project = tempfile::tempdir().unwrap();
    std::fs::write(project.path().join("emulator.toml"), "env = \"from-file\"\n").unwrap();
    let project_path = project.path().display().to_string();
    let served = |variables: &[(&str, &str)], arguments: &[&str]| {
        let all = [&["--project", &project_path], arguments].concat();
        Emulator::start_with(variables, &all).status()["defaultEnvironment"].clone()
    };
    assert_eq!(served(&[], &[]), json!("from-file"));
    assert_eq!(served(&[("EMULATOR_ENV", "from-variable")], &[]), json!("from-variable"));
    assert_eq!(served(&[("EMULATOR_ENV", "from-variable")], &["--env", "from-flag"]), json!("from-flag"));
}

#[test]
fn help_explains_every_flag() {
    let help = run(&["start", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for flag in ["--project", "--env", "--port", "--data", "--ephemeral", "--fixtures", "--log-format"] {
        assert!(help.contains(flag), "{flag}");
    }
    assert!(help.contains("7357") && help.contains(".emulator"), "{help}");
}

fn create(emulator: &Emulator, collection: &str) {
    emulator.data_of(&json!({"action": "database.addCollection", "collectionName": collection}));
}

fn insert(emulator: &Emulator, collection: &str, id: &str) {
    let document = json!({"_id": id, "title": "牛奶"}).to_string();
    emulator.data_of(&json!({"action": "database.insertDocument", "collectionName": collection, "data": [document]}));
}

fn fetch(emulator: &Emulator, collection: &str, id: &str) -> Value {
    let query = json!({"_id": id}).to_string();
    emulator.data_of(&json!({
        "action": "database.getDocument", "collectionName": collection, "queryType": "DOC", "query": query,
    }))
}

/// The temporary folder whose `emulator.json` names the process `pid`.
fn ephemeral_folder(pid: u32) -> PathBuf {
    let folders = std::fs::read_dir(std::env::temp_dir()).unwrap().map(|entry| entry.unwrap().path());
    let named = |folder: &PathBuf| {
        let holder = std::fs::read_to_string(folder.join("emulator.json")).unwrap_or_default();
        serde_json::from_str::<Value>(&holder).is_ok_and(|holder| holder["pid"] == json!(pid))
    };
    folders.into_iter().find(named).unwrap()
}

fn functions_project() -> String {
    format!("{}/tests/support/project", env!("CARGO_MANIFEST_DIR"))
}

fn run(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
    command.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap()
}

/// The processes whose parent is `pid`, as `/proc` tells.
fn children_of(pid: u32) -> Vec<u32> {
    let output = Command::new("ps").args(["-o", "pid=", "--ppid", &pid.to_string()]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn is_alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    // A zombie whose new parent has not yet noticed has ended too.
    state.is_ok_and(|state| !state.contains(") Z "))
}
