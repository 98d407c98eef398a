//! The wire, from outside: a built emulator, and a client that says what no SDK would. What the SDKs themselves say is
//! `tests/sdk/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod process;
}

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::http::{FORM, Response, chunked, form, request};
use support::process::Emulator;

const MEGABYTE: usize = 1 << 20;

/// Headers of a request.
type Head<'a> = &'a [(&'a str, &'a str)];

/// Fields of a form.
type Fields<'a> = &'a [(&'a str, &'a [u8])];

// Who may speak.

#[test]
fn a_request_from_elsewhere_is_refused_and_does_nothing() {
    let mut emulator = with_collection();
    let insert = insert_text("x");
    let strange_heads: &[Head<'_>] = &[
        &[("Origin", "http://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "http://localhost.evil.example")],
        &[("Origin", "http://localhost"), ("Origin", "http://evil.example")],
        &[("Host", "evil.example")],
        &[("Host", "evil.example:80"), ("Origin", "http://localhost")],
        &[("Host", "127.0.0.1"), ("Host", "127.0.0.1")],
        &[("Host", "localhost@evil.example")],
        &[("Host", "")],
    ];
    for head in strange_heads {
        let response = emulator.exchange(&request("POST", "/admin", head, insert.as_bytes()));
        assert_eq!(response.status, 403, "{head:?}");
        assert_eq!(response.code().as_deref(), Some("INVALID_REQUEST_SOURCE"), "{head:?}");
        assert_eq!(response.header("access-control-allow-origin"), None, "{head:?}");
    }
    let hostless = format!("POST /admin HTTP/1.1\r\nContent-Length: {}\r\n\r\n{insert}", insert.len());
    assert_eq!(emulator.exchange(hostless.as_bytes()).status, 403);
    assert_eq!(emulator.count("c"), 0);
    assert!(emulator.is_well());
}

#[test]
fn a_refused_upload_or_command_does_nothing() {
    let emulator = Emulator::start(&[]);
    let upload = upload_path(&emulator, "a.txt");
    let evil = [("Origin", "http://evil.example")];
    assert_eq!(emulator.exchange(&request("PUT", &upload, &evil, b"hello")).status, 403);
    let form_head = [("Origin", "null"), FORM];
    assert_eq!(emulator.exchange(&request("POST", &upload, &form_head, &form(&[("file", b"hello")]))).status, 403);
    let cloud_host = [("Host", "tcb-admin.tencentyun.com")];
    assert_eq!(
        emulator.exchange(&request("PUT", &upload, &cloud_host, b"hello")).status,
        403,
        "only /admin has the cloud's names"
    );
    assert_eq!(download_url(&emulator, "a.txt"), None);
    let authorization = format!("Bearer {}", emulator.token());
    let head = [("Authorization", authorization.as_str()), ("Origin", "http://evil.example")];
    assert_eq!(emulator.exchange(&request("GET", "/_emulator/status", &head, b"")).status, 403);
}

#[test]
fn pages_of_localhost_may_read_and_nobody_else() {
    let emulator = with_collection();
    let ask = |origin: &str| {
        let head = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "x-seqid"),
        ];
        emulator.exchange(&request("OPTIONS", "/admin", &head, b""))
    };
    let allowed = ask("http://localhost:5173");
    assert_eq!(allowed.status, 204);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("http://localhost:5173"));
    assert_eq!(allowed.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(allowed.header("access-control-allow-headers"), Some("x-seqid"));
    let refused = ask("http://evil.example");
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
    let head = [("Origin", "https://127.0.0.1:3000")];
    let inserted = emulator.exchange(&request("POST", "/admin", &head, insert_text("x").as_bytes()));
    assert_eq!(inserted.header("access-control-allow-origin"), Some("https://127.0.0.1:3000"));
    assert_eq!(emulator.count("c"), 1);
}

#[test]
fn a_proxied_client_names_the_cloud() {
    let emulator = with_collection();
    let insert = json!({"action": "database.insertDocument", "collectionName": "c", "data": ["{}"]}).to_string();
    let ask =
        |target: &str, host: &str| emulator.exchange(&request("POST", target, &[("Host", host)], insert.as_bytes()));
    for host in [
        "tcb-admin.tencentyun.com",
        "tcb-open.tencentyun.com",
        "env-1.internal.ap-shanghai.tcb-api.tencentcloudapi.com",
    ] {
        let target = format!("http://{host}/admin?&eventId=E&seqId=E");
        let response = ask(&target, host);
        assert_eq!((response.status, response.code()), (200, None), "{target}");
        assert_eq!(response.json()["requestId"], "E");
        assert_eq!(ask("/admin", host).status, 200);
    }
    assert_eq!(emulator.count("c"), 6);
    assert_eq!(ask("http://tcb-admin.tencentyun.com/admin", "127.0.0.1").status, 403);
    assert_eq!(ask("http://127.0.0.1/admin", "tcb-admin.tencentyun.com").status, 403);
    assert_eq!(ask("http://evil.example/admin", "evil.example").status, 403);
    assert_eq!(
        emulator
            .exchange(b"CONNECT tcb-admin.tencentyun.com:443 HTTP/1.1\r\nHost: tcb-admin.tencentyun.com:443\r\n\r\n")
            .status,
        403
    );
    assert_eq!(emulator.count("c"), 6);
}

// Paths and envelopes.

#[test]
fn paths_and_methods_that_do_not_fit_say_so() {
    let emulator = Emulator::start(&[]);
    let ask = |method: &str, path: &str| emulator.exchange(&request(method, path, &[], b"{}"));
    let ready = ask("GET", "/readyz");
    assert_eq!((ready.status, ready.json()), (200, json!({"ready": true})));
    assert_eq!(ask("GET", "/").status, 200);
    let rows = [
        ("GET", "/web?env=e", 405, "/web takes POST, not GET"),
        ("POST", "/auth/v2/token", 404, "not supported by the emulator: /auth/v2"),
        ("POST", "/nowhere", 404, "/nowhere"),
        ("POST", "//admin", 404, "/admin"),
        ("POST", "/admin/", 404, "/admin"),
        ("POST", "/x/../admin", 404, "/admin"),
        ("GET", "/admin", 405, "POST"),
        ("DELETE", "/readyz", 405, "GET"),
        ("GET", "/files/upload/x", 405, "PUT"),
    ];
    for (method, path, status, says) in rows {
        let response = ask(method, path);
        assert_eq!(response.status, status, "{method} {path}");
        assert!(response.json()["message"].as_str().unwrap().contains(says), "{method} {path}: {response:?}");
        assert!(response.code().is_some(), "{method} {path}");
    }
}

#[test]
fn the_envelope_echoes_and_tells_success_from_failure() {
    let emulator = with_collection();
    let ask = |target: &str, body: Value| {
        emulator.exchange(&request("POST", target, &[], body.to_string().as_bytes())).json()
    };
    let count = json!({"action": "database.calculateDocument", "collectionName": "c", "queryType": "WHERE"});
    let with = |name: &str, value: &str| {
        let mut body = count.clone();
        body[name] = json!(value);
        body
    };
    assert_eq!(ask("/admin?&eventId=E&seqId=E", with("eventId", "B"))["requestId"], "B");
    assert_eq!(ask("/admin?env=cloud1&seqId=S", count.clone()), json!({"requestId": "S", "data": {"total": 0}}));
    assert_eq!(ask("/admin", count.clone())["requestId"].as_str().unwrap().len(), 36);
    let failed = ask("/admin?seqId=S", json!({"action": "database.calculateDocument", "collectionName": "missing"}));
    assert_eq!(failed["code"], "DATABASE_COLLECTION_NOT_EXIST");
    assert_eq!(failed["requestId"], "S");
    assert_eq!(failed.get("data"), None);
    assert_eq!(
        ask("/admin?env=other", count.clone())["code"],
        "DATABASE_COLLECTION_NOT_EXIST",
        "the query names an environment too"
    );
    assert_eq!(ask("/admin?env=other", with("envName", "cloud1"))["data"]["total"], 0);
}

#[test]
fn actions_are_refused_by_name() {
    let emulator = Emulator::start(&[]);
    let message = |action: &str| {
        let reply = emulator.admin(&json!({"action": action}));
        assert!(reply["code"].is_string(), "{reply}");
        reply["message"].as_str().unwrap().to_owned()
    };
    assert!(message("database.fly").contains("database.fly"));
    assert_eq!(message("wx.api"), "not supported by the emulator: wx.api");
    let fields: Fields<'_> = &[
        ("action", b"wx.openApi"),
        ("apiName", b"security.msgSecCheck"),
        ("eventId", b"E"),
        ("requestData", b"\x01\xff"),
    ];
    let response = emulator.exchange(&request("POST", "/admin", &[FORM], &form(fields)));
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(response.json()["message"], "not supported by the emulator: wx.openApi security.msgSecCheck");
    assert_eq!(response.json()["requestId"], "E");
}

#[test]
fn an_environment_that_is_not_served_is_refused() {
    let emulator = Emulator::start(&["--env", "only"]);
    let create = |environment: Value| {
        emulator.admin(&json!({"action": "database.addCollection", "collectionName": "c", "envName": environment}))
    };
    let refused = create(json!("other"));
    assert_eq!(refused["code"], "INVALID_ENV");
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("env not exists") && message.contains("only") && message.contains("other"), "{message}");
    assert_eq!(create(json!(7))["code"], "INVALID_PARAM");
    assert_eq!(create(json!("only")).get("code"), None);
    assert_eq!(create(json!(""))["code"], "DATABASE_COLLECTION_ALREADY_EXIST", "an empty name means the one served");
}

// Bodies that are not what they should be.

#[test]
fn a_body_that_is_no_json_object_is_an_answer_not_an_end() {
    let mut emulator = Emulator::start(&[]);
    let deep_array = format!("{{\"action\":\"database.getDocument\",\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let very_deep = "[".repeat(MEGABYTE);
    let very_deep_object = "{\"a\":".repeat(100_000);
    let bodies: &[&[u8]] = &[
        b"",
        b"{",
        b"}",
        b"[]",
        b"null",
        b"5",
        b"\"x\"",
        b"{}{}",
        b"{\"action\":}",
        b"{'action':'x'}",
        b"{\"action\":\"x\",}",
        b"{\"action\":\"\xff\xfe\"}",
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"{\"action\":\"\\ud800\"}",
        b"{\"action\":\"x\",\"n\":1e999}",
        b"--BOUNDARY\r\n",
        b"{}",
        b"{\"action\":null}",
        b"{\"action\":5}",
        b"{\"action\":[\"database.getDocument\"]}",
        b"{\"action\":{}}",
        b"{\"action\":true}",
        b"{\"action\":\"\"}",
        deep_array.as_bytes(),
        very_deep.as_bytes(),
        very_deep_object.as_bytes(),
    ];
    let mut connection = emulator.connect();
    for body in bodies {
        for head in
            [&[][..], &[("Content-Type", "application/json")], &[FORM], &[("Content-Type", "text/plain; charset=gbk")]]
        {
            connection.send(&request("POST", "/admin", head, body));
            let response = connection.read();
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]);
            assert_eq!(response.status, 200, "{shown}");
            assert_eq!(response.code().as_deref(), Some("INVALID_PARAM"), "{shown}");
        }
    }
    assert!(emulator.is_well());
}

#[test]
fn a_body_may_weigh_16_megabytes() {
    let mut emulator = with_collection();
    let sized = |size: usize| {
        let (front, back) = (r#"{"action":"database.calculateDocument","collectionName":"c","x":""#, "\"}");
        let body = format!("{front}{}{back}", "x".repeat(size - front.len() - back.len()));
        assert_eq!(body.len(), size);
        body.into_bytes()
    };
    let mut connection = emulator.connect();
    connection.send(&request("POST", "/admin", &[], &sized(16 * MEGABYTE)));
    assert_eq!(connection.read().json()["data"]["total"], 0);
    for size in [16 * MEGABYTE + 1, 40 * MEGABYTE] {
        connection.send(&request("POST", "/admin", &[], &sized(size)));
        let response = connection.read();
        assert_eq!((response.status, response.code().as_deref()), (200, Some("INVALID_PARAM")));
        assert!(response.json()["message"].as_str().unwrap().contains("16 MB"), "{response:?}");
    }
    let pieces = chunked(sized(16 * MEGABYTE + 1).chunks(MEGABYTE));
    connection.send(&request("POST", "/admin", &[("Transfer-Encoding", "chunked")], &pieces));
    assert_eq!(connection.read().code().as_deref(), Some("INVALID_PARAM"));
    connection.send(&request("GET", "/readyz", &[], b""));
    assert_eq!(connection.read().status, 200, "the connection lives on");
    assert!(emulator.is_well());
}

#[test]
fn a_client_that_asks_before_it_sends_is_told() {
    let emulator = with_collection();
    let mut connection = emulator.connect();
    let body = insert_text("x");
    let length = body.len().to_string();
    connection.send(&request("POST", "/admin", &[("Expect", "100-continue"), ("Content-Length", &length)], b""));
    connection.send(body.as_bytes());
    assert_eq!(connection.read().code(), None);
    let too_much = (17 * MEGABYTE).to_string();
    connection.send(&request("POST", "/admin", &[("Expect", "100-continue"), ("Content-Length", &too_much)], b""));
    assert_eq!(connection.read().code().as_deref(), Some("INVALID_PARAM"));
}

/// What a field of an action holds, and so what it cannot hold.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Document,
    Documents,
    Flag,
    Number,
    Files,
    FileIds,
}

/// One action: params that work, and the kinds of its fields.
type ActionRow = (&'static str, fn() -> Value, &'static [(&'static str, Kind)]);

const ACTIONS: &[ActionRow] = &[
    ("database.addCollection", || json!({"collectionName": "c"}), &[("collectionName", Kind::Text)]),
    (
        "database.calculateDocument",
        || json!({"collectionName": "c", "queryType": "WHERE", "query": "{}"}),
        &[("collectionName", Kind::Text), ("query", Kind::Document)],
    ),
    (
        "database.getDocument",
        || json!({"collectionName": "c", "queryType": "WHERE", "query": "{}"}),
        &[
            ("collectionName", Kind::Text),
            ("limit", Kind::Number),
            ("offset", Kind::Number),
            ("order", Kind::Document),
            ("projection", Kind::Document),
            ("query", Kind::Document),
        ],
    ),
    (
        "database.insertDocument",
        || json!({"collectionName": "c", "data": ["{\"_id\":\"taken\"}"]}),
        &[("collectionName", Kind::Text), ("data", Kind::Documents)],
    ),
    (
        "database.modifyAndReturnDoc",
        || json!({"collectionName": "c", "queryType": "WHERE", "query": "{\"_id\":\"none\"}", "data": "{\"$set\":{\"a\":1}}"}),
        &[("collectionName", Kind::Text), ("data", Kind::Document), ("query", Kind::Document)],
    ),
    (
        "database.modifyDocument",
        || {
            json!({"collectionName": "c", "queryType": "WHERE", "query": "{\"_id\":\"none\"}", "data": "{\"$set\":{\"a\":1}}",
                   "multi": true, "merge": true, "upsert": false})
        },
        &[
            ("collectionName", Kind::Text),
            ("data", Kind::Document),
            ("merge", Kind::Flag),
            ("multi", Kind::Flag),
            ("query", Kind::Document),
            ("upsert", Kind::Flag),
        ],
    ),
    (
        "database.removeDocument",
        || json!({"collectionName": "c", "queryType": "WHERE", "query": "{\"_id\":\"none\"}", "multi": true}),
        &[("collectionName", Kind::Text), ("multi", Kind::Flag), ("query", Kind::Document)],
    ),
    (
        "functions.invokeFunction",
        || json!({"function_name": "none", "request_data": "{}"}),
        &[("function_name", Kind::Text), ("request_data", Kind::Text)],
    ),
    ("storage.batchCopyFile", || json!({"file_list": []}), &[("file_list", Kind::Files)]),
    ("storage.batchDeleteFile", || json!({"fileid_list": []}), &[("fileid_list", Kind::FileIds)]),
    ("storage.batchGetDownloadUrl", || json!({"file_list": []}), &[("file_list", Kind::Files)]),
    (
        "storage.getFileAuthority",
        || json!({"openId": "o", "fileList": []}),
        &[("fileList", Kind::Files), ("openId", Kind::Text)],
    ),
    ("storage.getUploadMetadata", || json!({"path": "a.txt"}), &[("path", Kind::Text)]),
];

/// Values that a field of a kind cannot hold: each must be refused.
fn mistakes(kind: Kind) -> Vec<Value> {
    match kind {
        Kind::Text => vec![json!(5), json!(true), json!([]), json!({}), json!(["c"])],
        Kind::Document => vec![
            json!(5),
            json!(false),
            json!([]),
            json!({"a": 1}),
            json!("x"),
            json!("{"),
            json!("[]"),
            json!("5"),
            json!("null"),
            json!("{}{}"),
            json!("{\"a\":{\"$date\":\"never\"}}"),
            json!("{\"a\":{\"$numberInt\":\"x\"}}"),
            json!(deep_document(1_000)),
            json!(deep_document(100_000)),
        ],
        Kind::Documents => vec![
            json!(5),
            json!("{}"),
            json!({}),
            json!([]),
            json!([5]),
            json!([{"a": 1}]),
            json!([null]),
            json!(["x"]),
            json!(["{}", "{"]),
            json!(["[]"]),
            json!(["{\"$a\":1}"]),
            json!(["{\"_id\":[1]}"]),
            json!(["{}", deep_document(100_000)]),
            json!(["{}", "{\"a\":{\"$oid\":\"x\"}}"]),
        ],
        Kind::Flag => vec![json!(1), json!("true"), json!([]), json!({})],
        Kind::Number => vec![json!("5"), json!(1.5), json!(true), json!([]), json!({}), json!(1e300), json!(u64::MAX)],
        Kind::Files => vec![json!(5), json!("x"), json!({}), json!([5]), json!([[]]), json!(vec![json!({}); 51])],
        Kind::FileIds => vec![json!(5), json!("x"), json!({}), json!([5]), json!([{}]), json!(vec!["cloud://x"; 51])],
    }
}

/// Values that are odd anywhere: each must be answered, one way or the other.
fn oddities() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!("\u{0}"),
        json!("中文 \u{1f600}"),
        json!("x".repeat(MEGABYTE)),
        json!("$"),
        json!("system.users"),
        json!("../../etc/passwd"),
        json!("__proto__"),
        json!("{}"),
        json!("{\"\":1}"),
        json!("{\"a..b\":1}"),
        json!("{\"__proto__\":{\"a\":1},\"constructor\":1}"),
        json!("{\"a\":{\"$in\":5}}"),
        json!("{\"$and\":[]}"),
        json!("{\"$or\":{}}"),
        json!("{\"a\":{\"$regularExpression\":{\"pattern\":\"(a+)+$\",\"options\":\"\"}}}"),
        json!("{\"a\":{\"$regularExpression\":{\"pattern\":\"[\",\"options\":\"\"}}}"),
        json!("{\"$set\":{\"_id\":2}}"),
        json!("{\"$set\":5}"),
        json!("{\"$nonsense\":1}"),
        json!("{\"a\":{\"$numberLong\":\"9223372036854775808\"}}"),
        json!(["\u{0}"]),
        json!([null]),
        json!([""]),
        json!([{"path": 5}]),
    ]
}

#[test]
fn no_param_brings_the_emulator_down() {
    let mut emulator = with_collection();
    assert_eq!(emulator.admin(&serde_json::from_str(&insert_text("taken")).unwrap()).get("code"), None);
    let mut connection = emulator.connect();
    let mut ask = |action: &str, params: &Value| {
        let mut body = params.clone();
        body["action"] = json!(action);
        connection.send(&request("POST", "/admin", &[], body.to_string().as_bytes()));
        let response = connection.read();
        assert_eq!(response.status, 200);
        let reply = response.json();
        assert!(reply["code"].as_str().is_none_or(|code| !code.is_empty() && code != "SYS_ERR"), "{reply}");
        assert!(reply.get("code").is_some() != reply.get("data").is_some(), "{reply}");
        reply
    };
    for (action, params, field, kind) in fields() {
        for mistake in mistakes(kind) {
            let mut params = params();
            params[field] = mistake;
            let reply = ask(action, &params);
            let shown: String = params.to_string().chars().take(300).collect();
            assert!(reply.get("code").is_some(), "{action} {field}: {shown} was taken: {reply}");
        }
    }
    assert_eq!(
        ask("database.calculateDocument", &json!({"collectionName": "c"}))["data"]["total"],
        1,
        "mistakes change nothing"
    );
    for (action, params, field, _) in fields() {
        for oddity in oddities() {
            let mut params = params();
            params[field] = oddity;
            ask(action, &params);
        }
    }
    assert!(emulator.is_well());
}

/// Every field of every action.
fn fields() -> impl Iterator<Item = (&'static str, fn() -> Value, &'static str, Kind)> {
    ACTIONS
        .iter()
        .flat_map(|(action, params, fields)| fields.iter().map(|(field, kind)| (*action, *params, *field, *kind)))
}

// Files.

#[test]
fn a_body_goes_in_by_put_and_comes_out() {
    let emulator = Emulator::start(&[]);
    let body = b"<script>alert(1)</script>";
    let put = emulator.exchange(&request("PUT", &upload_path(&emulator, "dir/中 文.html"), &[], body));
    assert_eq!((put.status, put.body.len()), (200, 0));
    let path = download_url(&emulator, "dir/中 文.html").unwrap();
    let whole = emulator.exchange(&request("GET", &path, &[], b""));
    assert_eq!((whole.status, whole.body.as_slice()), (200, &body[..]));
    assert_eq!(whole.header("etag"), put.header("etag"));
    assert!(whole.header("content-type").unwrap().starts_with("text/html"));
    for (name, value) in [
        ("accept-ranges", "bytes"),
        ("cache-control", "no-store"),
        ("content-length", "25"),
        ("content-security-policy", "sandbox"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(whole.header(name), Some(value));
    }
    assert!(whole.header("last-modified").unwrap().ends_with(" GMT"));
    let mut connection = emulator.connect();
    connection.send(&request("HEAD", &path, &[], b""));
    let head = connection.read_head();
    assert_eq!((head.status, head.header("content-length")), (200, Some("25")));
    connection.send(&request("GET", "/readyz", &[], b""));
    assert_eq!(connection.read().status, 200, "HEAD sent no body");
}

#[test]
fn ranges_and_conditions_are_honoured() {
    let emulator = Emulator::start(&[]);
    let put = emulator.exchange(&request(
        "PUT",
        &upload_path(&emulator, "ten"),
        &[("Transfer-Encoding", "chunked")],
        &chunked([&b"01234"[..], b"56789"]),
    ));
    let etag = put.header("etag").unwrap().to_owned();
    let path = download_url(&emulator, "ten").unwrap();
    let ask = |head: &[(&str, &str)]| emulator.exchange(&request("GET", &path, head, b""));
    let modified = ask(&[]).header("last-modified").unwrap().to_owned();
    let check = |head: &[(&str, &str)], status: u16, range: Option<&str>, body: &str| {
        let response = ask(head);
        let found = (response.status, response.header("content-range"), response.text());
        assert_eq!(found, (status, range, body), "{head:?}");
    };
    check(&[("Range", "bytes=2-4")], 206, Some("bytes 2-4/10"), "234");
    check(&[("Range", "bytes=7-")], 206, Some("bytes 7-9/10"), "789");
    check(&[("Range", "bytes=-2")], 206, Some("bytes 8-9/10"), "89");
    check(&[("Range", "bytes=0-999")], 206, Some("bytes 0-9/10"), "0123456789");
    check(&[("Range", "bytes=4-2")], 200, None, "0123456789");
    check(&[("Range", "bytes=0-1,4-5")], 200, None, "0123456789");
    check(&[("Range", "pages=1-2")], 200, None, "0123456789");
    check(&[("Range", "bytes=0-1"), ("If-Range", &etag)], 206, Some("bytes 0-1/10"), "01");
    check(&[("Range", "bytes=0-1"), ("If-Range", &modified)], 206, Some("bytes 0-1/10"), "01");
    check(&[("Range", "bytes=0-1"), ("If-Range", "\"other\"")], 200, None, "0123456789");
    check(&[("If-None-Match", &etag)], 304, None, "");
    check(&[("If-None-Match", "\"other\"")], 200, None, "0123456789");
    let beyond = ask(&[("Range", "bytes=10-")]);
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */10")));
}

#[test]
fn a_form_goes_in_whatever_the_order_of_its_fields() {
    let emulator = Emulator::start(&[]);
    let body: &[u8] = b"a\r\n--BOUNDAR\r\nb\0\xff";
    let key: (&str, &[u8]) = ("key", b"dir/a.bin");
    let file = ("file", body);
    let created: (&str, &[u8]) = ("success_action_status", b"201");
    let forms: &[(Fields<'_>, u16)] = &[
        (&[key, file], 204),
        (&[key, created, file], 201),
        (&[file, created, key], 201),
        (&[("Signature", b"s"), key, key, ("success_action_status", b"200"), file], 204),
    ];
    for (fields, status) in forms {
        let path = upload_path(&emulator, "dir/a.bin");
        let response = emulator.exchange(&request("POST", &path, &[FORM], &form(fields)));
        assert_eq!(response.status, *status, "{response:?}");
        assert!(response.header("etag").is_some());
        assert_eq!(download(&emulator, "dir/a.bin").unwrap().body, body);
        remove(&emulator, "dir/a.bin");
    }
}

#[test]
fn a_broken_upload_leaves_nothing() {
    let mut emulator = Emulator::start(&[]);
    let whole_form = form(&[("key", b"x"), ("file", b"hello")]);
    let two_files = form(&[("file", b"hello"), ("file", b"again")]);
    let files_before = files_below(&emulator.data().join("files"));
    let refused: &[(&str, Head<'_>, &[u8])] = &[
        ("POST", &[FORM], &form(&[("key", b"x")])),
        ("POST", &[FORM], &two_files),
        ("POST", &[FORM], &whole_form[..whole_form.len() - 4]),
        ("POST", &[FORM], b""),
        ("POST", &[FORM], b"hello"),
        ("POST", &[], &whole_form),
        ("POST", &[("Content-Type", "multipart/form-data")], &whole_form),
        ("PUT", &[("Transfer-Encoding", "chunked")], b"5\r\nhello\r\nnonsense\r\n"),
    ];
    for (method, head, body) in refused {
        let response = emulator.exchange(&request(method, &upload_path(&emulator, "a.txt"), head, body));
        assert_eq!(response.status, 400, "{method} {head:?}");
        assert!(response.text().contains("<Error><Code>INVALID_PARAM</Code><Message>"), "{response:?}");
    }
    let half: &[(&str, Head<'_>, &[u8])] = &[
        ("PUT", &[("Content-Length", "100")], b"hello"),
        ("PUT", &[("Transfer-Encoding", "chunked")], b"5\r\nhello\r\n"),
        ("POST", &[FORM, ("Content-Length", "1000")], &whole_form),
        ("POST", &[FORM, ("Content-Length", "1000")], &whole_form[..whole_form.len() - 20]),
    ];
    for (method, head, body) in half {
        let mut connection = emulator.connect();
        connection.send(&request(method, &upload_path(&emulator, "a.txt"), head, body));
        thread::sleep(Duration::from_millis(50));
        assert!(files_below(&emulator.data().join("files")) > files_before, "a body is being received");
    }
    eventually("half uploads are gone", || files_below(&emulator.data().join("files")) == files_before);
    assert_eq!(download_url(&emulator, "a.txt"), None);
    assert!(emulator.is_well());
}

#[test]
fn tickets_and_links_cannot_be_made_up() {
    let emulator = Emulator::start(&[]);
    let ticket = upload_path(&emulator, "a.txt");
    assert_eq!(emulator.exchange(&request("PUT", &ticket, &[], b"hello")).status, 200);
    let link = download_url(&emulator, "a.txt").unwrap();
    let changed = |path: &str, at: usize| {
        let mut path = path.to_owned().into_bytes();
        path[at] = if path[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(path).unwrap()
    };
    for at in ["/files/upload/".len(), ticket.len() / 2, ticket.len() - 2] {
        let response = emulator.exchange(&request("PUT", &changed(&ticket, at), &[], b"evil!"));
        assert_eq!(response.status, 403, "{response:?}");
        assert!(response.text().contains("<Code>STORAGE_SIGN_PARAM_INVALID</Code>"));
    }
    let sign = link.find("sign=").unwrap() + "sign=".len();
    for path in
        [changed(&link, "/files/download/".len()), changed(&link, sign), link.split('?').next().unwrap().to_owned()]
    {
        assert_eq!(emulator.exchange(&request("GET", &path, &[], b"")).status, 403, "{path}");
    }
    for path in ["", "..", "../../emulator.json", "..%2f..%2femulator.json", "%00", "a/b", "\\..\\emulator.json"] {
        let response = emulator.exchange(&request("GET", &format!("/files/download/{path}"), &[], b""));
        assert_eq!(response.status, 403, "{path}");
        let response = emulator.exchange(&request("PUT", &format!("/files/upload/{path}"), &[], b"evil!"));
        assert_eq!(response.status, 403, "{path}");
    }
    assert_eq!(download(&emulator, "a.txt").unwrap().body, b"hello");
    remove(&emulator, "a.txt");
    assert_eq!(emulator.exchange(&request("GET", &link, &[], b"")).status, 404);
}

#[test]
fn a_large_body_survives_the_way() {
    let emulator = Emulator::start(&[]);
    let body: Vec<u8> =
        (0..32 * MEGABYTE as u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert_eq!(emulator.exchange(&request("PUT", &upload_path(&emulator, "big"), &[], &body)).status, 200);
    assert!(download(&emulator, "big").unwrap().body == body);
    let in_form = form(&[("file", body.as_slice()), ("success_action_status", b"201")]);
    assert_eq!(emulator.exchange(&request("POST", &upload_path(&emulator, "big2"), &[FORM], &in_form)).status, 201);
    assert!(download(&emulator, "big2").unwrap().body == body);
    assert_eq!(emulator.exchange(&request("PUT", &upload_path(&emulator, "empty"), &[], b"")).status, 200);
    assert_eq!(download(&emulator, "empty").unwrap().body, b"");
}

// The emulator's own door.

#[test]
fn the_own_door_wants_its_token() {
    let emulator = Emulator::start(&[]);
    let bearer = format!("Bearer {}", emulator.token());
    let ask = |method: &str, command: &str, authorization: Option<&str>, body: &str| {
        let head: Vec<_> = authorization.map(|value| ("Authorization", value)).into_iter().collect();
        emulator.exchange(&request(method, &format!("/_emulator/{command}"), &head, body.as_bytes()))
    };
    for authorization in
        [None, Some(""), Some("Bearer "), Some("Bearer x"), Some(&bearer[..bearer.len() - 1]), Some(&bearer[7..])]
    {
        assert_eq!(ask("GET", "status", authorization, "").status, 401, "{authorization:?}");
        assert_eq!(ask("POST", "call", authorization, r#"{"function":"f"}"#).status, 401, "{authorization:?}");
        assert_eq!(ask("GET", "nothing", authorization, "").status, 401, "{authorization:?}");
    }
    assert!(ask("GET", "status", Some(&bearer), "").json().is_object());
    assert_eq!(ask("GET", "openapi.json", Some(&bearer), "").json()["openapi"], "3.1.0");
    assert_eq!(ask("GET", "nothing", Some(&bearer), "").status, 404);
    let called = ask("POST", "call", Some(&bearer), r#"{"function":"none"}"#);
    assert_eq!(
        (called.status, called.json()["error"]["code"].as_str()),
        (200, Some("FUNCTION_NOT_FOUND")),
        "{called:?}"
    );
    for body in [
        "",
        "[]",
        "{}",
        r#"{"function":5}"#,
        r#"{"function":"f","openid":5}"#,
        r#"{"function":"f","unknown":5}"#,
        r#"{"function":"f","env":"a b"}"#,
    ] {
        assert_eq!(ask("POST", "call", Some(&bearer), body).status, 400, "{body}");
    }
}

// Connections.

#[test]
fn a_connection_is_kept_and_pipelined() {
    let emulator = with_collection();
    let mut connection = emulator.connect();
    let requests: Vec<u8> = (0..50)
        .flat_map(|index| request("POST", "/admin", &[], insert_text(&format!("id-{index}")).as_bytes()))
        .collect();
    connection.send(&requests);
    for index in 0..50 {
        assert_eq!(connection.read().json()["data"]["insertedIds"][0], format!("id-{index}"));
    }
    connection.send(&request("GET", "/readyz", &[("Connection", "close")], b""));
    assert_eq!(connection.read().status, 200);
    assert!(connection.is_closed());
    assert_eq!(emulator.count("c"), 50);
}

#[test]
fn a_slow_client_is_waited_for() {
    let emulator = with_collection();
    let slow = thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let mut connection = emulator.connect();
            for byte in request("POST", "/admin", &[], insert_text("slow").as_bytes()) {
                connection.send(&[byte]);
                thread::sleep(Duration::from_millis(5));
            }
            connection.read()
        });
        for _ in 0..5 {
            assert_eq!(emulator.count("c"), 0, "others are served meanwhile");
        }
        slow.join().unwrap()
    });
    assert_eq!(slow.code(), None);
    let mut connection = emulator.connect();
    let pieces = insert_text("chunks");
    connection.send(&request(
        "POST",
        "/admin",
        &[("Transfer-Encoding", "chunked")],
        &chunked(pieces.as_bytes().chunks(1)),
    ));
    assert_eq!(connection.read().code(), None);
    assert_eq!(emulator.count("c"), 2);
}

#[test]
fn a_refused_client_that_stops_sending_is_answered() {
    let emulator = Emulator::start(&[]);
    let mut connection = emulator.connect();
    let started = Instant::now();
    connection.send(&request("POST", "/admin", &[("Origin", "null"), ("Content-Length", "1000")], b"{"));
    assert_eq!(connection.read().status, 403);
    // Long before the body counts as silent for good.
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[test]
fn a_client_that_hangs_up_harms_nobody() {
    let mut emulator = with_collection();
    let insert = request("POST", "/admin", &[], insert_text("x").as_bytes());
    let descriptors_before = descriptors(&emulator);
    for round in 0..200 {
        let mut connection = emulator.connect();
        connection.send(&insert[..insert.len() * (round % 10) / 10]);
    }
    for round in 0..50 {
        emulator.connect().send(&request("POST", "/admin", &[], insert_text(&format!("gone-{round}")).as_bytes()));
    }
    for bytes in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n\r\n\r\n",
        &[0; 4096],
        &[b'x'; MEGABYTE],
    ] {
        let mut connection = emulator.connect();
        // The emulator may well have hung up in the middle.
        let _ = connection.try_send(bytes);
        connection.finish_sending();
        connection.try_read();
    }
    eventually("what was asked in full was done", || emulator.count("c") == 50);
    eventually("connections are let go", || descriptors(&emulator) <= descriptors_before + 2);
    assert!(emulator.is_well());
}

#[test]
fn half_a_connection_still_gets_its_answer() {
    let emulator = with_collection();
    let mut connection = emulator.connect();
    connection.send(&request("POST", "/admin", &[], insert_text("x").as_bytes()));
    connection.finish_sending();
    assert_eq!(connection.read().json()["data"]["insertedIds"][0], "x");
}

#[test]
fn many_at_once_are_served() {
    let emulator = with_collection();
    thread::scope(|scope| {
        for client in 0..32 {
            let emulator = &emulator;
            scope.spawn(move || {
                let mut connection = emulator.connect();
                for index in 0..25 {
                    connection.send(&request(
                        "POST",
                        "/admin",
                        &[],
                        insert_text(&format!("{client}-{index}")).as_bytes(),
                    ));
                    assert_eq!(connection.read().code(), None);
                }
            });
        }
    });
    assert_eq!(emulator.count("c"), 32 * 25);
}

#[cfg(unix)]
#[test]
fn it_ends_in_order_although_connections_are_open() {
    let mut emulator = with_collection();
    let mut idle = emulator.connect();
    let mut used = emulator.connect();
    used.send(&request("GET", "/readyz", &[], b""));
    assert_eq!(used.read().status, 200);
    let status = emulator.terminate(Duration::from_secs(5)).expect("it ends while idle connections are open");
    assert!(status.success(), "{status}");
    assert!(idle.is_closed() && used.is_closed());
}

// What the tests share.

fn with_collection() -> Emulator {
    let emulator = Emulator::start(&[]);
    emulator.data_of(&json!({"action": "database.addCollection", "collectionName": "c"}));
    emulator
}

fn insert_text(id: &str) -> String {
    json!({"action": "database.insertDocument", "collectionName": "c", "data": [json!({"_id": id}).to_string()]})
        .to_string()
}

fn deep_document(levels: usize) -> String {
    format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels))
}

/// The path that takes the body of `path`.
fn upload_path(emulator: &Emulator, path: &str) -> String {
    let data = emulator.data_of(&json!({"action": "storage.getUploadMetadata", "path": path}));
    own_path(emulator, data["url"].as_str().unwrap())
}

fn file_id(emulator: &Emulator, path: &str) -> Value {
    emulator.data_of(&json!({"action": "storage.getUploadMetadata", "path": path}))["fileId"].take()
}

/// The path that gives the body of `path`; `None` when there is no such file.
fn download_url(emulator: &Emulator, path: &str) -> Option<String> {
    let list = json!([{"fileid": file_id(emulator, path)}]);
    let data = emulator.data_of(&json!({"action": "storage.batchGetDownloadUrl", "file_list": list}));
    let item = &data["download_list"][0];
    match item["code"].as_str().unwrap() {
        "SUCCESS" => Some(own_path(emulator, item["tempFileURL"].as_str().unwrap())),
        code => {
            assert_eq!(code, "STORAGE_FILE_NONEXIST");
            None
        }
    }
}

fn download(emulator: &Emulator, path: &str) -> Option<Response> {
    let url = download_url(emulator, path)?;
    let response = emulator.exchange(&request("GET", &url, &[], b""));
    assert_eq!(response.status, 200, "{path}");
    Some(response)
}

fn remove(emulator: &Emulator, path: &str) {
    let list = json!([file_id(emulator, path)]);
    let data = emulator.data_of(&json!({"action": "storage.batchDeleteFile", "fileid_list": list}));
    assert_eq!(data["delete_list"][0]["code"], "SUCCESS");
}

/// The path of an address that the emulator gave out; asserts that the address is its own.
fn own_path(emulator: &Emulator, url: &str) -> String {
    let path = url.strip_prefix(&format!("http://127.0.0.1:{}", emulator.port()));
    path.unwrap_or_else(|| panic!("{url} is not an address of this emulator")).to_owned()
}

/// How many files stand below `folder`.
fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

/// How many files and sockets it has open; 0 where the system does not tell.
fn descriptors(emulator: &Emulator) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", emulator.pid())).map_or(0, Iterator::count)
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
