//! The one clock, from outside: how it is turned by `/_emulator/clock`, and that everything which tells the time obeys it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod page;
    pub(crate) mod process;
}

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::http::{Response, request};
use support::page::{Page, command, data_of, manage, post_file, web};
use support::process::Emulator;

/// 2030-01-01T00:00:00.000Z, in milliseconds since 1970.
const THIRTY_MS: i64 = 1_893_456_000_000;
/// No test takes longer between two looks at the clock.
const WHILE_MS: i64 = 30_000;

// How it is turned.

#[test]
fn it_is_set_moved_stopped_and_set_back() {
    let emulator = Emulator::start(&[]);
    let real = turn(&emulator, json!({}));
    assert_eq!((&real["offsetMs"], &real["frozen"]), (&json!(0), &json!(false)));
    let set = turn(&emulator, json!({ "set": "2030-01-01T00:00:00Z" }));
    assert!(is_after(&set["ms"], THIRTY_MS) && set["offsetMs"].as_i64().unwrap() > 0, "{set}");
    let moved = turn(&emulator, json!({ "advance": "1h30m" }));
    assert!(is_after(&moved["ms"], THIRTY_MS + 5_400_000), "{moved}");
    assert!(is_after(&turn(&emulator, json!({ "advance": "-1h" }))["ms"], THIRTY_MS + 1_800_000));
    let order = turn(&emulator, json!({ "freeze": true, "advance": 1, "set": THIRTY_MS, "reset": true }));
    assert_eq!(
        (&order["now"], &order["ms"], &order["frozen"]),
        (&json!("2030-01-01T00:00:00.001Z"), &json!(THIRTY_MS + 1), &json!(true))
    );
    thread::sleep(Duration::from_millis(20));
    assert_eq!(turn(&emulator, json!({ "env": "another" }))["ms"], THIRTY_MS + 1, "it stands still, everywhere");
    assert!(is_after(&turn(&emulator, json!({ "freeze": false }))["ms"], THIRTY_MS + 1));
    thread::sleep(Duration::from_millis(20));
    assert!(turn(&emulator, json!({}))["ms"].as_i64().unwrap() >= THIRTY_MS + 21);
    let reset = turn(&emulator, json!({ "reset": true }));
    assert_eq!((&reset["offsetMs"], &reset["frozen"]), (&json!(0), &json!(false)));
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let emulator = Emulator::start(&[]);
    turn(&emulator, json!({ "set": THIRTY_MS, "freeze": true }));
    for params in [
        json!({ "set": "tomorrow" }),
        json!({ "set": "1969-12-31T23:59:59.999Z" }),
        json!({ "set": 253_402_300_800_000_i64 }),
        json!({ "set": 1e300 }),
        json!({ "set": "2040-01-01", "advance": "soon" }),
        json!({ "set": "2040-01-01", "advance": "9000 years" }),
        json!({ "reset": true, "advance": [] }),
        json!({ "reset": true, "freeze": "no" }),
        json!({ "reset": true, "env": 5 }),
        json!({ "reset": true, "jump": 5 }),
    ] {
        let refused = command(&emulator, "clock", params.clone());
        assert_eq!((refused.status, refused.code().is_some()), (400, true), "{params}");
    }
    assert_eq!(emulator.exchange(&request("POST", "/_emulator/clock", &[], b"{\"reset\":true}")).status, 401);
    let shown = turn(&emulator, json!({}));
    assert_eq!((&shown["ms"], &shown["frozen"]), (&json!(THIRTY_MS), &json!(true)));
    let message = command(&emulator, "clock", json!({ "set": "1969-12-31" })).json()["message"].take();
    assert_eq!(message, "set leads out of the years 1970 to 9999, which the clock has");
}

// What obeys.

#[test]
fn documents_are_dated_by_it() {
    let emulator = with_collection();
    turn(&emulator, json!({ "set": THIRTY_MS, "freeze": true }));
    let page = Page::open(&emulator, "alice");
    let dated = json!({ "at": { "$date": { "offset": 60_000 } } });
    page.data("database.addDocument", json!({ "collectionName": "c", "data": dated }));
    let found = page.data("database.queryDocument", json!({ "collectionName": "c", "query": {} }));
    assert_eq!(found["list"][0]["at"], json!({ "$date": THIRTY_MS + 60_000 }));
}

#[test]
fn rules_are_told_it() {
    let emulator = with_collection();
    let rules = json!({ "read": format!("now >= {THIRTY_MS}"), "write": false });
    manage(&emulator, "rules/set", json!({ "collection": "c", "rules": rules }));
    turn(&emulator, json!({ "set": THIRTY_MS - 1, "freeze": true }));
    let page = Page::open(&emulator, "alice");
    let query = || page.ask("database.queryDocument", json!({ "collectionName": "c", "query": {} }));
    assert_eq!(query()["code"], "DATABASE_PERMISSION_DENIED");
    turn(&emulator, json!({ "advance": 1 }));
    assert_eq!(query()["code"], Value::Null);
}

#[test]
fn tokens_expire_by_it() {
    let emulator = with_collection();
    turn(&emulator, json!({ "freeze": true }));
    let signed_in = auth(&emulator, "signin/anonymously", None, json!({})).json();
    let me = |token: &Value| rest(&emulator, "GET", "/auth/v1/user/me", token.as_str(), &json!({})).status;
    let refresh = |token: &Value| {
        let body = json!({ "grant_type": "refresh_token", "refresh_token": token });
        auth(&emulator, "token", None, body)
    };
    turn(&emulator, json!({ "advance": "2h" }));
    assert_eq!(me(&signed_in["access_token"]), 200);
    turn(&emulator, json!({ "advance": "1s" }));
    assert_eq!(me(&signed_in["access_token"]), 401);
    let refreshed = refresh(&signed_in["refresh_token"]).json();
    assert_eq!(me(&refreshed["access_token"]), 200);
    turn(&emulator, json!({ "advance": "30 days" }));
    assert_eq!((me(&refreshed["access_token"]), refresh(&signed_in["refresh_token"]).status), (401, 400));
    turn(&emulator, json!({ "reset": true }));
    assert_eq!((me(&signed_in["access_token"]), refresh(&signed_in["refresh_token"]).status), (200, 200));
}

#[test]
fn codes_and_tickets_expire_by_it() {
    let emulator = Emulator::start(&[]);
    let send = || data_of(web(&emulator, "auth.sendPhoneCode", json!({ "phoneNumber": "+86 13900000000" })));
    let sign_in = || {
        let messages = manage(&emulator, "outbox", json!({}))["messages"].take();
        let code = messages.as_array().unwrap().last().unwrap()["code"].clone();
        web(&emulator, "auth.signIn", json!({ "phoneNumber": "+86 13900000000", "phoneCode": code }))
    };
    turn(&emulator, json!({ "set": THIRTY_MS, "freeze": true }));
    send();
    assert_eq!(manage(&emulator, "outbox", json!({}))["messages"][0]["sentAt"], THIRTY_MS);
    turn(&emulator, json!({ "advance": "601s" }));
    assert_eq!(sign_in()["code"], "INVALID_VERIFICATION_CODE");
    send();
    turn(&emulator, json!({ "advance": "600s" }));
    assert_eq!(sign_in()["code"], Value::Null);
    // {"env":"cloud1","exp":1893456000000,"uid":"user-1"}
    let ticket = "key/@@/e30.eyJlbnYiOiJjbG91ZDEiLCJleHAiOjE4OTM0NTYwMDAwMDAsInVpZCI6InVzZXItMSJ9.c2lnbg";
    let by_ticket = || web(&emulator, "auth.signInWithTicket", json!({ "ticket": ticket, "refresh_token": "" }));
    assert_eq!(by_ticket()["code"], "INVALID_PARAM");
    turn(&emulator, json!({ "set": THIRTY_MS }));
    assert!(by_ticket()["refresh_token"].is_string());
}

#[test]
fn addresses_expire_by_it() {
    let emulator = Emulator::start(&[]);
    let page = Page::open(&emulator, "alice");
    turn(&emulator, json!({ "freeze": true }));
    let place = page.data("storage.getUploadMetadata", json!({ "path": "a.txt" }));
    let upload = || post_file(&emulator, place["url"].as_str().unwrap(), b"hello").status;
    turn(&emulator, json!({ "advance": "1h" }));
    assert_eq!(upload(), 201);
    let list = json!([{ "fileid": place["fileId"], "max_age": 60 }]);
    let urls = page.data("storage.batchGetDownloadUrl", json!({ "file_list": list, "max_age": 60 }));
    let url = urls["download_list"][0]["download_url"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://127.0.0.1:{}", emulator.port())).unwrap();
    let download = || emulator.exchange(&request("GET", path, &[], b"")).status;
    turn(&emulator, json!({ "advance": "60s" }));
    assert_eq!((upload(), download()), (403, 200));
    turn(&emulator, json!({ "advance": "1ms" }));
    assert_eq!((upload(), download()), (403, 403));
    turn(&emulator, json!({ "reset": true }));
    assert_eq!((upload(), download()), (201, 200));
}

#[test]
fn transactions_end_by_it() {
    let emulator = with_collection();
    insert(&emulator, "a");
    let transaction = begin(&emulator);
    assert_eq!(write(&emulator, Some(&transaction))["code"], Value::Null);
    let asked = Instant::now();
    thread::scope(|scope| {
        let plain = scope.spawn(|| write(&emulator, None));
        thread::sleep(Duration::from_millis(200));
        turn(&emulator, json!({ "advance": "31s" }));
        assert_eq!(plain.join().unwrap()["code"], Value::Null);
    });
    assert!(asked.elapsed() < Duration::from_secs(20), "the plain write went on at once");
    let gone = write(&emulator, Some(&transaction));
    assert_eq!(gone["code"], "DATABASE_TRANSACTION_FAIL");
    assert!(gone["message"].as_str().unwrap().contains("TransactionNotExist"), "{gone}");
}

#[test]
fn transactions_live_while_it_stands_still_or_goes_back() {
    let emulator = with_collection();
    insert(&emulator, "a");
    turn(&emulator, json!({ "freeze": true }));
    let transaction = begin(&emulator);
    turn(&emulator, json!({ "advance": "29s" }));
    assert_eq!(write(&emulator, Some(&transaction))["code"], Value::Null);
    turn(&emulator, json!({ "set": 0 }));
    assert_eq!(write(&emulator, Some(&transaction))["code"], Value::Null);
    turn(&emulator, json!({ "advance": "1s" }));
    assert_eq!(write(&emulator, Some(&transaction))["code"], "DATABASE_TRANSACTION_FAIL");
    assert_eq!(write(&emulator, None)["code"], Value::Null);
}

#[test]
fn functions_are_told_it_and_time_out_without() {
    let project = tempfile::tempdir().unwrap();
    let folder = project.path().join("cloudfunctions/tell");
    std::fs::create_dir_all(&folder).unwrap();
    let code = "exports.main = async ({ wait }) => {
        if (wait) await new Promise((done) => setTimeout(done, wait));
        return [Date.now(), new Date().getTime()];
    };";
    std::fs::write(folder.join("index.js"), code).unwrap();
    std::fs::write(project.path().join("project.config.json"), "{\"cloudfunctionRoot\":\"cloudfunctions/\"}").unwrap();
    let emulator = Emulator::start(&["--project", &project.path().display().to_string()]);
    turn(&emulator, json!({ "set": THIRTY_MS, "freeze": true }));
    assert_eq!(emulator.call("tell", json!({ "wait": 20 }))["result"], json!([THIRTY_MS, THIRTY_MS]));
    assert_eq!(emulator.call("tell", json!({ "wait": 60_000 }))["error"]["code"], "FUNCTIONS_TIME_LIMIT_EXCEEDED");
    turn(&emulator, json!({ "freeze": false, "advance": "1h" }));
    assert!(is_after(&emulator.call("tell", json!({}))["result"][1], THIRTY_MS + 3_600_000));
}

// What the tests share.

fn turn(emulator: &Emulator, params: Value) -> Value {
    manage(emulator, "clock", params)
}

/// Whether a running clock may show `shown` when it was set to `since_ms` a while ago.
fn is_after(shown: &Value, since_ms: i64) -> bool {
    (since_ms..since_ms + WHILE_MS).contains(&shown.as_i64().unwrap())
}

/// An emulator with the collection `c`.
fn with_collection() -> Emulator {
    let emulator = Emulator::start(&[]);
    manage(&emulator, "create", json!({ "collection": "c" }));
    emulator
}

fn insert(emulator: &Emulator, id: &str) {
    let data = [json!({ "_id": id, "n": 0 }).to_string()];
    emulator.data_of(&json!({ "action": "database.insertDocument", "collectionName": "c", "data": data }));
}

fn begin(emulator: &Emulator) -> Value {
    emulator.admin(&json!({ "action": "database.startTransaction" }))["transactionId"].take()
}

/// Adds 1 to the document `a`, in a transaction or not.
fn write(emulator: &Emulator, transaction: Option<&Value>) -> Value {
    let mut body = json!({ "action": "database.modifyDocument", "collectionName": "c", "query": "{\"_id\":\"a\"}",
        "data": "{\"$inc\":{\"n\":1}}", "merge": true });
    if let Some(id) = transaction {
        body["transactionId"] = id.clone();
    }
    emulator.admin(&body)
}

fn auth(emulator: &Emulator, path: &str, token: Option<&str>, body: Value) -> Response {
    rest(emulator, "POST", &format!("/auth/v1/{path}?client_id=cloud1"), token, &body)
}

fn rest(emulator: &Emulator, method: &str, path: &str, token: Option<&str>, body: &Value) -> Response {
    let authorization = format!("Bearer {}", token.unwrap_or_default());
    let head: &[(&str, &str)] = if token.is_some() { &[("Authorization", &authorization)] } else { &[] };
    let body = if method == "GET" { String::new() } else { body.to_string() };
    emulator.exchange(&request(method, path, head, body.as_bytes()))
}
