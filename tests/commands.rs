//! The command line, from outside: `exec`, `init`, `seed`, `reset`, `db` and `users`, beside a running emulator and without one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod page;
    pub(crate) mod process;
}

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use support::http::request;
use support::page::{command, manage};
use support::process::Emulator;
use tempfile::TempDir;

/// Documents and files of the fixtures that a killed emulator was storing.
const DOCUMENTS: usize = 3_000;
const FILES: usize = 40;

// The data.

#[test]
fn the_data_is_seen_and_changed_beside_an_emulator_and_without_one() {
    let mut emulator = Emulator::start(&[]);
    check_data_commands(&emulator.data());
    assert_eq!(emulator.count("todos"), 2, "the running emulator was asked");
    manage(&emulator, "reset", json!({}));
    emulator.kill();
    let alone = tempfile::tempdir().unwrap();
    check_data_commands(&alone.path().join("data"));
}

fn check_data_commands(data: &Path) {
    let run = |arguments: &[&str]| says(&with_data(arguments, data));
    run(&["db", "create", "todos", "--mode", "READONLY"]);
    let ids = run(&["db", "insert", "todos", "{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\",\"n\":2,\"d\":{\"$date\":5}}"]);
    assert_eq!(ids, "a\nb\n");
    assert_eq!(run(&["db", "count", "todos"]), "2\n");
    assert_eq!(run(&["db", "count", "todos", "{\"n\": {\"$gt\": 1}}"]), "1\n");
    assert_eq!(
        run(&["db", "find", "todos", "--order", "{\"n\": -1}", "--fields", "{\"n\": 1}"]),
        "{\"_id\":\"b\",\"n\":2}\n{\"_id\":\"a\",\"n\":1}\n"
    );
    assert_eq!(
        run(&["db", "find", "todos", "--skip", "1", "--limit", "1"]),
        "{\"_id\":\"b\",\"n\":2,\"d\":{\"$date\":5}}\n"
    );
    assert_eq!(run(&["db", "index", "create", "todos", "{\"n\": 1}", "--unique"]), "n_1\n");
    assert_eq!(run(&["db", "index", "list", "todos"]), "_id_  {\"_id\":1}  unique\nn_1  {\"n\":1}  unique\n");
    assert_eq!(
        run(&["db", "explain", "todos", "{\"n\": 2}"]),
        "index n_1: 1 keys and 1 documents looked at, 1 found\n"
    );
    run(&["db", "index", "drop", "todos", "n_1"]);
    assert!(run(&["db", "explain", "todos", "{\"n\": 2}"]).contains("an index on {n: 1} would serve this query"));
    run(&["db", "mode", "todos", "ADMINONLY"]);
    assert_eq!(run(&["db", "collections"]), "todos  ADMINONLY   2 documents\n");
    for (arguments, says) in [
        (&["db", "find", "nowhere"][..], "Db or Table not exist: nowhere"),
        (&["db", "find", "todos", "{"], "the query is not JSON"),
        (&["db", "find", "todos", "[]"], "the query is no JSON object"),
        (&["db", "create", "todos"], "Table exist"),
        (&["db", "create", "other", "--mode", "OPEN"], "`OPEN` is no permission mode"),
        (&["db", "insert", "todos", "[{\"_id\":\"c\"},{\"_id\":\"a\"}]"], "E11000"),
        (&["users", "remove", "nobody"], "there is no user `nobody`"),
    ] {
        let output = with_data(arguments, data);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(says), "{arguments:?}: {output:?}");
    }
    assert_eq!(run(&["db", "count", "todos"]), "2\n", "what was refused changed nothing");
}

#[test]
fn users_come_and_go() {
    let data = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| says(&with_data(arguments, data.path()));
    assert_eq!(run(&["users", "add", "alice"]), "alice  oALICE0000000000000000000001\n");
    assert_eq!(run(&["users", "add", "bob", "--openid", "oB"]), "bob  oB\n");
    run(&["users", "use", "bob"]);
    let list = run(&["users", "list"]);
    assert_eq!(list.lines().count(), 2);
    assert!(list.lines().nth(1).unwrap().starts_with("bob    oB  ("), "{list}");
    run(&["users", "remove", "bob"]);
    assert!(run(&["users", "list"]).starts_with("alice  oALICE0000000000000000000001  ("));
}

#[test]
fn the_outbox_shows_what_would_have_been_sent() {
    let emulator = Emulator::start(&[]);
    let run = |arguments: &[&str]| says(&with_data(arguments, &emulator.data()));
    assert_eq!(run(&["outbox"]), "");
    run(&["users", "add", "alice", "--password", "secret", "--email", "alice@example.com", "--phone", "13800000000"]);
    let head = [("Host", "127.0.0.1")];
    let body = br#"{"email":"alice@example.com"}"#;
    let sent = emulator.exchange(&request("POST", "/auth/v1/verification?client_id=cloud1", &head, body));
    assert_eq!(sent.json()["is_user"], true);
    let outbox = run(&["outbox"]);
    let code = outbox.trim().strip_prefix("alice@example.com  ").unwrap();
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{outbox}");
}

// Seeding.

#[test]
fn a_seed_brings_data_files_users_and_modes() {
    let emulator = Emulator::start(&[]);
    let fixtures = fixtures(&[
        ("database/todos.jsonl", "{\"_id\":\"a\"}\n{\"_id\":\"b\"}\n"),
        ("storage/dir/a.txt", "hello"),
        ("users.json", "[{\"name\":\"alice\"}]"),
        ("permissions.json", "{\"collections\":{\"todos\":\"READONLY\"},\"files\":\"PRIVATE\"}"),
    ]);
    assert_eq!(
        seed(&emulator, fixtures.path(), &[]),
        Ok("added 2 documents in 1 collections, 1 files and 1 users\n".into())
    );
    let collections = manage(&emulator, "collections", json!({}));
    let expected = json!([{ "name": "todos", "documents": 2, "mode": "READONLY" }]);
    assert_eq!((&collections["collections"], &collections["filesMode"]), (&expected, &json!("PRIVATE")));
    assert_eq!(content(&emulator, "dir/a.txt").as_deref(), Some("hello"));
    assert_eq!(manage(&emulator, "users/list", json!({}))["users"][0]["name"], "alice");
}

#[test]
fn a_mistake_names_its_place_and_changes_nothing() {
    let emulator = Emulator::start(&[]);
    let first = fixtures(&[("database/todos.jsonl", "{\"_id\":\"a\"}\n"), ("storage/a.txt", "old")]);
    seed(&emulator, first.path(), &[]).unwrap();
    let before = state(&emulator);
    for (files, expected) in [
        (
            &[("database/todos.jsonl", "{\"_id\":\"n\"}\n{\"_id\":\"a\"}\n"), ("storage/n.txt", "")][..],
            "todos.jsonl:2: _id: ",
        ),
        (
            &[("database/a.jsonl", "{}"), ("database/b.jsonl", "{}\n{\"n\":{\"$numberInt\":\"x\"}}")],
            "b.jsonl:2: malformed $numberInt at n",
        ),
        (&[("database/a.jsonl", "{}"), ("storage/a.txt", "new")], "a.txt: there is a stored file `a.txt` already"),
        (&[("database/a.jsonl", "{}"), ("users.json", "[{\"name\":\"a b\"}]")], "users.json: [0] (`a b`): "),
        (&[("database/a.jsonl", "{}"), ("permissions.json", "{\"files\":\"CUSTOM\"}")], "permissions.json: files: "),
        (&[("readme.txt", "")], "is no fixture folder"),
    ] {
        let folder = fixtures(files);
        let error = seed(&emulator, folder.path(), &[]).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert_eq!(state(&emulator), before, "{expected}");
    }
    let bad = fixtures(&[("database/a.jsonl", "{")]);
    seed(&emulator, bad.path(), &["--reset"]).unwrap_err();
    assert_eq!(state(&emulator), before, "a reset with a mistake in it");
}

#[test]
fn a_seed_with_reset_takes_the_place_of_everything() {
    let emulator = Emulator::start(&[]);
    let first = fixtures(&[
        ("database/todos.jsonl", "{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\"}\n"),
        ("storage/a.txt", "old"),
        ("storage/b.txt", "old"),
        ("users.json", "[{\"name\":\"alice\"}]"),
    ]);
    let second = fixtures(&[("database/todos.jsonl", "{\"_id\":\"a\",\"n\":2}\n"), ("storage/a.txt", "new")]);
    seed(&emulator, first.path(), &[]).unwrap();
    for _ in 0..2 {
        seed(&emulator, second.path(), &["--reset"]).unwrap();
        assert_eq!(emulator.count("todos"), 1);
        assert_eq!((content(&emulator, "a.txt").as_deref(), content(&emulator, "b.txt")), (Some("new"), None));
        assert_eq!(manage(&emulator, "users/list", json!({}))["users"][0]["name"], "default");
    }
    says(&with_data(&["reset"], &emulator.data()));
    assert_eq!((emulator.count("todos"), content(&emulator, "a.txt")), (0, None));
    seed(&emulator, first.path(), &[]).unwrap();
    assert_eq!(emulator.count("todos"), 2);
}

#[test]
fn a_killed_seed_leaves_the_old_data_or_the_new() {
    let (old, new) = (large_fixtures("old", FILES / 2), large_fixtures("new", FILES));
    let mut outcomes = [0, 0];
    for round in 0..8_u64 {
        let mut emulator = Emulator::start(&[]);
        seed(&emulator, old.path(), &[]).unwrap();
        let data = emulator.data();
        let folder = new.path().display().to_string();
        let mut seeding = emulator_command(&["seed", &folder, "--reset", "--data", &data.display().to_string()]);
        let mut seeding = seeding.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(5 + round * 12));
        emulator.kill();
        seeding.wait().unwrap();
        let emulator = emulator.restart();
        let found = act(&emulator, "database.queryDocument", json!({ "collectionName": "c", "query": {}, "limit": 1 }));
        let version = found["list"][0]["version"].as_str().unwrap().to_owned();
        let files = if version == "old" { FILES / 2 } else { FILES };
        outcomes[usize::from(version == "new")] += 1;
        assert_eq!(emulator.count("c"), DOCUMENTS as u64, "round {round}");
        assert_eq!(count_of(&emulator, &version), DOCUMENTS as u64, "round {round}");
        for number in 0..FILES {
            let expected = (number < files).then_some(version.as_str());
            assert_eq!(
                content(&emulator, &format!("{number}.txt")).as_deref(),
                expected,
                "round {round}, file {number}"
            );
        }
        assert_eq!(stored_bodies(&data), files, "round {round}: nothing is left over");
    }
    assert!(outcomes[0] > 0, "no kill came before the commit: {outcomes:?}");
}

// Commands of other programs.

#[test]
fn exec_passes_arguments_variables_and_status_on() {
    let script = "echo $# \"$1\"; echo $TCB_CONTEXT_CNFG $TENCENTCLOUD_RUNENV $TCB_ENV; exit 7";
    let output = run(&["exec", "--ephemeral", "--", "sh", "-c", script, "sh", "a b", "--env"]);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("2 a b\n{\"URL\":\"http://127.0.0.1:"), "{text}");
    assert!(text.contains("SCF cloud1"), "{text}");
    assert_eq!(run(&["exec", "--ephemeral", "--", "no-such-command"]).status.code(), Some(127));
    assert_eq!(run(&["exec", "--ephemeral", "--", "sh", "-c", "kill -9 $$"]).status.code(), Some(137));
    assert_eq!(run(&["exec", "--ephemeral"]).status.code(), Some(2));
}

#[test]
fn exec_tells_its_command_how_to_ask_the_emulator() {
    let script = r#"echo $EMULATOR_ENV $EMULATOR_URL $EMULATOR_TOKEN; cat "$EMULATOR_DATA/emulator.json""#;
    let text = says(&run(&["exec", "--ephemeral", "--env", "tests", "--", "sh", "-c", script]));
    let (line, holder) = text.split_once('\n').unwrap();
    let holder: Value = serde_json::from_str(holder).unwrap();
    let (port, token) = (&holder["port"], holder["token"].as_str().unwrap());
    assert_eq!(line, format!("tests http://127.0.0.1:{port} {token}"));
}

#[test]
fn exec_serves_while_its_command_runs_and_leaves_nothing() {
    let fixtures = fixtures(&[("database/c.jsonl", "{}\n{}\n")]);
    let binary = env!("CARGO_BIN_EXE_emulator");
    let script = format!("echo $EMULATOR_DATA; {binary} db count c");
    let folder = fixtures.path().display().to_string();
    let output = run(&["exec", "--ephemeral", "--fixtures", &folder, "--", "sh", "-c", &script]);
    let text = says(&output);
    let (data, count) = text.split_once('\n').unwrap();
    assert_eq!(count, "2\n");
    assert!(!Path::new(data).exists(), "{data}");
}

#[test]
fn exec_keeps_its_data_where_it_is_told_to() {
    let data = tempfile::tempdir().unwrap();
    let place = data.path().display().to_string();
    let binary = env!("CARGO_BIN_EXE_emulator");
    run(&["exec", "--data", &place, "--", binary, "db", "create", "kept"]);
    assert!(says(&with_data(&["db", "collections"], data.path())).starts_with("kept"));
}

#[cfg(unix)]
#[test]
fn exec_ends_with_its_command_when_it_is_told_to_end() {
    let mut command = emulator_command(&["exec", "--ephemeral", "--", "sh", "-c", "echo ready; exec sleep 60"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line).unwrap();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

// A project.

#[test]
fn init_sets_a_project_up_and_back() {
    let project = fixtures(&[
        ("project.config.json", "{\"appid\":\"wx1\",\"miniprogramRoot\":\"pages/\"}"),
        ("pages/app.js", "App({})\n"),
    ]);
    let place = project.path().display().to_string();
    let said = says(&run(&["init", "--project", &place]));
    for word in ["wx-cloud.js", "app.js", "urlCheck", "--undo"] {
        assert!(said.contains(word), "{said}");
    }
    let read = |name: &str| std::fs::read_to_string(project.path().join(name)).unwrap();
    assert_eq!(read("pages/app.js"), "try { require('./wx-cloud.js') } catch (e) {}\nApp({})\n");
    let config: Value = serde_json::from_str(&read("project.private.config.json")).unwrap();
    assert_eq!(config, json!({ "setting": { "urlCheck": false } }));
    assert!(read("pages/wx-cloud.js").len() > 1_000);
    says(&run(&["init", "--undo", "--project", &place]));
    assert_eq!(read("pages/app.js"), "App({})\n");
    assert!(!project.path().join("pages/wx-cloud.js").exists());
    assert!(!project.path().join("project.private.config.json").exists());
    let elsewhere = tempfile::tempdir().unwrap();
    let output = run(&["init", "--project", &elsewhere.path().display().to_string()]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("neither app.js nor app.ts"), "{output:?}");
}

// What the tests share.

fn emulator_command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("EMULATOR_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(std::env::temp_dir()).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    emulator_command(arguments).output().unwrap()
}

fn with_data(arguments: &[&str], data: &Path) -> Output {
    run(&[arguments, &["--data", &data.display().to_string()]].concat())
}

/// What a command that succeeds says.
fn says(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn seed(emulator: &Emulator, folder: &Path, more: &[&str]) -> Result<String, String> {
    let folder = folder.display().to_string();
    let output = with_data(&[&["seed", &folder], more].concat(), &emulator.data());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn fixtures(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(folder.path().join(name), content);
    }
    folder
}

fn large_fixtures(version: &str, files: usize) -> TempDir {
    let documents = (0..DOCUMENTS).map(|n| format!("{{\"_id\":\"{n}\",\"version\":\"{version}\"}}\n"));
    let folder = fixtures(&[("database/c.jsonl", &documents.collect::<String>())]);
    (0..files).for_each(|n| write(folder.path().join(format!("storage/{n}.txt")), version));
    folder
}

fn write(path: PathBuf, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn act(emulator: &Emulator, action: &str, params: Value) -> Value {
    manage(emulator, "action", json!({ "action": action, "params": params }))
}

fn count_of(emulator: &Emulator, version: &str) -> u64 {
    let params = json!({ "collectionName": "c", "query": { "version": version } });
    act(emulator, "database.countDocument", params)["total"].as_u64().unwrap()
}

/// Everything there is to see.
fn state(emulator: &Emulator) -> Value {
    let collections = manage(emulator, "collections", json!({}));
    let users = manage(emulator, "users/list", json!({}));
    let todos = act(emulator, "database.queryDocument", json!({ "collectionName": "todos", "query": {} }));
    let files: Vec<_> = ["a.txt", "n.txt"].iter().map(|path| content(emulator, path)).collect();
    json!({ "collections": collections, "users": users, "todos": todos, "files": files })
}

/// The content of a stored file.
fn content(emulator: &Emulator, path: &str) -> Option<String> {
    let id = act(emulator, "storage.getUploadMetadata", json!({ "path": path }))["fileId"].take();
    let urls = act(emulator, "storage.batchGetDownloadUrl", json!({ "file_list": [{ "fileid": id }] }));
    let url = urls["download_list"][0]["tempFileURL"].as_str().unwrap();
    let target = url.strip_prefix(&format!("http://127.0.0.1:{}", emulator.port()))?;
    let response = emulator.exchange(&support::http::request("GET", target, &[], b""));
    assert_eq!(response.status, 200, "{response:?}");
    Some(response.text().to_owned())
}

/// How many bodies of files the data folder holds.
fn stored_bodies(data: &Path) -> usize {
    std::fs::read_dir(data.join("files/bodies")).map_or(0, Iterator::count)
}

#[test]
fn an_unknown_command_is_refused_by_name() {
    let emulator = Emulator::start(&[]);
    let response = command(&emulator, "fly", json!({}));
    assert_eq!(response.status, 404);
    assert!(response.text().contains("/_emulator/fly"), "{response:?}");
    let response = command(&emulator, "reset", json!({ "all": true }));
    assert_eq!((response.status, response.code().as_deref()), (400, Some("INVALID_PARAM")));
}
