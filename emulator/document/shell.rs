//! Values as MongoDB 4.0 prints them inside its error texts, which applications match on. For people, not for parsing.

use std::fmt::Write;

use bson::spec::BinarySubtype;

use crate::value::{ArrayRef, DocumentRef, ValueRef};

/// The value alone: `"x"`, `1`, `1.5`, `null`, `{ a: 1 }`, `[ 1, 2 ]`, `ObjectId('…')`, `new Date(0)`.
///
/// Callers put the pieces around it, such as `{ : "x" }` of a duplicate key (semantics DB-8.03). Quotes in a string stand
/// as they are; what is long is cut and ends in `...`: a string of 160 bytes or more after 150, programs and bytes from 80 on
/// after 70.
pub fn to_shell_text(value: ValueRef<'_>) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

/// A field as texts about one element print it, without inner spaces: `{a: null}` (semantics DB-3.08).
pub fn to_shell_field(name: &str, value: ValueRef<'_>) -> String {
    format!("{{{name}: {}}}", to_shell_text(value))
}

fn write_value(value: ValueRef<'_>, out: &mut String) {
    // Writing into a string cannot fail.
    let _ = match value {
        ValueRef::Double(number) => write_double(number, out),
        ValueRef::Int32(number) => write!(out, "{number}"),
        ValueRef::Int64(number) => write!(out, "{number}"),
        ValueRef::Decimal128(number) => write!(out, "{number}"),
        ValueRef::String(text) | ValueRef::Symbol(text) => {
            let (shown, dots) = cut(text, TEXT_BYTES_WHOLE, TEXT_BYTES_CUT);
            write!(out, "\"{shown}{dots}\"")
        }
        ValueRef::Document(document) => write_document(document, out),
        ValueRef::Array(array) => write_array(array, out),
        ValueRef::Binary { subtype, bytes } => write_binary(subtype, bytes, out),
        ValueRef::Undefined => out.write_str("undefined"),
        ValueRef::ObjectId(id) => write!(out, "ObjectId('{id}')"),
        ValueRef::Boolean(flag) => write!(out, "{flag}"),
        ValueRef::DateTime(date) => write!(out, "new Date({})", date.timestamp_millis()),
        ValueRef::Null => out.write_str("null"),
        ValueRef::RegularExpression { pattern, options } => write!(out, "/{pattern}/{options}"),
        ValueRef::JavaScriptCode(code) => {
            let (shown, dots) = cut(code, CODE_BYTES_WHOLE, BYTES_CUT);
            write!(out, "{shown}{dots}")
        }
        ValueRef::JavaScriptCodeWithScope { code, scope } => write!(out, "CodeWScope( {code}, ")
            .and_then(|()| write_document(scope, out))
            .and_then(|()| out.write_char(')')),
        ValueRef::Timestamp(timestamp) => write!(out, "Timestamp({}, {})", timestamp.time, timestamp.increment),
        ValueRef::MinKey => out.write_str("MinKey"),
        ValueRef::MaxKey => out.write_str("MaxKey"),
    };
}

const TEXT_BYTES_WHOLE: usize = 159;
const TEXT_BYTES_CUT: usize = 150;
const CODE_BYTES_WHOLE: usize = 79;
const BINARY_BYTES_WHOLE: usize = 80;
const BYTES_CUT: usize = 70;

/// `text` and nothing; or, if it has more than `whole` bytes, about `kept` of them and `...`.
fn cut(text: &str, whole: usize, kept: usize) -> (&str, &'static str) {
    if text.len() <= whole {
        return (text, "");
    }
    (text.get(..text.floor_char_boundary(kept)).unwrap_or_default(), "...")
}

/// A whole number keeps its `.0`; MongoDB adds one to its names of NaN and the infinities too.
fn write_double(number: f64, out: &mut String) -> std::fmt::Result {
    match number {
        number if number.is_nan() => out.write_str("nan.0"),
        number if number.is_infinite() => write!(out, "{number}.0"),
        number => write!(out, "{number:?}"),
    }
}

fn write_document(document: DocumentRef<'_>, out: &mut String) -> std::fmt::Result {
    if document.is_empty() {
        return out.write_str("{}");
    }
    for (index, (name, value)) in document.iter().enumerate() {
        write!(out, "{} {name}: ", if index == 0 { "{" } else { "," })?;
        write_value(value, out);
    }
    out.write_str(" }")
}

fn write_array(array: ArrayRef<'_>, out: &mut String) -> std::fmt::Result {
    if array.is_empty() {
        return out.write_str("[]");
    }
    for (index, value) in array.iter().enumerate() {
        out.write_str(if index == 0 { "[ " } else { ", " })?;
        write_value(value, out);
    }
    out.write_str(" ]")
}

fn write_binary(subtype: BinarySubtype, bytes: &[u8], out: &mut String) -> std::fmt::Result {
    write!(out, "BinData({}, ", u8::from(subtype))?;
    let is_whole = bytes.len() <= BINARY_BYTES_WHOLE;
    let shown = if is_whole { bytes.len() } else { BYTES_CUT };
    bytes.iter().take(shown).try_for_each(|byte| write!(out, "{byte:02X}"))?;
    out.write_str(if is_whole { ")" } else { "...)" })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::{Bson, DateTime, doc, oid::ObjectId};

    use super::*;

    fn check(value: impl Into<Bson>, expected: &str) {
        let value = value.into();
        assert_eq!(to_shell_text((&value).into()), expected);
    }

    #[test]
    fn scalars() {
        check("x", r#""x""#);
        check("cloud://…", r#""cloud://…""#);
        check(1, "1");
        check(i64::MAX, "9223372036854775807");
        check(1.5, "1.5");
        check(1.0, "1.0");
        check(f64::NAN, "nan.0");
        check(f64::NEG_INFINITY, "-inf.0");
        check(Bson::Null, "null");
        check(true, "true");
        check(ObjectId::from_bytes([10; 12]), "ObjectId('0a0a0a0a0a0a0a0a0a0a0a0a')");
        check(DateTime::from_millis(5), "new Date(5)");
        check(bson::Regex { pattern: "a".try_into().unwrap(), options: "i".try_into().unwrap() }, "/a/i");
        check(bson::Timestamp { time: 1, increment: 2 }, "Timestamp(1, 2)");
        check(bson::Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 255] }, "BinData(0, 01FF)");
    }

    #[test]
    fn documents_and_arrays() {
        check(doc! {}, "{}");
        check(doc! { "a": 1, "b": { "c": [] } }, "{ a: 1, b: { c: [] } }");
        check(vec![Bson::Int32(1), "x".into()], r#"[ 1, "x" ]"#);
    }

    #[test]
    fn long_texts_are_cut() {
        check("x".repeat(159), &format!("\"{}\"", "x".repeat(159)));
        check("x".repeat(160), &format!("\"{}...\"", "x".repeat(150)));
        check("中".repeat(60), &format!("\"{}...\"", "中".repeat(50)));
        check(Bson::JavaScriptCode("x".repeat(80)), &format!("{}...", "x".repeat(70)));
        let binary = bson::Binary { subtype: BinarySubtype::Generic, bytes: vec![0; 81] };
        check(binary, &format!("BinData(0, {}...)", "00".repeat(70)));
    }

    /// DB-3.08
    #[test]
    fn fields() {
        assert_eq!(to_shell_field("analysisResults", ValueRef::Null), "{analysisResults: null}");
        assert_eq!(to_shell_field("cover", ValueRef::String("cloud://…")), r#"{cover: "cloud://…"}"#);
    }
}
