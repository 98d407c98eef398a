//! Pages of a mini program, from outside: signing in, and what each permission mode lets a user do with documents and files.
//! What the official js-sdk makes of it is `tests/sdk/js-sdk-1.8.4`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod page;
    pub(crate) mod process;
}

use std::time::Duration;

use serde_json::{Value, json};
use support::page::{Page, data_of, manage, post_file, web};
use support::process::Emulator;

// What the modes let a user do with documents (semantics DB-7.01 … DB-7.06).

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// It found or changed so many documents.
    Found(u64),
    /// It created the document.
    Created,
    /// The permission mode forbids it.
    Denied,
    /// The `_id` is taken, by a document the user does not see.
    Taken,
}

use Outcome::{Created, Denied, Found, Taken};

/// Whose document is asked for: the user's own, another's, one that a server made, one that is not there.
const TARGETS: [&str; 4] = ["own", "other", "server", "missing"];

/// Action by mode: the outcome for each of `TARGETS`.
const TABLE: &[(&str, &str, [Outcome; 4])] = &[
    ("READONLY", "get", [Found(1), Found(1), Found(1), Found(0)]),
    ("READONLY", "where.get", [Found(1), Found(1), Found(1), Found(0)]),
    ("READONLY", "count", [Found(1), Found(1), Found(1), Found(0)]),
    ("READONLY", "update", [Found(1), Found(0), Found(0), Found(0)]),
    ("READONLY", "where.update", [Found(1), Found(0), Found(0), Found(0)]),
    ("READONLY", "upsert", [Found(1), Taken, Taken, Created]),
    ("READONLY", "set", [Found(1), Taken, Taken, Created]),
    ("READONLY", "add", [Taken, Taken, Taken, Created]),
    ("READONLY", "remove", [Found(1), Found(0), Found(0), Found(0)]),
    ("READONLY", "where.remove", [Found(1), Found(0), Found(0), Found(0)]),
    ("PRIVATE", "get", [Found(1), Found(0), Found(0), Found(0)]),
    ("PRIVATE", "where.get", [Found(1), Found(0), Found(0), Found(0)]),
    ("PRIVATE", "count", [Found(1), Found(0), Found(0), Found(0)]),
    ("PRIVATE", "update", [Found(1), Found(0), Found(0), Found(0)]),
    ("PRIVATE", "where.update", [Found(1), Found(0), Found(0), Found(0)]),
    ("PRIVATE", "upsert", [Found(1), Taken, Taken, Created]),
    ("PRIVATE", "set", [Found(1), Taken, Taken, Created]),
    ("PRIVATE", "add", [Taken, Taken, Taken, Created]),
    ("PRIVATE", "remove", [Found(1), Found(0), Found(0), Found(0)]),
    ("PRIVATE", "where.remove", [Found(1), Found(0), Found(0), Found(0)]),
    ("ADMINWRITE", "get", [Found(1), Found(1), Found(1), Found(0)]),
    ("ADMINWRITE", "where.get", [Found(1), Found(1), Found(1), Found(0)]),
    ("ADMINWRITE", "count", [Found(1), Found(1), Found(1), Found(0)]),
    ("ADMINWRITE", "update", [Denied; 4]),
    ("ADMINWRITE", "where.update", [Denied; 4]),
    ("ADMINWRITE", "upsert", [Denied; 4]),
    ("ADMINWRITE", "set", [Denied; 4]),
    ("ADMINWRITE", "add", [Denied; 4]),
    ("ADMINWRITE", "remove", [Denied; 4]),
    ("ADMINWRITE", "where.remove", [Denied; 4]),
    ("ADMINONLY", "get", [Denied; 4]),
    ("ADMINONLY", "where.get", [Denied; 4]),
    ("ADMINONLY", "count", [Denied; 4]),
    ("ADMINONLY", "update", [Denied; 4]),
    ("ADMINONLY", "where.update", [Denied; 4]),
    ("ADMINONLY", "upsert", [Denied; 4]),
    ("ADMINONLY", "set", [Denied; 4]),
    ("ADMINONLY", "add", [Denied; 4]),
    ("ADMINONLY", "remove", [Denied; 4]),
    ("ADMINONLY", "where.remove", [Denied; 4]),
];

#[test]
fn each_mode_lets_users_do_what_the_table_says() {
    let emulator = Emulator::start(&[]);
    let alice = Page::open(&emulator, "alice");
    for (number, (mode, operation, outcomes)) in TABLE.iter().enumerate() {
        for (target, expected) in TARGETS.iter().zip(outcomes) {
            let collection = format!("c{number}-{target}");
            prepare(&emulator, &collection, mode, &alice.openid);
            let before = everything(&emulator, &collection);
            let outcome = attempt(&alice, operation, &collection, target);
            assert_eq!(outcome, *expected, "{mode} {operation} {target}");
            let after = everything(&emulator, &collection);
            let writes = !matches!(*operation, "get" | "where.get" | "count");
            assert_eq!(after != before, writes && matches!(outcome, Found(1) | Created), "{mode} {operation} {target}");
            check_owners(&after, &alice.openid);
        }
    }
}

/// A collection with one document of each kind.
fn prepare(emulator: &Emulator, collection: &str, mode: &str, openid: &str) {
    manage(emulator, "create", json!({ "collection": collection, "mode": mode }));
    let documents = json!([
        { "_id": "own", "_openid": openid, "n": 1 },
        { "_id": "other", "_openid": "oSOMEBODYELSE", "n": 1 },
        { "_id": "server", "n": 1 },
    ]);
    act(emulator, "database.addDocument", json!({ "collectionName": collection, "data": documents }));
}

fn attempt(page: &Page<'_>, operation: &str, collection: &str, id: &str) -> Outcome {
    let doc = json!({ "collectionName": collection, "queryType": "DOC", "query": { "_id": id }, "multi": false });
    let all = json!({ "collectionName": collection, "queryType": "WHERE", "query": { "_id": id }, "multi": true });
    let with = |base: &Value, more: Value| {
        let mut params = base.as_object().cloned().unwrap();
        params.extend(more.as_object().cloned().unwrap());
        Value::Object(params)
    };
    let increase = json!({ "data": { "$inc": { "n": 1 } }, "merge": true, "upsert": false });
    let (action, params) = match operation {
        "get" => ("database.queryDocument", doc),
        "where.get" => ("database.queryDocument", all),
        "count" => ("database.countDocument", all),
        "update" => ("database.updateDocument", with(&doc, increase)),
        "where.update" => ("database.updateDocument", with(&all, increase)),
        "upsert" => (
            "database.updateDocument",
            with(&doc, json!({ "data": { "$inc": { "n": 1 } }, "merge": true, "upsert": true })),
        ),
        "set" => ("database.updateDocument", with(&doc, json!({ "data": { "n": 2 }, "merge": false, "upsert": true }))),
        "add" => ("database.addDocument", json!({ "collectionName": collection, "data": { "_id": id, "n": 2 } })),
        "remove" => ("database.deleteDocument", doc),
        "where.remove" => ("database.deleteDocument", all),
        other => panic!("{other}"),
    };
    outcome(&page.ask(action, params))
}

fn outcome(answer: &Value) -> Outcome {
    let data = &answer["data"];
    let message = answer["message"].as_str().unwrap_or_default();
    match answer["code"].as_str() {
        Some("DATABASE_PERMISSION_DENIED") => Denied,
        Some("DATABASE_REQUEST_FAILED") if message.contains("E11000 duplicate key error") => Taken,
        Some(_) => panic!("{answer}"),
        None if data["_id"].is_string() || data["upserted_id"].is_string() => Created,
        None => {
            let list = data["list"].as_array().map(|list| json!(list.len()));
            let numbers =
                [list, data.get("total").cloned(), data.get("updated").cloned(), data.get("deleted").cloned()];
            Found(numbers.into_iter().flatten().next().unwrap().as_u64().unwrap())
        }
    }
}

/// Nobody's document has changed hands, and what is new is the user's.
fn check_owners(documents: &Value, openid: &str) {
    for document in documents.as_array().unwrap() {
        let expected = match document["_id"].as_str().unwrap() {
            "other" => json!("oSOMEBODYELSE"),
            "server" => Value::Null,
            _ => json!(openid),
        };
        assert_eq!(document["_openid"], expected, "{document}");
    }
}

#[test]
fn users_never_say_whose_a_document_is() {
    let emulator = Emulator::start(&[]);
    let alice = Page::open(&emulator, "alice");
    prepare(&emulator, "c", "READONLY", &alice.openid);
    let before = everything(&emulator, "c");
    let update = |data: Value, merge: bool| {
        let query = json!({ "_id": "own" });
        let params = json!({
            "collectionName": "c", "queryType": "DOC", "query": query, "multi": false, "merge": merge, "upsert": !merge, "data": data,
        });
        alice.ask("database.updateDocument", params)
    };
    for answer in [
        alice.ask("database.addDocument", json!({ "collectionName": "c", "data": { "_openid": "x" } })),
        alice.ask("database.addDocument", json!({ "collectionName": "c", "data": [{ "a": 1 }, { "_openid": "x" }] })),
        alice.ask("database.insertDocument", json!({ "collectionName": "c", "data": ["{\"_openid\":\"x\"}"] })),
        update(json!({ "_openid": "x" }), false),
        update(json!({ "$set": { "_openid": "x" } }), true),
        update(json!({ "$set": { "_openid.a": "x" } }), true),
        update(json!({ "$unset": { "_openid": "" } }), true),
        update(json!({ "$rename": { "n": "_openid" } }), true),
    ] {
        assert_eq!(answer["code"], "INVALID_PARAM", "{answer}");
        assert_eq!(answer["message"], "Invalid Key Name: _openid", "{answer}");
    }
    assert_eq!(everything(&emulator, "c"), before);
}

#[test]
fn the_template_stands_for_the_caller() {
    let emulator = Emulator::start(&[]);
    let alice = Page::open(&emulator, "alice");
    prepare(&emulator, "c", "READONLY", &alice.openid);
    let found = |query: Value| {
        let list = alice.data("database.queryDocument", json!({ "collectionName": "c", "query": query }));
        list["list"].as_array().unwrap().len()
    };
    assert_eq!(found(json!({ "_openid": "{openid}" })), 1);
    assert_eq!(found(json!({ "_openid": "oSOMEBODYELSE" })), 1);
    assert_eq!(found(json!({ "$or": [{ "_openid": { "$in": ["{openid}"] } }, { "_id": "server" }] })), 2);
    alice.data(
        "database.addDocument",
        json!({ "collectionName": "c", "data": { "_id": "new", "members": ["{openid}"] } }),
    );
    let list = alice.data("database.queryDocument", json!({ "collectionName": "c", "query": { "_id": "new" } }));
    assert_eq!(list["list"][0]["members"], json!([alice.openid]));
}

#[test]
fn what_only_servers_do_is_refused() {
    let emulator = Emulator::start(&[]);
    let alice = Page::open(&emulator, "alice");
    for collection in ["mine", "_emulator"] {
        let refusal = alice.refusal("database.addCollection", json!({ "collectionName": collection }));
        assert_eq!(refusal, "DATABASE_PERMISSION_DENIED");
    }
    manage(&emulator, "users/add", json!({ "name": "bob" }));
    for action in ["database.queryDocument", "database.countDocument", "database.deleteDocument"] {
        let params = json!({ "collectionName": "_emulator", "query": {}, "multi": true });
        assert_eq!(alice.refusal(action, params), "DATABASE_PERMISSION_DENIED", "{action}");
    }
    let own = json!({ "action": "database.getDocument", "collectionName": "_emulator", "queryType": "WHERE" });
    assert_eq!(emulator.admin(&own)["code"], "DATABASE_PERMISSION_DENIED", "not even servers see it");
    assert_eq!(manage(&emulator, "collections", json!({}))["collections"], json!([]));
    assert_eq!(manage(&emulator, "users/list", json!({}))["users"].as_array().unwrap().len(), 1);
    let authority = json!({ "openId": "oBOB", "fileList": [{ "path": "a.txt" }] });
    assert_eq!(alice.refusal("storage.getFileAuthority", authority), "STORAGE_EXCEED_AUTHORITY");
    let answer = alice.ask("auth.updateUserInfo", json!({}));
    assert_eq!(answer["message"], "not supported by the emulator: auth.updateUserInfo");
}

#[test]
fn a_page_is_twenty_documents_unless_it_says() {
    let emulator = Emulator::start(&[]);
    let alice = Page::open(&emulator, "alice");
    manage(&emulator, "create", json!({ "collection": "c" }));
    let documents: Vec<Value> =
        (0..30).map(|n| json!({ "n": n, "d": { "$date": 1_700_000_000_000_u64 + n } })).collect();
    let added = alice.data("database.addDocument", json!({ "collectionName": "c", "data": documents }));
    assert_eq!(added["insertedIds"].as_array().unwrap().len(), 30);
    let list = |more: Value| {
        let mut params = json!({ "collectionName": "c", "query": {} }).as_object().cloned().unwrap();
        params.extend(more.as_object().cloned().unwrap());
        alice.data("database.queryDocument", Value::Object(params))["list"].as_array().cloned().unwrap()
    };
    assert_eq!(list(json!({})).len(), 20);
    assert_eq!(list(json!({ "limit": 25 })).len(), 25);
    let order = json!([{ "field": "n", "direction": "desc" }]);
    let found = list(json!({ "order": order, "offset": 1, "limit": 2, "projection": { "_id": 0, "n": 1, "d": 1 } }));
    let expected = json!([{ "n": 28, "d": { "$date": 1_700_000_000_028_u64 } }, { "n": 27, "d": { "$date": 1_700_000_000_027_u64 } }]);
    assert_eq!(json!(found), expected, "dates and plain numbers, as dialect A has them");
}

#[test]
fn no_mistake_is_taken_for_something_else() {
    let mut emulator = Emulator::start(&[]);
    manage(&emulator, "create", json!({ "collection": "c", "mode": "READONLY" }));
    let alice = Page::open(&emulator, "alice");
    let rows: [(&str, Value, &[&str]); 6] = [
        ("database.addDocument", json!({ "collectionName": "c", "data": {} }), &["collectionName", "data"]),
        ("database.queryDocument", json!({ "collectionName": "c" }), &["collectionName", "limit", "offset", "query"]),
        ("database.countDocument", json!({ "collectionName": "c" }), &["collectionName", "query"]),
        (
            "database.updateDocument",
            json!({ "collectionName": "c", "query": {}, "data": {} }),
            &["data", "merge", "query"],
        ),
        (
            "database.deleteDocument",
            json!({ "collectionName": "c", "query": {} }),
            &["collectionName", "multi", "query"],
        ),
        ("emulator.signIn", json!({}), &["code", "openid"]),
    ];
    let mistakes =
        [json!({ "$fly": 1 }), json!([1]), json!([[]]), json!("\u{0}"), json!(1.5), json!({ "a": { "$date": "x" } })];
    for (action, params, fields) in rows {
        for (field, mistake) in fields.iter().flat_map(|field| mistakes.iter().map(move |mistake| (field, mistake))) {
            let mut params = params.clone();
            params[field] = mistake.clone();
            let code = alice.ask(action, params)["code"].take();
            let is_name = matches!(*field, "collectionName" | "code") && mistake.is_string();
            assert!(is_name || code.is_string(), "{action} {field} {mistake} was taken");
            assert_ne!(code, "SYS_ERR", "{action} {field} {mistake}");
        }
    }
    assert_eq!(emulator.count("c"), 0);
    assert!(emulator.is_well());
}

// Signing in.

#[test]
fn a_code_names_a_user_or_means_the_one_before() {
    let emulator = Emulator::start(&[]);
    let sign_in =
        |params: Value| data_of(web(&emulator, "emulator.signIn", params))["openid"].as_str().unwrap().to_owned();
    let nobody = sign_in(json!({ "code": "0a1b2c" }));
    assert_eq!(sign_in(json!({ "code": "3d4e5f" })), nobody, "the same user, as long as there are none");
    for (name, openid) in [("alice", "oALICE0000000000000000000001"), ("bob", "oBOB000000000000000000000001")] {
        assert_eq!(manage(&emulator, "users/add", json!({ "name": name }))["openid"], openid);
        assert_eq!(sign_in(json!({ "code": name })), openid);
    }
    assert_eq!(sign_in(json!({ "code": "0a1b2c" })), "oALICE0000000000000000000001", "the first is the default one");
    manage(&emulator, "users/use", json!({ "name": "bob" }));
    assert_eq!(sign_in(json!({ "code": "0a1b2c" })), "oBOB000000000000000000000001");
    assert_eq!(sign_in(json!({ "code": "0a1b2c", "openid": "oKEPT" })), "oKEPT");
    assert_eq!(sign_in(json!({ "code": "alice", "openid": "oKEPT" })), "oALICE0000000000000000000001");
    assert_eq!(web(&emulator, "emulator.signIn", json!({ "code": "x", "openid": "a b" }))["code"], "INVALID_PARAM");
    manage(&emulator, "users/remove", json!({ "name": "bob" }));
    assert_eq!(sign_in(json!({ "code": "bob" })), "oALICE0000000000000000000001");
}

#[test]
fn users_and_modes_outlive_a_killed_emulator() {
    let mut emulator = Emulator::start(&[]);
    manage(&emulator, "users/add", json!({ "name": "alice" }));
    manage(&emulator, "users/add", json!({ "name": "bob" }));
    manage(&emulator, "users/use", json!({ "name": "bob" }));
    manage(&emulator, "create", json!({ "collection": "c", "mode": "ADMINONLY" }));
    manage(&emulator, "mode", json!({ "mode": "PRIVATE" }));
    let token = Page::open(&emulator, "alice").token;
    emulator.kill();
    let emulator = emulator.restart();
    let users = manage(&emulator, "users/list", json!({}));
    assert_eq!(users["users"][1], json!({ "name": "bob", "openid": "oBOB000000000000000000000001", "default": true }));
    let collections = manage(&emulator, "collections", json!({}));
    assert_eq!(collections["collections"], json!([{ "name": "c", "documents": 0, "mode": "ADMINONLY" }]));
    assert_eq!(collections["filesMode"], "PRIVATE");
    let refusal = web(&emulator, "database.queryDocument", json!({ "collectionName": "c", "access_token": token }));
    assert_eq!(refusal["code"], "DATABASE_PERMISSION_DENIED", "tokens hold across a restart, and so do modes");
}

#[test]
fn js_sdk_signs_in_refreshes_and_signs_out() {
    let emulator = Emulator::start(&[]);
    let signed_in = web(&emulator, "auth.signInAnonymously", json!({ "anonymous_uuid": "", "refresh_token": "" }));
    let uuid = signed_in["uuid"].as_str().unwrap();
    let again = web(&emulator, "auth.signInAnonymously", json!({ "anonymous_uuid": uuid, "refresh_token": "" }));
    assert_eq!(again["uuid"], uuid, "the token replies stand at the top level");
    let refresh =
        |token: &Value| web(&emulator, "auth.fetchAccessTokenWithRefreshToken", json!({ "refresh_token": token }));
    let token = refresh(&signed_in["refresh_token"]);
    assert_eq!(token["access_token_expire"], 7_200_000);
    let user = data_of(web(&emulator, "auth.getUserInfo", json!({ "access_token": token["access_token"] })));
    assert_eq!((&user["uid"], &user["loginType"]), (&json!(uuid), &json!("ANONYMOUS")));
    web(&emulator, "auth.logout", json!({ "refresh_token": signed_in["refresh_token"] }));
    assert_eq!(refresh(&signed_in["refresh_token"])["code"], "INVALID_REFRESH_TOKEN");
    assert_eq!(refresh(&again["refresh_token"]).get("code"), None, "another sign-in is not touched");
    assert_eq!(refresh(&json!("x.y"))["code"], "INVALID_REFRESH_TOKEN");
    assert_eq!(refresh(&token["access_token"])["code"], "INVALID_REFRESH_TOKEN", "an access token is no refresh token");
}

#[test]
fn a_ticket_signs_in_the_user_it_names() {
    let emulator = Emulator::start(&[]);
    let ticket = |claims: &str| format!("key/@@/e30.{}.c2lnbg", base64url(claims.as_bytes()));
    let sign_in =
        |ticket: &str| web(&emulator, "auth.signInWithTicket", json!({ "ticket": ticket, "refresh_token": "" }));
    let signed_in = sign_in(&ticket(r#"{"alg":"RS256","env":"cloud1","iat":1,"exp":9999999999999,"uid":"user-1"}"#));
    let params = json!({ "refresh_token": signed_in["refresh_token"] });
    let token = web(&emulator, "auth.fetchAccessTokenWithRefreshToken", params)["access_token"].take();
    let user = data_of(web(&emulator, "auth.getUserInfo", json!({ "access_token": token })));
    assert_eq!(
        (&user["uid"], &user["loginType"], &user["customUserId"]),
        (&json!("user-1"), &json!("CUSTOM"), &json!("user-1"))
    );
    for claims in [r#"{"uid":"user-1","exp":1}"#, r#"{"uid":"user-1","env":"other"}"#, r#"{"uid":"u"}"#, "{}", "5"] {
        assert_eq!(sign_in(&ticket(claims))["code"], "INVALID_PARAM", "{claims}");
    }
    assert_eq!(sign_in("nonsense")["code"], "INVALID_PARAM");
}

#[test]
fn who_proves_nothing_does_nothing() {
    let emulator = Emulator::start(&[]);
    manage(&emulator, "create", json!({ "collection": "c" }));
    let alice = Page::open(&emulator, "alice");
    let elsewhere = data_of(web(&emulator, "emulator.signIn", json!({ "code": "alice", "env": "other" })));
    let mut forged = alice.token.clone();
    forged.replace_range(0..1, "f");
    let tokens = [
        Value::Null,
        json!(""),
        json!(5),
        json!("x"),
        json!(forged),
        json!(format!("{}x", alice.token)),
        elsewhere["access_token"].clone(),
        web(&emulator, "auth.signInAnonymously", json!({}))["refresh_token"].clone(),
    ];
    for token in tokens {
        for (action, params) in [
            ("database.addDocument", json!({ "collectionName": "c", "data": { "a": 1 } })),
            ("database.queryDocument", json!({ "collectionName": "c", "query": {} })),
            ("storage.getUploadMetadata", json!({ "path": "a.txt" })),
            ("functions.invokeFunction", json!({ "function_name": "f", "request_data": "{}" })),
            ("auth.wsWebSign", json!({})),
            ("auth.getUserInfo", json!({})),
        ] {
            let mut params = params;
            params["access_token"] = token.clone();
            assert_eq!(web(&emulator, action, params)["code"], "CHECK_LOGIN_FAILED", "{action} {token}");
        }
    }
    assert_eq!(emulator.count("c"), 0);
}

#[test]
fn an_expired_token_is_refreshed() {
    let project = tempfile::tempdir().unwrap();
    std::fs::write(project.path().join("emulator.toml"), "access-token-seconds = 1\n").unwrap();
    let emulator = Emulator::start(&["--project", &project.path().display().to_string()]);
    manage(&emulator, "create", json!({ "collection": "c" }));
    let refresh_token = web(&emulator, "auth.signInAnonymously", json!({}))["refresh_token"].take();
    let refresh = || {
        let params = json!({ "refresh_token": refresh_token });
        web(&emulator, "auth.fetchAccessTokenWithRefreshToken", params)["access_token"].take()
    };
    let add = |token: &Value| {
        web(&emulator, "database.addDocument", json!({ "collectionName": "c", "data": {}, "access_token": token }))
    };
    let token = refresh();
    assert_eq!(add(&token).get("code"), None);
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(add(&token)["code"], "ACCESS_TOKEN_EXPIRED");
    assert_eq!(emulator.count("c"), 1);
    assert_eq!(add(&refresh()).get("code"), None);
}

#[test]
fn the_web_socket_is_signed_for() {
    let emulator = Emulator::start(&[]);
    let alice = Page::open(&emulator, "alice");
    let signed = alice.data("auth.wsWebSign", json!({ "runtime": "wx_mp" }));
    assert_eq!(signed["wsUrl"], format!("ws://127.0.0.1:{}/ws", emulator.port()));
    assert_eq!((&signed["envId"], signed["secretVersion"].is_number()), (&json!("cloud1"), true));
    assert!(signed["signStr"].as_str().is_some_and(|text| !text.is_empty()));
}

#[test]
fn anybody_may_say_hello() {
    let emulator = Emulator::start(&[]);
    let hello = emulator.exchange(b"GET /_emulator/hello?appid=wx1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(hello.status, 200);
    let hello = hello.json();
    assert_eq!((&hello["emulator"], &hello["env"]), (&json!(true), &json!("cloud1")));
    assert!(hello["appid"].is_string() && hello["version"].is_string());
    let denied = emulator.exchange(b"POST /_emulator/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(denied.status, 401);
}

// Files (semantics §7.4).

#[test]
fn each_mode_lets_users_do_so_much_with_files() {
    let emulator = Emulator::start(&[]);
    let (alice, bob) = (Page::open(&emulator, "alice"), Page::open(&emulator, "bob"));
    // Without users in the register both names mean the default user.
    assert_eq!(alice.openid, bob.openid);
    for name in ["alice", "bob"] {
        manage(&emulator, "users/add", json!({ "name": name }));
    }
    let (alice, bob) = (Page::open(&emulator, "alice"), Page::open(&emulator, "bob"));
    let rows = [
        ("READONLY", ["SUCCESS", "SUCCESS", "SUCCESS"], [true, false, false]),
        ("PRIVATE", ["SUCCESS", "STORAGE_EXCEED_AUTHORITY", "STORAGE_EXCEED_AUTHORITY"], [true, false, false]),
        ("ADMINWRITE", ["SUCCESS", "SUCCESS", "SUCCESS"], [false, false, false]),
        ("ADMINONLY", ["STORAGE_EXCEED_AUTHORITY"; 3], [false, false, false]),
    ];
    for (mode, readable, writable) in rows {
        manage(&emulator, "mode", json!({ "mode": "READONLY" }));
        let files = [format!("{mode}/own.txt"), format!("{mode}/other.txt"), format!("{mode}/server.txt")];
        assert_eq!(alice.upload(&files[0], b"alice").status, 201);
        assert_eq!(bob.upload(&files[1], b"bob").status, 201);
        let place = emulator.data_of(&json!({ "action": "storage.getUploadMetadata", "path": files[2] }));
        assert_eq!(post_file(&emulator, place["url"].as_str().unwrap(), b"server").status, 201);
        manage(&emulator, "mode", json!({ "mode": mode }));
        for (index, path) in files.iter().enumerate() {
            let id = file_id(&emulator, path);
            let urls = alice.data("storage.batchGetDownloadUrl", json!({ "file_list": [{ "fileid": id }] }));
            assert_eq!(urls["download_list"][0]["code"], readable[index], "{mode} {path}");
            assert_eq!(urls["download_list"][0]["tempFileURL"] == "", readable[index] != "SUCCESS", "{mode} {path}");
            let place = alice.ask("storage.getUploadMetadata", json!({ "path": path }));
            assert_eq!(place["code"] == "STORAGE_EXCEED_AUTHORITY", !writable[index], "{mode} {path}: {place}");
            let deleted = alice.data("storage.batchDeleteFile", json!({ "fileid_list": [id] }));
            let expected = if writable[index] { "SUCCESS" } else { "STORAGE_EXCEED_AUTHORITY" };
            assert_eq!(deleted["delete_list"][0]["code"], expected, "{mode} {path}");
            assert_eq!(is_stored(&emulator, path), !writable[index], "{mode} {path}");
        }
        let new = alice.ask("storage.getUploadMetadata", json!({ "path": format!("{mode}/new.txt") }));
        assert_eq!(new.get("code").is_none(), writable[0], "{mode}: {new}");
    }
}

#[test]
fn a_ticket_for_a_new_file_does_not_overwrite_anothers() {
    let emulator = Emulator::start(&[]);
    for name in ["alice", "bob"] {
        manage(&emulator, "users/add", json!({ "name": name }));
    }
    let (alice, bob) = (Page::open(&emulator, "alice"), Page::open(&emulator, "bob"));
    let place = alice.data("storage.getUploadMetadata", json!({ "path": "a.txt" }));
    assert_eq!(bob.upload("a.txt", b"bob").status, 201);
    let late = post_file(&emulator, place["url"].as_str().unwrap(), b"alice");
    assert_eq!(late.status, 403);
    assert!(late.text().contains("STORAGE_EXCEED_AUTHORITY"), "{late:?}");
    let copy = json!({ "file_list": [{ "src_path": "a.txt", "dst_path": "b.txt" }] });
    let copied = alice.data("storage.batchCopyFile", copy.clone());
    assert_eq!(copied["copy_list"][0]["code"], "STORAGE_EXCEED_AUTHORITY");
    assert!(!is_stored(&emulator, "b.txt"));
    assert_eq!(bob.data("storage.batchCopyFile", copy)["copy_list"][0]["code"], "SUCCESS");
}

#[test]
fn missing_files_and_too_many_are_told_apart() {
    let emulator = Emulator::start(&[]);
    let alice = Page::open(&emulator, "alice");
    let id = file_id(&emulator, "missing.txt");
    let urls = alice.data("storage.batchGetDownloadUrl", json!({ "file_list": [{ "fileid": id }] }));
    assert_eq!(urls["download_list"][0]["code"], "STORAGE_FILE_NONEXIST");
    let deleted = alice.data("storage.batchDeleteFile", json!({ "fileid_list": [id] }));
    assert_eq!(deleted["delete_list"][0]["code"], "STORAGE_FILE_NONEXIST");
    assert_eq!(alice.refusal("storage.batchDeleteFile", json!({ "fileid_list": vec![id; 51] })), "INVALID_PARAM");
}

// Functions (semantics FN-02, FN-04).

#[test]
fn a_function_knows_the_user_who_calls() {
    let project = format!("{}/tests/support/project", env!("CARGO_MANIFEST_DIR"));
    let emulator = Emulator::start(&["--project", &project]);
    manage(&emulator, "users/add", json!({ "name": "alice" }));
    let alice = Page::open(&emulator, "alice");
    let request = json!({ "a": 1, "userInfo": "the platform's wins" }).to_string();
    let data = alice.data("functions.invokeFunction", json!({ "function_name": "reports", "request_data": request }));
    let result: Value = serde_json::from_str(data["response_data"].as_str().unwrap()).unwrap();
    assert_eq!((&result["openid"], &result["source"]), (&json!(alice.openid), &json!("wx_client")));
    let user = json!({ "appId": "wx0123456789abcdef", "openId": alice.openid });
    assert_eq!(result["event"]["userInfo"]["openId"], user["openId"]);
    assert_eq!(result["event"]["a"], 1);
    let missing = json!({ "function_name": "nowhere", "request_data": "{}" });
    assert_eq!(alice.refusal("functions.invokeFunction", missing), "FUNCTION_NOT_FOUND");
}

// What the tests share.

/// Any action, as the developer.
fn act(emulator: &Emulator, action: &str, params: Value) -> Value {
    manage(emulator, "action", json!({ "action": action, "params": params }))
}

/// Every document of a collection, as an administrator sees it.
fn everything(emulator: &Emulator, collection: &str) -> Value {
    act(emulator, "database.queryDocument", json!({ "collectionName": collection, "query": {} }))["list"].take()
}

fn file_id(emulator: &Emulator, path: &str) -> Value {
    emulator.data_of(&json!({ "action": "storage.getUploadMetadata", "path": path }))["fileId"].take()
}

fn is_stored(emulator: &Emulator, path: &str) -> bool {
    let list = json!([{ "fileid": file_id(emulator, path) }]);
    let data = emulator.data_of(&json!({ "action": "storage.batchGetDownloadUrl", "file_list": list }));
    data["download_list"][0]["code"] == "SUCCESS"
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digits = (0..=chunk.len()).map(|place| DIGITS[(number >> (18 - 6 * place) & 63) as usize] as char);
        text.extend(digits);
    }
    text
}
