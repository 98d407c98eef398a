//! Fixtures that are watched, from outside: `start --fixtures DIR --watch` and `seed DIR --watch`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod process;
}

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use support::process::Emulator;
use tempfile::TempDir;

/// No change takes longer to be seen.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_change_of_the_fixtures_takes_the_place_of_all_data() {
    let fixtures = fixtures("{\"_id\":\"a\"}\n");
    let folder = fixtures.path().display().to_string();
    let emulator = Emulator::start(&["--fixtures", &folder, "--watch"]);
    assert!(emulator.screen().contains("  watched:     "));
    assert_eq!(emulator.count("todos"), 1);
    insert(&emulator, "written meanwhile");
    assert_eq!(emulator.count("todos"), 2);
    write(fixtures.path(), "todos", "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n{\"_id\":\"c\"}\n");
    let log = emulator.log_with("the fixtures took the place of all data in ");
    assert!(log.contains("ms: 3 documents in 1 collections, 0 files and 0 users"), "{log}");
    assert_eq!(emulator.count("todos"), 3);
    // A folder that is new is watched as well.
    std::fs::create_dir(fixtures.path().join("storage")).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    std::fs::write(fixtures.path().join("storage/a.txt"), "a").unwrap();
    emulator.log_with("1 files");
}

#[test]
fn a_mistake_in_the_fixtures_keeps_the_old_data() {
    let fixtures = fixtures("{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n");
    let folder = fixtures.path().display().to_string();
    let emulator = Emulator::start(&["--fixtures", &folder, "--watch"]);
    write(fixtures.path(), "todos", "{\"_id\":\"a\"}\n{\"_id\":\n");
    let log = emulator.log_with("the fixtures have a mistake, and the data stays as it was: ");
    assert!(log.contains("todos.jsonl:2"), "{log}");
    assert_eq!(emulator.count("todos"), 2);
    write(fixtures.path(), "todos", "{\"_id\":\"a\"}\n");
    emulator.log_with("the fixtures took the place of all data in ");
    assert_eq!(emulator.count("todos"), 1);
}

#[test]
fn a_watch_needs_something_to_watch() {
    let output = command(&["start", "--ephemeral", "--port", "0", "--watch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--fixtures DIR"), "{output:?}");
    let output = command(&["seed", "no-such-folder", "--watch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-folder cannot be watched"), "{output:?}");
}

#[test]
fn a_seed_that_watches_works_beside_an_emulator_and_without_one() {
    let fixtures = fixtures("{\"_id\":\"a\"}\n");
    let mut emulator = Emulator::start(&[]);
    let (mut seeding, lines) = seed(fixtures.path(), &emulator.data());
    assert!(line(&lines).contains("1 documents in 1 collections"));
    assert_eq!(emulator.count("todos"), 1);
    write(fixtures.path(), "todos", "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n");
    assert!(line(&lines).contains("2 documents in 1 collections"));
    assert_eq!(emulator.count("todos"), 2);
    emulator.kill();
    write(fixtures.path(), "todos", "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n{\"_id\":\"c\"}\n");
    assert!(line(&lines).contains("3 documents in 1 collections"));
    let emulator = emulator.restart();
    assert_eq!(emulator.count("todos"), 3);
    stop(&mut seeding);
}

#[test]
fn a_folder_that_is_replaced_is_watched_on() {
    let around = tempfile::tempdir().unwrap();
    let [folder, next, last] = ["fixtures", "next", "last"].map(|name| around.path().join(name));
    fill(&folder, "{\"_id\":\"a\"}\n");
    fill(&next, "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n");
    let emulator = Emulator::start(&["--fixtures", &folder.display().to_string(), "--watch"]);
    std::fs::rename(&folder, &last).unwrap();
    std::fs::rename(&next, &folder).unwrap();
    emulator.log_with("ms: 2 documents in 1 collections");
    write(&folder, "todos", "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n{\"_id\":\"c\"}\n");
    emulator.log_with("ms: 3 documents in 1 collections");
    // One that is missing for a while is waited for.
    std::fs::remove_dir_all(&folder).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(emulator.count("todos"), 3);
    fill(&folder, "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n{\"_id\":\"c\"}\n{\"_id\":\"d\"}\n");
    emulator.log_with("ms: 4 documents in 1 collections");
    assert_eq!(emulator.count("todos"), 4);
}

#[test]
fn what_editors_and_the_emulator_keep_in_the_folder_is_no_change() {
    let emulator = Emulator::start(&[]);
    let data = emulator.data();
    let folder = data.parent().unwrap();
    fill(folder, "{\"_id\":\"a\"}\n");
    let (mut seeding, lines) = seed(folder, &data);
    assert!(line(&lines).contains("1 documents in 1 collections"));
    insert(&emulator, "written meanwhile");
    for name in [".DS_Store", "notes.txt", "database/.todos.jsonl.swp", "database/todos.jsonl~", "database/4913"] {
        std::fs::write(folder.join(name), "{").unwrap();
    }
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(emulator.count("todos"), 2);
    assert!(lines.try_recv().is_err(), "nothing was seeded");
    write(folder, "todos", "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n{\"_id\":\"c\"}\n");
    assert!(line(&lines).contains("3 documents in 1 collections"));
    assert_eq!(emulator.count("todos"), 3);
    stop(&mut seeding);
}

/// Starts `emulator seed --watch`; returns it with the lines it says.
fn seed(fixtures: &Path, data: &Path) -> (Child, Receiver<String>) {
    let (folder, data) = (fixtures.display().to_string(), data.display().to_string());
    let mut child = command(&["seed", &folder, "--watch", "--data", &data]).stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    (child, lines)
}

fn line(lines: &Receiver<String>) -> String {
    lines.recv_timeout(PATIENCE).expect("nothing was said")
}

/// Asks it to end, as Ctrl-C does.
fn stop(child: &mut Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("it did not end");
}

fn fixtures(todos: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), todos);
    folder
}

fn fill(folder: &Path, todos: &str) {
    std::fs::create_dir_all(folder.join("database")).unwrap();
    write(folder, "todos", todos);
}

fn write(fixtures: &Path, collection: &str, lines: &str) {
    std::fs::write(fixtures.join(format!("database/{collection}.jsonl")), lines).unwrap();
}

fn insert(emulator: &Emulator, id: &str) {
    let document = serde_json::json!({ "_id": id }).to_string();
    let body =
        serde_json::json!({ "action": "database.insertDocument", "collectionName": "todos", "data": [document] });
    emulator.data_of(&body);
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EMULATOR_")) {
        command.env_remove(name);
    }
    command.args(arguments).env("EMULATOR_LANG", "en").current_dir(std::env::temp_dir()).stdin(Stdio::null());
    command
}
