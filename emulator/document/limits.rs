//! What a stored document may be: how deep, how large, which keys and types.
//! Whether a key may begin with `$` is `query`'s and `environment`'s matter.

use crate::dialect::DialectError;
use crate::{Bson, Document};

/// How many levels of documents and arrays a document may have, itself included.
pub const NESTING_MAX: usize = 100;

/// How many bytes of BSON a document may take.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Whether `document` may be stored: at most [`NESTING_MAX`] levels, at most [`DOCUMENT_BYTES_MAX`] bytes as BSON,
/// no NUL in a key, no DBPointer. The error is one of those four.
pub fn check_limits(document: &Document) -> Result<(), DialectError> {
    let bytes = document_bytes(document, 1)?;
    if bytes > DOCUMENT_BYTES_MAX { Err(DialectError::TooLarge { bytes }) } else { Ok(()) }
}

/// How many bytes of BSON `document` takes, which may be more than may be stored; an error where it breaks another limit.
pub fn document_size(document: &Document) -> Result<usize, DialectError> {
    document_bytes(document, 1)
}

/// How many bytes of BSON `value` takes without a key; an error as for [`document_size`].
pub fn value_size(value: &Bson) -> Result<usize, DialectError> {
    value_bytes(value, 0)
}

/// A document's frame: its length in front and a NUL at the end.
const FRAME_BYTES: usize = 4 + 1;
const STRING_FRAME_BYTES: usize = 4 + 1;

/// How many bytes of BSON `document` takes; it stands at level `depth`, counted from 1.
pub(crate) fn document_bytes(document: &Document, depth: usize) -> Result<usize, DialectError> {
    check_depth(depth)?;
    let mut bytes = FRAME_BYTES;
    for (key, value) in document {
        if key.contains('\0') {
            return Err(DialectError::NulInKey { place: key.replace('\0', "\\0") });
        }
        bytes += element_bytes(key.len(), value, depth)?;
    }
    Ok(bytes)
}

fn array_bytes(array: &[Bson], depth: usize) -> Result<usize, DialectError> {
    check_depth(depth)?;
    let mut bytes = FRAME_BYTES;
    for (index, value) in array.iter().enumerate() {
        bytes += element_bytes(decimal_digits(index), value, depth)?;
    }
    Ok(bytes)
}

/// An element is its type, its key with a NUL, its value.
fn element_bytes(key_bytes: usize, value: &Bson, depth: usize) -> Result<usize, DialectError> {
    Ok(1 + key_bytes + 1 + value_bytes(value, depth)?)
}

fn value_bytes(value: &Bson, depth: usize) -> Result<usize, DialectError> {
    Ok(match value {
        Bson::Null | Bson::Undefined | Bson::MinKey | Bson::MaxKey => 0,
        Bson::Boolean(_) => 1,
        Bson::Int32(_) => 4,
        Bson::Double(_) | Bson::Int64(_) | Bson::DateTime(_) | Bson::Timestamp(_) => 8,
        Bson::ObjectId(_) => 12,
        Bson::Decimal128(_) => 16,
        Bson::String(text) | Bson::Symbol(text) | Bson::JavaScriptCode(text) => STRING_FRAME_BYTES + text.len(),
        Bson::RegularExpression(regex) => regex.pattern.len() + 1 + regex.options.len() + 1,
        // The oldest subtype has its length twice.
        Bson::Binary(binary) => 4 + 1 + binary.bytes.len() + if u8::from(binary.subtype) == 2 { 4 } else { 0 },
        Bson::JavaScriptCodeWithScope(program) => {
            4 + STRING_FRAME_BYTES + program.code.len() + document_bytes(&program.scope, depth + 1)?
        }
        Bson::Document(document) => document_bytes(document, depth + 1)?,
        Bson::Array(array) => array_bytes(array, depth + 1)?,
        Bson::DbPointer(_) => return Err(DialectError::Unsupported { name: "DBPointer".to_owned() }),
    })
}

fn check_depth(depth: usize) -> Result<(), DialectError> {
    if depth > NESTING_MAX { Err(DialectError::TooDeep) } else { Ok(()) }
}

fn decimal_digits(index: usize) -> usize {
    index.checked_ilog10().map_or(1, |exponent| exponent as usize + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::doc;

    use super::*;

    fn nested(levels: usize) -> Document {
        (1..levels).fold(doc! {}, |inner, level| {
            if level % 2 == 0 {
                doc! { "a": inner }
            } else {
                doc! { "b": inner }
            }
        })
    }

    #[test]
    fn levels() {
        assert_eq!(check_limits(&nested(NESTING_MAX)), Ok(()));
        assert_eq!(check_limits(&nested(NESTING_MAX + 1)), Err(DialectError::TooDeep));
        let array = (0..NESTING_MAX).fold(Bson::Null, |inner, _| Bson::Array(vec![inner]));
        assert_eq!(check_limits(&doc! { "a": array }), Err(DialectError::TooDeep));
    }

    #[test]
    fn bytes() {
        let with_text = |bytes: usize| doc! { "a": "x".repeat(bytes) };
        let frame = document_bytes(&with_text(0), 1).unwrap();
        assert_eq!(check_limits(&with_text(DOCUMENT_BYTES_MAX - frame)), Ok(()));
        let bytes = DOCUMENT_BYTES_MAX + 1;
        assert_eq!(check_limits(&with_text(bytes - frame)), Err(DialectError::TooLarge { bytes }));
    }

    #[test]
    fn keys() {
        let expected = Err(DialectError::NulInKey { place: r"a\0b".to_owned() });
        assert_eq!(check_limits(&doc! { "x": [{ "a\0b": 1 }] }), expected);
        assert_eq!(check_limits(&doc! { "$x.y": 1, "": 2 }), Ok(()));
    }
}
