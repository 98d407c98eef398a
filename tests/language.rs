//! The language's cases once more, through the whole process: over HTTP, in dialect B, as a server SDK sends them. The pure
//! crate runs the same files in `emulator/query/cases.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod cases;
    pub(crate) mod http;
    pub(crate) mod process;
}

use document::{DateTime, Dialect, Document, ValueRef};
use serde_json::{Value, json};
use std::path::Path;
use support::cases::{FilterCase, UpdateCase, filter_pages, update_pages};
use support::http::{Connection, request};
use support::process::Emulator;

#[test]
fn filter_cases_hold_over_http() {
    let mut client = Client::start();
    let pages = filter_pages(&cases());
    for page in &pages {
        for case in &page.cases {
            client.check_filter(&format!("{}: {}", page.name, case.name), case);
        }
    }
}

#[test]
fn update_cases_hold_over_http() {
    let mut client = Client::start();
    for page in &update_pages(&cases()) {
        for case in &page.cases {
            client.check_update(&format!("{}: {}", page.name, case.name), case);
        }
    }
}

/// A server SDK's side of one connection, with a fresh collection for each case.
struct Client {
    _emulator: Emulator,
    connection: Connection,
    collections: usize,
}

impl Client {
    fn start() -> Client {
        let emulator = Emulator::start(&[]);
        let connection = emulator.connect();
        Client { _emulator: emulator, connection, collections: 0 }
    }

    fn check_filter(&mut self, name: &str, case: &FilterCase) {
        let collection = self.collection_of(name, &case.documents);
        let mut body = json!({
            "action": "database.getDocument", "collectionName": collection, "queryType": "WHERE",
            "query": case.query.to_string(), "offset": case.skip, "limit": case.limit.unwrap_or(1000),
        });
        for (key, part) in [("order", &case.sort), ("projection", &case.projection)] {
            if let Some(part) = part {
                body[key] = json!(part.to_string());
            }
        }
        let reply = self.admin(&body);
        if let Some(error) = &case.error {
            return assert_error(name, &reply, error);
        }
        let found = documents(name, &reply);
        if let Some(ids) = &case.expect {
            let found_ids: Vec<Value> = found.iter().map(|document| canonical(&document["_id"])).collect();
            assert_eq!(found_ids, ids.iter().map(canonical).collect::<Vec<_>>(), "{name}");
        }
        if let Some(expected) = &case.expect_documents {
            assert_same(name, &found, expected);
        }
    }

    fn check_update(&mut self, name: &str, case: &UpdateCase) {
        let collection = self.collection_of(name, &case.before());
        let reply = self.admin(&json!({
            "action": "database.modifyDocument", "collectionName": collection, "queryType": "WHERE",
            "query": case.query.to_string(), "data": case.update.to_string(),
            "merge": !case.replace, "multi": case.multi, "upsert": case.upsert,
        }));
        match &case.error {
            Some(error) => assert_error(name, &reply, error),
            None => assert_eq!(reply.get("code"), None, "{name}: {reply}"),
        }
        if let Some(matched) = case.matched {
            assert_eq!(reply["data"]["updated"], json!(matched), "{name}");
        }
        let after = self.admin(&json!({
            "action": "database.getDocument", "collectionName": collection, "queryType": "WHERE", "limit": 1000,
        }));
        assert_same(name, &documents(name, &after), &case.after());
    }

    fn collection_of(&mut self, name: &str, documents: &[Value]) -> String {
        self.collections += 1;
        let collection = format!("case{}", self.collections);
        self.admin(&json!({"action": "database.addCollection", "collectionName": collection}));
        let data: Vec<String> = documents.iter().map(Value::to_string).collect();
        if !data.is_empty() {
            let reply =
                self.admin(&json!({"action": "database.insertDocument", "collectionName": collection, "data": data}));
            assert_eq!(reply.get("code"), None, "{name}: {reply}");
        }
        collection
    }

    fn admin(&mut self, body: &Value) -> Value {
        self.connection.send(&request("POST", "/admin", &[], body.to_string().as_bytes()));
        self.connection.read().json()
    }
}

fn cases() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn documents(name: &str, reply: &Value) -> Vec<Value> {
    let list = reply["data"]["list"].as_array().unwrap_or_else(|| panic!("{name}: {reply}"));
    list.iter().map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap()).collect()
}

fn assert_error(name: &str, reply: &Value, fragment: &str) {
    let message = reply["message"].as_str().unwrap_or_else(|| panic!("{name}: an error was expected: {reply}"));
    assert!(message.contains(fragment), "{name}: {fragment} in {message}");
}

fn assert_same(name: &str, found: &[Value], expected: &[Value]) {
    let found: Vec<Value> = found.iter().map(canonical).collect();
    let expected: Vec<Value> = expected.iter().map(canonical).collect();
    assert_eq!(found, expected, "{name}");
}

/// A value as the emulator would print it, so that the ways of writing one (`1`, `{"$numberInt": "1"}`) are equal, key order kept.
fn canonical(value: &Value) -> Value {
    let holder: Document = document::decode_document(&json!({ "v": value }), DateTime::from_millis(0)).unwrap();
    let encoded = holder.get("v").map(|value| document::encode_value(ValueRef::from(value), Dialect::B));
    json!(encoded.unwrap().to_string())
}
