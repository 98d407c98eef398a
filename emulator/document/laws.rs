//! The laws that values keep, tested on arbitrary ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;

use proptest::prelude::*;

use crate::arbitrary::{alike, document, number, odd_document, value};
use crate::*;

fn key(value: &Bson) -> Vec<u8> {
    let mut key = Vec::new();
    encode_key(value.into(), &mut key);
    key
}

fn key_descending(value: &Bson) -> Vec<u8> {
    let mut key = vec![7];
    encode_key_descending(value.into(), &mut key);
    key
}

fn order(left: &Bson, right: &Bson) -> Ordering {
    compare(left.into(), right.into())
}

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).unwrap()
}

fn now() -> DateTime {
    DateTime::from_millis(1_700_000_000_000)
}

fn text_of(document: &Document, dialect: Dialect) -> String {
    let mut text = "[".to_owned();
    encode_text(document.into(), dialect, &mut text);
    text.strip_prefix('[').unwrap().to_owned()
}

/// Checks that keys of two values stand to each other as the values do, whatever follows the keys.
fn check_keys(left: &Bson, right: &Bson, left_rest: &[u8], right_rest: &[u8]) -> Result<(), TestCaseError> {
    let expected = order(left, right);
    prop_assert_eq!(key(left).cmp(&key(right)), expected);
    prop_assert_eq!(key_descending(left).cmp(&key_descending(right)), expected.reverse());
    if expected != Ordering::Equal {
        let followed = |key: Vec<u8>, rest: &[u8]| [key.as_slice(), rest].concat();
        prop_assert_eq!(followed(key(left), left_rest).cmp(&followed(key(right), right_rest)), expected);
        let descending = followed(key_descending(left), left_rest).cmp(&followed(key_descending(right), right_rest));
        prop_assert_eq!(descending, expected.reverse());
    }
    Ok(())
}

/// What every dialect does to an ObjectId on purpose, and `A` to what plain JSON has no word for.
fn as_carried(value: Bson, dialect: Dialect) -> Bson {
    match value {
        Bson::ObjectId(id) => Bson::String(id.to_hex()),
        Bson::Undefined if dialect == Dialect::A => Bson::Null,
        Bson::Double(number) if dialect == Dialect::A && !number.is_finite() => Bson::Null,
        Bson::Array(array) => Bson::Array(array.into_iter().map(|value| as_carried(value, dialect)).collect()),
        Bson::Document(document) => Bson::Document(document_as_carried(document, dialect)),
        Bson::JavaScriptCodeWithScope(mut program) => {
            program.scope = document_as_carried(program.scope, dialect);
            Bson::JavaScriptCodeWithScope(program)
        }
        other => other,
    }
}

fn document_as_carried(document: Document, dialect: Dialect) -> Document {
    document.into_iter().map(|(key, value)| (key, as_carried(value, dialect))).collect()
}

/// Checks that `document` comes back from its own JSON, by text and by tree.
fn check_round_trip(document: Document, dialect: Dialect) -> Result<(), TestCaseError> {
    let text = text_of(&document, dialect);
    let expected = document_as_carried(document, dialect);
    let decoded = decode_text(&text, now()).unwrap();
    prop_assert!(equal((&decoded).into(), (&expected).into()), "{} became {:?}", &text, &decoded);
    let tree: serde_json::Value = serde_json::from_str(&text).unwrap();
    prop_assert_eq!(&raw(&decode_document(&tree, now()).unwrap()), &raw(&decoded));
    if dialect == Dialect::G {
        prop_assert_eq!(&raw(&decoded), &raw(&expected), "types are kept");
    }
    Ok(())
}

proptest! {
    #[test]
    fn key_order_is_value_order(left in value(), right in value(), rest: [Vec<u8>; 2]) {
        check_keys(&left, &right, &rest[0], &rest[1])?;
    }

    #[test]
    fn key_order_is_value_order_within_types((left, right) in alike(), rest: [Vec<u8>; 2]) {
        check_keys(&left, &right, &rest[0], &rest[1])?;
    }

    #[test]
    fn compare_is_a_total_order(first in value(), second in value(), third in value()) {
        check_total_order([&first, &second, &third])?;
    }

    #[test]
    fn compare_is_a_total_order_of_numbers(first in number(), second in number(), third in number()) {
        check_total_order([&first, &second, &third])?;
    }

    #[test]
    fn raw_and_decoded_are_seen_alike(left in document(), right in document()) {
        let (left_raw, right_raw) = (raw(&left), raw(&right));
        let (left, right) = (DocumentRef::from(&left), DocumentRef::from(&right));
        let (left_raw, right_raw) = (DocumentRef::from(&*left_raw), DocumentRef::from(&*right_raw));
        let expected = compare(left.into(), right.into());
        prop_assert_eq!(compare(left_raw.into(), right_raw.into()), expected);
        prop_assert_eq!(compare(left_raw.into(), right.into()), expected);
        check_same_view(left.into(), left_raw.into())?;
    }

    #[test]
    fn a_round_trips(document in document()) {
        check_round_trip(document, Dialect::A)?;
    }

    #[test]
    fn b_round_trips(document in document()) {
        check_round_trip(document, Dialect::B)?;
    }

    #[test]
    fn g_round_trips(document in document()) {
        check_round_trip(document, Dialect::G)?;
    }

    #[test]
    fn files_keep_every_byte(document in document(), odd in odd_document()) {
        for document in [document, odd] {
            for form in [FileForm::Canonical, FileForm::Relaxed] {
                let mut text = String::new();
                write_file_value(ValueRef::Document((&document).into()), form, &mut text);
                prop_assert!(!text.contains('\n'), "one line");
                let decoded = decode_file_text(&text, now()).unwrap();
                prop_assert_eq!(raw(&decoded).as_bytes().to_vec(), raw(&document).as_bytes().to_vec(), "{}", &text);
                let decoded = decode_strict_file_text(&text, now()).unwrap();
                prop_assert_eq!(raw(&decoded).as_bytes().to_vec(), raw(&document).as_bytes().to_vec(), "{}", &text);
            }
        }
    }

    #[test]
    fn trees_and_texts_spell_alike(value in value()) {
        for dialect in [Dialect::A, Dialect::B, Dialect::G] {
            let mut text = String::new();
            write_value((&value).into(), dialect, &mut text);
            let tree = encode_value((&value).into(), dialect);
            prop_assert_eq!(tree.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_decoded_or_refused(text: String, pieces in prop::collection::vec(
        prop::sample::select(vec!["{", "}", "[", "]", ":", ",", "\"$date\"", "\"$numberInt\"", "\"a\"", "1", "null", "\"1\""]), 0..12)) {
        let _ = decode_value_text(&text, now());
        let _ = decode_value_text(&pieces.concat(), now());
    }

    #[test]
    fn size_is_that_of_the_bytes(document in document()) {
        let bytes = raw(&document).as_bytes().len();
        prop_assert_eq!(limits::document_bytes(&document, 1).unwrap(), bytes);
    }
}

fn check_total_order([first, second, third]: [&Bson; 3]) -> Result<(), TestCaseError> {
    prop_assert_eq!(order(first, first), Ordering::Equal);
    prop_assert_eq!(order(first, second), order(second, first).reverse());
    if order(first, second).is_le() && order(second, third).is_le() {
        let expected = order(first, second).then(order(second, third));
        prop_assert_eq!(order(first, third), expected);
    }
    Ok(())
}

/// Checks all that can be seen of a value, and of what is in it.
fn check_same_view(left: ValueRef<'_>, right: ValueRef<'_>) -> Result<(), TestCaseError> {
    prop_assert_eq!(compare(left, right), Ordering::Equal);
    prop_assert_eq!(left.type_name(), right.type_name());
    prop_assert_eq!(left.type_order(), right.type_order());
    prop_assert_eq!(key(&left.to_bson()), key(&right.to_bson()));
    prop_assert_eq!(to_shell_text(left), to_shell_text(right));
    prop_assert_eq!(encode_value(left, Dialect::G), encode_value(right, Dialect::G));
    if let (ValueRef::Document(left), ValueRef::Document(right)) = (left, right) {
        prop_assert_eq!(left.is_empty(), right.is_empty());
        prop_assert_eq!(left.iter().count(), right.iter().count());
        prop_assert!(left.get("missing").is_none() && right.get("missing").is_none());
        for ((left_key, left_value), (right_key, _)) in left.iter().zip(right.iter()) {
            prop_assert_eq!(left_key, right_key);
            check_same_view(left_value, right.get(left_key).unwrap())?;
        }
    }
    if let (ValueRef::Array(left), ValueRef::Array(right)) = (left, right) {
        prop_assert_eq!((left.len(), left.is_empty()), (right.len(), right.is_empty()));
        prop_assert!(left.get(left.len()).is_none() && right.get(left.len()).is_none());
        for (index, value) in left.iter().enumerate() {
            check_same_view(value, right.get(index).unwrap())?;
        }
    }
    Ok(())
}
