//! Values as bytes whose order is the values' order: the keys of indexes.
//! Only of single values: how an index joins them to a key of its own is `database`'s matter.
//!
//! ## The layout
//! A key is the type's rank (`ValueRef::type_order`), then the payload of that type:
//! - number: the greatest double not above it, 8 bytes; then 0, or for a number that is no double 1, 2 bytes of exponent, 16 of digits
//! - text: its bytes, each NUL as `00 ff`, ended by `00 00`
//! - document: each field as type rank, name as text, payload; ended by 0, which is no type's rank
//! - array: each element as a whole key; ended by 0
//! - everything else: big-endian of fixed width, or with its length in front
//!
//! No key is the beginning of another, so bytes may follow, and inverting every bit reverses the order.

use crate::number::{Number, Rank};
use crate::value::{ArrayRef, DocumentRef, ValueRef};

/// Appends the key of `value`: keys compare as bytes the way [`crate::compare`] compares values, also when other bytes
/// follow them, and equal values (`1` and `1.0`) have the same key.
pub fn encode_key(value: ValueRef<'_>, key: &mut Vec<u8>) {
    key.push(value.type_order());
    encode_payload(value, key);
}

/// Appends the key of `value` for a descending index: [`encode_key`]'s with every bit inverted, so that the order is reversed.
pub fn encode_key_descending(value: ValueRef<'_>, key: &mut Vec<u8>) {
    let start = key.len();
    encode_key(value, key);
    key.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
}

/// What a text's key ends with.
pub const TEXT_END: [u8; 2] = [0, 0];

const END: u8 = 0;

fn encode_payload(value: ValueRef<'_>, key: &mut Vec<u8>) {
    match value {
        ValueRef::MinKey | ValueRef::MaxKey | ValueRef::Null | ValueRef::Undefined => {}
        ValueRef::Int32(number) => encode_number(Number::Int32(number), key),
        ValueRef::Int64(number) => encode_number(Number::Int64(number), key),
        ValueRef::Double(number) => encode_number(Number::Double(number), key),
        ValueRef::Decimal128(number) => encode_number(Number::Decimal128(number), key),
        ValueRef::String(text) | ValueRef::Symbol(text) | ValueRef::JavaScriptCode(text) => encode_str(text, key),
        ValueRef::Document(document) => encode_document(document, key),
        ValueRef::Array(array) => encode_array(array, key),
        ValueRef::Binary { subtype, bytes } => {
            key.extend((bytes.len() as u64).to_be_bytes());
            key.push(u8::from(subtype));
            key.extend(bytes);
        }
        ValueRef::ObjectId(id) => key.extend(id.bytes()),
        ValueRef::Boolean(flag) => key.push(u8::from(flag)),
        ValueRef::DateTime(date) => key.extend(ordered_integer(date.timestamp_millis()).to_be_bytes()),
        ValueRef::Timestamp(timestamp) => {
            key.extend(timestamp.time.to_be_bytes());
            key.extend(timestamp.increment.to_be_bytes());
        }
        ValueRef::RegularExpression { pattern, options } => {
            encode_str(pattern, key);
            encode_str(options, key);
        }
        ValueRef::JavaScriptCodeWithScope { code, scope } => {
            encode_str(code, key);
            encode_document(scope, key);
        }
    }
}

fn encode_number(number: Number, key: &mut Vec<u8>) {
    let Rank { floor, digits } = number.rank();
    key.extend(floor.to_be_bytes());
    match digits {
        None => key.push(0),
        Some(digits) => {
            key.push(1);
            key.extend(digits.exponent.to_be_bytes());
            key.extend(digits.coefficient.to_be_bytes());
        }
    }
}

fn encode_str(text: &str, key: &mut Vec<u8>) {
    let mut parts = text.as_bytes().split(|byte| *byte == 0);
    key.extend(parts.next().unwrap_or_default());
    for part in parts {
        key.extend([0, 0xff]);
        key.extend(part);
    }
    key.extend(TEXT_END);
}

fn encode_document(document: DocumentRef<'_>, key: &mut Vec<u8>) {
    for (name, value) in document.iter() {
        key.push(value.type_order());
        encode_str(name, key);
        encode_payload(value, key);
    }
    key.push(END);
}

fn encode_array(array: ArrayRef<'_>, key: &mut Vec<u8>) {
    for value in array.iter() {
        encode_key(value, key);
    }
    key.push(END);
}

/// Two's complement with the sign bit inverted, so that unsigned order is numeric order.
fn ordered_integer(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

#[cfg(test)]
mod tests {
    use bson::{Bson, doc};

    use super::*;

    /// The bytes rest on disk: a change of any of these rows makes stored data unreadable.
    fn check(value: impl Into<Bson>, expected: &[u8]) {
        let mut key = Vec::new();
        encode_key((&value.into()).into(), &mut key);
        assert_eq!(key, expected);
        let mut descending = Vec::new();
        encode_key_descending(ValueRef::Null, &mut descending);
        assert_eq!(descending, [!20]);
    }

    #[test]
    fn layout() {
        check(Bson::Null, &[20]);
        check(1, &[30, 0xbf, 0xf0, 0, 0, 0, 0, 0, 0, 0]);
        check(0, &[30, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]);
        check(-0.0, &[30, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]);
        check(f64::NAN, &[30, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        check(-1.0, &[30, 0x40, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]);
        check("a\0b", &[40, b'a', 0, 0xff, b'b', 0, 0]);
        check(doc! { "a": true, "b": Bson::Null }, &[50, 90, b'a', 0, 0, 1, 20, b'b', 0, 0, 0]);
        check(vec![Bson::Null, false.into()], &[60, 20, 90, 0, 0]);
        check(bson::DateTime::from_millis(1), &[100, 0x80, 0, 0, 0, 0, 0, 0, 1]);
    }
}
