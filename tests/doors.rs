//! The doors of js-sdk 2.x and 3.x, from outside: `/auth/v1/*` and `/v1/*`. What the official SDKs make of them is
//! `tests/sdk/js-sdk-*`; here is what no SDK shows: statuses, expiry, forged tokens, broken requests, other origins.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod page;
    pub(crate) mod process;
}

use std::time::Duration;

use serde_json::{Value, json};
use support::http::{Response, request};
use support::page::{Page, data_of, manage, web};
use support::process::Emulator;

const DOCUMENTS: &str = "/v1/database/instances/(default)/databases/(default)/collections/c/documents";

// Tokens.

#[test]
fn an_expired_token_is_told_and_refreshed() {
    let project = tempfile::tempdir().unwrap();
    std::fs::write(project.path().join("emulator.toml"), "access-token-seconds = 1\n").unwrap();
    let emulator = Emulator::start(&["--project", &project.path().display().to_string()]);
    manage(&emulator, "create", json!({ "collection": "c" }));
    let signed_in = auth(&emulator, "POST", "signin/anonymously", None, json!({})).json();
    let token = text(&signed_in, "access_token");
    assert_eq!(insert(&emulator, &token, "a").status, 200);
    std::thread::sleep(Duration::from_millis(1_200));
    let expired = insert(&emulator, &token, "b");
    assert_eq!((expired.status, expired.code().as_deref()), (401, Some("ACCESS_TOKEN_EXPIRED")));
    let me = auth(&emulator, "GET", "user/me", Some(&token), json!({}));
    assert_eq!((me.status, &me.json()["error"]), (401, &json!("unauthenticated")));
    let refreshed = refresh(&emulator, &text(&signed_in, "refresh_token")).json();
    assert_eq!(refreshed["sub"], signed_in["sub"]);
    assert_eq!(insert(&emulator, &text(&refreshed, "access_token"), "c").status, 200);
    assert_eq!(emulator.count("c"), 2);
}

#[test]
fn signing_out_ends_a_session_and_no_other() {
    let emulator = with_alice();
    let sign_in =
        || auth(&emulator, "POST", "signin", None, json!({ "username": "alice", "password": "secret" })).json();
    for (path, by_bearer) in [("revoke", false), ("user/signout", true)] {
        let (ended, other) = (sign_in(), sign_in());
        let token = text(&ended, "access_token");
        let bearer = by_bearer.then_some(token.as_str());
        let body = if by_bearer { json!({}) } else { json!({ "token": token }) };
        assert_eq!(auth(&emulator, "POST", path, bearer, body).json(), json!({}));
        let refused = refresh(&emulator, &text(&ended, "refresh_token"));
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")), "{path}");
        assert_eq!(insert(&emulator, &token, "x").code().as_deref(), Some("CHECK_LOGIN_FAILED"));
        assert_eq!(refresh(&emulator, &text(&other, "refresh_token")).status, 200);
    }
    assert_eq!(emulator.count("c"), 0);
}

#[test]
fn tokens_outlive_a_restart() {
    let mut emulator = with_alice();
    let signed_in =
        auth(&emulator, "POST", "signin", None, json!({ "username": "alice", "password": "secret" })).json();
    emulator.kill();
    let emulator = emulator.restart();
    assert_eq!(insert(&emulator, &text(&signed_in, "access_token"), "a").status, 200);
    assert_eq!(refresh(&emulator, &text(&signed_in, "refresh_token")).status, 200);
}

#[test]
fn a_token_is_whole_and_of_this_emulator() {
    let (emulator, stranger) = (with_alice(), Emulator::start(&[]));
    let anonymous = |emulator| auth(emulator, "POST", "signin/anonymously", None, json!({})).json();
    let (one, two) = (anonymous(&emulator), anonymous(&emulator));
    let (one_token, two_token) = (text(&one, "access_token"), text(&two, "access_token"));
    let parts: Vec<&str> = one_token.split('.').collect();
    let other_parts: Vec<&str> = two_token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let forged = [
        format!("{}.{}.{}", parts[0], parts[1], other_parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        // {"alg":"none"}
        format!("eyJhbGciOiJub25lIn0.{}.", parts[1]),
        text(&one, "refresh_token"),
        text(&anonymous(&stranger), "access_token"),
        "x".to_owned(),
    ];
    for token in forged {
        let refused = insert(&emulator, &token, "x");
        assert_eq!((refused.status, refused.code().as_deref()), (401, Some("CHECK_LOGIN_FAILED")), "{token}");
    }
    assert_eq!(emulator.count("c"), 0);
    assert_eq!(insert(&emulator, &one_token, "a").status, 200);
}

// Users.

#[test]
fn users_of_fixtures_sign_in_with_their_passwords() {
    let fixtures = tempfile::tempdir().unwrap();
    let users =
        json!([{ "name": "alice", "password": "secret", "email": "Alice@example.com", "phone": "138 0000 0000" }]);
    std::fs::write(fixtures.path().join("users.json"), users.to_string()).unwrap();
    let emulator = Emulator::start(&["--fixtures", &fixtures.path().display().to_string()]);
    for username in ["alice", "alice@example.com", "+86 13800000000"] {
        let body = json!({ "username": username, "password": "secret" });
        let signed_in = auth(&emulator, "POST", "signin", None, body).json();
        assert_eq!(signed_in["sub"], "oALICE0000000000000000000001", "{username}");
    }
}

#[test]
fn js_sdk_1_signs_in_with_accounts_too() {
    let emulator = with_alice();
    let sign_in = |params: Value| web(&emulator, "auth.signIn", params);
    let alice = sign_in(json!({ "loginType": "USERNAME", "username": "alice", "password": "secret" }));
    let info = data_of(web(&emulator, "auth.getUserInfo", json!({ "access_token": alice["access_token"] })));
    assert_eq!((&info["loginType"], &info["username"]), (&json!("USERNAME"), &json!("alice")));
    assert_eq!(sign_in(json!({ "username": "alice", "password": "x" }))["code"], "INVALID_PASSWORD");
    assert_eq!(sign_in(json!({ "username": "nobody", "password": "x" }))["code"], "NOT_FOUND");
    let sign_up = json!({ "email": "bob@example.com", "password": "secret" });
    data_of(web(&emulator, "auth.signUpWithEmailAndPassword", sign_up.clone()));
    assert_eq!(web(&emulator, "auth.signUpWithEmailAndPassword", sign_up.clone())["code"], "ALREADY_EXISTS");
    assert!(sign_in(sign_up)["refresh_token"].is_string());
    let is_registered = |name: &str| data_of(web(&emulator, "auth.isUsernameRegistered", json!({ "username": name })));
    assert_eq!(is_registered("alice"), json!({ "isRegistered": true }));
    assert_eq!(is_registered("nobody"), json!({ "isRegistered": false }));
    let phone = json!({ "phoneNumber": "+86 13900000000" });
    assert_eq!(data_of(web(&emulator, "auth.sendPhoneCode", phone)), json!({ "SendStatus": "Ok" }));
    let by_phone = json!({ "phoneNumber": "+86 13900000000", "phoneCode": last_code(&emulator, "+8613900000000") });
    assert!(sign_in(by_phone.clone())["access_token"].is_string());
    assert_eq!(sign_in(by_phone)["code"], "INVALID_VERIFICATION_CODE");
}

#[test]
fn an_account_is_nobody_elses() {
    let emulator = with_alice();
    let post = |path: &str, body: Value| auth(&emulator, "POST", path, None, body);
    let verify = |email: &str| {
        let sent = post("verification", json!({ "email": email })).json();
        let code = last_code(&emulator, email);
        let body = json!({ "verification_id": sent["verification_id"], "verification_code": code });
        post("verification/verify", body).json()["verification_token"].take()
    };
    let token = verify("mallory@example.com");
    let attempts = [
        ("signin", json!({ "username": "alice", "verification_token": token }), 400),
        ("signin", json!({ "username": "alice@example.com", "verification_token": token }), 400),
        ("signin", json!({ "username": "alice" }), 400),
        ("signup", json!({ "email": "alice@example.com", "verification_token": token }), 400),
        ("signup", json!({ "username": "alice", "verification_token": token }), 409),
        ("signup", json!({ "username": "mallory", "password": "x" }), 400),
        ("reset", json!({ "email": "alice@example.com", "new_password": "x", "verification_token": "x" }), 400),
        ("signin/with/provider", json!({ "provider_token": token }), 400),
        ("token", json!({ "refresh_token": token }), 400),
    ];
    for (path, body, status) in attempts {
        let answer = post(path, body.clone());
        assert_eq!(answer.status, status, "{path} {body} {}", answer.text());
    }
    assert_eq!(post("reset", json!({ "new_password": "x", "verification_token": token })).status, 404);
    let sign_in = |password: &str| post("signin", json!({ "username": "alice", "password": password })).status;
    assert_eq!((sign_in("x"), sign_in("secret")), (400, 200));
    let token = verify("alice@example.com");
    assert_eq!(post("reset", json!({ "new_password": "changed", "verification_token": token })).status, 200);
    assert_eq!((sign_in("secret"), sign_in("changed")), (400, 200));
}

#[test]
fn a_password_is_changed_by_whoever_knows_it() {
    let emulator = with_alice();
    let signed_in =
        auth(&emulator, "POST", "signin", None, json!({ "username": "alice", "password": "secret" })).json();
    let token = text(&signed_in, "access_token");
    let ask = |method: &str, path: &str, body: Value| auth(&emulator, method, path, Some(&token), body);
    assert_eq!(ask("PATCH", "user/password", json!({ "new_password": "changed" })).status, 400);
    assert_eq!(ask("POST", "user/sudo", json!({ "password": "wrong" })).status, 400);
    let sudo = ask("POST", "user/sudo", json!({ "password": "secret" })).json();
    let body = json!({ "new_password": "changed", "sudo_token": sudo["sudo_token"] });
    assert_eq!(ask("PATCH", "user/password", body).status, 200);
    let sign_in = |password| json!({ "username": "alice", "password": password });
    assert_eq!(auth(&emulator, "POST", "signin", None, sign_in("secret")).json()["error"], "invalid_password");
    assert_eq!(auth(&emulator, "POST", "signin", None, sign_in("changed")).status, 200);
}

// Documents, files and functions.

#[test]
fn errors_have_their_statuses() {
    let emulator = with_alice();
    let token = Page::open(&emulator, "alice").token;
    assert_eq!(insert(&emulator, &token, "a").status, 200);
    let place = "/v1/database/instances/(default)/databases/(default)";
    let rows = [
        (
            "POST",
            format!("{place}/collections/nowhere/documents"),
            json!({ "data": [{}] }),
            404,
            "DATABASE_COLLECTION_NOT_EXIST",
        ),
        ("GET", format!("{DOCUMENTS}/none"), json!({}), 404, "DOCUMENT_NOT_FOUND"),
        ("POST", DOCUMENTS.to_owned(), json!({ "data": [{ "_id": "a" }] }), 409, "DATABASE_DUPLICATE_WRITE"),
        ("POST", DOCUMENTS.to_owned(), json!({ "data": {} }), 400, "INVALID_PARAM"),
        ("GET", format!("{DOCUMENTS}?limit=x"), json!({}), 400, "INVALID_PARAM"),
        (
            "GET",
            format!("{DOCUMENTS}?query=%7B%22n%22:%7B%22$fly%22:1%7D%7D"),
            json!({}),
            500,
            "DATABASE_REQUEST_FAILED",
        ),
        ("POST", format!("{place}/collections"), json!({ "collectionName": "d" }), 401, "DATABASE_PERMISSION_DENIED"),
        (
            "GET",
            "/v1/database/instances/x/databases/y/collections/c/documents".to_owned(),
            json!({}),
            400,
            "INVALID_PARAM",
        ),
        ("PUT", DOCUMENTS.to_owned(), json!({}), 404, "NOT_FOUND"),
        ("POST", "/v1/functions/nowhere".to_owned(), json!({}), 404, "FUNCTION_NOT_FOUND"),
        ("POST", "/v1/storages/move-objects".to_owned(), json!([]), 404, "NOT_FOUND"),
        ("POST", "/v1/storages/delete-objects".to_owned(), json!({}), 400, "INVALID_PARAM"),
    ];
    for (method, path, body, status, code) in rows {
        let answer = rest(&emulator, method, &path, Some(&token), &body);
        assert_eq!(
            (answer.status, answer.code().as_deref()),
            (status, Some(code)),
            "{method} {path} {}",
            answer.text()
        );
        assert_eq!(answer.json()["requestId"], "request-1");
    }
    let strangers = rest(&emulator, "POST", DOCUMENTS, None, &json!({ "data": [{}] }));
    assert_eq!((strangers.status, strangers.code().as_deref()), (401, Some("CHECK_LOGIN_FAILED")));
    assert_eq!(emulator.count("c"), 1);
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let emulator = Emulator::start(&[]);
    for family in ["ai/x", "aibot/x", "apis/x", "cloudrun/service/path", "model/prod/m/list", "rdb/rest/t", "sql"] {
        let answer = rest(&emulator, "POST", &format!("/v1/{family}"), None, &json!({}));
        let name = format!("/v1/{}", family.split('/').next().unwrap());
        assert_eq!(answer.json()["message"], format!("not supported by the emulator: {name}"));
    }
    for (method, path) in [("GET", "captcha/init"), ("GET", "user/provider"), ("DELETE", "user/me")] {
        let answer = auth(&emulator, method, path, None, json!({}));
        assert_eq!((answer.status, &answer.json()["error"]), (501, &json!("unimplemented")), "{path}");
        assert_eq!(
            answer.json()["error_description"],
            format!("not supported by the emulator: {method} /auth/v1/{path}")
        );
    }
    assert_eq!(rest(&emulator, "POST", "/auth/v2/token", None, &json!({})).status, 404);
}

#[test]
fn a_broken_request_is_refused_and_changes_nothing() {
    let mut emulator = with_alice();
    let token = Page::open(&emulator, "alice").token;
    let head = [("Authorization", format!("Bearer {token}"))];
    let head: Vec<(&str, &str)> = head.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let bodies: [&[u8]; 7] =
        [b"", b"[", b"\xff\xfe", b"null", b"[1]", b"{\"data\":[[]],\"pipeline\":5,\"username\":5}", deep.as_bytes()];
    let place = "/v1/database/instances/(default)/databases/(default)";
    let paths = [
        DOCUMENTS.to_owned(),
        format!("{DOCUMENTS}/remove"),
        format!("{DOCUMENTS}/aggregations"),
        format!("{place}/transactions/%00/commit"),
        format!("{place}/commands"),
        "/v1/functions/%ff".to_owned(),
        "/v1/storages/get-objects-upload-info".to_owned(),
        "/v1/storages/copy-objects".to_owned(),
        "/auth/v1/signin".to_owned(),
        "/auth/v1/signup".to_owned(),
        "/auth/v1/provider/token".to_owned(),
        "/auth/v1/verification".to_owned(),
    ];
    for (path, body) in paths.iter().flat_map(|path| bodies.iter().map(move |body| (path, body))) {
        for method in ["POST", "PATCH", "GET"] {
            let answer = emulator.exchange(&request(method, path, &head, body));
            assert_ne!(answer.code().as_deref(), Some("SYS_ERR"), "{method} {path} {}", answer.text());
            assert_ne!(answer.json()["error"], "internal", "{method} {path}");
        }
    }
    assert_eq!(emulator.count("c"), 0);
    assert!(emulator.is_well());
}

// Pages of other origins.

#[test]
fn pages_of_loopback_are_told_that_they_may() {
    let emulator = Emulator::start(&[]);
    let asked = "authorization,content-type,x-device-id,x-request-id,x-sdk-version";
    let head = [
        ("Origin", "http://localhost:5173"),
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", asked),
    ];
    for path in [DOCUMENTS, "/auth/v1/user/password"] {
        let answer = emulator.exchange(&request("OPTIONS", path, &head, b""));
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some("http://localhost:5173")));
        assert_eq!(answer.header("access-control-allow-headers"), Some(asked));
        assert!(answer.header("access-control-allow-methods").unwrap().contains("PATCH"), "{path}");
    }
}

#[test]
fn pages_of_a_named_origin_are_let_in_by_the_doors_for_pages() {
    const ORIGIN: &str = "https://dev.example.com:8443";
    let project = tempfile::tempdir().unwrap();
    std::fs::write(project.path().join("emulator.toml"), "allowed-origins = [\"http://file.example.com\"]\n").unwrap();
    let emulator = Emulator::start(&["--project", &project.path().display().to_string(), "--origin", ORIGIN]);
    manage(&emulator, "create", json!({ "collection": "c" }));
    let sign_in = |origin: &str| {
        let path = "/auth/v1/signin/anonymously?client_id=cloud1";
        emulator.exchange(&request("POST", path, &[("Origin", origin)], b"{}"))
    };
    for origin in [ORIGIN, "http://file.example.com", "http://127.0.0.1:1"] {
        let answer = sign_in(origin);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(origin)));
    }
    for origin in ["https://dev.example.com", "https://evil.example", "null"] {
        assert_eq!(sign_in(origin).status, 403, "{origin}");
    }
    let token = text(&sign_in(ORIGIN).json(), "access_token");
    let authorization = format!("Bearer {token}");
    let insert = |origin: &str| {
        let head = [("Origin", origin), ("Authorization", authorization.as_str())];
        emulator.exchange(&request("POST", DOCUMENTS, &head, br#"{"data":[{}]}"#)).status
    };
    assert_eq!((insert("https://evil.example"), emulator.count("c")), (403, 0));
    assert_eq!((insert(ORIGIN), emulator.count("c")), (200, 1));
    let admin = br#"{"action":"database.insertDocument","collectionName":"c","data":["{}"]}"#;
    assert_eq!(emulator.exchange(&request("POST", "/admin", &[("Origin", ORIGIN)], admin)).status, 403);
    assert_eq!(emulator.count("c"), 1);
}

/// An emulator with the collection `c` and a user with a password.
fn with_alice() -> Emulator {
    let emulator = Emulator::start(&[]);
    manage(&emulator, "create", json!({ "collection": "c" }));
    let alice = json!({ "name": "alice", "password": "secret", "email": "alice@example.com" });
    manage(&emulator, "users/add", alice);
    emulator
}

fn auth(emulator: &Emulator, method: &str, path: &str, token: Option<&str>, body: Value) -> Response {
    rest(emulator, method, &format!("/auth/v1/{path}?client_id=cloud1"), token, &body)
}

fn refresh(emulator: &Emulator, refresh_token: &str) -> Response {
    auth(emulator, "POST", "token", None, json!({ "grant_type": "refresh_token", "refresh_token": refresh_token }))
}

fn insert(emulator: &Emulator, token: &str, id: &str) -> Response {
    rest(emulator, "POST", DOCUMENTS, Some(token), &json!({ "data": [{ "_id": id }] }))
}

fn rest(emulator: &Emulator, method: &str, path: &str, token: Option<&str>, body: &Value) -> Response {
    let authorization = format!("Bearer {}", token.unwrap_or_default());
    let mut head = vec![("X-Request-Id", "request-1")];
    if token.is_some() {
        head.push(("Authorization", &authorization));
    }
    let body = if method == "GET" { String::new() } else { body.to_string() };
    emulator.exchange(&request(method, path, &head, body.as_bytes()))
}

fn last_code(emulator: &Emulator, to: &str) -> String {
    let outbox = manage(emulator, "outbox", json!({}));
    let message = outbox["messages"].as_array().unwrap().iter().rev().find(|message| message["to"] == to);
    text(message.unwrap(), "code")
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}
