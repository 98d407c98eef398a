//! Spells values as JSON, each dialect in its way. One description serves text and trees: serde's.

use std::fmt::{self, Display};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Dialect;
use crate::value::{ArrayRef, DocumentRef, ValueRef};

/// A value together with the dialect to spell it in; serializes as JSON, so that a reply can hold it.
#[derive(Clone, Copy, Debug)]
pub struct Encoded<'a> {
    value: ValueRef<'a>,
    dialect: Dialect,
}

impl<'a> Encoded<'a> {
    /// `value`, to be spelled in `dialect`.
    pub fn new(value: ValueRef<'a>, dialect: Dialect) -> Encoded<'a> {
        Encoded { value, dialect }
    }
}

pub(super) fn write(value: Encoded<'_>, out: &mut String) {
    out.push_str(&to_text(&value));
}

/// `value` as JSON text.
pub(super) fn to_text(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(TEXT_BYTES_USUAL);
    // Neither the value nor the vector refuses anything, and what serde_json writes is UTF-8: nothing can fail here.
    let written = serde_json::to_writer(&mut bytes, value);
    debug_assert!(written.is_ok());
    String::from_utf8(bytes).unwrap_or_default()
}

/// Room for most documents, so that the text seldom moves while it grows.
const TEXT_BYTES_USUAL: usize = 512;

/// The greatest integer below which a JavaScript number holds every integer, 2^53 - 1.
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

impl Serialize for Encoded<'_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let dialect = self.dialect;
        match self.value {
            ValueRef::Document(document) => serialize_document(document, dialect, json),
            ValueRef::Array(array) => serialize_array(array, dialect, json),
            ValueRef::String(text) => json.serialize_str(text),
            ValueRef::Boolean(flag) => json.serialize_bool(flag),
            ValueRef::Null => json.serialize_unit(),
            ValueRef::ObjectId(id) => json.collect_str(&id),
            ValueRef::Int32(number) => match dialect {
                Dialect::A | Dialect::B => json.serialize_i32(number),
                Dialect::G => wrap(json, "$numberInt", &Shown(number)),
            },
            ValueRef::Int64(number) => serialize_long(number, dialect, json),
            ValueRef::Double(number) => serialize_double(number, dialect, json),
            ValueRef::DateTime(date) => match dialect {
                Dialect::A => wrap(json, "$date", &date.timestamp_millis()),
                Dialect::B | Dialect::G => {
                    wrap(json, "$date", &Fields([("$numberLong", Shown(date.timestamp_millis()))]))
                }
            },
            ValueRef::RegularExpression { pattern, options } => match dialect {
                Dialect::A => Fields([("$regex", pattern), ("$options", options)]).serialize(json),
                Dialect::B | Dialect::G => {
                    wrap(json, "$regularExpression", &Fields([("pattern", pattern), ("options", options)]))
                }
            },
            ValueRef::Undefined => match dialect {
                Dialect::A => json.serialize_unit(),
                Dialect::B | Dialect::G => wrap(json, "$undefined", &true),
            },
            ValueRef::Binary { subtype, bytes } => serialize_binary(u8::from(subtype), bytes, json),
            ValueRef::JavaScriptCode(code) => wrap(json, "$code", code),
            ValueRef::JavaScriptCodeWithScope { code, scope } => {
                let mut object = json.serialize_map(Some(2))?;
                object.serialize_entry("$code", code)?;
                object.serialize_entry("$scope", &Encoded::new(ValueRef::Document(scope), dialect))?;
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

fn serialize_document<S: Serializer>(document: DocumentRef<'_>, dialect: Dialect, json: S) -> Result<S::Ok, S::Error> {
    json.collect_map(document.iter().map(|(key, value)| (key, Encoded::new(value, dialect))))
}

fn serialize_array<S: Serializer>(array: ArrayRef<'_>, dialect: Dialect, json: S) -> Result<S::Ok, S::Error> {
    json.collect_seq(array.iter().map(|value| Encoded::new(value, dialect)))
}

fn serialize_long<S: Serializer>(number: i64, dialect: Dialect, json: S) -> Result<S::Ok, S::Error> {
    match dialect {
        Dialect::A => json.serialize_i64(number),
        Dialect::B if number.unsigned_abs() <= SAFE_INTEGER_MAX => json.serialize_i64(number),
        Dialect::B | Dialect::G => wrap(json, "$numberLong", &Shown(number)),
    }
}

fn serialize_double<S: Serializer>(number: f64, dialect: Dialect, json: S) -> Result<S::Ok, S::Error> {
    match dialect {
        Dialect::A | Dialect::B if number.is_finite() => json.serialize_f64(number),
        Dialect::A => json.serialize_unit(),
        Dialect::B | Dialect::G => wrap(json, "$numberDouble", &Shown(DoubleText(number))),
    }
}

pub(super) fn serialize_binary<S: Serializer>(subtype: u8, bytes: &[u8], json: S) -> Result<S::Ok, S::Error> {
    let base64 = Base64Display::new(bytes, &STANDARD);
    let subtype = format_args!("{subtype:02x}");
    wrap(json, "$binary", &Fields([("base64", Shown(&base64 as &dyn Display)), ("subType", Shown(&subtype))]))
}

/// `{"<key>": <value>}`.
pub(super) fn wrap<S: Serializer>(json: S, key: &str, value: &(impl Serialize + ?Sized)) -> Result<S::Ok, S::Error> {
    let mut object = json.serialize_map(Some(1))?;
    object.serialize_entry(key, value)?;
    object.end()
}

/// An object of a few fields.
pub(super) struct Fields<T, const COUNT: usize>(pub(super) [(&'static str, T); COUNT]);

impl<T: Serialize, const COUNT: usize> Serialize for Fields<T, COUNT> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        json.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Something as a JSON string of how it prints.
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        json.collect_str(&self.0)
    }
}

/// A double as `$numberDouble` names it: the shortest text that reads back as the same double.
pub(super) struct DoubleText(pub(super) f64);

impl Display for DoubleText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            number if number == f64::INFINITY => formatter.write_str("Infinity"),
            number if number == f64::NEG_INFINITY => formatter.write_str("-Infinity"),
            number => write!(formatter, "{number:?}"),
        }
    }
}
