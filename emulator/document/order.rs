//! The total order of values (semantics DB-2.23, DB-2.26): what sorting, `$min`, unique indexes and equality rest on.
//! Numbers are in `number.rs`; the same order as bytes is in `key.rs`. A sort's rules for arrays are `query`'s.

use std::cmp::Ordering;

use bson::spec::BinarySubtype;

use crate::value::{ArrayRef, DocumentRef, ValueRef};

/// Where `left` stands towards `right`: by type (DB-2.23), then by value.
///
/// Numbers compare exactly across their types, NaN lowest, -0 equal to 0 (DB-2.21). Strings compare by their UTF-8 bytes
/// (DB-2.22). Documents compare field by field in stored order: type, then name, then value; a document that ends first
/// is the smaller (DB-2.26). Arrays compare element by element, in the same manner. Binary data compares by length, then
/// subtype, then bytes. Null and undefined are equal, and so are a string and a symbol of one text.
pub fn compare(left: ValueRef<'_>, right: ValueRef<'_>) -> Ordering {
    left.type_order().cmp(&right.type_order()).then_with(|| compare_within_type(left, right))
}

/// Whether [`compare`] finds no difference: `1` equals `1.0`, and documents need the same order of fields.
pub fn equal(left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    compare(left, right) == Ordering::Equal
}

/// Compares two values of one `type_order`.
fn compare_within_type(left: ValueRef<'_>, right: ValueRef<'_>) -> Ordering {
    use ValueRef::*;
    match (left, right) {
        (Int32(left), Int32(right)) => left.cmp(&right),
        (String(left) | Symbol(left), String(right) | Symbol(right)) => left.cmp(right),
        (Document(left), Document(right)) => compare_documents(left, right),
        (Array(left), Array(right)) => compare_arrays(left, right),
        (Binary { subtype, bytes }, Binary { subtype: right_subtype, bytes: right_bytes }) => {
            binary_rank(subtype, bytes).cmp(&binary_rank(right_subtype, right_bytes))
        }
        (ObjectId(left), ObjectId(right)) => left.bytes().cmp(&right.bytes()),
        (Boolean(left), Boolean(right)) => left.cmp(&right),
        (DateTime(left), DateTime(right)) => left.timestamp_millis().cmp(&right.timestamp_millis()),
        (Timestamp(left), Timestamp(right)) => {
            (left.time, left.increment).cmp(&(right.time, right.increment))
        }
        (
            RegularExpression { pattern, options },
            RegularExpression { pattern: right_pattern, options: right_options },
        ) => (pattern, options).cmp(&(right_pattern, right_options)),
        (JavaScriptCode(left), JavaScriptCode(right)) => left.cmp(right),
        (
            JavaScriptCodeWithScope { code, scope },
            JavaScriptCodeWithScope { code: right_code, scope: right_scope },
        ) => code.cmp(right_code).then_with(|| compare_documents(scope, right_scope)),
        (left, right) => match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => left.compare(right),
            // Null, undefined, MinKey, MaxKey: the type says all.
            (_, _) => Ordering::Equal,
        },
    }
}

fn compare_documents(left: DocumentRef<'_>, right: DocumentRef<'_>) -> Ordering {
    let mut right_fields = right.iter();
    for (key, value) in left.iter() {
        let Some((right_key, right_value)) = right_fields.next() else { return Ordering::Greater };
        let order = value
            .type_order()
            .cmp(&right_value.type_order())
            .then_with(|| key.cmp(right_key))
            .then_with(|| compare_within_type(value, right_value));
        if order != Ordering::Equal {
            return order;
        }
    }
    if right_fields.next().is_some() { Ordering::Less } else { Ordering::Equal }
}

fn compare_arrays(left: ArrayRef<'_>, right: ArrayRef<'_>) -> Ordering {
    let mut right_elements = right.iter();
    for value in left.iter() {
        let Some(right_value) = right_elements.next() else { return Ordering::Greater };
        let order = compare(value, right_value);
        if order != Ordering::Equal {
            return order;
        }
    }
    if right_elements.next().is_some() { Ordering::Less } else { Ordering::Equal }
}

fn binary_rank(subtype: BinarySubtype, bytes: &[u8]) -> (usize, u8, &[u8]) {
    (bytes.len(), u8::from(subtype), bytes)
}
