//! Indexes from outside: made, listed, dropped and explained by the emulator's own door, by fixtures, and felt by SDKs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod page;
    pub(crate) mod process;
}

use std::path::Path;

use serde_json::{Value, json};
use support::page::{command, manage};
use support::process::Emulator;

fn emulator() -> Emulator {
    let emulator = Emulator::start(&[]);
    manage(&emulator, "create", json!({"collection": "c"}));
    emulator
}

fn insert(emulator: &Emulator, documents: &[Value]) -> Value {
    let documents: Vec<String> = documents.iter().map(Value::to_string).collect();
    emulator.admin(&json!({"action": "database.insertDocument", "collectionName": "c", "data": documents}))
}

fn refusal(emulator: &Emulator, name: &str, params: Value) -> String {
    let response = command(emulator, name, params);
    assert_eq!(response.status, 400, "{response:?}");
    response.json()["message"].as_str().unwrap().to_owned()
}

#[test]
fn an_index_is_made_used_and_dropped() {
    let emulator = emulator();
    insert(&emulator, &(0..50).map(|n| json!({"_id": n, "list": n % 5, "n": n})).collect::<Vec<_>>());
    let ask = json!({"collection": "c", "query": {"list": 3}, "order": {"n": -1}, "limit": 2});
    let explained = manage(&emulator, "explain", ask.clone());
    assert_eq!((&explained["index"], &explained["documentsExamined"]), (&json!("COLLSCAN"), &json!(50)));
    assert!(explained["advice"].as_str().unwrap().contains("{list: 1, n: -1}"), "{explained}");
    let made = manage(&emulator, "indexes/create", json!({"collection": "c", "keys": {"list": 1, "n": -1}}));
    assert_eq!(made, json!({"name": "list_1_n_-1"}));
    let explained = manage(&emulator, "explain", ask.clone());
    let expected = json!({"index": "list_1_n_-1", "keysExamined": 2, "documentsExamined": 2, "returned": 2,
        "sortedInMemory": false, "advice": null});
    assert_eq!(explained, expected);
    let listed = manage(&emulator, "indexes/list", json!({"collection": "c"}));
    let expected = json!([{"keys": {"_id": 1}, "unique": true, "name": "_id_"},
        {"keys": {"list": 1, "n": -1}, "name": "list_1_n_-1"}]);
    assert_eq!(listed["indexes"], expected);
    manage(&emulator, "indexes/drop", json!({"collection": "c", "name": "list_1_n_-1"}));
    assert_eq!(manage(&emulator, "explain", ask)["index"], "COLLSCAN");
}

#[test]
fn indexes_outlive_the_process() {
    let mut emulator = emulator();
    manage(&emulator, "indexes/create", json!({"collection": "c", "keys": {"a": 1}, "unique": true, "name": "only"}));
    insert(&emulator, &[json!({"a": 1})]);
    emulator.kill();
    let emulator = emulator.restart();
    let reply = insert(&emulator, &[json!({"a": 1})]);
    assert_eq!(reply["code"], "DATABASE_REQUEST_FAILED");
    for part in ["E11000 duplicate key error", "index: only dup key: { : 1 }"] {
        assert!(reply["message"].as_str().unwrap().contains(part), "{reply}");
    }
}

#[test]
fn mistakes_are_told_and_change_nothing() {
    let emulator = emulator();
    insert(&emulator, &[json!({"_id": 1}), json!({"_id": 2})]);
    for (params, says) in [
        (json!({"collection": "c", "keys": {"a": 1}, "unique": true}), "E11000"),
        (json!({"collection": "c", "keys": {}}), "Index keys cannot be an empty object"),
        (json!({"collection": "c", "keys": {"a": "text"}}), "text"),
        (json!({"collection": "nowhere", "keys": {"a": 1}}), "nowhere"),
        (json!({"collection": "c"}), "keys"),
        (json!({"collection": "c", "keys": {"a": 1}, "sparse": true}), "sparse"),
    ] {
        let message = refusal(&emulator, "indexes/create", params.clone());
        assert!(message.contains(says), "{params}: {message}");
    }
    refusal(&emulator, "indexes/drop", json!({"collection": "c", "name": "_id_"}));
    refusal(&emulator, "indexes/drop", json!({"collection": "c", "name": "other"}));
    assert_eq!(manage(&emulator, "indexes/list", json!({"collection": "c"}))["indexes"].as_array().unwrap().len(), 1);
}

#[test]
fn a_near_needs_a_geo_index() {
    let emulator = emulator();
    let place = |longitude: f64| json!({"type": "Point", "coordinates": [longitude, 0]});
    insert(&emulator, &[json!({"_id": 1, "at": place(2.0)}), json!({"_id": 2, "at": place(1.0)})]);
    let near = json!({"at": {"$nearSphere": {"$geometry": place(0.0)}}}).to_string();
    let find = json!({"action": "database.getDocument", "collectionName": "c", "queryType": "WHERE", "query": near});
    let reply = emulator.admin(&find);
    assert!(reply["message"].as_str().unwrap().contains("unable to find index for $geoNear query"), "{reply}");
    manage(&emulator, "indexes/create", json!({"collection": "c", "keys": {"at": "2dsphere"}}));
    let list = emulator.data_of(&find)["list"].clone();
    let ids: Vec<Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|document| serde_json::from_str::<Value>(document.as_str().unwrap()).unwrap()["_id"].clone())
        .collect();
    assert_eq!(ids, [json!(2), json!(1)]);
    let reply = insert(&emulator, &[json!({"at": {"type": "Point", "coordinates": [500, 0]}})]);
    assert!(reply["message"].as_str().unwrap().contains("Can't extract geo keys"), "{reply}");
}

#[test]
fn fixtures_bring_their_indexes_with_the_data_or_nothing() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("database/c.jsonl"), "{\"_id\": 1, \"a\": 1}\n{\"_id\": 2, \"a\": 1}\n");
    write(&folder.path().join("indexes.json"), r#"{"c": [{"keys": {"a": 1}, "unique": true}]}"#);
    let seed = json!({"folder": folder.path()});
    let message = refusal(&emulator, "seed", seed.clone());
    assert!(message.contains("c.jsonl") && message.contains("E11000"), "{message}");
    assert_eq!(manage(&emulator, "collections", json!({}))["collections"], json!([]));
    write(&folder.path().join("indexes.json"), r#"{"c": [{"keys": {"a": 1, "b": -1}}, {"keys": {"b": "text"}}]}"#);
    let message = refusal(&emulator, "seed", seed.clone());
    assert!(message.contains("indexes.json") && message.contains("c[1]"), "{message}");
    write(
        &folder.path().join("indexes.json"),
        r#"{"c": [{"keys": {"a": 1, "b": -1}}], "later": [{"keys": {"x": 1}}]}"#,
    );
    manage(&emulator, "seed", seed);
    let names = |collection: &str| {
        let listed = manage(&emulator, "indexes/list", json!({"collection": collection}));
        listed["indexes"].as_array().unwrap().iter().map(|index| index["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("c"), ["_id_", "a_1_b_-1"]);
    assert_eq!(names("later"), ["_id_", "x_1"]);
    manage(&emulator, "reset", json!({}));
    assert_eq!(names("c"), ["_id_", "a_1_b_-1"], "collections stay, and so do their indexes");
}

fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}
