//! What each form of each value decodes to and is encoded as. The laws are in `laws.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bson::spec::BinarySubtype;
use bson::{Binary, JavaScriptCodeWithScope, Regex, Timestamp, doc, oid::ObjectId};

use super::*;

const NOW_MS: i64 = 1_600_000_000_000;

fn now() -> DateTime {
    DateTime::from_millis(NOW_MS)
}

fn date(milliseconds: i64) -> DateTime {
    DateTime::from_millis(milliseconds)
}

fn regex(pattern: &str, options: &str) -> Regex {
    Regex { pattern: pattern.try_into().unwrap(), options: options.try_into().unwrap() }
}

/// Checks what `text` decodes to, as text and as tree; types count.
fn check(text: &str, expected: impl Into<Bson>) {
    let expected = expected.into();
    let tree: serde_json::Value = serde_json::from_str(text).unwrap();
    for decoded in [decode_value_text(text, now()), decode(&tree, now())] {
        let decoded = decoded.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(format!("{decoded:?}"), format!("{expected:?}"), "{text}");
    }
}

/// Checks the text of the error, which tree and text share.
fn check_refused(text: &str, expected: &str) {
    assert_eq!(decode_value_text(text, now()).unwrap_err().to_string(), expected, "{text}");
    let tree: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(decode(&tree, now()).unwrap_err().to_string(), expected, "{text}");
}

fn check_encoded(value: impl Into<Bson>, expected: [&str; 3]) {
    let value = value.into();
    for (dialect, expected) in [Dialect::A, Dialect::B, Dialect::G].into_iter().zip(expected) {
        let mut text = String::new();
        write_value((&value).into(), dialect, &mut text);
        assert_eq!(text, expected, "{dialect:?}");
    }
}

#[test]
fn plain_json() {
    check("null", Bson::Null);
    check("true", true);
    check(r#""1""#, "1");
    check("1", 1i32);
    check("2147483647", i32::MAX);
    check("2147483648", 2_147_483_648i64);
    check("-9223372036854775808", i64::MIN);
    check("9223372036854775808", 9_223_372_036_854_775_808f64);
    check("100000000000000000000", 1e20);
    check("1.0", 1.0);
    check("0.30000000000000004", 0.300_000_000_000_000_04);
    check("{}", doc! {});
    check(r#"[1,[],{"a":{}}]"#, vec![Bson::Int32(1), Bson::Array(vec![]), doc! { "a": {} }.into()]);
}

#[test]
fn keys() {
    check(r#"{"b":1,"a":2,"0":3}"#, doc! { "b": 1, "a": 2, "0": 3 });
    check(r#"{"a":1,"b":2,"a":3}"#, doc! { "a": 3, "b": 2 });
    check(
        r#"{"__proto__":1,"constructor":2,"a.b":3,"":4}"#,
        doc! { "__proto__": 1, "constructor": 2, "a.b": 3, "": 4 },
    );
    check(r#"{"\u4e91\n":1}"#, doc! { "云\n": 1 });
    check(r#"{"$numberInt":"1","$numberInt":"2"}"#, 2i32);
    check_refused(r#"{"a":{"b\u0000c":1}}"#, r"the key a.b\0c contains a NUL character, which is not allowed");
}

// Texts and trees of protocol §2.2.
#[test]
fn the_three_spellings() {
    check(r#"{"$numberInt":"1"}"#, 1i32);
    check(r#"{"$numberLong":"9007199254740991"}"#, 9_007_199_254_740_991i64);
    check(r#"{"$numberLong":"1"}"#, 1i64);
    check(r#"{"$numberDouble":"1.5"}"#, 1.5);
    check(r#"{"$numberDouble":"-0.0"}"#, -0.0);
    check(r#"{"$numberDouble":"NaN"}"#, f64::NAN);
    check(r#"{"$numberDouble":"-Infinity"}"#, f64::NEG_INFINITY);
    check(r#"{"$date":1700000000000}"#, date(1_700_000_000_000));
    check(r#"{"$date":0}"#, date(0));
    check(r#"{"$date":1.9e3}"#, date(1900));
    check(r#"{"$date":{"$numberLong":"1700000000000"}}"#, date(1_700_000_000_000));
    check(r#"{"$date":{"$numberInt":"0"}}"#, date(0));
    check(r#"{"$date":{"$numberDouble":"5.0"}}"#, date(5));
    check(r#"{"$date":"2018-08-31T17:30:00.882Z"}"#, date(1_535_736_600_882));
    check(r#"{"$date":"2018-09-01T01:30:00.882+08:00"}"#, date(1_535_736_600_882));
    check(r#"{"$date":"2018-09-01T01:30:00.882+0800"}"#, date(1_535_736_600_882));
    check(r#"{"$date":"2018-08-31T17:30:00Z"}"#, date(1_535_736_600_000));
    check(r#"{"$date":{"offset":60000}}"#, date(NOW_MS + 60_000));
    check(r#"{"$date":{"offset":{"$numberInt":"-1"}}}"#, date(NOW_MS - 1));
    check(r#"{"$tcb_server_date":{"offset":{"$numberInt":"60000"}}}"#, date(NOW_MS + 60_000));
    check(r#"{"$tcb_server_date":{}}"#, date(NOW_MS));
    check(r#"{"$regex":"ab+c","$options":"i"}"#, regex("ab+c", "i"));
    check(r#"{"$options":"mi","$regex":"x"}"#, regex("x", "im"));
    check(r#"{"$regex":"x"}"#, regex("x", ""));
    check(r#"{"$regularExpression":{"pattern":"ab+c","options":"i"}}"#, regex("ab+c", "i"));
    check(r#"{"$oid":"5e0000000000000000000001"}"#, ObjectId::parse_str("5e0000000000000000000001").unwrap());
    check(r#"{"$timestamp":{"t":{"$numberInt":"1"},"i":2}}"#, Timestamp { time: 1, increment: 2 });
    check(r#"{"$timestamp":1700000000}"#, date(1_700_000_000_000));
}

#[test]
fn rarer_types() {
    let binary = |subtype| Binary { subtype, bytes: vec![1, 2, 3] };
    check(r#"{"$binary":{"base64":"AQID","subType":"00"}}"#, binary(BinarySubtype::Generic));
    check(r#"{"$binary":{"base64":"AQID","subType":"5"}}"#, binary(BinarySubtype::Md5));
    check(r#"{"$binary":"AQID","$type":"00"}"#, binary(BinarySubtype::Generic));
    let uuid = Binary { subtype: BinarySubtype::Uuid, bytes: vec![0x11; 16] };
    check(r#"{"$uuid":"11111111-1111-1111-1111-111111111111"}"#, uuid);
    check(r#"{"$numberDecimal":"1.50"}"#, "1.50".parse::<bson::Decimal128>().unwrap());
    check(r#"{"$minKey":1}"#, Bson::MinKey);
    check(r#"{"$maxKey":{"$numberInt":"1"}}"#, Bson::MaxKey);
    check(r#"{"$undefined":true}"#, Bson::Undefined);
    check(r#"{"$symbol":"x"}"#, Bson::Symbol("x".to_owned()));
    check(r#"{"$code":"f()"}"#, Bson::JavaScriptCode("f()".to_owned()));
    let program = JavaScriptCodeWithScope { code: "f()".to_owned(), scope: doc! { "a": 1 } };
    check(r#"{"$code":"f()","$scope":{"a":{"$numberInt":"1"}}}"#, program);
}

#[test]
fn operators_stay_documents() {
    check(r#"{"$set":{"a":{"$numberInt":"1"}}}"#, doc! { "$set": { "a": 1 } });
    check(r#"{"n":{"$gt":{"$date":0},"$lt":5}}"#, doc! { "n": { "$gt": date(0), "$lt": 5 } });
    check(r#"{"$regex":"x","$options":"i","$ne":1}"#, doc! { "$regex": "x", "$options": "i", "$ne": 1 });
    check(r#"{"$regex":"x","$in":[1]}"#, doc! { "$regex": "x", "$in": [1] });
    check(r#"{"$regex":"x","$options":1}"#, doc! { "$regex": "x", "$options": 1 });
    check(r#"{"$regex":{"$regularExpression":{"pattern":"x","options":""}}}"#, doc! { "$regex": regex("x", "") });
    check(r#"{"$not":{"$regex":"x"}}"#, doc! { "$not": regex("x", "") });
    check(r#"{"$type":"date"}"#, doc! { "$type": "date" });
    check(r#"{"$x":{"$numberInt":"2"}}"#, doc! { "$x": 2 });
    check(r#"{"$date":null}"#, doc! { "$date": Bson::Null });
    check(r#"{"$ref":"c","$id":1}"#, doc! { "$ref": "c", "$id": 1 });
}

// Payloads captured from SDKs: cases/goldens.json ("where int64/float", "where in", "where geoWithin centerSphere",
// "update push serverDate", "update dotted", "add types" in part, "add dotted/dollar").
#[test]
fn captured_payloads() {
    check(
        r#"{"a":{"$numberDouble":"1.5"},"b":{"$numberLong":"2147483648"},"c":{"$numberInt":"0"},"d":{"$numberLong":"9007199254740992"},"e":{"$numberDouble":"NaN"},"f":{"$numberDouble":"Infinity"}}"#,
        doc! { "a": 1.5, "b": 2_147_483_648i64, "c": 0, "d": 9_007_199_254_740_992i64, "e": f64::NAN, "f": f64::INFINITY },
    );
    check(
        r#"{"a":{"$in":[{"$numberInt":"1"},"x",null,{"$date":{"$numberLong":"0"}}]}}"#,
        doc! { "a": { "$in": [1, "x", Bson::Null, date(0)] } },
    );
    check(
        r#"{"loc":{"$geoWithin":{"$centerSphere":[[{"$numberInt":"113"},{"$numberInt":"23"}],{"$numberDouble":"0.01"}]}}}"#,
        doc! { "loc": { "$geoWithin": { "$centerSphere": [[113, 23], 0.01] } } },
    );
    check(
        r#"{"$push":{"a":{"$each":[{"t":{"$tcb_server_date":{"offset":{"$numberInt":"0"}}}}]}}}"#,
        doc! { "$push": { "a": { "$each": [{ "t": now() }] } } },
    );
    check(
        r#"{"$set":{"a.b":{"$numberInt":"1"},"arr.0":{"$numberInt":"2"},"arr.$":{"$numberInt":"3"},"arr.$[]":{"$numberInt":"4"}}}"#,
        doc! { "$set": { "a.b": 1, "arr.0": 2, "arr.$": 3, "arr.$[]": 4 } },
    );
    check(
        r#"{"huge2":{"$numberDouble":"100000000000000000000"},"neg0":{"$numberInt":"0"}}"#,
        doc! { "huge2": 1e20, "neg0": 0 },
    );
    check(r#"{"a.b":{"$numberInt":"1"},"$x":{"$numberInt":"2"}}"#, doc! { "a.b": 1, "$x": 2 });
}

// protocol §2.4, request 1; §2.2, the GET query of face /v1.
#[test]
fn captured_documents() {
    check(
        r#"{"_id":"a","big":{"$numberLong":"9007199254740991"},"d":{"$date":{"$numberLong":"1700000000000"}},"sd":{"$tcb_server_date":{"offset":{"$numberInt":"60000"}}},"re":{"$regularExpression":{"pattern":"ab+c","options":"i"}},"p":{"type":"Point","coordinates":[{"$numberInt":"113"},{"$numberInt":"23"}]},"arr":[{"$numberInt":"1"},"2",{"x":null}],"nul":null,"b":true,"oid":{"$oid":"5e0000000000000000000001"}}"#,
        doc! {
            "_id": "a", "big": 9_007_199_254_740_991i64, "d": date(1_700_000_000_000), "sd": date(NOW_MS + 60_000),
            "re": regex("ab+c", "i"), "p": { "type": "Point", "coordinates": [113, 23] },
            "arr": [1, "2", { "x": Bson::Null }], "nul": Bson::Null, "b": true,
            "oid": ObjectId::parse_str("5e0000000000000000000001").unwrap(),
        },
    );
    check(
        r#"{"d":{"$gte":{"$date":{"$numberInt":"0"}}},"n":{"$numberInt":"1"},"s":{"$regex":"x","$options":""}}"#,
        doc! { "d": { "$gte": date(0) }, "n": 1, "s": regex("x", "") },
    );
}

#[test]
fn malformed_wrappers_are_refused_with_their_place() {
    let integer = "it must hold the text of a 32-bit integer";
    check_refused(r#"{"$numberInt":"x"}"#, &format!("malformed $numberInt at the top level: {integer}"));
    check_refused(r#"{"$numberInt":1}"#, &format!("malformed $numberInt at the top level: {integer}"));
    check_refused(
        r#"{"a":[0,{"b":{"$numberInt":"2147483648"}}]}"#,
        &format!("malformed $numberInt at a.1.b: {integer}"),
    );
    let alone = "it must be the only field of its object";
    check_refused(r#"{"a":{"$numberInt":"1","b":1}}"#, &format!("malformed $numberInt at a: {alone}"));
    check_refused(r#"{"a":{"b":1,"c":2,"$date":0}}"#, &format!("malformed $date at a: {alone}"));
    let number = "it must hold the text of a number, NaN, Infinity or -Infinity";
    for text in ["inf", "nan", "", "1x", " 1"] {
        let json = format!(r#"{{"$numberDouble":"{text}"}}"#);
        check_refused(&json, &format!("malformed $numberDouble at the top level: {number}"));
    }
    let moment = r#"it must hold milliseconds, an ISO 8601 date or {"offset": milliseconds}"#;
    for date in
        [r#""x""#, r#""2018-02-30T00:00:00Z""#, r#""é""#, "true", "[]", r#"{"a":1}"#, r#"{"offset":"1"}"#, "1e300"]
    {
        check_refused(&format!(r#"{{"d":{{"$date":{date}}}}}"#), &format!("malformed $date at d: {moment}"));
    }
    check_refused(r#"{"$oid":"5e"}"#, "malformed $oid at the top level: it must hold 24 hexadecimal digits");
    check_refused(
        r#"{"$regularExpression":{"pattern":"a\u0000","options":""}}"#,
        "malformed $regularExpression at the top level: a regular expression cannot contain a NUL character",
    );
    check_refused(r#"{"a":{"$dbPointer":{"$ref":"c","$id":{}}}}"#, "not supported by the emulator: $dbPointer");
}

#[test]
fn only_documents_are_documents() {
    let refused = |text| decode_text(text, now()).unwrap_err();
    assert_eq!(refused("null"), DialectError::NotAnObject("null"));
    assert_eq!(refused("[1]"), DialectError::NotAnObject("array"));
    assert_eq!(refused(r#"{"$date":0}"#), DialectError::NotAnObject("date"));
    for text in ["", "{", "{} {}", r#"{"a":01}"#, "{'a':1}", r#"{"a":1,}"#] {
        assert!(matches!(refused(text), DialectError::Syntax(_)), "{text}");
    }
}

/// An object or array of `levels` levels, with `inside` in the innermost.
fn nested(levels: usize, open: &str, inside: &str, close: &str) -> String {
    [&open.repeat(levels), inside, &close.repeat(levels)].concat()
}

#[test]
fn nesting_ends_at_100_levels() {
    let decoded = |text: &str| decode_value_text(text, now());
    for inside in ["1", r#"{"$date":{"$numberLong":"0"}}"#, r#"{"$tcb_server_date":{"offset":{"$numberInt":"0"}}}"#] {
        assert!(decoded(&nested(100, r#"{"a":"#, inside, "}")).is_ok());
        assert!(decoded(&nested(100, "[", inside, "]")).is_ok());
        assert_eq!(decoded(&nested(101, r#"{"a":"#, inside, "}")), Err(DialectError::TooDeep));
        assert_eq!(decoded(&nested(101, "[", inside, "]")), Err(DialectError::TooDeep));
    }
    for open in ["[", r#"{"a":"#, r#"{"$date":"#, r#"{"b":1,"$set":"#] {
        assert_eq!(decoded(&nested(100_000, open, "", "")), Err(DialectError::TooDeep));
    }
    let tree = (0..1000).fold(serde_json::Value::Null, |inner, _| serde_json::json!([inner]));
    assert_eq!(decode(&tree, now()), Err(DialectError::TooDeep));
}

#[test]
fn spelled_by_each_dialect() {
    check_encoded(1i32, ["1", "1", r#"{"$numberInt":"1"}"#]);
    check_encoded(1i64, ["1", "1", r#"{"$numberLong":"1"}"#]);
    check_encoded(
        9_007_199_254_740_991i64,
        ["9007199254740991", "9007199254740991", r#"{"$numberLong":"9007199254740991"}"#],
    );
    let beyond = r#"{"$numberLong":"-9007199254740992"}"#;
    check_encoded(-9_007_199_254_740_992i64, ["-9007199254740992", beyond, beyond]);
    check_encoded(1.5, ["1.5", "1.5", r#"{"$numberDouble":"1.5"}"#]);
    check_encoded(1.0, ["1.0", "1.0", r#"{"$numberDouble":"1.0"}"#]);
    let nan = r#"{"$numberDouble":"NaN"}"#;
    check_encoded(f64::NAN, ["null", nan, nan]);
    let infinity = r#"{"$numberDouble":"-Infinity"}"#;
    check_encoded(f64::NEG_INFINITY, ["null", infinity, infinity]);
    let wrapped_date = r#"{"$date":{"$numberLong":"1700000000000"}}"#;
    check_encoded(date(1_700_000_000_000), [r#"{"$date":1700000000000}"#, wrapped_date, wrapped_date]);
    let hex = r#""5e0000000000000000000001""#;
    check_encoded(ObjectId::parse_str("5e0000000000000000000001").unwrap(), [hex, hex, hex]);
    let expression = r#"{"$regularExpression":{"pattern":"a\"b","options":"i"}}"#;
    check_encoded(regex("a\"b", "i"), [r#"{"$regex":"a\"b","$options":"i"}"#, expression, expression]);
    let binary = r#"{"$binary":{"base64":"AQI=","subType":"00"}}"#;
    check_encoded(Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2] }, [binary, binary, binary]);
    let timestamp = r#"{"$timestamp":{"t":1,"i":2}}"#;
    check_encoded(Timestamp { time: 1, increment: 2 }, [timestamp, timestamp, timestamp]);
    let text = r#""\u0000\u0001\n\"\\云""#;
    check_encoded("\0\u{1}\n\"\\云", [text, text, text]);
    let document = r#"{"b":[null,true],"a":{},"":"x"}"#;
    check_encoded(doc! { "b": [Bson::Null, true], "a": {}, "": "x" }, [document, document, document]);
}

#[test]
fn ids_as_json() {
    let encoded = |value: Bson| encode_value((&value).into(), Dialect::B);
    assert_eq!(encoded("x".into()), serde_json::json!("x"));
    assert_eq!(encoded(5.into()), serde_json::json!(5));
    assert_eq!(encoded(ObjectId::from_bytes([1; 12]).into()), serde_json::json!("01".repeat(12)));
}
