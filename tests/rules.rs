//! Security rules, from outside: what each kind of action is asked, what a refusal says to whom, watches under rules, files,
//! functions, rules in fixtures and on the command line. What expressions mean is `tests/cases/rules`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod page;
    pub(crate) mod process;
    pub(crate) mod watcher;
}

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use support::http::request;
use support::page::{Page, command, manage};
use support::process::Emulator;
use support::watcher::{self, Question, Socket, Watcher};
use tempfile::TempDir;

/// How long nothing may come where nothing should.
const QUIET: Duration = Duration::from_millis(150);

/// The rules of the collection `notes`.
const NOTES: &str = r#"{
  "read": "doc._openid == auth.openid || doc.public == true",
  "create": "doc.title != null && doc._openid == auth.openid",
  "update": "doc._openid == auth.openid && request.data.n <= 5",
  "delete": "doc._openid == auth.openid"
}"#;

const MINE: &str = "{_openid: '{openid}'}";

fn emulator_with(collection: &str, rules: &str, documents: Value) -> Emulator {
    let emulator = Emulator::start(&[]);
    for name in ["alice", "bob"] {
        manage(&emulator, "users/add", json!({ "name": name }));
    }
    prepare(&emulator, collection, rules, documents);
    emulator
}

fn prepare(emulator: &Emulator, collection: &str, rules: &str, documents: Value) {
    manage(emulator, "create", json!({ "collection": collection }));
    manage(emulator, "rules/set", json!({ "collection": collection, "rules": rules }));
    act(emulator, "database.addDocument", json!({ "collectionName": collection, "data": documents }));
}

/// An action in an administrator's name.
fn act(emulator: &Emulator, action: &str, params: Value) -> Value {
    manage(emulator, "action", json!({ "action": action, "params": params }))
}

fn notes() -> Emulator {
    let emulator = emulator_with("notes", NOTES, json!([{ "_id": "shown", "public": true, "n": 1 }]));
    let documents = json!([
        { "_id": "a", "_openid": Page::open(&emulator, "alice").openid, "n": 1 },
        { "_id": "b", "_openid": Page::open(&emulator, "bob").openid, "n": 1, "public": true },
        { "_id": "c", "_openid": Page::open(&emulator, "bob").openid, "n": 1 },
    ]);
    act(&emulator, "database.addDocument", json!({ "collectionName": "notes", "data": documents }));
    emulator
}

// Documents.

#[test]
fn each_kind_of_action_is_asked_its_rule() {
    let emulator = notes();
    let alice = Page::open(&emulator, "alice");
    let mine = || json!({ "_openid": "{openid}" });
    let of = |query: Value| json!({ "collectionName": "notes", "query": query, "multi": true });
    let update = |query: Value, data: Value| with(of(query), json!({ "data": data, "merge": true }));
    let stages = |stages: &[(&str, Value)]| {
        let stages = stages.iter().map(|(key, value)| json!({ "stageKey": key, "stageValue": value.to_string() }));
        json!({ "collectionName": "notes", "stages": stages.collect::<Vec<_>>() })
    };
    let set = |n: i32| json!({ "$set": { "n": n } });
    let add = |data: Value| json!({ "collectionName": "notes", "data": data });
    let rows: &[(&str, Value, Result<u64, &str>)] = &[
        ("database.queryDocument", of(mine()), Ok(1)),
        ("database.queryDocument", of(json!({ "public": true, "n": { "$gt": 0 } })), Ok(2)),
        ("database.queryDocument", of(json!({ "$or": [mine(), { "public": true }] })), Ok(3)),
        ("database.queryDocument", of(json!({})), Err("where() must say {_openid: '{openid}'}")),
        (
            "database.queryDocument",
            of(json!({ "public": { "$ne": false } })),
            Err("`doc.public == true` does not follow"),
        ),
        ("database.queryDocument", of(json!({ "$or": [mine(), { "n": 1 }] })), Err("alternative 2 of 2")),
        ("database.queryDocument", of(json!({ "_openid": "oSOMEBODY" })), Err("auth.openid is \"oALICE")),
        (
            "database.queryDocument",
            json!({ "collectionName": "notes", "queryType": "DOC", "query": { "_id": "a" } }),
            Err("doc() asks by `_id` alone: write where({_id: 'a', _openid: '{openid}'}) instead"),
        ),
        ("database.countDocument", of(json!({ "public": true })), Ok(2)),
        ("database.countDocument", of(json!({})), Err(MINE)),
        ("database.aggregate", stages(&[("$match", json!({ "public": true })), ("$sort", json!({ "n": 1 }))]), Ok(2)),
        ("database.aggregate", stages(&[("$group", json!({ "_id": null }))]), Err(MINE)),
        ("database.aggregate", stages(&[("$sort", json!({ "n": 1 })), ("$match", mine())]), Err(MINE)),
        ("database.updateDocument", update(mine(), set(2)), Ok(1)),
        ("database.updateDocument", update(json!({ "public": true }), set(2)), Err("the rule `update` refuses")),
        ("database.updateDocument", update(json!({}), set(2)), Err(MINE)),
        (
            "database.updateDocument",
            update(mine(), set(6)),
            Err("`request.data.n <= 5` is false (request.data.n is 6)"),
        ),
        ("database.updateDocument", update(mine(), json!({ "$inc": { "n": 1 } })), Err("request.data.n")),
        (
            "database.updateDocument",
            with(
                of(json!({ "_id": "new" })),
                json!({ "data": { "n": 1 }, "merge": false, "upsert": true, "multi": false }),
            ),
            Err("the rule `update` refuses"),
        ),
        (
            "database.updateDocument",
            with(update(json!({ "_id": "new", "_openid": "{openid}" }), set(1)), json!({ "upsert": true })),
            Err("the rule `create` refuses: `doc.title != null` is false"),
        ),
        ("database.modifyAndReturnDoc", texts(update(mine(), set(3))), Ok(1)),
        ("database.modifyAndReturnDoc", texts(update(json!({ "public": true }), set(3))), Err(MINE)),
        ("database.addDocument", add(json!({ "_id": "t", "title": "x" })), Ok(1)),
        ("database.addDocument", add(json!({ "n": 1 })), Err("`doc.title != null` is false (doc.title is missing)")),
        ("database.addDocument", add(json!([{ "title": "y" }, { "n": 1 }])), Err("the rule `create` refuses")),
        ("database.deleteDocument", of(json!({ "public": true })), Err("the rule `delete` refuses")),
        ("database.deleteDocument", of(json!({})), Err(MINE)),
        ("database.deleteDocument", of(mine()), Ok(2)),
    ];
    for (action, params, expected) in rows {
        let answer = alice.ask(action, params.clone());
        match expected {
            Ok(count) => assert_eq!(count_of(&answer), *count, "{action} {params}: {answer}"),
            Err(part) => check_refusal(&answer, "DATABASE_PERMISSION_DENIED", "Permission denied: the rule `", part),
        }
    }
    assert_eq!(emulator.count("notes"), 3, "bob's and the server's are what is left");
}

/// The document's parts of a request in the other dialect.
fn texts(mut params: Value) -> Value {
    for name in ["query", "data"] {
        params[name] = json!(params[name].to_string());
    }
    params
}

fn with(mut params: Value, more: Value) -> Value {
    params.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    params
}

/// How many documents an action found, made or changed.
fn count_of(answer: &Value) -> u64 {
    assert_eq!(answer.get("code"), None, "{answer}");
    let data = &answer["data"];
    if data["_id"].is_string() {
        return 1;
    }
    match &data["list"] {
        Value::Array(list) => list.len() as u64,
        Value::String(text) => serde_json::from_str::<Vec<Value>>(text).unwrap().len() as u64,
        _ => ["total", "updated", "deleted"].iter().find_map(|name| data[name].as_u64()).unwrap(),
    }
}

/// The cloud's code and text first, then why; and the same for programs beside it.
fn check_refusal(answer: &Value, code: &str, text: &str, part: &str) {
    assert_eq!(answer["code"], code, "{answer}");
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with(text) && message.contains(part), "{part}: {answer}");
    let reason = answer["emulator"]["reason"].as_str().unwrap();
    assert!(message.ends_with(reason), "{answer}");
}

#[test]
fn a_transaction_gets_round_no_rule() {
    let emulator = notes();
    let alice = Page::open(&emulator, "alice");
    let transaction = alice.ask("database.startTransaction", json!({}))["transactionId"].clone();
    let of = |query: Value| json!({ "collectionName": "notes", "transactionId": transaction, "query": query });
    let own = alice.ask("database.getInTransaction", of(json!({ "_openid": "{openid}" })));
    assert!(own["data"].as_str().is_some_and(|data| data.contains("\"_id\":\"a\"")), "{own}");
    for (action, data) in [
        ("database.getInTransaction", json!({})),
        ("database.updateDocInTransaction", json!({ "data": "{\"$set\":{\"n\":1}}" })),
        ("database.updateDocInTransaction", json!({ "data": "{\"n\":1}", "upsert": true })),
        ("database.deleteDocInTransaction", json!({})),
    ] {
        let answer = alice.ask(action, with(of(json!({ "_id": { "$eq": "c" } })), data));
        check_refusal(&answer, "DATABASE_PERMISSION_DENIED", "Permission denied: ", "doc() asks by `_id` alone");
    }
    let new = json!({ "collectionName": "notes", "transactionId": transaction, "data": "{\"n\":1}" });
    assert_eq!(alice.refusal("database.insertDocInTransaction", new), "DATABASE_PERMISSION_DENIED");
}

#[test]
fn a_refusal_says_what_where_must_say() {
    let emulator = notes();
    let alice = Page::open(&emulator, "alice");
    let answer = alice.ask("database.queryDocument", json!({ "collectionName": "notes", "query": { "n": 1 } }));
    assert_eq!(answer["emulator"]["where"], json!({ "_openid": "{openid}" }), "{answer}");
    let narrowed = with(json!({ "n": 1 }), answer["emulator"]["where"].clone());
    alice.data("database.queryDocument", json!({ "collectionName": "notes", "query": narrowed }));
    let other = alice.ask("database.addDocument", json!({ "collectionName": "notes", "data": { "_openid": "x" } }));
    assert_eq!((&other["code"], other.get("emulator")), (&json!("INVALID_PARAM"), None), "{other}");
}

#[test]
fn rules_concern_neither_administrators_nor_other_collections() {
    let emulator = emulator_with("shut", "{}", json!([{ "_id": "a" }]));
    let alice = Page::open(&emulator, "alice");
    for action in ["database.queryDocument", "database.countDocument", "database.deleteDocument"] {
        let refusal = alice.refusal(action, json!({ "collectionName": "shut", "query": {} }));
        assert_eq!(refusal, "DATABASE_PERMISSION_DENIED");
    }
    assert_eq!(
        alice.refusal("database.addDocument", json!({ "collectionName": "shut", "data": {} })),
        "DATABASE_PERMISSION_DENIED"
    );
    assert_eq!(emulator.count("shut"), 1, "a server counts and reads all the same");
    manage(&emulator, "create", json!({ "collection": "open" }));
    alice.data("database.addDocument", json!({ "collectionName": "open", "data": {} }));
    assert_eq!(manage(&emulator, "collections", json!({}))["collections"][1]["mode"], "CUSTOM");
    manage(&emulator, "mode", json!({ "collection": "shut", "mode": "READONLY" }));
    let found = alice.data("database.countDocument", json!({ "collectionName": "shut", "query": {} }));
    assert_eq!(found["total"], 1, "a mode ends the rules");
}

#[test]
fn get_reads_past_permissions_and_tells_the_caller_nothing() {
    let rules = r#"{"read": "auth.openid in get(`database.rooms.${doc.room}`).members", "write": "get('database.rooms.gone') == null"}"#;
    let emulator = emulator_with("messages", rules, json!([{ "_id": "m", "room": "r1" }]));
    let alice = Page::open(&emulator, "alice");
    let bob = Page::open(&emulator, "bob");
    prepare(&emulator, "rooms", "{}", json!([{ "_id": "r1", "members": [alice.openid, "oSECRET"] }]));
    let of = |room: &str| json!({ "collectionName": "messages", "query": { "room": room } });
    assert_eq!(count_of(&alice.ask("database.queryDocument", of("r1"))), 1);
    let answer = bob.ask("database.queryDocument", of("r1"));
    check_refusal(&answer, "DATABASE_PERMISSION_DENIED", "Permission denied: ", "is false");
    assert!(!answer.to_string().contains("oSECRET"), "{answer}");
    let log = emulator.log_with("oSECRET");
    assert!(log.contains("collection `messages`: the rule `read` refuses"), "the developer is told: {log}");
    let answer = alice.ask("database.queryDocument", json!({ "collectionName": "messages", "query": {} }));
    check_refusal(&answer, "DATABASE_PERMISSION_DENIED", "Permission denied: ", "must give one value for `room`");
    assert_eq!(alice.refusal("database.queryDocument", of("r2")), "DATABASE_PERMISSION_DENIED");
    act(
        &emulator,
        "database.updateDocument",
        json!({ "collectionName": "rooms", "query": { "_id": "r1" }, "merge": true,
        "data": { "$set": { "members": [bob.openid] } } }),
    );
    assert_eq!(
        alice.refusal("database.queryDocument", of("r1")),
        "DATABASE_PERMISSION_DENIED",
        "rules see what is now"
    );
    assert_eq!(count_of(&bob.ask("database.queryDocument", of("r1"))), 1);
}

/// Whatever a user asks, the answer is the same whatever stands in what they may not read.
#[test]
fn sorting_and_filtering_are_no_oracle() {
    let rules = r#"{"read": "doc.public == true", "write": false}"#;
    let answers = |secret: i32| {
        let hidden = (0..3).map(|n| json!({ "_id": format!("h{n}"), "public": false, "secret": secret + n }));
        let shown =
            [json!({ "_id": "s1", "public": true, "secret": 5 }), json!({ "_id": "s2", "public": true, "secret": 6 })];
        let emulator = emulator_with("c", rules, hidden.chain(shown).collect());
        let alice = Page::open(&emulator, "alice");
        questions()
            .into_iter()
            .map(|(action, params)| {
                let mut answer = alice.ask(action, params);
                answer["requestId"] = Value::Null;
                answer
            })
            .collect::<Vec<_>>()
    };
    let (low, high) = (answers(1), answers(100));
    assert_eq!(low, high);
    assert!(low.iter().any(|answer| answer.get("code").is_none()), "some are admitted");
    assert!(low.iter().any(|answer| answer.get("code").is_some()), "some are refused");
}

fn questions() -> Vec<(&'static str, Value)> {
    let queries = [
        json!({}),
        json!({ "secret": { "$gt": 50 } }),
        json!({ "public": true }),
        json!({ "public": true, "secret": { "$gt": 5 } }),
        json!({ "$or": [{ "public": true }, { "secret": { "$gt": 50 } }] }),
        json!({ "public": true, "$or": [{ "secret": 100 }, { "secret": 5 }] }),
        json!({ "$nor": [{ "public": false }] }),
        json!({ "public": { "$in": [true, false] } }),
        json!({ "_id": "h0" }),
        json!({ "_id": { "$in": ["h0", "s1"] }, "public": true }),
    ];
    let orders = [json!([]), json!([{ "field": "secret", "direction": "desc" }])];
    let mut questions = Vec::new();
    for query in &queries {
        questions.push(("database.countDocument", json!({ "collectionName": "c", "query": query })));
        for order in &orders {
            for (offset, limit) in [(0, 10), (1, 1)] {
                let page = json!({ "order": order, "offset": offset, "limit": limit, "projection": { "_id": 1 } });
                questions
                    .push(("database.queryDocument", with(json!({ "collectionName": "c", "query": query }), page)));
            }
        }
        let stages = [("$match", query.clone()), ("$group", json!({ "_id": null, "most": { "$max": "$secret" } }))];
        let stages = stages.map(|(key, value)| json!({ "stageKey": key, "stageValue": value.to_string() }));
        questions.push(("database.aggregate", json!({ "collectionName": "c", "stages": stages })));
    }
    questions
}

// Watches.

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_must_lie_inside_the_rule() {
    let emulator = notes();
    let page = user(&emulator, "alice");
    let mut socket = Socket::log_in(&emulator, &page).await;
    let refused = Watcher::try_begin(&mut socket, "w", json!({ "collName": "notes", "query": "{}" })).await;
    check_refusal(
        &refused["msgData"],
        "COLLECTION_PERMISSION_DENIED",
        "Permission denied: the rule `read` refuses",
        MINE,
    );
    let mine = Question::of("notes", json!({ "_openid": "{openid}" }));
    let mut watcher = Watcher::begin(&mut socket, "w", mine).await;
    assert_eq!(watcher.documents.keys().collect::<Vec<_>>(), ["a"]);
    modify(&emulator, "notes", json!({}), json!({ "$set": { "n": 7 } }));
    assert_eq!(watcher.apply(&socket.receive().await), ["update/update a"]);
    manage(&emulator, "rules/set", json!({ "collection": "notes", "rules": { "read": true } }));
    modify(&emulator, "notes", json!({}), json!({ "$set": { "n": 8 } }));
    let ended = socket.receive().await;
    assert_eq!(ended["msgData"]["code"], "COLLECTION_PERMISSION_DENIED", "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_the_rule_is_told_without_its_content() {
    let rules = r#"{"read": "doc.public == true"}"#;
    let document = |id: &str| json!({ "_id": id, "public": true, "n": 1 });
    let documents: Value = ["a", "b", "c", "d"].map(document).into();
    let emulator = emulator_with("c", rules, documents);
    let page = user(&emulator, "alice");
    let mut socket = Socket::log_in(&emulator, &page).await;
    let low = json!({ "public": true, "n": { "$lt": 5 } });
    let watcher = Watcher::begin(&mut socket, "w", Question::of("c", low)).await;
    let event = |frame: &Value| frame["msgData"]["events"][0].clone();

    modify(&emulator, "c", json!({ "_id": "a" }), json!({ "$set": { "public": false, "secret": "x" } }));
    let hidden = json!({ "ID": 2, "DataType": "update", "QueueType": "dequeue", "DocID": "a", "Doc": "" });
    assert_eq!(event(&socket.receive().await), hidden);

    let secret = json!({ "_id": "b", "secret": "x" });
    act(
        &emulator,
        "database.updateDocument",
        json!({ "collectionName": "c", "query": { "_id": "b" }, "merge": false,
        "data": secret }),
    );
    let replaced = event(&socket.receive().await);
    assert_eq!(replaced, with(hidden, json!({ "ID": 3, "DocID": "b" })));

    modify(&emulator, "c", json!({ "_id": "c" }), json!({ "$set": { "n": 9 } }));
    let left = event(&socket.receive().await);
    assert_eq!((&left["QueueType"], left["UpdatedFields"].as_str()), (&json!("dequeue"), Some("{\"n\":9}")));
    assert!(left["Doc"].as_str().unwrap().contains("\"n\":9"), "it left the query, not the rule: {left}");

    act(&emulator, "database.deleteDocument", json!({ "collectionName": "c", "query": { "_id": "d" } }));
    let removed = event(&socket.receive().await);
    assert!(removed["Doc"].as_str().unwrap().contains("\"public\":true"), "{removed}");

    socket.cut();
    let mut again = Socket::log_in(&emulator, &page).await;
    let frame = json!({ "watchId": "w", "msgType": "REBUILD_WATCH", "msgData": { "envId": watcher::ENVIRONMENT,
        "collName": "c", "queryID": watcher.query_id, "eventID": 1 } });
    let told = again.ask(frame).await;
    assert_eq!(told["msgData"]["events"].as_array().map(Vec::len), Some(4), "{told}");
    assert!(!told.to_string().contains("secret"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_when_get_says_no() {
    let rules = r#"{"read": "auth.openid in get(`database.rooms.${doc.room}`).members"}"#;
    let emulator = emulator_with("messages", rules, json!([{ "_id": "m", "room": "r1" }]));
    let (alice, bob) = (user(&emulator, "alice"), user(&emulator, "bob"));
    prepare(&emulator, "rooms", "{}", json!([{ "_id": "r1", "members": [alice.openid, bob.openid] }]));
    let mut sockets = [Socket::log_in(&emulator, &alice).await, Socket::log_in(&emulator, &bob).await];
    let mut watchers = Vec::new();
    for socket in &mut sockets {
        watchers.push(Watcher::begin(socket, "w", Question::of("messages", json!({ "room": "r1" }))).await);
    }
    let say = |id: &str| {
        act(
            &emulator,
            "database.addDocument",
            json!({ "collectionName": "messages", "data": { "_id": id, "room": "r1" } }),
        )
    };
    say("m1");
    for (socket, watcher) in sockets.iter_mut().zip(&mut watchers) {
        assert_eq!(watcher.apply(&socket.receive().await), ["enqueue/add m1"]);
    }
    modify(&emulator, "rooms", json!({}), json!({ "$set": { "members": [alice.openid] } }));
    say("m2");
    let [of_alice, of_bob] = &mut sockets;
    assert_eq!(watchers[0].apply(&of_alice.receive().await), ["enqueue/add m2"]);
    let ended = of_bob.receive().await;
    check_refusal(&ended["msgData"], "COLLECTION_PERMISSION_DENIED", "Permission denied: ", "is false");
    assert!(!ended.to_string().contains("m2"), "{ended}");
    say("m3");
    assert_eq!(of_bob.try_receive(QUIET).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_under_rules_goes_on_after_a_dropped_connection() {
    let emulator = notes();
    let page = user(&emulator, "alice");
    let mut socket = Socket::log_in(&emulator, &page).await;
    let mut watcher = Watcher::begin(&mut socket, "w", Question::of("notes", json!({ "public": true }))).await;
    socket.cut();
    for n in 2..5 {
        modify(&emulator, "notes", json!({ "_id": "shown" }), json!({ "$set": { "n": n } }));
    }
    let mut again = Socket::log_in(&emulator, &page).await;
    let frame = json!({ "watchId": "w", "msgType": "REBUILD_WATCH", "msgData": { "envId": watcher::ENVIRONMENT,
        "collName": "notes", "queryID": watcher.query_id, "eventID": watcher.current } });
    let mut told = watcher.apply(&again.ask(frame).await);
    while told.len() < 3 {
        told.extend(watcher.apply(&again.receive().await));
    }
    assert_eq!(told, ["update/update shown"; 3]);
    assert_eq!(watcher.documents["shown"]["n"], 4);
}

/// The page of a user that the emulator knows by name.
fn user(emulator: &Emulator, name: &str) -> watcher::Page {
    watcher::Page::sign_in(emulator, &Page::open(emulator, name).openid)
}

fn modify(emulator: &Emulator, collection: &str, query: Value, data: Value) {
    let params = json!({ "collectionName": collection, "query": query, "data": data, "merge": true, "multi": true });
    act(emulator, "database.updateDocument", params);
}

// Files and functions.

#[test]
fn files_have_rules() {
    let emulator = Emulator::start(&[]);
    for name in ["alice", "bob"] {
        manage(&emulator, "users/add", json!({ "name": name }));
    }
    let rules = r#"{"read": "auth.openid == resource.openid || /^public\\//.test(resource.path)",
        "write": "auth.openid == resource.openid && resource.path != 'fixed.txt'"}"#;
    manage(&emulator, "rules/set", json!({ "service": "files", "rules": rules }));
    assert_eq!(manage(&emulator, "collections", json!({}))["filesMode"], "CUSTOM");
    let (alice, bob) = (Page::open(&emulator, "alice"), Page::open(&emulator, "bob"));
    for path in ["public/a.txt", "own.txt"] {
        assert_eq!(alice.upload(path, b"hello").status, 201);
    }
    let denied = alice.ask("storage.getUploadMetadata", json!({ "path": "fixed.txt" }));
    check_refusal(
        &denied,
        "STORAGE_EXCEED_AUTHORITY",
        "storage permission denied: the rule `write` refuses",
        "resource.path",
    );
    let denied = bob.ask("storage.getUploadMetadata", json!({ "path": "own.txt" }));
    check_refusal(&denied, "STORAGE_EXCEED_AUTHORITY", "storage permission denied", "auth.openid == resource.openid");
    let id = |path: &str| {
        let place = alice.data("storage.getUploadMetadata", json!({ "path": path }));
        place["fileId"].as_str().unwrap().to_owned()
    };
    let (public, own) = (id("public/a.txt"), id("own.txt"));
    let urls = |page: &Page<'_>| {
        let list =
            page.data("storage.batchGetDownloadUrl", json!({ "file_list": [{ "fileid": public }, { "fileid": own }] }));
        list["download_list"].clone()
    };
    let code = |list: &Value| [list[0]["code"].clone(), list[1]["code"].clone()];
    assert_eq!(code(&urls(&alice)), ["SUCCESS", "SUCCESS"]);
    let of_bob = urls(&bob);
    assert_eq!(code(&of_bob), ["SUCCESS", "STORAGE_EXCEED_AUTHORITY"]);
    assert!(of_bob[1]["emulator"]["reason"].as_str().unwrap().starts_with("the rule `read` refuses"), "{of_bob}");
    assert_eq!(of_bob[1]["tempFileURL"], "");
    let address = of_bob[0]["tempFileURL"].as_str().unwrap();
    let address = address.strip_prefix(&format!("http://127.0.0.1:{}", emulator.port())).unwrap();
    assert_eq!(emulator.exchange(&request("GET", address, &[], b"")).text(), "hello");
    let removed = |page: &Page<'_>| {
        page.data("storage.batchDeleteFile", json!({ "fileid_list": [own] }))["delete_list"][0]["code"].clone()
    };
    assert_eq!((removed(&bob), removed(&alice)), (json!("STORAGE_EXCEED_AUTHORITY"), json!("SUCCESS")));
}

#[test]
fn an_upload_is_asked_again_when_it_is_whole() {
    let emulator = Emulator::start(&[]);
    let alice = Page::open(&emulator, "alice");
    let place = alice.data("storage.getUploadMetadata", json!({ "path": "a.txt" }));
    manage(&emulator, "rules/set", json!({ "service": "files", "rules": { "read": true, "write": false } }));
    let answer = support::page::post_file(&emulator, place["url"].as_str().unwrap(), b"late");
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("STORAGE_EXCEED_AUTHORITY"), "{}", answer.text());
}

#[test]
fn functions_have_rules() {
    let emulator = Emulator::start(&["--project", &format!("{}/tests/support/project", env!("CARGO_MANIFEST_DIR"))]);
    for name in ["alice", "bob"] {
        manage(&emulator, "users/add", json!({ "name": name }));
    }
    let alice = Page::open(&emulator, "alice");
    let call = |page: &Page<'_>, name: &str| page.ask("functions.invokeFunction", json!({ "function_name": name }));
    assert_eq!(call(&alice, "quick").get("code"), None, "without rules, whoever has signed in");
    let rules =
        json!({ "*": { "invoke": false }, "quick": { "invoke": format!("auth.openid == '{}'", alice.openid) } });
    manage(&emulator, "rules/set", json!({ "service": "functions", "rules": rules }));
    assert_eq!(call(&alice, "quick").get("code"), None);
    let refused = call(&Page::open(&emulator, "bob"), "quick");
    check_refusal(
        &refused,
        "PERMISSION_DENIED",
        "Permission denied: the rule `invoke` refuses",
        "auth.openid is \"oBOB",
    );
    check_refusal(&call(&alice, "counter"), "PERMISSION_DENIED", "Permission denied", "false");
    emulator.call("counter", json!({}));
    let server = emulator.admin(&json!({ "action": "functions.invokeFunction", "function_name": "quick" }));
    assert_eq!(server.get("code"), None, "servers are not asked: {server}");
}

// Setting rules, fixtures and the command line.

#[test]
fn mistakes_in_rules_have_places_and_set_nothing() {
    let emulator = Emulator::start(&[]);
    let good = json!({ "collection": "c", "rules": { "read": true } });
    manage(&emulator, "rules/set", good);
    for (params, says) in [
        (json!({ "collection": "c", "rules": "{\n \"read\": \"doc.a = 1\"}" }), "2:17: compare with `==`"),
        (json!({ "rules": { "collections": { "c": { "read": false }, "d": { "fly": 1 } } } }), "`fly` is no operation"),
        (json!({ "rules": "{\"c\": {}}" }), "1:2: `c` has no rules"),
        (json!({ "service": "files", "rules": "{" }), "1:1: this is not JSON"),
        (json!({ "service": "games", "rules": {} }), "unknown variant"),
        (json!({ "service": "files", "collection": "c", "rules": {} }), "not both"),
        (json!({ "collection": "_emulator", "rules": {} }), "the emulator's own"),
        (json!({ "collection": "c" }), "missing field `rules`"),
    ] {
        let response = command(&emulator, "rules/set", params.clone());
        assert_eq!(response.status, 400, "{params}");
        assert!(response.text().contains(says), "{params}: {}", response.text());
    }
    let shown = manage(&emulator, "rules/show", json!({}));
    let shown: Value = serde_json::from_str(shown["rules"].as_str().unwrap()).unwrap();
    assert_eq!(shown, json!({ "collections": { "c": { "read": true } } }));
}

#[test]
fn rules_outlive_a_killed_emulator() {
    let mut emulator = emulator_with("c", r#"{"read": "doc.public == true"}"#, json!([{ "_id": "a" }]));
    manage(&emulator, "rules/set", json!({ "service": "functions", "rules": { "*": { "invoke": false } } }));
    emulator.kill();
    let emulator = emulator.restart();
    let alice = Page::open(&emulator, "alice");
    let query = json!({ "collectionName": "c", "query": {} });
    check_refusal(
        &alice.ask("database.queryDocument", query),
        "DATABASE_PERMISSION_DENIED",
        "Permission denied",
        "{public: true}",
    );
    assert_eq!(alice.refusal("functions.invokeFunction", json!({ "function_name": "f" })), "PERMISSION_DENIED");
}

const RULES: &str = r#"{
  // Who may do what.
  "collections": {
    "todos": { "read": "doc._openid == auth.openid || doc.public", "write": false }
  },
  "functions": { "*": { "invoke": "auth != null" } },
}"#;

const CASES: &str = r#"{"cases": [
  {"name": "own", "collection": "todos", "operation": "read", "auth": {"openid": "a"}, "query": {"_openid": "{openid}"}, "expect": "allow"},
  {"name": "all", "collection": "todos", "operation": "read", "auth": {"openid": "a"}, "query": {}, "expect": "deny"}
]}"#;

#[test]
fn fixtures_bring_rules() {
    let folder = fixtures(&[
        ("database/todos.jsonl", "{\"_id\":\"a\",\"public\":true}\n"),
        ("rules.json", RULES),
        ("rules.test.json", CASES),
    ]);
    let emulator = Emulator::start(&["--fixtures", &folder.path().display().to_string()]);
    let alice = Page::open(&emulator, "alice");
    let of = |query: Value| json!({ "collectionName": "todos", "query": query });
    assert_eq!(count_of(&alice.ask("database.queryDocument", of(json!({ "public": true })))), 1);
    assert_eq!(alice.refusal("database.queryDocument", of(json!({}))), "DATABASE_PERMISSION_DENIED");
    let text = manage(&emulator, "rules/show", json!({}))["rules"].as_str().unwrap().to_owned();
    assert!(text.contains("doc._openid == auth.openid || doc.public"), "{text}");
    let broken = fixtures(&[("rules.json", "{\"collections\": {\n  \"todos\": {\"read\": \"doc.a = 1\"}}}")]);
    let output = run(&["seed", &broken.path().display().to_string(), "--data", &emulator.data().display().to_string()]);
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && says.contains("rules.json:2:28: compare with `==`"), "{says}");
    manage(&emulator, "reset", json!({}));
    assert_eq!(manage(&emulator, "rules/show", json!({}))["rules"], "{}");
}

#[test]
fn files_of_rules_are_checked_and_tested_without_an_emulator() {
    let folder = fixtures(&[
        ("rules.json", RULES),
        ("rules.test.json", CASES),
        ("todos.json", "{\n  \"read\": \"doc.a = 1\",\n  \"write\": \"doc.b == '${c}'\"\n}"),
        ("warned.json", "{\"write\": \"doc.b == '${c}'\"}"),
        ("wrong/rules.test.json", CASES),
        ("failing/rules.json", "{\"collections\": {\"todos\": {\"read\": true}}}"),
        ("failing/rules.test.json", CASES),
    ]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    check_command(&["rules", "check", &path("rules.json")], true, &["rules.json: no mistake"]);
    check_command(&["rules", "check", &path("todos.json")], false, &["todos.json:2:3: `read` has no rules"]);
    let of_todos = ["rules", "check", &path("todos.json"), "--collection", "todos"];
    check_command(&of_todos, false, &["todos.json:2:18: compare with `==`"]);
    let warned = ["rules", "check", &path("warned.json"), "--collection", "todos"];
    check_command(&warned, true, &["warned.json:1:21: warning: "]);
    check_command(&["rules", "check", &path("nothing.json")], false, &["nothing.json cannot be read"]);
    let untried = "never true: collection todos, read, 4:55: doc.public";
    check_command(&["rules", "test", &path(".")], true, &[untried, "2 of 2 cases passed", "1 of 3 conditions"]);
    check_command(&["rules", "test", &path("failing")], false, &["failed: all: allowed, and should have been denied"]);
    check_command(
        &["rules", "test", &path("wrong")],
        false,
        &["failed: own: there are no rules for the collection todos"],
    );
    check_command(&["rules", "test", &path("nowhere")], false, &["rules.test.json cannot be read"]);
}

#[test]
fn rules_are_set_and_shown_by_commands() {
    let emulator = Emulator::start(&[]);
    let data = emulator.data().display().to_string();
    let folder =
        fixtures(&[("rules.json", RULES), ("one.json", "{\"read\": true}"), ("bad.json", "{\"read\": \"doc.a =\"}")]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    check_command(&["rules", "set", &path("rules.json"), "--data", &data], true, &[]);
    check_command(&["rules", "set", &path("one.json"), "--collection", "lists", "--data", &data], true, &[]);
    check_command(&["rules", "set", &path("one.json"), "--files", "--data", &data], true, &[]);
    let bad = ["rules", "set", &path("bad.json"), "--collection", "lists", "--data", &data];
    check_command(&bad, false, &["bad.json:1:17: ", "nothing was set"]);
    let output = run(&["rules", "show", "--data", &data]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["collections"]["lists"], json!({ "read": true }));
    assert_eq!(shown["files"], json!({ "read": true }));
    assert_eq!(shown["functions"], json!({ "*": { "invoke": "auth != null" } }));
}

fn check_command(arguments: &[&str], succeeds: bool, says: &[&str]) {
    let output = run(arguments);
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(output.status.success(), succeeds, "{arguments:?}: {text}");
    for part in says {
        assert!(text.contains(part), "{arguments:?}: {part}: {text}");
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emulator")).args(arguments).current_dir(Path::new("/")).output().unwrap()
}

fn fixtures(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}
