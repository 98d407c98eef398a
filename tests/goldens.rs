//! What the server SDK sends, replayed: `tests/cases/goldens/records.json` holds the actions and params that @cloudbase/database
//! 1.4.3 (in wx-server-sdk 4.0.2) made of some 150 calls, recorded from its code; the files beside it say, for each that reaches the
//! wire, what it is to do to which documents. `tests/client/goldens.test.js` holds our own client to the same records.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod process;
}

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use document::{DateTime, Dialect, Document, ValueRef};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use support::http::{Connection, request};
use support::process::Emulator;

/// The case whose records are one conversation, told in [`a_transaction_as_recorded`].
const TRANSACTION: &str = "tx";

/// A call of the SDK.
#[derive(Deserialize)]
struct Record {
    case: String,
    /// `None`: the SDK threw.
    action: Option<String>,
    #[serde(default)]
    params: Map<String, Value>,
}

/// What a call does. Values are relaxed EJSON; `"new"` stands for an id of the emulator's making, `"now"` for the time of the call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Effect {
    case: String,
    /// What the collection holds before.
    #[serde(default, alias = "before")]
    documents: Vec<Value>,
    /// What other collections hold.
    #[serde(default)]
    others: Map<String, Value>,
    /// The field of a geo index.
    indexed: Option<String>,
    /// The ids of what is found, in order.
    finds: Option<Vec<Value>>,
    /// The reply's data.
    answers: Option<Value>,
    /// What the collection holds after.
    after: Option<Vec<Value>>,
    /// A part of the error's text; such a call changes nothing.
    error: Option<String>,
    /// Its code, where it is not `DATABASE_REQUEST_FAILED`.
    code: Option<String>,
}

#[test]
fn every_record_that_reaches_the_wire_has_an_effect() {
    let sent: Vec<String> =
        records().into_iter().filter(|record| record.action.is_some()).map(|one| one.case).collect();
    assert_eq!(sent.len(), 155);
    let told = effects().into_iter().map(|effect| effect.case).chain([TRANSACTION.to_owned()]);
    assert_eq!(told.collect::<BTreeSet<_>>(), sent.into_iter().collect::<BTreeSet<_>>());
}

#[test]
fn queries() {
    check_all("queries.json");
}

#[test]
fn writes() {
    check_all("writes.json");
}

#[test]
fn pipelines() {
    check_all("pipelines.json");
}

/// The transaction sees its own writes, and not what happens outside; what the SDK sends without the transaction's id happens outside
/// (semantics DB-5.02).
#[test]
fn a_transaction_as_recorded() {
    let mut client = Client::start();
    client.enter("tx");
    client.fill("c", &[json!({"_id": "x", "a": 0})]);
    let mut steps = records().into_iter().filter(|record| record.case == TRANSACTION);
    let begun = client.replay(&steps.next().unwrap(), None);
    let id = begun["transactionId"].as_str().unwrap().to_owned();
    let mut step = |client: &mut Client| client.replay(&steps.next().unwrap(), Some(&id))["data"].take();
    check("get", &list(&step(&mut client)), &json!([{"_id": "x", "a": 0}]));
    assert_eq!(step(&mut client)["updated"], 1, "update");
    assert_eq!(step(&mut client)["updated"], 1, "set");
    assert_eq!(step(&mut client)["deleted"], 1, "remove");
    assert_eq!(step(&mut client)["insertedIds"].as_array().unwrap().len(), 1, "add");
    check("where().get() inside", &list(&step(&mut client)), &json!([{"_id": "new", "a": 1}]));
    client.fill("c", &[json!({"_id": "outside", "a": 1})]);
    assert_eq!(step(&mut client)["updated"], 1, "where().update() is outside");
    assert_eq!(step(&mut client)["total"], 1, "where().count() is outside");
    assert_eq!(step(&mut client)["deleted"], 1, "where().remove() is outside");
    let changed = step(&mut client);
    assert_eq!(changed["updated"], 1, "updateAndReturn is inside");
    check("updateAndReturn", &parsed(&changed["doc"]), &json!({"_id": "new", "a": 1, "b": 1}));
    check("aggregate is outside", &list(&step(&mut client)), &json!([]));
    step(&mut client);
    check("committed", &client.documents(), &json!([{"_id": "new", "a": 1, "b": 1}]));
}

fn check_all(file: &str) {
    let mut client = Client::start();
    let records = records();
    for effect in effects_of(file) {
        let record = records.iter().find(|record| record.case == effect.case).unwrap();
        client.check(&effect, record);
    }
}

/// A server SDK's side of one connection, in an environment of its own for each case.
struct Client {
    emulator: Emulator,
    connection: Connection,
    environment: String,
}

impl Client {
    fn start() -> Client {
        let emulator = Emulator::start(&[]);
        let connection = emulator.connect();
        Client { emulator, connection, environment: String::new() }
    }

    fn check(&mut self, effect: &Effect, record: &Record) {
        let case = &effect.case;
        self.enter(case);
        self.fill("c", &effect.documents);
        for (collection, documents) in &effect.others {
            self.fill(collection, documents.as_array().unwrap());
        }
        if let Some(field) = &effect.indexed {
            self.create_geo_index(field);
        }
        let reply = self.replay(record, None);
        match &effect.error {
            Some(error) => assert_failed(case, &reply, effect.code.as_deref(), error),
            None => assert_eq!(reply.get("code"), None, "{case}: {reply}"),
        }
        if let Some(ids) = &effect.finds {
            let found = list(&reply["data"]);
            let found: Vec<&Value> = found.as_array().unwrap().iter().map(|document| &document["_id"]).collect();
            check(case, &json!(found), &json!(ids));
        }
        if let Some(answer) = &effect.answers {
            check(case, &parsed_list(&reply["data"]), answer);
        }
        if let Some(after) = effect.after.as_ref().or(effect.error.as_ref().map(|_| &effect.documents)) {
            check(case, &self.documents(), &json!(after));
        }
    }

    /// Environments are made at their first use.
    fn enter(&mut self, case: &str) {
        let name: String = case.bytes().map(|byte| format!("{byte:x}")).collect();
        self.environment = format!("e{}", &name[name.len().saturating_sub(60)..]);
    }

    fn fill(&mut self, collection: &str, documents: &[Value]) {
        self.send(json!({"action": "database.addCollection", "collectionName": collection}));
        if !documents.is_empty() {
            let data: Vec<String> = documents.iter().map(Value::to_string).collect();
            let insert = json!({"action": "database.insertDocument", "collectionName": collection, "data": data});
            assert_eq!(self.send(insert).get("code"), None);
        }
    }

    /// On the emulator's own door, since no SDK can ask for it.
    fn create_geo_index(&mut self, field: &str) {
        let token = format!("Bearer {}", self.emulator.token());
        let keys = Value::Object(Map::from_iter([(field.to_owned(), json!("2dsphere"))]));
        let body = json!({"env": self.environment, "collection": "c", "name": "geo", "keys": keys}).to_string();
        let headers = [("Authorization", token.as_str())];
        self.connection.send(&request("POST", "/_emulator/indexes/create", &headers, body.as_bytes()));
        let answer = self.connection.read();
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    fn replay(&mut self, record: &Record, transaction: Option<&str>) -> Value {
        let mut body = record.params.clone();
        body.insert("action".to_owned(), json!(record.action));
        if let (Some(id), Some(known)) = (transaction, body.get_mut("transactionId")) {
            *known = json!(id);
        }
        self.send(Value::Object(body))
    }

    fn documents(&mut self) -> Value {
        let get = json!({"action": "database.getDocument", "collectionName": "c", "queryType": "WHERE", "limit": 1000});
        list(&self.send(get)["data"])
    }

    fn send(&mut self, mut body: Value) -> Value {
        body["envName"] = json!(self.environment);
        self.connection.send(&request("POST", "/admin", &[], body.to_string().as_bytes()));
        self.connection.read().json()
    }
}

fn records() -> Vec<Record> {
    read("records.json")
}

fn effects() -> Vec<Effect> {
    ["queries.json", "writes.json", "pipelines.json"].into_iter().flat_map(effects_of).collect()
}

fn effects_of(file: &str) -> Vec<Effect> {
    read(file)
}

fn read<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/goldens").join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn assert_failed(case: &str, reply: &Value, code: Option<&str>, fragment: &str) {
    assert_eq!(reply["code"], code.unwrap_or("DATABASE_REQUEST_FAILED"), "{case}: {reply}");
    let message = reply["message"].as_str().unwrap();
    assert!(message.contains(fragment), "{case}: {fragment} in {message}");
}

/// The documents of a reply's `data`.
fn list(data: &Value) -> Value {
    data["list"].as_array().unwrap_or_else(|| panic!("{data}")).iter().map(parsed).collect()
}

/// `data` with its documents read.
fn parsed_list(data: &Value) -> Value {
    let mut data = data.clone();
    if let Some(Value::Array(texts)) = data.get_mut("list") {
        texts.iter_mut().for_each(|text| *text = parsed(text));
    }
    data
}

fn parsed(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// The same value, key order included.
fn check(case: &str, found: &Value, expected: &Value) {
    let (found, expected) = (canonical(found), canonical(expected));
    assert!(is_same(&found, &expected), "{case}: found {found}, expected {expected}");
}

fn is_same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::String(id), Value::String(marker)) if marker == "new" => {
            id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        (date, Value::String(marker)) if marker == "now" => is_now(date),
        (Value::Object(found), Value::Object(expected)) => {
            found.keys().eq(expected.keys()) && found.values().zip(expected.values()).all(|(a, b)| is_same(a, b))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| is_same(a, b))
        }
        (found, expected) => found == expected,
    }
}

fn is_now(date: &Value) -> bool {
    let milliseconds = date["$date"]["$numberLong"].as_str().and_then(|text| text.parse::<i64>().ok());
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    milliseconds.is_some_and(|then| (now - then).abs() < 60_000)
}

/// A value as the emulator would print it, so that the ways of writing one (`1`, `{"$numberInt": "1"}`) are equal, key order kept.
fn canonical(value: &Value) -> Value {
    let holder: Document = document::decode_document(&json!({ "v": value }), DateTime::from_millis(0)).unwrap();
    document::encode_value(ValueRef::from(holder.get("v").unwrap()), Dialect::B)
}
