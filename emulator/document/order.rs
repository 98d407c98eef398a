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
        (Timestamp(left), Timestamp(right)) => (left.time, left.increment).cmp(&(right.time, right.increment)),
        (
            RegularExpression { pattern, options },
            RegularExpression { pattern: right_pattern, options: right_options },
        ) => (pattern, options).cmp(&(right_pattern, right_options)),
        (JavaScriptCode(left), JavaScriptCode(right)) => left.cmp(right),
        (JavaScriptCodeWithScope { code, scope }, JavaScriptCodeWithScope { code: right_code, scope: right_scope }) => {
            code.cmp(right_code).then_with(|| compare_documents(scope, right_scope))
        }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bson::{Bson, DateTime, Decimal128, doc, oid::ObjectId};

    use super::*;

    /// Checks that the values ascend strictly.
    fn check_ascending(values: impl IntoIterator<Item = Bson>) {
        let values: Vec<Bson> = values.into_iter().collect();
        for pair in values.windows(2) {
            assert_eq!(compare((&pair[0]).into(), (&pair[1]).into()), Ordering::Less, "{pair:?}");
        }
    }

    fn check_equal(left: impl Into<Bson>, right: impl Into<Bson>) {
        let (left, right) = (left.into(), right.into());
        assert!(equal((&left).into(), (&right).into()), "{left} {right}");
    }

    fn decimal(text: &str) -> Bson {
        Bson::Decimal128(text.parse::<Decimal128>().unwrap())
    }

    /// DB-2.23
    #[test]
    fn types() {
        check_ascending([
            Bson::MinKey,
            Bson::Null,
            Bson::Double(f64::NAN),
            Bson::Int32(5),
            "".into(),
            doc! {}.into(),
            Bson::Array(vec![]),
            Bson::Binary(bson::Binary { subtype: BinarySubtype::Generic, bytes: vec![] }),
            ObjectId::from_bytes([0; 12]).into(),
            false.into(),
            true.into(),
            DateTime::from_millis(-1).into(),
            Bson::Timestamp(bson::Timestamp { time: 0, increment: 0 }),
            Bson::RegularExpression(bson::Regex { pattern: "".try_into().unwrap(), options: "".try_into().unwrap() }),
            Bson::JavaScriptCode(String::new()),
            Bson::MaxKey,
        ]);
        check_equal(Bson::Null, Bson::Undefined);
        check_equal("x", Bson::Symbol("x".to_owned()));
    }

    /// DB-2.21
    #[test]
    fn numbers() {
        check_ascending([
            f64::NAN.into(),
            f64::NEG_INFINITY.into(),
            f64::MIN.into(),
            i64::MIN.into(),
            (-9_007_199_254_740_993i64).into(),
            (-9_007_199_254_740_992.0).into(),
            (-1.5).into(),
            (-1).into(),
            (-5e-324).into(),
            0.into(),
            decimal("1E-6176"),
            5e-324.into(),
            decimal("0.1"),
            0.1.into(),
            decimal("0.2999999999999999888"),
            0.3.into(),
            decimal("0.3"),
            1.into(),
            1.5.into(),
            9_007_199_254_740_992.0.into(),
            9_007_199_254_740_993i64.into(),
            decimal("9007199254740993.5"),
            9_007_199_254_740_994.0.into(),
            i64::MAX.into(),
            9_223_372_036_854_775_808.0.into(),
            f64::MAX.into(),
            decimal("1E+6144"),
            f64::INFINITY.into(),
        ]);
        check_equal(1, 1.0);
        check_equal(1i64, decimal("1.000"));
        check_equal(1000, decimal("1E+3"));
        check_equal(-0.0, 0);
        check_equal(decimal("-0"), 0);
        check_equal(decimal("0.5"), 0.5);
        check_equal(decimal("NaN"), f64::NAN);
        check_equal(decimal("-Infinity"), f64::NEG_INFINITY);
        check_equal(i64::MIN, -9_223_372_036_854_775_808.0);
    }

    /// DB-2.22
    #[test]
    fn texts() {
        check_ascending(["", "\0", "\0a", "A", "B", "a", "a\0", "aa", "é", "中", "\u{10ffff}"].map(Bson::from));
    }

    /// DB-2.26
    #[test]
    fn documents_and_arrays() {
        check_ascending(
            [
                doc! {},
                doc! { "b": Bson::Null },
                doc! { "a": 1 },
                doc! { "a": 1, "b": 1 },
                doc! { "a": 1, "c": 1 },
                doc! { "a": 2 },
                doc! { "b": 0 },
                doc! { "a": "" },
            ]
            .map(Bson::from),
        );
        let array = |values: &[i32]| Bson::Array(values.iter().copied().map(Bson::from).collect());
        check_ascending([array(&[]), array(&[1]), array(&[1, 1]), array(&[1, 2]), array(&[2])]);
        check_equal(doc! { "a": 1, "b": [1.0] }, doc! { "a": 1.0, "b": [1] });
    }

    #[test]
    fn bytes() {
        let binary = |subtype: u8, bytes: &[u8]| {
            Bson::Binary(bson::Binary { subtype: BinarySubtype::from(subtype), bytes: bytes.to_vec() })
        };
        check_ascending([binary(0, &[]), binary(0, &[9]), binary(5, &[0]), binary(0, &[0, 0]), binary(0, &[0, 1])]);
    }
}
