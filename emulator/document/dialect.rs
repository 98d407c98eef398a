//! The JSON that SDKs speak (protocol §2.2): decoding it into values and encoding values as it.
//! Which door speaks which dialect is the upper floors' knowledge. `$` operators pass through as plain documents.

mod decode;
mod encode;
mod files;
mod wrappers;

use bson::{Bson, DateTime, Document};

use crate::limits::{DOCUMENT_BYTES_MAX, NESTING_MAX};
use crate::value::{DocumentRef, ValueRef};

pub use encode::Encoded;
pub use files::{FileForm, write_file_value};

/// How an answer spells its values. Requests need no dialect: the three forms do not contradict each other, so decoding
/// takes them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Plain JSON: face `/web`, tcb-admin-node. Dates are `{"$date": milliseconds}`. It has no word for NaN, the infinities
    /// and undefined: they become `null`, as in `JSON.stringify`.
    A,
    /// Extended JSON with plain numbers: face `/admin`. Integers beyond 2^53 are `$numberLong`, NaN and the infinities
    /// `$numberDouble`.
    B,
    /// Extended JSON with every number wrapped: face `/v1`. The only one of the three that tells the types of numbers apart.
    G,
}

/// Why JSON is no value, or a document no stored one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// Not JSON; the text says what was expected and where.
    #[error("invalid JSON: {0}")]
    Syntax(String),
    /// An object was needed; holds the name of the type that came instead.
    #[error("expected an object, found {0}")]
    NotAnObject(&'static str),
    /// An object that names a type of extended JSON, such as `{"$numberInt": "x"}`, and does not fit it.
    #[error("malformed {wrapper} at {place}: {reason}")]
    Malformed {
        /// The key that names the type.
        wrapper: String,
        /// Where the object is: `a.b.0`, or `the top level`.
        place: String,
        /// What was expected.
        reason: &'static str,
    },
    /// A type that BSON has and the emulator does not.
    #[error("not supported by the emulator: {name}")]
    Unsupported {
        /// The type, as it was written.
        name: String,
    },
    /// A key with a NUL, which BSON cannot hold.
    #[error("the key {place} contains a NUL character, which is not allowed")]
    NulInKey {
        /// The key or the path to it, NUL printed as `\0`.
        place: String,
    },
    /// A key that stands twice in one object, where that is a mistake.
    #[error("the key {place} stands twice in its object")]
    RepeatedKey {
        /// The key or the path to it.
        place: String,
    },
    /// More than [`NESTING_MAX`] levels of documents and arrays.
    #[error("nested more than {NESTING_MAX} levels deep")]
    TooDeep,
    /// More than [`DOCUMENT_BYTES_MAX`] bytes as BSON.
    #[error("the document takes {bytes} bytes, more than the {DOCUMENT_BYTES_MAX} allowed")]
    TooLarge {
        /// What it takes.
        bytes: usize,
    },
}

/// Decodes a value from any dialect. Dates that the server is to make (`{"$tcb_server_date": {"offset": ms}}` and
/// `{"$date": {"offset": ms}}`) become `now` plus their offset.
///
/// A plain number becomes Int32 or Int64 if it is an integer that fits, else Double. Of a key that stands twice in an
/// object the last value counts, at the place of the first, as in JavaScript.
pub fn decode(json: &serde_json::Value, now: DateTime) -> Result<Bson, DialectError> {
    decode::from_json(json, now)
}

/// Decodes as [`decode`]; anything but a document is an error.
pub fn decode_document(json: &serde_json::Value, now: DateTime) -> Result<Document, DialectError> {
    into_document(decode(json, now)?)
}

/// Decodes the text of a JSON object as [`decode`] does, without building JSON first. At most [`NESTING_MAX`] levels.
pub fn decode_text(text: &str, now: DateTime) -> Result<Document, DialectError> {
    into_document(decode_value_text(text, now)?)
}

/// Decodes the text of any JSON value, such as a stage's `3` or `"$tags"`, as [`decode_text`] does.
pub fn decode_value_text(text: &str, now: DateTime) -> Result<Bson, DialectError> {
    decode::from_text(text, now, decode::Source::Request)
}

/// Decodes the text of an object out of a file that [`write_file_value`] or a human wrote.
pub fn decode_file_text(text: &str, now: DateTime) -> Result<Document, DialectError> {
    into_document(decode::from_text(text, now, decode::Source::File)?)
}

/// As [`decode_file_text`], but a key that stands twice in an object is a mistake.
pub fn decode_strict_file_text(text: &str, now: DateTime) -> Result<Document, DialectError> {
    into_document(decode::from_text(text, now, decode::Source::StrictFile)?)
}

/// Appends `document` as JSON text. An ObjectId is printed as its hex string in every dialect (protocol §2.2, test
/// `oid.test.ts`), which decodes to a string; everything else that the dialect can carry decodes to an equal value.
pub fn encode_text(document: DocumentRef<'_>, dialect: Dialect, out: &mut String) {
    write_value(ValueRef::Document(document), dialect, out);
}

/// Appends any value as JSON text, as [`encode_text`].
pub fn write_value(value: ValueRef<'_>, dialect: Dialect, out: &mut String) {
    encode::write(Encoded::new(value, dialect), out);
}

/// A value as JSON, as [`encode_text`]. For ids and other small things; whole documents are better written as text.
pub fn encode_value(value: ValueRef<'_>, dialect: Dialect) -> serde_json::Value {
    serde_json::to_value(Encoded::new(value, dialect)).unwrap_or_default()
}

fn into_document(value: Bson) -> Result<Document, DialectError> {
    match value {
        Bson::Document(document) => Ok(document),
        other => Err(DialectError::NotAnObject(ValueRef::from(&other).type_name())),
    }
}

#[cfg(test)]
mod tests;
