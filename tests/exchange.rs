//! Data in and out, from outside: imports of what the cloud's console exports, exports that the console takes, whole environments
//! as fixture folders. What a mistake, a lost connection or a sudden death leaves behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support {
    pub(crate) mod http;
    pub(crate) mod page;
    pub(crate) mod process;
}

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::http::{Connection, request};
use support::page::{command, manage};
use support::process::Emulator;
use tempfile::TempDir;

/// How often the emulator is killed in the middle of each command.
const KILLS: u64 = 20;
/// So many documents that a command takes long enough to be killed in.
const DOCUMENTS: usize = 20_000;

// What the console exports.

#[test]
fn json_comes_in_by_each_mode() {
    let emulator = Emulator::start(&[]);
    let around = tempfile::tempdir().unwrap();
    let first = write(around.path(), "a.json", b"{\"_id\":\"a\",\"n\":1}\n{\"_id\":\"b\",\"n\":1,\"p.q\":true}\n");
    let second = write(around.path(), "b.json", b"{\"_id\":\"b\",\"n\":2}\n{\n  \"n\": 3\n}{\"_id\":\"b\",\"n\":4}");
    let import = |file: &Path, mode: &str| {
        let report = manage(&emulator, "import", json!({ "file": file, "collection": "c", "mode": mode }));
        let count = |name: &str| report[name].as_u64().unwrap();
        (count("inserted"), count("updated"), count("removed"), count("documents"))
    };
    assert_eq!(import(&first, "insert"), (2, 0, 0, 2));
    assert_eq!(find(&emulator, "c"), json!([{"_id":"a","n":1},{"_id":"b","n":1,"p":{"q":true}}]));
    assert_eq!(import(&second, "upsert"), (1, 2, 0, 3));
    let found = find(&emulator, "c");
    assert_eq!((&found[1], &found[2]["n"]), (&json!({"_id":"b","n":4}), &json!(3)), "replaced, not merged");
    assert_eq!(found[2]["_id"].as_str().unwrap().len(), 32);
    assert_eq!(import(&first, "replace"), (2, 0, 3, 2));
    assert_eq!(find(&emulator, "c").as_array().unwrap().len(), 2);
}

#[test]
fn csv_comes_in_as_chinese_spreadsheets_write_it() {
    let emulator = Emulator::start(&[]);
    let around = tempfile::tempdir().unwrap();
    // 姓名,住址.城市,年龄 / 张三,北京,30 / 李四,"上,海",
    let gbk = b"\xd0\xd5\xc3\xfb,\xd7\xa1\xd6\xb7.\xb3\xc7\xca\xd0,\xc4\xea\xc1\xe4\r\n\xd5\xc5\xc8\xfd,\xb1\xb1\xbe\xa9,30\r\n\xc0\xee\xcb\xc4,\"\xc9\xcf,\xba\xa3\",\r\n";
    let text = "姓名,住址.城市,年龄\r\n张三,北京,30\r\n李四,\"上,海\",\r\n";
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for (name, bytes, encoding, expected) in [
        ("gbk.csv", &gbk[..], None, "gb18030"),
        ("gbk.csv", &gbk[..], Some("gbk"), "gbk"),
        ("plain.csv", text.as_bytes(), None, "utf-8"),
        ("marked.csv", &marked[..], None, "utf-8"),
        ("named.txt", text.as_bytes(), None, "utf-8"),
    ] {
        let file = write(around.path(), name, bytes);
        let params = json!({ "file": file, "collection": "people", "mode": "replace", "encoding": encoding });
        let report = manage(&emulator, "import", params);
        assert_eq!((&report["encoding"], &report["format"]), (&json!(expected), &json!("csv")), "{name}");
        let mut found = find(&emulator, "people");
        found.as_array_mut().unwrap().iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("_id")));
        let expected = json!([
            { "姓名": "张三", "住址": { "城市": "北京" }, "年龄": 30 },
            { "姓名": "李四", "住址": { "城市": "上,海" }, "年龄": "" },
        ]);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_console_form_goes_out_and_comes_back() {
    let emulator = Emulator::start(&[]);
    let around = tempfile::tempdir().unwrap();
    let lines = odd_documents();
    let file = write(around.path(), "in.json", lines.as_bytes());
    manage(&emulator, "import", json!({ "file": file, "collection": "c" }));
    let before = canonical(&emulator, around.path());
    let exported = around.path().join("out.json");
    let export = json!({ "file": exported, "collection": "c", "format": "json" });
    let count = manage(&emulator, "export/collection", export.clone())["documents"].as_u64().unwrap();
    assert_eq!(count as usize, lines.lines().count());
    assert_eq!(refusal(&emulator, "export/collection", export), "INVALID_PARAM", "the file is there already");
    let text = std::fs::read_to_string(&exported).unwrap();
    assert!(text.contains("{\"$date\":\"2018-08-31T17:30:00.882Z\"}") && text.contains("\"n\":5,"), "{text}");
    for mode in ["upsert", "upsert", "replace"] {
        manage(&emulator, "import", json!({ "file": exported, "collection": "c", "mode": mode }));
        assert_eq!(canonical(&emulator, around.path()), before, "{mode}");
    }
    let table = around.path().join("out.csv");
    let fields = ["_id", "n", "place", "at", "missing", "inner.a"];
    manage(
        &emulator,
        "export/collection",
        json!({ "file": table, "collection": "c", "format": "csv", "fields": fields }),
    );
    let text = std::fs::read_to_string(&table).unwrap();
    let expected = "_id,n,place,at,missing,inner.a\n\
                    a,5,\"{\"\"type\"\":\"\"Point\"\",\"\"coordinates\"\":[113.5,23]}\",2018-08-31T17:30:00.882Z,,x\n";
    assert!(text.starts_with(expected), "{text}");
    manage(&emulator, "import", json!({ "file": table, "collection": "c", "mode": "upsert" }));
    let params = json!({ "file": table, "collection": "c", "format": "csv", "overwrite": true });
    assert_eq!(refusal(&emulator, "export/collection", params), "INVALID_PARAM", "CSV needs fields");
}

// Whole environments.

#[test]
fn an_exported_environment_seeds_an_equal_one() {
    let around = tempfile::tempdir().unwrap();
    let first = Emulator::start(&[]);
    fill(&first, around.path());
    let (one, two) = (around.path().join("one"), around.path().join("two"));
    let report = manage(&first, "export", json!({ "folder": one }));
    assert_eq!(report, json!({ "collections": 4, "documents": 10, "files": 6, "users": 2 }));
    let second = Emulator::start(&[]);
    manage(&second, "seed", json!({ "folder": one }));
    manage(&second, "export", json!({ "folder": two }));
    assert_eq!(tree(&one), tree(&two));
    let names: Vec<String> = tree(&one).into_keys().collect();
    for name in ["database/%74%6F%64%6F%73.jsonl", "database/a%2Fb.jsonl", "storage/DIR/A.TXT", "storage/.unnamed/"] {
        assert!(names.iter().any(|found| found.starts_with(name)), "{name} {names:?}");
    }
    for path in ["dir/a.txt", "dir", "DIR/A.TXT", "con", "../x", "图/片.png"] {
        assert_eq!(content(&second, path).as_deref(), Some(path), "{path}");
    }
    let signed_in = support::page::web(
        &second,
        "auth.signIn",
        json!({ "loginType": "USERNAME", "username": "alice", "password": "secret-1" }),
    );
    assert!(!signed_in["access_token"].is_null() || signed_in["data"]["access_token"].is_string(), "{signed_in}");
}

#[test]
fn an_export_takes_the_place_of_fixtures_and_of_nothing_else() {
    let around = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&[]);
    manage(&emulator, "create", json!({ "collection": "c" }));
    let folder = around.path().join("fixtures");
    manage(&emulator, "export", json!({ "folder": folder }));
    assert_eq!(names(&folder), ["database"]);
    assert_eq!(refusal(&emulator, "export", json!({ "folder": folder })), "INVALID_PARAM");
    manage(&emulator, "create", json!({ "collection": "d" }));
    manage(&emulator, "export", json!({ "folder": folder, "overwrite": true }));
    assert_eq!(names(&folder.join("database")), ["c.jsonl", "d.jsonl"]);
    write(&folder, "notes.md", b"mine");
    let response = command(&emulator, "export", json!({ "folder": folder, "overwrite": true }));
    assert!(response.status == 400 && response.text().contains("`notes.md`"), "{response:?}");
    assert_eq!(std::fs::read(folder.join("notes.md")).unwrap(), b"mine");
    assert_eq!(refusal(&emulator, "export", json!({ "folder": "relative" })), "INVALID_PARAM");
    assert_eq!(names(around.path()), ["fixtures"], "nothing is left beside it");
}

#[test]
fn an_export_is_one_moment_while_others_write() {
    let around = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&[]);
    for collection in ["left", "right"] {
        manage(&emulator, "create", json!({ "collection": collection }));
        let rows: String = (0..300).map(|n| format!("{{\"_id\":\"{n}\",\"v\":0}}\n")).collect();
        let file = write(around.path(), "rows.json", rows.as_bytes());
        manage(&emulator, "import", json!({ "file": file, "collection": collection }));
    }
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (emulator, ended) = (&emulator, &ended);
            scope.spawn(move || {
                for round in 0.. {
                    if ended.load(Ordering::Relaxed) {
                        break;
                    }
                    add_to_both(emulator, &((writer * 150 + round % 150).to_string()));
                }
            });
        }
        let _ending = Ending(&ended);
        for round in 0..15 {
            let folder = around.path().join(format!("export-{round}"));
            manage(&emulator, "export", json!({ "folder": folder }));
            let read = |name: &str| std::fs::read_to_string(folder.join("database").join(name)).unwrap();
            assert_eq!(read("left.jsonl"), read("right.jsonl"), "round {round}");
        }
    });
    let first = |round: u32| {
        std::fs::read_to_string(around.path().join(format!("export-{round}/database/left.jsonl"))).unwrap()
    };
    assert_ne!(first(0), first(14), "somebody wrote meanwhile");
}

/// Says that it has ended, also when what was asserted does not hold: others wait for that.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One more in two collections, in one transaction.
fn add_to_both(emulator: &Emulator, id: &str) {
    let begun = act(emulator, "database.startTransaction", json!({}));
    let transaction = &begun["transactionId"];
    for collection in ["left", "right"] {
        let params = json!({
            "collectionName": collection, "transactionId": transaction, "query": { "_id": { "$eq": id } }, "upsert": false,
            "data": "{\"$inc\":{\"v\":{\"$numberInt\":\"1\"}}}",
        });
        act(emulator, "database.updateDocInTransaction", params);
    }
    act(emulator, "database.commitTransaction", json!({ "transactionId": transaction }));
}

// Masks.

#[test]
fn masks_are_the_same_each_time_and_everywhere() {
    let around = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&[]);
    let people = "{\"_id\":\"a\",\"_openid\":\"oALICE0000000000000000000001\",\"phone\":\"13800138000\",\"name\":\"张三\",\"age\":30}\n";
    let orders = "{\"_id\":\"1\",\"buyer\":{\"phone\":\"13800138000\",\"name\":\"张三\"},\"tags\":[\"x\"]}\n";
    for (collection, text) in [("people", people), ("orders", orders)] {
        let file = write(around.path(), "in.json", text.as_bytes());
        manage(&emulator, "import", json!({ "file": file, "collection": collection }));
    }
    let user = json!({ "name": "alice", "openid": "oALICE0000000000000000000001", "phone": "13800138000" });
    manage(&emulator, "users/add", user);
    let export = |name: &str, key: Value| {
        let folder = around.path().join(name);
        let anonymise = ["_openid", "phone", "people.name", "buyer.phone", "orders.buyer.name"];
        manage(&emulator, "export", json!({ "folder": folder, "anonymise": anonymise, "anonymiseKey": key }));
        tree(&folder)
    };
    let exported = export("one", json!("key"));
    assert_eq!(exported, export("two", json!("key")));
    assert_ne!(exported, export("three", json!("other")));
    assert_eq!(export("four", Value::Null), export("five", Value::Null));
    let all: String = exported.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    assert!(!all.contains("张三") && !all.contains("13800138000") && !all.contains("oALICE"), "{all}");
    let person: Value = serde_json::from_slice(&exported["database/people.jsonl"]).unwrap();
    let order: Value = serde_json::from_slice(&exported["database/orders.jsonl"]).unwrap();
    let users: Value = serde_json::from_slice(&exported["users.json"]).unwrap();
    assert_eq!((&person["phone"], &person["name"]), (&order["buyer"]["phone"], &order["buyer"]["name"]));
    assert_eq!(users[0]["openid"], person["_openid"]);
    assert_eq!(users[0]["phone"].as_str().unwrap(), format!("+86{}", person["phone"].as_str().unwrap()));
    assert_eq!(person["phone"].as_str().unwrap().len(), 11);
    let file = write(around.path(), "in.json", people.as_bytes());
    let anonymise = ["_openid", "phone", "name"];
    let params = json!({ "file": file, "collection": "people", "mode": "replace", "anonymise": anonymise, "anonymiseKey": "key" });
    manage(&emulator, "import", params);
    let found = find(&emulator, "people");
    assert_eq!(
        (&found[0]["phone"], &found[0]["_openid"], &found[0]["age"]),
        (&person["phone"], &person["_openid"], &json!(30))
    );
}

// Mistakes.

#[test]
fn a_malformed_file_is_refused_with_its_place_and_changes_nothing() {
    let around = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&[]);
    let good = write(around.path(), "good.json", b"{\"_id\":\"a\",\"n\":1,\"u\":1}\n{\"_id\":\"b\",\"n\":2,\"u\":2}\n");
    manage(&emulator, "import", json!({ "file": good, "collection": "c" }));
    manage(&emulator, "indexes/create", json!({ "collection": "c", "keys": { "u": 1 }, "unique": true }));
    manage(&emulator, "indexes/create", json!({ "collection": "c", "keys": { "g": "2dsphere" } }));
    let before = (find(&emulator, "c"), manage(&emulator, "collections", json!({})));
    let mistakes = mistakes();
    assert!(mistakes.len() >= 40, "{}", mistakes.len());
    for (name, bytes, more, expected) in &mistakes {
        let file = write(around.path(), name, bytes);
        for mode in ["insert", "upsert", "replace"] {
            let mut params = json!({ "file": file, "collection": "c", "mode": mode });
            params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let response = command(&emulator, "import", params);
            let is_conflict = expected.contains("already: import with the mode");
            if is_conflict && mode != "insert" {
                continue;
            }
            assert_eq!(
                (response.status, response.code().as_deref()),
                (400, Some("INVALID_PARAM")),
                "{expected}: {response:?}"
            );
            let place = format!("{}:{expected}", file.display());
            assert!(response.json()["message"].as_str().unwrap().contains(&place), "{place}: {}", response.text());
            assert_eq!((find(&emulator, "c"), manage(&emulator, "collections", json!({}))), before, "{expected}");
        }
    }
    for params in [
        json!({ "file": good, "collection": "_emulator" }),
        json!({ "file": good, "collection": "c", "encoding": "klingon" }),
        json!({ "file": good, "collection": "c", "mode": "merge" }),
        json!({ "file": around.path().join("missing.json"), "collection": "c" }),
        json!({ "file": around.path(), "collection": "c" }),
        json!({ "file": "good.json", "collection": "c" }),
        json!({ "file": good, "collection": "c", "anonymise": ["a..b"] }),
    ] {
        assert_eq!(command(&emulator, "import", params.clone()).status, 400, "{params}");
    }
    assert_eq!((find(&emulator, "c"), manage(&emulator, "collections", json!({}))), before);
}

/// Files, with more params, and where and what the mistake is.
/// A key of so many segments, with something around it.
fn path_of(segments: usize, before: &str, after: &str) -> Vec<u8> {
    format!("{before}{}a{after}", "a.".repeat(segments)).into_bytes()
}

fn mistakes() -> Vec<(&'static str, Vec<u8>, Value, &'static str)> {
    let deep = format!("{{}}\n{{\"a\":{}1{}}}", "[".repeat(101), "]".repeat(101));
    let large = format!("{{}}\n{{\"a\":\"{}\"}}", "x".repeat(17 << 20));
    let long_id = format!("{{}}\n{{\"_id\":\"{}\"}}", "x".repeat(1025));
    let json_mistakes: &[(&str, &str)] = &[
        ("[{\"_id\":\"n\"}]", "1:1: an array: the objects stand"),
        ("{\"_id\":\"n\"},\n{}", "1:12: a comma between the objects"),
        ("{}\n\"x\"", "2:1: an object must stand here"),
        ("{}\n5", "2:1: an object must stand here"),
        ("{}\n}", "2:1: a bracket that nothing opened"),
        ("_id,n\n1,2", "1:1: an object must stand here"),
        ("{}\n{\"a\":1", "2:1: invalid JSON: the object that begins here does not end"),
        ("{}\n{\"a\":\"x", "2:1: invalid JSON: the object that begins here does not end"),
        ("{}\n{\"a\":1\n{\"b\":2}", "3:1: invalid JSON: expected `,` or `}`"),
        ("{}\n{\"a\" 1}", "2:6: invalid JSON: expected `:`"),
        ("{}\n{\"a\":1,}", "2:8: invalid JSON: trailing comma"),
        ("{}\n{a:1}", "2:2: invalid JSON: key must be a string"),
        ("{}\n{'a':1}", "2:2: invalid JSON: key must be a string"),
        ("{}\n{\"a\":nul}", "2:9: invalid JSON: expected ident"),
        ("{}\n{\"a\":01}", "2:7: invalid JSON: invalid number"),
        ("{}\n{\"a\":NaN}", "2:6: invalid JSON: expected value"),
        ("{}\n{\"a\":\"\\x\"}", "2:8: invalid JSON: invalid escape"),
        ("{}\n{\"a\":\"\\ud800\"}", "2:13: invalid JSON: "),
        ("{}\n{\"a\":[1,2}", "2:10: invalid JSON: expected `,` or `]`"),
        ("{}\n{\"a\":1,\"a\":2}", "2: the key a stands twice"),
        ("{}\n{\"x\":{\"a\":1,\"a\":2}}", "2: the key x.a stands twice"),
        ("{}\n{\"a\":{\"b\":1},\"a.b\":2}", "2: the key `a.b` is ambiguous"),
        ("{}\n{\".a\":1}", "2: the key `.a` begins or ends with a dot"),
        ("{}\n{\"a.\":1}", "2: the key `a.` begins or ends with a dot"),
        ("{}\n{\"a..b\":1}", "2: the key `a..b` begins or ends with a dot"),
        ("{}\n{\"$a\":1}", "2: the field `$a` begins with `$`"),
        ("{}\n{\"a.$b\":1}", "2: the key `a.$b`: the field `$b` begins"),
        ("{}\n{\"a\\u0000\":1}", "2: the key a\\0 contains a NUL"),
        ("{}\n{\"a\":{\"$date\":\"noon\"}}", "2: malformed $date at a: "),
        ("{}\n{\"a\":{\"$oid\":\"x\"}}", "2: malformed $oid at a: "),
        ("{}\n{\"a\":[{\"$numberInt\":\"x\"}]}", "2: malformed $numberInt at a.0: "),
        ("{}\n{\"a\":{\"$dbPointer\":{}}}", "2: not supported by the emulator: $dbPointer"),
        ("{}\n{\"_id\":[1]}", "2: can't use an array for _id"),
        ("{}\n{\"_id\":{\"$undefined\":true}}", "2: can't use an undefined for _id"),
        ("{}\n{\"_id\":\"n\",\"u\":7}\n\n{\"_id\":\"m\",\"u\":7}", "4: "),
        ("{}\n{\"_id\":\"n\",\"g\":{\"type\":\"Point\",\"coordinates\":[500,0]}}", "2: "),
        (
            "{\"_id\":\"n\"}\n{\"_id\":\"a\"}",
            "2: _id: the collection `c` has a document \"a\" already: import with the mode",
        ),
    ];
    let csv_mistakes: &[(&str, &str)] = &[
        ("", "1: the first row must name the fields"),
        ("a,,b\n1,2,3", "1:3: a field without a name"),
        ("a,b,a\n1,2,3", "1:5: the key `a` is ambiguous"),
        ("a,a.b\n1,2", "1:3: the key `a.b` is ambiguous"),
        ("a,.b\n1,2", "1:3: the key `.b` begins or ends with a dot"),
        ("a,b\n1,2\n3", "3:1: the row has 1 cells, the first row names 2 fields"),
        ("a,b\n1,2,3", "2:5: the row has 3 cells, the first row names 2 fields"),
        ("a,b\n1,\"2", "2:3: the quote that begins here does not end"),
        ("a,b\n1,\"2\"x", "2:6: after a closing quote"),
        ("a,$b\n1,2", "2: the field `$b` begins with `$`"),
    ];
    let of = |name: &'static str| {
        move |(text, expected): &(&str, &'static str)| (name, text.as_bytes().to_vec(), json!({}), *expected)
    };
    let mut mistakes: Vec<_> = json_mistakes.iter().map(of("bad.json")).collect();
    mistakes.extend(csv_mistakes.iter().map(of("bad.csv")));
    mistakes.extend([
        ("deep.json", deep.into_bytes(), json!({}), "2: nested more than 100"),
        ("path.json", path_of(50_000, "{}\n{\"", "\":1}"), json!({}), "2: nested more than 100"),
        ("path.csv", path_of(50_000, "", "\n1"), json!({}), "1:1: nested more than 100"),
        ("large.json", large.into_bytes(), json!({}), "2: the document takes "),
        ("long.json", long_id.into_bytes(), json!({}), "2: the _id is too long"),
        ("bytes.json", b"{}\n{\"a\":\"\xff\"}".to_vec(), json!({}), "2:7: no UTF-8, and from line 2 on no GB18030"),
        ("cut.json", "{}\n{\"a\":\"云朵云".as_bytes()[..17].to_vec(), json!({}), "2:9: a byte that is no UTF-8"),
        ("gbk.json", b"{\"a\":\"\xd5\xc5\"}".to_vec(), json!({ "encoding": "utf-8" }), "1:7: a byte that is no UTF-8"),
        ("odd.csv", b"a\nb\x81".to_vec(), json!({ "encoding": "gbk" }), "2:2: byte 4 of the file is no GBK"),
    ]);
    mistakes
}

// Stopped in the middle.

#[test]
fn a_command_that_nobody_waits_for_leaves_nothing() {
    let around = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&[]);
    import_version(&emulator, around.path(), "old", "replace");
    for delay in [0, 5, 20, 60] {
        let connection = begin(&emulator, "export", json!({ "folder": around.path().join("out") }));
        std::thread::sleep(Duration::from_millis(delay));
        drop(connection);
        wait_until(|| names(around.path()).iter().all(|name| !name.starts_with('.')));
        let out = around.path().join("out");
        if out.exists() {
            assert_eq!(lines_of(&out.join("database/c.jsonl")), DOCUMENTS);
            std::fs::remove_dir_all(out).unwrap();
        }
    }
    let file = version_file(around.path(), "new");
    let connection = begin(&emulator, "import", json!({ "file": file, "collection": "c", "mode": "replace" }));
    std::thread::sleep(Duration::from_millis(10));
    drop(connection);
    std::thread::sleep(Duration::from_millis(500));
    assert_one_version(&emulator, "after a lost connection");
}

#[test]
fn a_long_command_tells_how_far_it_is() {
    let around = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&[]);
    let rows: String =
        (0..DOCUMENTS * 3).map(|n| format!("{{\"_id\":{n},\"text\":\"some text of some length\"}}\n")).collect();
    let file = write(around.path(), "in.json", rows.as_bytes());
    let params = json!({ "file": file, "collection": "c", "mode": "replace", "job": "j" });
    let mut connection = begin(&emulator, "import", params);
    let mut stages = Vec::new();
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(60) {
        let progress = manage(&emulator, "progress", json!({ "job": "j" }));
        let Some(stage) = progress["stage"].as_str() else { if stages.is_empty() { continue } else { break } };
        assert_eq!(progress["job"], "j");
        if stages.last().is_none_or(|last| last != stage) {
            stages.push(stage.to_owned());
        }
    }
    assert!(stages.iter().any(|stage| stage == "reading" || stage == "storing"), "{stages:?}");
    assert_eq!(connection.read().json()["inserted"], json!(DOCUMENTS * 3));
    assert_eq!(manage(&emulator, "progress", json!({ "job": "j" })), json!({}));
}

#[test]
fn an_import_that_is_cancelled_while_it_is_stored_changes_nothing() {
    let around = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(&[]);
    let rows: String = (0..DOCUMENTS * 5).map(|n| format!("{{\"_id\":{n},\"version\":\"new\"}}\n")).collect();
    let file = write(around.path(), "in.json", rows.as_bytes());
    // One that is past its last document when it is told completes.
    let is_stopped = || {
        import_version(&emulator, around.path(), "old", "replace");
        let params = json!({ "file": file, "collection": "c", "mode": "replace", "job": "j" });
        let mut connection = begin(&emulator, "import", params);
        let since = Instant::now();
        while manage(&emulator, "progress", json!({ "job": "j" }))["stage"] != "storing"
            && since.elapsed() < Duration::from_secs(10)
        {}
        manage(&emulator, "cancel", json!({ "job": "j" }));
        connection.read().json()["message"] == "stopped"
    };
    assert!((0..10).any(|_| is_stopped()), "ten imports were too fast to be stopped");
    assert_eq!(assert_one_version(&emulator, "after a cancelled import"), "old");
}

#[test]
fn a_killed_import_leaves_the_old_data_or_the_new() {
    let around = tempfile::tempdir().unwrap();
    let mut emulator = Emulator::start(&[]);
    import_version(&emulator, around.path(), "v0", "replace");
    let mut outcomes = [0, 0];
    for round in 1..=KILLS {
        let version = format!("v{round}");
        let file = version_file(around.path(), &version);
        let _connection = begin(&emulator, "import", json!({ "file": file, "collection": "c", "mode": "replace" }));
        std::thread::sleep(Duration::from_millis(round * 37 % 240));
        emulator.kill();
        emulator = emulator.restart();
        let found = assert_one_version(&emulator, &format!("round {round}"));
        outcomes[usize::from(found == version)] += 1;
    }
    assert!(outcomes[0] > 0, "no kill came before the commit: {outcomes:?}");
}

#[test]
fn a_killed_export_leaves_the_old_folder_or_the_new() {
    let around = tempfile::tempdir().unwrap();
    let mut emulator = Emulator::start(&[]);
    import_version(&emulator, around.path(), "old", "replace");
    let folder = around.path().join("x/out");
    manage(&emulator, "export", json!({ "folder": folder }));
    import_version(&emulator, around.path(), "new", "replace");
    for round in 1..=KILLS {
        let _connection = begin(&emulator, "export", json!({ "folder": folder, "overwrite": true }));
        std::thread::sleep(Duration::from_millis(round * 13 % 80));
        emulator.kill();
        let text = std::fs::read_to_string(folder.join("database/c.jsonl")).unwrap();
        let count = |version: &str| text.lines().filter(|line| line.contains(&format!("\"{version}\""))).count();
        assert!([(DOCUMENTS, 0), (0, DOCUMENTS)].contains(&(count("old"), count("new"))), "round {round}");
        emulator = emulator.restart();
    }
    manage(&emulator, "export", json!({ "folder": folder, "overwrite": true }));
    assert_eq!(names(&around.path().join("x")), ["out"], "what was left over is gone");
}

#[test]
fn a_killed_seed_leaves_the_old_data_or_the_new() {
    let around = tempfile::tempdir().unwrap();
    let mut emulator = Emulator::start(&[]);
    import_version(&emulator, around.path(), "v0", "replace");
    for round in 1..=KILLS {
        let folder = around.path().join(format!("seed-{round}"));
        let file = version_file(around.path(), &format!("v{round}"));
        write(&folder, "database/c.jsonl", &std::fs::read(file).unwrap());
        let _connection = begin(&emulator, "seed", json!({ "folder": folder, "reset": true }));
        std::thread::sleep(Duration::from_millis(round * 37 % 240));
        emulator.kill();
        emulator = emulator.restart();
        assert_one_version(&emulator, &format!("round {round}"));
    }
}

#[test]
fn a_killed_reset_or_restore_leaves_everything_or_nothing() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("seed");
    let file = version_file(around.path(), "v");
    write(&folder, "database/c.jsonl", &std::fs::read(file).unwrap());
    write(&folder, "storage/a.txt", b"a.txt");
    write(&folder, "users.json", br#"[{ "name": "dora" }]"#);
    let mut emulator = Emulator::start(&[]);
    manage(&emulator, "seed", json!({ "folder": folder }));
    manage(&emulator, "snapshot", json!({ "name": "full" }));
    for round in 1..=KILLS {
        let (command, params) =
            if round % 2 == 0 { ("restore", json!({ "name": "full" })) } else { ("reset", json!({})) };
        let _connection = begin(&emulator, command, params);
        std::thread::sleep(Duration::from_micros(round * 211 % 1_500));
        emulator.kill();
        emulator = emulator.restart();
        let users = manage(&emulator, "users/list", json!({})).to_string();
        let found = (emulator.count("c") as usize, users.contains("dora"), content(&emulator, "a.txt").is_some());
        assert!([(DOCUMENTS, true, true), (0, false, false)].contains(&found), "round {round}: {found:?}");
    }
    manage(&emulator, "restore", json!({ "name": "full" }));
    assert_eq!(content(&emulator, "a.txt").as_deref(), Some("a.txt"));
}

// What the tests share.

/// One line for each kind of value, and for each odd key that a file can say.
fn odd_documents() -> String {
    let rows = [
        r#"{"_id":"a","n":5,"long":{"$numberLong":"5"},"double":5.0,"at":{"$date":"2018-08-31T17:30:00.882Z"},"place":{"type":"Point","coordinates":[113.5,23]},"inner":{"a":"x"},"nothing":null}"#,
        r#"{"_id":{"$oid":"000102030405060708090a0b"},"n":{"$numberDecimal":"1.50"},"list":[1,[2.5],{}],"yes":true}"#,
        r#"{"_id":7,"minus":-0.0,"nan":{"$numberDouble":"NaN"},"far":{"$date":{"$numberLong":"9223372036854775807"}},"early":{"$date":-62167219200001}}"#,
        r#"{"_id":"b","r":{"$regularExpression":{"pattern":"^a","options":"i"}},"bin":{"$binary":{"base64":"AAEC","subType":"80"}},"ts":{"$timestamp":{"t":1,"i":2}}}"#,
        r#"{"_id":"c","min":{"$minKey":1},"max":{"$maxKey":1},"code":{"$code":"x"},"scope":{"$code":"x","$scope":{"$$date":1}},"sym":{"$symbol":"s"},"un":{"$undefined":true}}"#,
        r#"{"z":1,"_id":"d","":{"":1},"in":{"$x":1,"$$date":2,"__proto__":3},"big":9007199254740993,"text":"\u0000\"\\ 云"}"#,
    ];
    rows.map(|row| format!("{row}\n")).concat()
}

/// Puts something of everything into an environment.
fn fill(emulator: &Emulator, around: &Path) {
    let odd = write(around, "odd.json", odd_documents().as_bytes());
    for (collection, rows) in
        [("Todos", "{\"_id\":1}\n"), ("todos", "{\"_id\":1,\"c\":1}\n{\"_id\":2,\"c\":2}\n"), ("a/b", "{\"_id\":1}\n")]
    {
        let file = write(around, "in.json", rows.as_bytes());
        manage(emulator, "import", json!({ "file": file, "collection": collection }));
    }
    manage(emulator, "import", json!({ "file": odd, "collection": "odd" }));
    manage(emulator, "indexes/create", json!({ "collection": "todos", "keys": { "a.b": -1, "c": 1 }, "unique": true }));
    manage(
        emulator,
        "indexes/create",
        json!({ "collection": "odd", "keys": { "place": "2dsphere" }, "name": "where" }),
    );
    manage(emulator, "mode", json!({ "collection": "todos", "mode": "READONLY" }));
    manage(emulator, "mode", json!({ "mode": "PRIVATE" }));
    manage(emulator, "rules/set", json!({ "collection": "odd", "rules": "{ // mine\n  \"read\": true\n}" }));
    let alice =
        json!({ "name": "alice", "email": "alice@example.com", "phone": "13800138000", "password": "secret-1" });
    manage(emulator, "users/add", alice);
    manage(emulator, "users/add", json!({ "name": "bob" }));
    manage(emulator, "users/use", json!({ "name": "bob" }));
    let folder = around.join("files");
    let mut lines = json!({ "dir/a.txt": { "contentType": "text/x-mine", "owner": "o1" } });
    write(&folder, "storage/dir/a.txt", b"dir/a.txt");
    write(&folder, "storage/图/片.png", "图/片.png".as_bytes());
    for (number, path) in ["dir", "DIR/A.TXT", "con", "../x"].iter().enumerate() {
        write(&folder, &format!("storage/odd/{number}"), path.as_bytes());
        lines[*path] = json!({ "source": format!("odd/{number}") });
    }
    write(&folder, "files.json", lines.to_string().as_bytes());
    manage(emulator, "seed", json!({ "folder": folder }));
}

fn version_file(around: &Path, version: &str) -> PathBuf {
    let rows: String = (0..DOCUMENTS).map(|n| format!("{{\"_id\":\"{n}\",\"version\":\"{version}\"}}\n")).collect();
    write(around, "version.json", rows.as_bytes())
}

fn import_version(emulator: &Emulator, around: &Path, version: &str, mode: &str) {
    let file = version_file(around, version);
    manage(emulator, "import", json!({ "file": file, "collection": "c", "mode": mode }));
}

/// The version that all documents have.
fn assert_one_version(emulator: &Emulator, place: &str) -> String {
    let found = act(emulator, "database.queryDocument", json!({ "collectionName": "c", "query": {}, "limit": 1 }));
    let version = found["list"][0]["version"].as_str().unwrap().to_owned();
    let params = json!({ "collectionName": "c", "query": { "version": version } });
    let count = act(emulator, "database.countDocument", params)["total"].as_u64().unwrap();
    assert_eq!((count as usize, emulator.count("c") as usize), (DOCUMENTS, DOCUMENTS), "{place}");
    version
}

/// Asks for a command and does not wait.
fn begin(emulator: &Emulator, name: &str, params: Value) -> Connection {
    let authorization = format!("Bearer {}", emulator.token());
    let path = format!("/_emulator/{name}");
    let mut connection = emulator.connect();
    connection.send(&request("POST", &path, &[("Authorization", &authorization)], params.to_string().as_bytes()));
    connection
}

fn act(emulator: &Emulator, action: &str, params: Value) -> Value {
    manage(emulator, "action", json!({ "action": action, "params": params }))
}

fn find(emulator: &Emulator, collection: &str) -> Value {
    act(emulator, "database.queryDocument", json!({ "collectionName": collection, "query": {}, "limit": 100 }))["list"]
        .take()
}

fn refusal(emulator: &Emulator, name: &str, params: Value) -> String {
    let response = command(emulator, name, params);
    assert_eq!(response.status, 400, "{response:?}");
    response.code().unwrap()
}

/// Every document of `c`, with all its types.
fn canonical(emulator: &Emulator, around: &Path) -> String {
    let folder = TempDir::new_in(around).unwrap();
    manage(emulator, "export", json!({ "folder": folder.path() }));
    std::fs::read_to_string(folder.path().join("database/c.jsonl")).unwrap()
}

/// The content of a stored file.
fn content(emulator: &Emulator, path: &str) -> Option<String> {
    let id = act(emulator, "storage.getUploadMetadata", json!({ "path": path }))["fileId"].take();
    let urls = act(emulator, "storage.batchGetDownloadUrl", json!({ "file_list": [{ "fileid": id }] }));
    let url = urls["download_list"][0]["tempFileURL"].as_str().unwrap();
    let target = url.strip_prefix(&format!("http://127.0.0.1:{}", emulator.port()))?;
    let response = emulator.exchange(&request("GET", target, &[], b""));
    assert_eq!(response.status, 200, "{response:?}");
    Some(response.text().to_owned())
}

/// Every file under `folder`, with its content.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".json") || name == "users.json")
        .collect();
    names.sort();
    names
}

fn lines_of(file: &Path) -> usize {
    std::fs::read_to_string(file).unwrap().lines().count()
}

fn wait_until(is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(10), "it never became so");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}
