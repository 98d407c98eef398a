//! Extended JSON as it stands in files: the lines of fixtures and of the console's exports. Unlike the answers to SDKs it keeps
//! every type, ObjectIds too, and documents that only look like extended JSON: of a key such as `$date` in a document of
//! somebody's own the `$` is doubled.

use std::borrow::Cow;
use std::fmt::{self, Display};

use bson::DateTime;
use serde::ser::{Serialize, SerializeMap, Serializer};
use time::format_description::well_known::Rfc3339;

use super::encode::{DoubleText, Fields, Shown, serialize_binary, to_text, wrap};
use super::wrappers;
use crate::value::{DocumentRef, ValueRef};

/// How a file spells its values. Both forms decode to the very same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// Every number and date names its type: canonical extended JSON.
    Canonical,
    /// As the cloud's console exports: plain numbers, dates in words. Only what would come back as another type is wrapped.
    Relaxed,
}

/// Appends `value` as JSON text. [`super::decode_file_text`] gives a document back byte by byte.
pub fn write_file_value(value: ValueRef<'_>, form: FileForm, out: &mut String) {
    out.push_str(&to_text(&InFile { value, form }));
}

/// A key that names a type, for a document in which it does not.
fn escaped(key: &str) -> Cow<'_, str> {
    if names_type(key) { Cow::Owned(format!("${key}")) } else { Cow::Borrowed(key) }
}

/// The key that `escaped` made `key` of, if it did.
pub(super) fn unescaped(key: &str) -> Option<&str> {
    key.strip_prefix('$').filter(|shorter| shorter.starts_with('$') && names_type(shorter))
}

/// Whether `key` is a type's, with one `$` or more.
fn names_type(key: &str) -> bool {
    let name = key.trim_start_matches('$');
    name.len() < key.len() && wrappers::is_known(key.get(key.len() - name.len() - 1..).unwrap_or_default())
}

/// A double as [`DoubleText`]; a NaN of other bits than the usual one names them. SDKs would not know that word.
struct DoubleBits(f64);

impl Display for DoubleBits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() && self.0.to_bits() != f64::NAN.to_bits() {
            write!(formatter, "NaN({:016x})", self.0.to_bits())
        } else {
            DoubleText(self.0).fmt(formatter)
        }
    }
}

struct InFile<'a> {
    value: ValueRef<'a>,
    form: FileForm,
}

impl Serialize for InFile<'_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let form = self.form;
        match self.value {
            ValueRef::Document(document) => serialize_document(document, form, json),
            ValueRef::Array(array) => json.collect_seq(array.iter().map(|value| InFile { value, form })),
            ValueRef::String(text) => json.serialize_str(text),
            ValueRef::Boolean(flag) => json.serialize_bool(flag),
            ValueRef::Null => json.serialize_unit(),
            ValueRef::ObjectId(id) => wrap(json, "$oid", &Shown(id)),
            ValueRef::Int32(number) => match form {
                FileForm::Canonical => wrap(json, "$numberInt", &Shown(number)),
                FileForm::Relaxed => json.serialize_i32(number),
            },
            ValueRef::Int64(number) => match form {
                FileForm::Relaxed if is_plain_long(number) => json.serialize_i64(number),
                FileForm::Canonical | FileForm::Relaxed => wrap(json, "$numberLong", &Shown(number)),
            },
            ValueRef::Double(number) => match form {
                FileForm::Relaxed if number.is_finite() => json.serialize_f64(number),
                FileForm::Canonical | FileForm::Relaxed => wrap(json, "$numberDouble", &Shown(DoubleBits(number))),
            },
            ValueRef::DateTime(date) => match date_in_words(date).filter(|_| form == FileForm::Relaxed) {
                Some(text) => wrap(json, "$date", &text),
                None => wrap(json, "$date", &Fields([("$numberLong", Shown(date.timestamp_millis()))])),
            },
            ValueRef::RegularExpression { pattern, options } => match form {
                FileForm::Canonical => {
                    wrap(json, "$regularExpression", &Fields([("pattern", pattern), ("options", options)]))
                }
                FileForm::Relaxed => Fields([("$regex", pattern), ("$options", options)]).serialize(json),
            },
            ValueRef::Undefined => wrap(json, "$undefined", &true),
            ValueRef::Binary { subtype, bytes } => serialize_binary(u8::from(subtype), bytes, json),
            ValueRef::JavaScriptCode(code) => wrap(json, "$code", code),
            ValueRef::JavaScriptCodeWithScope { code, scope } => {
                let mut object = json.serialize_map(Some(2))?;
                object.serialize_entry("$code", code)?;
                object.serialize_entry("$scope", &InFile { value: ValueRef::Document(scope), form })?;
                object.end()
            }
            ValueRef::Symbol(text) => wrap(json, "$symbol", text),
            ValueRef::Timestamp(timestamp) => {
                wrap(json, "$timestamp", &Fields([("t", timestamp.time), ("i", timestamp.increment)]))
            }
            ValueRef::Decimal128(number) => wrap(json, "$numberDecimal", &Shown(number)),
            ValueRef::MinKey => wrap(json, "$minKey", &1),
            ValueRef::MaxKey => wrap(json, "$maxKey", &1),
        }
    }
}

fn serialize_document<S: Serializer>(document: DocumentRef<'_>, form: FileForm, json: S) -> Result<S::Ok, S::Error> {
    json.collect_map(document.iter().map(|(key, value)| (escaped(key), InFile { value, form })))
}

/// Whether a plain number comes back as a long, in JavaScript's hands too.
fn is_plain_long(number: i64) -> bool {
    i32::try_from(number).is_err() && number.unsigned_abs() < 1 << 53
}

/// `2018-08-31T17:30:00.882Z`; `None` outside the years that extended JSON writes so.
fn date_in_words(date: DateTime) -> Option<String> {
    const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;
    let nanoseconds = i128::from(date.timestamp_millis()) * 1_000_000;
    let date = time::OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?;
    if !YEARS.contains(&date.year()) {
        return None;
    }
    let text = date.format(&Rfc3339).ok()?;
    let seconds = text.get(.."2018-08-31T17:30:00".len())?;
    Some(format!("{seconds}.{:03}Z", date.millisecond()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::decode_file_text;
    use super::*;
    use bson::{Bson, Document, doc, oid::ObjectId};

    #[test]
    fn each_form() {
        check(Bson::Int32(5), r#"{"$numberInt":"5"}"#, "5");
        check(Bson::Int64(5), r#"{"$numberLong":"5"}"#, r#"{"$numberLong":"5"}"#);
        check(Bson::Int64(1 << 40), r#"{"$numberLong":"1099511627776"}"#, "1099511627776");
        check(Bson::Double(5.0), r#"{"$numberDouble":"5.0"}"#, "5.0");
        check(Bson::Double(-0.0), r#"{"$numberDouble":"-0.0"}"#, "-0.0");
        check(Bson::Double(f64::NAN), r#"{"$numberDouble":"NaN"}"#, r#"{"$numberDouble":"NaN"}"#);
        let date = |milliseconds| Bson::DateTime(DateTime::from_millis(milliseconds));
        check(date(882), r#"{"$date":{"$numberLong":"882"}}"#, r#"{"$date":"1970-01-01T00:00:00.882Z"}"#);
        check(date(-1), r#"{"$date":{"$numberLong":"-1"}}"#, r#"{"$date":{"$numberLong":"-1"}}"#);
        check(
            date(i64::MAX),
            r#"{"$date":{"$numberLong":"9223372036854775807"}}"#,
            r#"{"$date":{"$numberLong":"9223372036854775807"}}"#,
        );
        let oid = r#"{"$oid":"000102030405060708090a0b"}"#;
        check(ObjectId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), oid, oid);
    }

    #[test]
    fn what_only_looks_like_a_type_is_a_document() {
        check(doc! { "$date": 5 }, r#"{"$$date":{"$numberInt":"5"}}"#, r#"{"$$date":5}"#);
        check(doc! { "$$oid": "x", "a": 1 }, r#"{"$$$oid":"x","a":{"$numberInt":"1"}}"#, r#"{"$$$oid":"x","a":1}"#);
        check(doc! { "$x": "x", "$$": "" }, r#"{"$x":"x","$$":""}"#, r#"{"$x":"x","$$":""}"#);
        check(
            doc! { "": "", "a.b": "", "__proto__": "" },
            r#"{"":"","a.b":"","__proto__":""}"#,
            r#"{"":"","a.b":"","__proto__":""}"#,
        );
    }

    #[test]
    fn odd_nans_keep_their_bits() {
        let document = doc! { "a": f64::from_bits(0xfff8_0000_0000_0001) };
        let text = text_of(&document, FileForm::Canonical);
        assert_eq!(bytes(&decode_file_text(&text, DateTime::MIN).unwrap()), bytes(&document), "{text}");
    }

    fn check(value: impl Into<Bson>, canonical: &str, relaxed: &str) {
        let document = doc! { "v": value.into() };
        for (form, expected) in [(FileForm::Canonical, canonical), (FileForm::Relaxed, relaxed)] {
            let text = text_of(&document, form);
            assert_eq!(text, format!("{{\"v\":{expected}}}"), "{form:?}");
            assert_eq!(bytes(&decode_file_text(&text, DateTime::MIN).unwrap()), bytes(&document), "{text}");
        }
    }

    fn text_of(document: &Document, form: FileForm) -> String {
        let mut text = String::new();
        write_file_value(ValueRef::Document(document.into()), form, &mut text);
        text
    }

    fn bytes(document: &Document) -> Vec<u8> {
        document.to_vec().unwrap()
    }
}
