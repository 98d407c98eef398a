//! How large a value in between may grow. Variables can double a value again and again, which no document's limit stops.

use document::Bson;
use document::limits::NESTING_MAX;

use super::value::Value;
use crate::QueryError;

/// How many bytes a value may take, by a rough count.
const VALUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a value takes apart from text and bytes in it.
const BASE_BYTES: usize = 32;

/// How many elements `$range` may make.
pub(super) const ELEMENTS_MAX: usize = VALUE_BYTES_MAX / BASE_BYTES;

/// The value, if it is not too large. Only made values are measured: what is borrowed was stored or sent.
pub(super) fn checked(value: Value<'_>) -> Result<Value<'_>, QueryError> {
    if let Value::Owned(value) = &value {
        let mut left = VALUE_BYTES_MAX;
        measure(value, NESTING_MAX, &mut left)?;
    }
    Ok(value)
}

/// Adds to the count of what is built piece by piece.
pub(super) fn take(left: &mut usize, bytes: usize) -> Result<(), QueryError> {
    *left = left.checked_sub(bytes).ok_or_else(too_large)?;
    Ok(())
}

/// Room for a value built piece by piece.
pub(super) fn room() -> usize {
    VALUE_BYTES_MAX
}

pub(super) fn too_large() -> QueryError {
    QueryError::bad_query(format!("a value of an expression takes more than {VALUE_BYTES_MAX} bytes"))
}

/// Takes what `value`, a part of what is built, needs from `left`.
pub(super) fn take_value(left: &mut usize, value: &Bson) -> Result<(), QueryError> {
    measure(value, NESTING_MAX - 1, left)
}

/// Takes what `value` needs from `left`.
fn measure(value: &Bson, levels: usize, left: &mut usize) -> Result<(), QueryError> {
    take(left, BASE_BYTES)?;
    match value {
        Bson::String(text) => take(left, text.len()),
        Bson::Binary(binary) => take(left, binary.bytes.len()),
        Bson::Array(array) => {
            let levels = below(levels)?;
            array.iter().try_for_each(|element| measure(element, levels, left))
        }
        Bson::Document(document) => {
            let levels = below(levels)?;
            document.iter().try_for_each(|(name, value)| {
                take(left, name.len())?;
                measure(value, levels, left)
            })
        }
        _ => Ok(()),
    }
}

/// One level less; the outermost value stands at the last.
fn below(levels: usize) -> Result<usize, QueryError> {
    levels
        .checked_sub(1)
        .ok_or_else(|| QueryError::bad_query(format!("a value of an expression has more than {NESTING_MAX} levels")))
}
