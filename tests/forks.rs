//! Forks and snapshots from outside: environments side by side in one emulator that do not see each other, whatever they hold.
//! What the store makes of them is tested in `emulator/database/testing/namespaces.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod page;
    pub(crate) mod process;
}

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::http::request;
use support::page::{command, data_of, manage, post_file, web};
use support::process::Emulator;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/todo");
/// No background work takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn fork(emulator: &Emulator, name: Option<&str>) -> String {
    manage(emulator, "fork", json!({ "name": name }))["env"].as_str().unwrap().to_owned()
}

fn todos(emulator: &Emulator, environment: &str) -> u64 {
    let params = json!({ "collectionName": "todos", "query": {} });
    let action = json!({ "env": environment, "action": "database.countDocument", "params": params });
    manage(emulator, "action", action)["total"].as_u64().unwrap()
}

fn add_todo(emulator: &Emulator, environment: &str, id: &str) {
    let params = json!({ "collectionName": "todos", "data": [json!({ "_id": id }).to_string()] });
    manage(emulator, "action", json!({ "env": environment, "action": "database.insertDocument", "params": params }));
}

/// Uploads as a user of an environment does, and returns the file id.
fn upload(emulator: &Emulator, environment: &str, path: &str, body: &[u8]) -> String {
    let signed_in = data_of(web(emulator, "emulator.signIn", json!({ "env": environment, "code": "alice" })));
    let params = json!({ "env": environment, "path": path, "access_token": signed_in["access_token"] });
    let place = data_of(web(emulator, "storage.getUploadMetadata", params));
    let response = post_file(emulator, place["url"].as_str().unwrap(), body);
    assert_eq!(response.status, 201, "{response:?}");
    place["fileId"].as_str().unwrap().to_owned()
}

/// What is at a file id in an environment; `None`: nothing.
fn download(emulator: &Emulator, environment: &str, id: &str) -> Option<Vec<u8>> {
    let params = json!({ "file_list": [{ "fileid": id }] });
    let action = json!({ "env": environment, "action": "storage.batchGetDownloadUrl", "params": params });
    let answer = manage(emulator, "action", action);
    let url = answer["download_list"][0]["download_url"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://127.0.0.1:{}", emulator.port()))?;
    let response = emulator.exchange(&request("GET", path, &[], b""));
    assert_eq!(response.status, 200, "{response:?}");
    Some(response.body)
}

fn bodies(emulator: &Emulator) -> usize {
    std::fs::read_dir(emulator.data().join("files/bodies")).unwrap().count()
}

fn until_bodies(emulator: &Emulator, expected: usize) {
    let begun = Instant::now();
    while bodies(emulator) != expected {
        assert!(begun.elapsed() < PATIENCE, "{} bodies, {expected} expected", bodies(emulator));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_fork_begins_as_its_origin_and_goes_its_own_way() {
    let emulator = Emulator::start(&["--fixtures", FIXTURES]);
    let before = todos(&emulator, "cloud1");
    let fork = fork(&emulator, Some("mine"));
    assert_eq!(fork, "cloud1--mine");
    add_todo(&emulator, &fork, "of-fork");
    add_todo(&emulator, "cloud1", "of-origin-1");
    add_todo(&emulator, "cloud1", "of-origin-2");
    assert_eq!((todos(&emulator, &fork), todos(&emulator, "cloud1")), (before + 1, before + 2));
    manage(&emulator, "users/add", json!({ "env": fork, "name": "dora" }));
    manage(&emulator, "mode", json!({ "env": fork, "collection": "todos", "mode": "ADMINONLY" }));
    let names = |environment: &str| manage(&emulator, "users/list", json!({ "env": environment }))["users"].to_string();
    assert!(names(&fork).contains("dora") && names(&fork).contains("alice") && !names("cloud1").contains("dora"));
    let mode = |environment: &str| {
        let listed = manage(&emulator, "collections", json!({ "env": environment }))["collections"].clone();
        let todos = listed.as_array().unwrap().iter().find(|collection| collection["name"] == "todos").unwrap().clone();
        todos["mode"].as_str().unwrap().to_owned()
    };
    assert_eq!((mode(&fork).as_str(), mode("cloud1") == "ADMINONLY"), ("ADMINONLY", false));
    assert_eq!(manage(&emulator, "forks", json!({})), json!({ "forks": ["cloud1--mine"] }));
    manage(&emulator, "drop", json!({ "env": fork }));
    assert_eq!(manage(&emulator, "forks", json!({})), json!({ "forks": [] }));
    assert_eq!(todos(&emulator, "cloud1"), before + 2);
}

#[test]
fn files_belong_to_the_fork() {
    let emulator = Emulator::start(&["--fixtures", FIXTURES]);
    let first = upload(&emulator, "cloud1", "a.txt", b"first");
    let kept = bodies(&emulator);
    let fork = fork(&emulator, None);
    // A document that was copied along still names the origin's file.
    assert_eq!(download(&emulator, &fork, &first).as_deref(), Some(b"first".as_slice()));
    let second = upload(&emulator, &fork, "a.txt", b"second");
    assert!(second.starts_with(&format!("cloud://{fork}.")), "{second}");
    assert_eq!(download(&emulator, &fork, &first).as_deref(), Some(b"second".as_slice()));
    assert_eq!(download(&emulator, "cloud1", &first).as_deref(), Some(b"first".as_slice()));
    assert_eq!(download(&emulator, "cloud1", &second), None);
    let delete = json!({ "fileid_list": [first] });
    manage(&emulator, "action", json!({ "action": "storage.batchDeleteFile", "params": delete }));
    assert_eq!(download(&emulator, "cloud1", &first), None);
    assert_eq!(download(&emulator, &fork, &first).as_deref(), Some(b"second".as_slice()));
    until_bodies(&emulator, kept); // the first one has no name any more
    manage(&emulator, "drop", json!({ "env": fork }));
    until_bodies(&emulator, kept - 1);
}

#[test]
fn a_body_lives_as_long_as_anything_names_it() {
    let mut emulator = Emulator::start(&["--fixtures", FIXTURES]);
    let none = bodies(&emulator);
    let id = upload(&emulator, "cloud1", "a.txt", b"first");
    manage(&emulator, "snapshot", json!({ "name": "s" }));
    upload(&emulator, "cloud1", "a.txt", b"second");
    let fork = fork(&emulator, None);
    manage(&emulator, "restore", json!({ "name": "s" }));
    assert_eq!(download(&emulator, "cloud1", &id).as_deref(), Some(b"first".as_slice()));
    assert_eq!(download(&emulator, &fork, &id).as_deref(), Some(b"second".as_slice()));
    emulator.terminate(PATIENCE);
    let emulator = emulator.restart();
    assert_eq!(download(&emulator, "cloud1", &id).as_deref(), Some(b"first".as_slice()));
    assert_eq!(download(&emulator, &fork, &id).as_deref(), Some(b"second".as_slice()));
    manage(&emulator, "reset", json!({}));
    manage(&emulator, "restore", json!({ "name": "s" }));
    assert_eq!(download(&emulator, "cloud1", &id).as_deref(), Some(b"first".as_slice()));
    manage(&emulator, "drop", json!({ "env": fork }));
    until_bodies(&emulator, none + 1);
    manage(&emulator, "reset", json!({}));
    manage(&emulator, "snapshots/remove", json!({ "name": "s" }));
    until_bodies(&emulator, 0);
}

#[test]
fn a_snapshot_is_gone_back_to_all_at_once() {
    let emulator = Emulator::start(&["--fixtures", FIXTURES]);
    let before = todos(&emulator, "cloud1");
    manage(&emulator, "snapshot", json!({ "name": "start" }));
    for _ in 0..3 {
        add_todo(&emulator, "cloud1", "new");
        manage(&emulator, "users/add", json!({ "name": "dora" }));
        manage(&emulator, "restore", json!({ "name": "start" }));
        assert_eq!(todos(&emulator, "cloud1"), before);
        assert!(!manage(&emulator, "users/list", json!({})).to_string().contains("dora"));
    }
    assert_eq!(manage(&emulator, "snapshots/list", json!({})), json!({ "snapshots": ["start"] }));
    manage(&emulator, "snapshots/remove", json!({ "name": "start" }));
    assert_eq!(command(&emulator, "restore", json!({ "name": "start" })).status, 400);
    assert_eq!(todos(&emulator, "cloud1"), before);
}

#[test]
fn mistakes_change_nothing() {
    let emulator = Emulator::start(&["--fixtures", FIXTURES]);
    fork(&emulator, Some("a"));
    for (name, params) in [
        ("fork", json!({ "name": "a" })),
        ("fork", json!({ "name": "a--b" })),
        ("fork", json!({ "name": "" })),
        ("fork", json!({ "name": "a b" })),
        ("fork", json!({ "env": "cloud1--gone" })),
        ("fork", json!({ "name": 1 })),
        ("drop", json!({})),
        ("drop", json!({ "env": "cloud1" })),
        ("drop", json!({ "env": "cloud1--gone" })),
        ("snapshot", json!({ "name": "" })),
        ("snapshot", json!({ "name": "a\u{0}b" })),
        ("restore", json!({ "name": "never" })),
        ("snapshots/remove", json!({ "name": "never" })),
    ] {
        let response = command(&emulator, name, params.clone());
        assert_eq!(response.status, 400, "{name} {params}: {response:?}");
    }
    let error = command(&emulator, "collections", json!({ "env": "cloud1--gone" })).json();
    assert!(error["message"].as_str().unwrap().contains("there is no fork `cloud1--gone`"), "{error}");
    assert_eq!(manage(&emulator, "forks", json!({})), json!({ "forks": ["cloud1--a"] }));
}

#[test]
fn a_hundred_forks_at_once_do_not_see_each_other() {
    let emulator = Emulator::start(&["--fixtures", FIXTURES]);
    let before = todos(&emulator, "cloud1");
    let work = |number: u64| {
        let fork = fork(&emulator, None);
        let file = upload(&emulator, "cloud1", &format!("origin-{number}.txt"), b"origin");
        for step in 0..=number % 7 {
            add_todo(&emulator, &fork, &format!("{number}-{step}"));
        }
        let own = upload(&emulator, &fork, "mine.txt", number.to_string().as_bytes());
        manage(&emulator, "users/add", json!({ "env": fork, "name": format!("user-{number}") }));
        if number.is_multiple_of(3) {
            manage(&emulator, "reset", json!({ "env": fork }));
        }
        (number, fork, own, file)
    };
    let forks: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..10_u64)
            .map(|worker| scope.spawn(move || (0..10).map(|turn| work(worker * 10 + turn)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    for (number, fork, own, file) in &forks {
        let was_reset = number.is_multiple_of(3);
        let expected = if was_reset { 0 } else { before + number % 7 + 1 };
        assert_eq!(todos(&emulator, fork), expected, "{fork}");
        let body = download(&emulator, fork, own);
        assert_eq!(body, (!was_reset).then(|| number.to_string().into_bytes()), "{fork}");
        assert_eq!(download(&emulator, fork, file), None, "{fork}");
        let users = manage(&emulator, "users/list", json!({ "env": fork })).to_string();
        let others = forks.iter().filter(|(other, ..)| users.contains(&format!("\"user-{other}\""))).count();
        assert_eq!(others, usize::from(!was_reset), "{fork}: {users}");
    }
    assert_eq!(todos(&emulator, "cloud1"), before);
}

#[test]
fn a_function_in_a_fork_means_the_fork() {
    let project = tempfile::tempdir().unwrap();
    let function = project.path().join("cloudfunctions/add");
    std::fs::create_dir_all(&function).unwrap();
    std::fs::write(project.path().join("project.config.json"), r#"{"cloudfunctionRoot": "cloudfunctions"}"#).unwrap();
    let code = "const cloud = require('wx-server-sdk');
        let calls = 0;
        exports.main = async (event) => {
          console.log('adding', event.env);
          cloud.init({ env: event.env || cloud.DYNAMIC_CURRENT_ENV });
          await cloud.database().collection('todos').add({ data: { by: 'function' } });
          return { calls: ++calls, env: process.env.TCB_ENV };
        };";
    std::fs::write(function.join("index.js"), code).unwrap();
    let project = project.path().display().to_string();
    let emulator = Emulator::start(&["--fixtures", FIXTURES, "--project", &project]);
    let before = todos(&emulator, "cloud1");
    let fork = fork(&emulator, None);
    let call = |environment: &str, data: Value| {
        let answer = manage(&emulator, "call", json!({ "env": environment, "function": "add", "data": data }));
        answer["result"].clone()
    };
    assert_eq!(call(&fork, json!({ "env": "cloud1" })), json!({ "calls": 1, "env": fork }));
    assert_eq!(call(&fork, json!({})), json!({ "calls": 2, "env": fork }));
    assert_eq!((todos(&emulator, &fork), todos(&emulator, "cloud1")), (before + 2, before));
    // Another environment has workers of its own.
    assert_eq!(call("cloud1", json!({})), json!({ "calls": 1, "env": "cloud1" }));
    assert_eq!((todos(&emulator, &fork), todos(&emulator, "cloud1")), (before + 2, before + 1));
    let calls = manage(&emulator, "calls", json!({ "env": fork }))["calls"].clone();
    assert_eq!(calls.as_array().unwrap().len(), 2);
    assert_eq!((&calls[0]["function"], &calls[0]["event"]), (&json!("add"), &json!({ "env": "cloud1" })));
    assert_eq!(calls[1]["result"], json!({ "calls": 2, "env": fork }));
    assert_eq!(calls[0]["logs"], json!([{ "level": "info", "text": "adding cloud1" }]));
    assert_eq!(manage(&emulator, "calls", json!({}))["calls"].as_array().unwrap().len(), 1);
}

#[test]
fn a_fork_of_nothing_is_one_too() {
    let emulator = Emulator::start(&[]);
    let fork = fork(&emulator, Some("a"));
    manage(&emulator, "reset", json!({ "env": fork }));
    manage(&emulator, "snapshot", json!({ "env": fork, "name": "s" }));
    manage(&emulator, "create", json!({ "env": fork, "collection": "c" }));
    manage(&emulator, "restore", json!({ "env": fork, "name": "s" }));
    assert_eq!(manage(&emulator, "collections", json!({ "env": fork }))["collections"], json!([]));
    manage(&emulator, "drop", json!({ "env": fork }));
}

#[test]
fn what_comes_after_the_drop_does_not_bring_a_fork_back() {
    let emulator = Emulator::start(&["--fixtures", FIXTURES]);
    let fork = fork(&emulator, Some("a"));
    let signed_in = data_of(web(&emulator, "emulator.signIn", json!({ "env": fork, "code": "alice" })));
    let params = json!({ "env": fork, "path": "a.txt", "access_token": signed_in["access_token"] });
    let place = data_of(web(&emulator, "storage.getUploadMetadata", params));
    let kept = bodies(&emulator);
    manage(&emulator, "drop", json!({ "env": fork }));
    let response = post_file(&emulator, place["url"].as_str().unwrap(), b"late");
    assert!(response.status >= 400, "{response:?}");
    assert_eq!(manage(&emulator, "forks", json!({})), json!({ "forks": [] }));
    until_bodies(&emulator, kept);
}

#[test]
fn an_abandoned_transaction_holds_nobody_up() {
    let emulator = Emulator::start(&["--fixtures", FIXTURES]);
    let fork = fork(&emulator, None);
    manage(&emulator, "snapshot", json!({ "env": fork, "name": "start" }));
    manage(&emulator, "clock", json!({ "freeze": true }));
    for command in ["restore", "reset", "drop"] {
        add_todo(&emulator, &fork, "mine");
        let act = |action: &str, params: Value| {
            manage(&emulator, "action", json!({ "env": fork, "action": action, "params": params }))
        };
        let transaction = act("database.startTransaction", json!({}))["transactionId"].clone();
        let update = json!({
            "collectionName": "todos",
            "transactionId": transaction,
            "query": "{\"_id\":\"mine\"}",
            "data": "{\"$set\":{\"title\":\"x\"}}",
            "merge": true,
        });
        act("database.modifyDocument", update);
        // With the clock frozen, waiting for it would never end well.
        let name = (command == "restore").then_some("start");
        let mut params = json!({ "env": fork });
        name.into_iter().for_each(|name| params["name"] = json!(name));
        manage(&emulator, command, params);
    }
}

#[test]
fn the_emulators_own_collections_are_nobodys() {
    let emulator = Emulator::start(&["--fixtures", FIXTURES]);
    for name in ["_emulator", "_files"] {
        let lookup = json!({ "from": name, "localField": "x", "foreignField": "x", "as": "found" }).to_string();
        let stages = json!([{ "stageKey": "$lookup", "stageValue": lookup }]);
        let params = json!({ "collectionName": "todos", "stages": stages });
        let response =
            command(&emulator, "action", json!({ "action": "database.aggregateDocuments", "params": params }));
        assert!(response.status == 400 && response.text().contains("Permission denied"), "{name}: {response:?}");
    }
}

#[test]
fn one_environment_has_its_forks_with_it() {
    let emulator = Emulator::start(&["--env", "only", "--fixtures", FIXTURES]);
    let fork = fork(&emulator, Some("a"));
    assert_eq!(fork, "only--a");
    assert_eq!(todos(&emulator, &fork), todos(&emulator, "only"));
    assert_eq!(command(&emulator, "collections", json!({ "env": "other" })).status, 400);
}
