//! Watches, from outside: a built emulator, pages of several users, and a WebSocket client that holds every event to the
//! protocol. The law: the first documents and every event after them make what the same user reads at that moment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod process;
    pub(crate) mod watcher;
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::http::request;
use support::process::Emulator;
use support::watcher::{ENVIRONMENT, Page, Question, Socket, Watcher, login};

/// How long nothing may come where nothing should.
const QUIET: Duration = Duration::from_millis(150);

fn emulator(mode: &str) -> Emulator {
    let emulator = Emulator::start(&[]);
    emulator.data_of(&json!({"action": "database.addCollection", "collectionName": "c"}));
    set_mode(&emulator, mode);
    emulator
}

fn set_mode(emulator: &Emulator, mode: &str) {
    let body = json!({"collection": "c", "mode": mode}).to_string();
    let authorization = format!("Bearer {}", emulator.token());
    let head = [("Authorization", authorization.as_str())];
    let response = emulator.exchange(&request("POST", "/_emulator/mode", &head, body.as_bytes()));
    assert_eq!(response.status, 200, "{response:?}");
}

fn insert(emulator: &Emulator, documents: &[Value]) {
    let data: Vec<Value> = documents.iter().map(|document| json!(document.to_string())).collect();
    emulator.data_of(&json!({"action": "database.insertDocument", "collectionName": "c", "data": data}));
}

/// Writes as an administrator: `data` with `merge` is an update, without a `set()`.
fn modify(emulator: &Emulator, query: Value, data: Value, merge: bool) {
    let multi = merge;
    emulator.data_of(&json!({"action": "database.modifyDocument", "collectionName": "c", "query": query.to_string(),
        "data": data.to_string(), "merge": merge, "multi": multi, "upsert": !merge}));
}

fn remove(emulator: &Emulator, query: Value) {
    emulator.data_of(&json!({"action": "database.removeDocument", "collectionName": "c", "query": query.to_string(),
        "multi": true}));
}

/// Every row of the table of semantics DB-6.05.
#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_write_is_told() {
    let emulator = emulator("READONLY");
    insert(&emulator, &[json!({"_id": "a", "n": 1, "o": {"x": 1}}), json!({"_id": "b", "n": 9})]);
    let page = Page::sign_in(&emulator, "alice");
    let mut socket = Socket::log_in(&emulator, &page).await;
    let low = Question::of("c", json!({"n": {"$lt": 5}}));
    let mut watcher = Watcher::begin(&mut socket, "w", low).await;
    assert_eq!(watcher.documents.keys().collect::<Vec<_>>(), ["a"]);

    modify(&emulator, json!({"_id": "a"}), json!({"$set": {"n": 2, "o.y": 3}, "$unset": {"o.x": ""}}), true);
    let frame = socket.receive().await;
    assert_eq!(watcher.apply(&frame), ["update/update a"]);
    let event = &frame["msgData"]["events"][0];
    let updated: Value = serde_json::from_str(event["UpdatedFields"].as_str().unwrap()).unwrap();
    assert_eq!((updated, &event["removedFields"]), (json!({"n": 2, "o.y": 3}), &json!(r#"["o.x"]"#)));
    assert_eq!(watcher.documents["a"], json!({"_id": "a", "n": 2, "o": {"y": 3}}));

    let id = |id: &str| json!({ "_id": id });
    let set = |n: i32| json!({"$set": {"n": n}});
    modify(&emulator, id("b"), set(3), true);
    assert_eq!(watcher.apply(&socket.receive().await), ["enqueue/update b"]);
    modify(&emulator, id("b"), set(8), true);
    assert_eq!(watcher.apply(&socket.receive().await), ["dequeue/update b"]);
    modify(&emulator, id("b"), json!({"n": 4}), false);
    let frame = socket.receive().await;
    assert_eq!(watcher.apply(&frame), ["enqueue/replace b"]);
    assert_eq!(frame["msgData"]["events"][0].get("UpdatedFields"), None);
    modify(&emulator, id("b"), json!({"n": 3}), false);
    assert_eq!(watcher.apply(&socket.receive().await), ["update/replace b"]);
    modify(&emulator, id("b"), json!({"n": 7}), false);
    assert_eq!(watcher.apply(&socket.receive().await), ["dequeue/replace b"]);
    insert(&emulator, &[json!({"_id": "d", "n": 0})]);
    assert_eq!(watcher.apply(&socket.receive().await), ["enqueue/add d"]);
    modify(&emulator, id("e"), json!({"n": 1}), false);
    assert_eq!(watcher.apply(&socket.receive().await), ["enqueue/add e"]);
    modify(&emulator, id("e"), json!({"n": 1}), false); // changes nothing (UNC-49)
    remove(&emulator, id("b")); // not among them
    remove(&emulator, id("a"));
    assert_eq!(watcher.apply(&socket.receive().await), ["dequeue/remove a"]);
    modify(&emulator, json!({}), set(4), true);
    let frame = socket.receive().await;
    assert_eq!(watcher.apply(&frame), ["update/update d", "update/update e"]);
    assert_eq!(frame["msgData"]["events"][0]["ID"], frame["msgData"]["events"][1]["ID"], "one commit, one id");
    assert_eq!(socket.try_receive(QUIET).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edge_of_a_limit_is_told() {
    let emulator = emulator("READONLY");
    insert(&emulator, &(1..=5).map(|n| json!({"_id": format!("{n}"), "n": n})).collect::<Vec<_>>());
    let page = Page::sign_in(&emulator, "alice");
    let mut socket = Socket::log_in(&emulator, &page).await;
    let order = vec![("n".to_owned(), "asc")];
    let mut watcher = Watcher::begin(&mut socket, "w", Question { order, limit: Some(2), ..Question::all("c") }).await;
    assert_eq!(watcher.documents.keys().collect::<Vec<_>>(), ["1", "2"]);
    insert(&emulator, &[json!({"_id": "0", "n": 0})]);
    assert_eq!(watcher.apply(&socket.receive().await), ["dequeue/limit 2", "enqueue/add 0"]);
    remove(&emulator, json!({"_id": "1"}));
    assert_eq!(watcher.apply(&socket.receive().await), ["dequeue/remove 1", "enqueue/limit 2"]);
    modify(&emulator, json!({"_id": "0"}), json!({"$set": {"n": 7}}), true);
    assert_eq!(watcher.apply(&socket.receive().await), ["dequeue/update 0", "enqueue/limit 3"]);
    remove(&emulator, json!({"n": {"$gt": 3}}));
    assert_eq!(socket.try_receive(QUIET).await, None);
    remove(&emulator, json!({"_id": "3"}));
    assert_eq!(watcher.apply(&socket.receive().await), ["dequeue/remove 3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_answered() {
    let mut emulator = emulator("READONLY");
    insert(&emulator, &[json!({"_id": "a", "n": 1, "at": {"$date": 5}})]);
    let page = Page::sign_in(&emulator, "alice");
    let mut socket = Socket::open(&emulator).await;

    let pong = socket.ask(json!({"msgType": "PING", "msgData": null})).await;
    assert_eq!((&pong["msgType"], &pong["msgData"]), (&json!("PONG"), &Value::Null));
    let early = Watcher::try_begin(&mut socket, "w", json!({"collName": "c", "query": "{}"})).await;
    check_error(&early, "CHECK_LOGIN_FAILED");
    let forged = socket.ask(login("forged")).await;
    assert_eq!((&forged["msgType"], &forged["msgData"]["code"]), (&json!("LOGIN_RES"), &json!("SIGN_INVALID_ERROR")));
    let welcome = socket.ask(login(&page.token)).await;
    assert_eq!((&welcome["msgType"], &welcome["msgData"]), (&json!("LOGIN_RES"), &json!({"envId": ENVIRONMENT})));
    assert_eq!(welcome.get("watchId"), None);

    for malformed in ["", "{", "[]", "5", r#"{"msgType":"FLY"}"#, r#"{"msgType":5}"#, r#"{"msgType":"REBUILD_WATCH"}"#]
    {
        socket.send_text(malformed).await;
        check_error(&socket.receive().await, "INVALID_PARAM");
    }
    for (params, code) in [
        (json!({}), "INVALID_PARAM"),
        (json!({"collName": "nowhere", "query": "{}"}), "DATABASE_COLLECTION_NOT_EXIST"),
        (json!({"collName": "c", "query": "{\"$fly\": 1}"}), "DATABASE_REQUEST_FAILED"),
        (json!({"collName": "c", "query": "{"}), "INVALID_PARAM"),
        (json!({"collName": "c", "query": "{}", "limit": 201}), "INVALID_PARAM"),
        (json!({"collName": "c", "query": "{}", "orderBy": {"n": "up"}}), "INVALID_PARAM"),
    ] {
        check_error(&Watcher::try_begin(&mut socket, "w", params).await, code);
    }
    let deep = json!({"collName": "c", "query": format!("{}1{}", r#"{"a":"#.repeat(500), "}".repeat(500))});
    check_error(&Watcher::try_begin(&mut socket, "w", deep).await, "INVALID_PARAM");

    let document = r#"{"_id":"a","n":1,"at":{"$date":5}}"#;
    for query in [json!(r#"{"n":1}"#), json!(json!(r#"{"n":{"$numberInt":"1"}}"#).to_string()), Value::Null] {
        let answer = Watcher::try_begin(&mut socket, "w", json!({"collName": "c", "query": query})).await;
        let expected = json!([{"ID": 0, "DataType": "init", "QueueType": "init", "DocID": "a", "Doc": document,
            "UpdatedFields": "", "RemovedFields": ""}]);
        assert_eq!((&answer["msgData"]["events"], &answer["msgData"]["currEvent"]), (&expected, &json!(1)), "{query}");
    }
    let check =
        socket.ask(json!({"watchId": "w", "msgType": "CHECK_LAST", "msgData": {"queryID": "x", "eventID": 1}})).await;
    assert_eq!((&check["msgType"], &check["msgData"]["currEvent"]), (&json!("CHECK_EVENT"), &json!(1)));
    socket.send(json!({"watchId": "w", "msgType": "CLOSE_WATCH", "msgData": null})).await;
    insert(&emulator, &[json!({"_id": "b", "n": 1})]);
    assert_eq!(socket.try_receive(QUIET).await, None, "a closed watch says nothing more");
    let check =
        socket.ask(json!({"watchId": "w", "msgType": "CHECK_LAST", "msgData": {"queryID": "x", "eventID": 1}})).await;
    check_error(&check, "QUERYID_INVALID_ERROR");
    assert!(emulator.is_well());
}

fn check_error(frame: &Value, code: &str) {
    assert_eq!((&frame["msgType"], &frame["msgData"]["code"]), (&json!("ERROR"), &json!(code)), "{frame}");
    assert!(frame["msgData"]["message"].as_str().is_some_and(|message| !message.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_is_guarded() {
    let mut emulator = emulator("READONLY");
    let upgrade = [
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let ask = |more: &[(&str, &str)]| emulator.exchange(&request("GET", "/ws", &[&upgrade, more].concat(), b""));
    for strange in [("Host", "evil.example"), ("Origin", "http://evil.example"), ("Origin", "null")] {
        let response = ask(&[strange]);
        assert_eq!((response.status, response.code().as_deref()), (403, Some("INVALID_REQUEST_SOURCE")), "{strange:?}");
    }
    let accepted = ask(&[("Origin", "http://localhost:8080")]);
    assert_eq!(accepted.status, 101);
    assert_eq!(accepted.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    let plain = emulator.exchange(&request("GET", "/ws", &[], b""));
    assert_eq!((plain.status, plain.header("upgrade")), (426, Some("websocket")));
    assert_eq!(emulator.exchange(&request("POST", "/ws", &upgrade, b"")).status, 405);
    assert!(emulator.is_well());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_emulator_is_said() {
    let mut emulator = emulator("READONLY");
    let page = Page::sign_in(&emulator, "alice");
    let mut socket = Socket::log_in(&emulator, &page).await;
    Watcher::begin(&mut socket, "w", Question::all("c")).await;
    let listening = tokio::spawn(async move { socket.ended().await });
    let status = emulator.terminate(Duration::from_secs(5)).expect("it did not end");
    assert!(status.success(), "{status}");
    assert_eq!(listening.await.unwrap(), Some(1001));
}

/// Without an answer the connection counts as lost, and js-sdk opens another (protocol §4.4).
#[tokio::test(flavor = "multi_thread")]
async fn a_goodbye_is_answered() {
    let emulator = emulator("READONLY");
    let mut socket = Socket::log_in(&emulator, &Page::sign_in(&emulator, "alice")).await;
    socket.say_goodbye(3001).await;
    assert_eq!(socket.ended().await, Some(3001));
}

/// Ends the writers when it is dropped: also when the test fails, or its runtime would wait for them for ever.
#[derive(Default)]
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Clients throw away events that come with the answer to INIT_WATCH.
#[tokio::test(flavor = "multi_thread")]
async fn events_leave_the_first_answer_a_moment() {
    let emulator = Arc::new(emulator("READONLY"));
    let page = Page::sign_in(&emulator, "alice");
    let over = Over::default();
    let writing = tokio::task::spawn_blocking({
        let (emulator, over) = (emulator.clone(), over.0.clone());
        move || {
            let mut n = 0;
            while !over.load(Ordering::Relaxed) {
                n += 1;
                modify(&emulator, json!({"_id": "a"}), json!({"n": n}), false);
            }
        }
    });
    let mut socket = Socket::log_in(&emulator, &page).await;
    for round in 0..10 {
        let watch_id = format!("w{round}");
        let asked = Instant::now();
        let mut watcher = Watcher::begin(&mut socket, &watch_id, Question::all("c")).await;
        watcher.apply(&socket.receive_of(&watch_id).await);
        // However slow this side is, the moment begins after the question.
        assert!(asked.elapsed() >= Duration::from_millis(30), "{:?}", asked.elapsed());
        socket.send(json!({"watchId": watch_id, "msgType": "CLOSE_WATCH", "msgData": null})).await;
    }
    drop(over);
    writing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_documents_and_no_more() {
    let emulator = emulator("READONLY");
    for from in [0, 2_500] {
        insert(&emulator, &(from..from + 2_500).map(|n| json!({"_id": format!("{n}"), "n": n})).collect::<Vec<_>>());
    }
    let page = Page::sign_in(&emulator, "alice");
    let mut socket = Socket::log_in(&emulator, &page).await;
    let watcher = Watcher::begin(&mut socket, "w", Question::all("c")).await;
    assert_eq!(watcher.documents.len(), 5_000);
    insert(&emulator, &[json!({"_id": "x"})]);
    let error = socket.receive().await;
    check_error(&error, "SYS_ERR");
    assert!(error["msgData"]["message"].as_str().unwrap().starts_with("exceed max watch doc count 5000"));
    check_error(&Watcher::try_begin(&mut socket, "v", json!({"collName": "c"})).await, "SYS_ERR");
}

/// What a user may not read they are not told.
#[tokio::test(flavor = "multi_thread")]
async fn permission_is_asked_at_the_start_and_for_every_event() {
    let emulator = emulator("PRIVATE");
    let (mut alice, mut bob) = (Page::sign_in(&emulator, "alice"), Page::sign_in(&emulator, "bob"));
    let mut socket = Socket::log_in(&emulator, &alice).await;
    let mut watcher = Watcher::begin(&mut socket, "w", Question::all("c")).await;
    let mut mine = Watcher::begin(&mut socket, "v", Question::of("c", json!({"_openid": "{openid}"}))).await;
    let add = |id: &str| json!({"action": "database.addDocument", "collectionName": "c", "data": {"_id": id}});
    bob.call(add("of-bob"));
    alice.call(add("of-alice"));
    for _ in 0..2 {
        let frame = socket.receive().await;
        let told = if frame["watchId"] == "w" { watcher.apply(&frame) } else { mine.apply(&frame) };
        assert_eq!(told, ["enqueue/add of-alice"]);
    }
    modify(&emulator, json!({}), json!({"$set": {"n": 1}}), true);
    for _ in 0..2 {
        let frame = socket.receive().await;
        let told = if frame["watchId"] == "w" { watcher.apply(&frame) } else { mine.apply(&frame) };
        assert_eq!(told, ["update/update of-alice"]);
    }
    set_mode(&emulator, "ADMINONLY");
    modify(&emulator, json!({}), json!({"$set": {"n": 2}}), true);
    for _ in 0..2 {
        check_error(&socket.receive().await, "COLLECTION_PERMISSION_DENIED");
    }
    let refused = Watcher::try_begin(&mut socket, "u", json!({"collName": "c"})).await;
    check_error(&refused, "COLLECTION_PERMISSION_DENIED");
    set_mode(&emulator, "READONLY");
    let all = Watcher::begin(&mut socket, "u", Question::all("c")).await;
    assert_eq!(all.documents.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_resumed_by_its_own_user_alone() {
    let emulator = emulator("READONLY");
    let (alice, bob) = (Page::sign_in(&emulator, "alice"), Page::sign_in(&emulator, "bob"));
    let mut socket = Socket::log_in(&emulator, &alice).await;
    let mut watcher = Watcher::begin(&mut socket, "w", Question::all("c")).await;
    let rebuild = |query_id: &str, event_id: u64| {
        json!({"watchId": "w", "msgType": "REBUILD_WATCH",
            "msgData": {"envId": ENVIRONMENT, "collName": "c", "queryID": query_id, "eventID": event_id}})
    };
    let mut stranger = Socket::log_in(&emulator, &bob).await;
    check_error(&stranger.ask(rebuild(&watcher.query_id, 1)).await, "QUERYID_INVALID_ERROR");
    check_error(&socket.ask(rebuild("nothing", 1)).await, "QUERYID_INVALID_ERROR");
    check_error(&socket.ask(rebuild(&watcher.query_id, 2)).await, "QUERYID_INVALID_ERROR");

    // From another socket, while the first is still open: that one is told nothing more.
    let mut second = Socket::log_in(&emulator, &alice).await;
    insert(&emulator, &[json!({"_id": "a"})]);
    assert_eq!(socket.receive().await["msgData"]["currEvent"], 2);
    watcher.resume(&mut second).await;
    assert_eq!((watcher.current, watcher.documents.len()), (2, 1));
    insert(&emulator, &[json!({"_id": "b"})]);
    watcher.apply(&second.receive().await);
    assert_eq!(socket.try_receive(QUIET).await, None);
    watcher.resume(&mut second).await; // and once more on the same socket
    assert_eq!(watcher.current, 3);
    second.send(json!({"watchId": "w", "msgType": "CLOSE_WATCH", "msgData": null})).await;
    check_error(&second.ask(rebuild(&watcher.query_id, 3)).await, "QUERYID_INVALID_ERROR");
}

/// A client that takes nothing in for long is told the difference, and holds nobody up.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stalls_is_caught_up() {
    let emulator = emulator("READONLY");
    let mut page = Page::sign_in(&emulator, "alice");
    let mut socket = Socket::log_in(&emulator, &page).await;
    let mut watcher = Watcher::begin(&mut socket, "w", Question::all("c")).await;
    let text = "x".repeat(20_000);
    for n in 0..2_000 {
        let id = format!("{}", n * 7 % 13);
        match n % 4 {
            0 => remove(&emulator, json!({ "_id": id })),
            _ => modify(&emulator, json!({ "_id": id }), json!({"n": n, "text": text}), false),
        }
    }
    let expected = page.read(&watcher.question);
    while watcher.documents != expected {
        watcher.apply(&socket.receive().await);
    }
    assert!(watcher.current < 2_000, "some were put together: {}", watcher.current);
    assert_eq!(socket.try_receive(QUIET).await, None);
}

// The laws.

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % sides
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as u64) as usize].clone()
    }
}

fn random_question(dice: &mut Dice) -> Question {
    let n = dice.roll(6);
    let query = dice.pick(&[
        json!({}),
        json!({ "n": n }),
        json!({"n": {"$gte": n}}),
        json!({"tags": "red"}),
        json!({"_id": {"$in": [format!("{n}"), format!("{}", n + 6)]}}),
        json!({"$or": [{"n": n}, {"even": true}]}),
        json!({"_openid": "{openid}"}),
    ]);
    let order = match dice.roll(4) {
        0 => Vec::new(),
        1 => vec![("n".to_owned(), "asc")],
        2 => vec![("n".to_owned(), "desc"), ("_id".to_owned(), "asc")],
        _ => vec![("even".to_owned(), "desc"), ("n".to_owned(), "asc")],
    };
    let limit = if dice.roll(3) == 0 { None } else { Some(1 + dice.roll(4)) };
    Question { collection: "c".to_owned(), query, order, limit }
}

/// A write by one of the users, through their own page; it may be refused.
fn write(page: &mut Page, dice: &mut Dice) {
    let id = format!("{}", dice.roll(12));
    let n = dice.roll(6);
    let tags = dice.pick(&[json!(["red"]), json!(["blue", "red"]), json!([]), json!("red"), Value::Null]);
    let content = json!({"n": n, "even": n.is_multiple_of(2), "tags": tags});
    let change = |query: Value, data: Value, merge: bool| {
        json!({"action": "database.updateDocument", "collectionName": "c", "queryType": "WHERE", "query": query,
            "data": data, "multi": merge, "merge": merge, "upsert": !merge})
    };
    let mut new = content.clone();
    new["_id"] = json!(id);
    let removal = |query: Value| json!({"action": "database.deleteDocument", "collectionName": "c", "queryType": "WHERE", "query": query, "multi": true});
    let body = match dice.roll(8) {
        0..=2 => json!({"action": "database.addDocument", "collectionName": "c", "data": new}),
        3 | 4 => change(json!({ "_id": id }), json!({"$set": content}), true),
        5 => change(json!({ "n": n }), json!({"$inc": {"n": 1}}), true),
        6 => change(json!({ "_id": id }), content, false),
        _ => removal(json!({ "_id": id })),
    };
    page.try_call(body);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_make_what_is_read_where_everybody_reads() {
    events_make_what_is_read("READONLY", 0x9e37_79b9_7f4a_7c15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_make_what_is_read_where_each_reads_their_own() {
    events_make_what_is_read("PRIVATE", 0x2545_f491_4f6c_dd1d).await;
}

async fn events_make_what_is_read(mode: &str, seed: u64) {
    let emulator = emulator(mode);
    let mut dice = Dice(seed);
    let mut pages: Vec<Page> = ["alice", "bob", "carol"].map(|name| Page::sign_in(&emulator, name)).into();
    let mut sockets = Vec::new();
    for page in &pages {
        sockets.push(Socket::log_in(&emulator, page).await);
    }
    let mut watchers: Vec<(usize, Watcher)> = Vec::new();
    for round in 0..400 {
        if round % 20 == 0 {
            let user = round / 20 % pages.len();
            let question = random_question(&mut dice);
            watchers.push((user, Watcher::begin(&mut sockets[user], &format!("w{round}"), question).await));
        }
        let writer = dice.roll(3) as usize;
        write(&mut pages[writer], &mut dice);
        for (user, watcher) in &mut watchers {
            let expected = pages[*user].read(&watcher.question);
            watch_until(&mut sockets[*user], watcher, &expected).await;
        }
    }
    for (user, watcher) in &watchers {
        let check = json!({"watchId": watcher.watch_id, "msgType": "CHECK_LAST",
            "msgData": {"queryID": watcher.query_id, "eventID": watcher.current}});
        let answer = sockets[*user].ask(check).await;
        assert_eq!(answer["msgData"]["currEvent"].as_u64(), Some(watcher.current), "no event was left over");
    }
}

/// Each write is told in one event, before the next is made; so there is at most one to wait for.
async fn watch_until(socket: &mut Socket, watcher: &mut Watcher, expected: &std::collections::BTreeMap<String, Value>) {
    while watcher.documents != *expected {
        let frame = socket.receive_of(&watcher.watch_id).await;
        watcher.apply(&frame);
    }
}

/// A hundred connections cut at any moment, while others write: nothing is lost and nothing comes twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_cuts_lose_and_repeat_nothing() {
    let emulator = Arc::new(emulator("READONLY"));
    let over = Over::default();
    let mut writing = Vec::new();
    for (name, seed) in [("alice", 77), ("bob", 88)] {
        let (emulator, over) = (emulator.clone(), over.0.clone());
        writing.push(tokio::task::spawn_blocking(move || {
            let (mut page, mut dice) = (Page::sign_in(&emulator, name), Dice(seed));
            while !over.load(Ordering::Relaxed) {
                write(&mut page, &mut dice);
                std::thread::sleep(Duration::from_micros(dice.roll(2_000)));
            }
        }));
    }
    let mut dice = Dice(99);
    let mut page = Page::sign_in(&emulator, "carol");
    let mut socket = Socket::log_in(&emulator, &page).await;
    let mut watchers = Vec::new();
    for number in 0..4 {
        let mut question = random_question(&mut dice);
        if number == 0 {
            question = Question::all("c");
        }
        watchers.push(Watcher::begin(&mut socket, &format!("w{number}"), question).await);
    }
    for _ in 0..100 {
        let until = Instant::now() + Duration::from_millis(dice.roll(60));
        while let Some(frame) = socket.try_receive(until.saturating_duration_since(Instant::now())).await {
            let watcher = watchers.iter_mut().find(|watcher| frame["watchId"] == watcher.watch_id.as_str());
            watcher.unwrap().apply(&frame);
        }
        socket.cut();
        if dice.roll(4) == 0 {
            tokio::time::sleep(Duration::from_millis(dice.roll(200))).await;
        }
        socket = Socket::log_in(&emulator, &page).await;
        for watcher in &mut watchers {
            watcher.resume(&mut socket).await;
        }
    }
    drop(over);
    for task in writing {
        task.await.unwrap();
    }
    for watcher in &mut watchers {
        let expected = page.read(&watcher.question);
        watch_until(&mut socket, watcher, &expected).await;
    }
    assert!(watchers[0].current > 200, "there was something to see: {}", watchers[0].current);
    assert_eq!(socket.try_receive(QUIET).await, None);
}
