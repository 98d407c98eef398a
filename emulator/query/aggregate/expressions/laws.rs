//! Laws of expressions, tried on arbitrary documents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use document::arbitrary::{common_document, common_value, document, number, value};
use document::{Bson, DateTime, Document, DocumentRef, RawDocumentBuf};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::operators;
use super::{Expression, Names, Scope};
use crate::{Filter, QueryError};

proptest! {
    /// Whatever is evaluated, there is a value or an error, and the same for bytes as for a decoded document.
    #[test]
    fn raw_documents_evaluate_as_decoded_ones(document in document(), expression in expression()) {
        let Ok(expression) = Expression::parse(&expression, &Names::default()) else { return Ok(()) };
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        let decoded = expression.evaluate(&Scope::of(DocumentRef::Decoded(&document)));
        let raw = expression.evaluate(&Scope::of(DocumentRef::Raw(&raw)));
        prop_assert_eq!(format!("{decoded:?}"), format!("{raw:?}"));
    }

    #[test]
    fn nothing_is_too_strange_to_read(expression in value()) {
        let _ = Expression::parse(&expression, &Names::default());
    }

    #[test]
    fn no_text_is_too_strange_for_dates_and_numbers(
        text in "[0-9+:/. TZa-m年-]{0,24}|.{0,12}",
        format in "(%[YmdHMSLjuUVwGzZ%]|[-/: T年]){0,8}|.{0,8}",
        zone in "UTC|[+-][0-9:]{0,5}|.{0,6}",
    ) {
        let fields = [("t", text), ("f", format), ("z", zone)];
        let document: Document = fields.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
        let mut read = one("dateString", "$t");
        for (name, path) in [("onNull", "$t"), ("timezone", "$z"), ("format", "$f")] {
            let _ = attempt(one("$dateFromString", read.clone()), &document);
            read.insert(name, path);
        }
        let _ = attempt(one("$dateFromString", read), &document);
        for operator in ["$toDate", "$toDouble", "$toDecimal", "$toInt", "$toLong", "$toObjectId"] {
            let _ = attempt(one(operator, "$t"), &document);
        }
    }

    #[test]
    fn literals_are_themselves(value in value()) {
        let found = evaluate(one("$literal", value.clone()), &Document::new());
        prop_assert_eq!(format!("{found:?}"), format!("{:?}", Some(value)));
    }

    #[test]
    fn arrays_joined_are_as_long_as_their_parts(parts in vec(vec(common_value(), 0..4), 0..4)) {
        let length: usize = parts.iter().map(Vec::len).sum();
        let fields = parts.into_iter().enumerate().map(|(index, part)| (format!("f{index}"), Bson::from(part)));
        let document: Document = fields.collect();
        let paths: Vec<Bson> = document.keys().map(|name| format!("${name}").into()).collect();
        let joined = evaluate(one("$concatArrays", paths), &document);
        prop_assert_eq!(joined.unwrap().as_array().unwrap().len(), length);
    }

    #[test]
    fn reversing_twice_changes_nothing(array in vec(common_value(), 0..5)) {
        let document = one("a", array.clone());
        let twice = evaluate(one("$reverseArray", one("$reverseArray", "$a")), &document);
        prop_assert_eq!(format!("{twice:?}"), format!("{:?}", Some(Bson::Array(array))));
    }

    #[test]
    fn objects_come_back_from_arrays(object in common_document()) {
        let document = one("a", object.clone());
        let back = evaluate(one("$arrayToObject", one("$objectToArray", "$a")), &document);
        prop_assert_eq!(format!("{back:?}"), format!("{:?}", Some(Bson::Document(object))));
    }

    #[test]
    fn texts_joined_split_again(parts in vec("[a-z中]{0,3}", 1..5)) {
        let document = one("a", parts.join("-"));
        let split = evaluate(one("$split", vec!["$a", "-"]), &document);
        prop_assert_eq!(split, Some(parts.into()));
    }

    #[test]
    fn sets_have_an_order_of_their_own(left in vec(common_value(), 0..5), right in vec(common_value(), 0..5)) {
        let mut document = two(left, right);
        let union_of = |pair: [&str; 2]| evaluate(one("$setUnion", pair.to_vec()), &document).unwrap();
        let (union, other) = (union_of(["$a", "$b"]), union_of(["$b", "$a"]));
        prop_assert!(document::equal((&union).into(), (&other).into()));
        document.insert("a", union);
        prop_assert_eq!(evaluate(one("$setIsSubset", vec!["$b", "$a"]), &document), Some(true.into()));
    }

    #[test]
    fn sums_do_not_mind_the_order(numbers in vec(-1_000_000i64..1_000_000, 0..6)) {
        let values: Vec<Bson> = numbers.iter().map(|number| Bson::Int64(*number)).collect();
        let total = evaluate(one("$sum", "$a"), &one("a", values.clone()));
        let reversed: Vec<Bson> = values.into_iter().rev().collect();
        prop_assert_eq!(total, evaluate(one("$sum", "$a"), &one("a", reversed)));
    }

    #[test]
    fn what_is_added_can_be_taken_away(left in any::<i32>(), right in any::<i32>()) {
        let difference = one("$subtract", vec![one("$add", vec![left, right]).into(), Bson::Int32(right)]);
        let number = evaluate(difference, &Document::new());
        prop_assert!(document::equal((&number.unwrap()).into(), (&Bson::Int32(left)).into()));
    }

    #[test]
    fn one_of_three_orders_holds(left in common_value(), right in common_value()) {
        let document = two(left, right);
        let holds = |operator: &str| evaluate(one(operator, vec!["$a", "$b"]), &document) == Some(true.into());
        prop_assert_eq!(["$lt", "$eq", "$gt"].into_iter().filter(|operator| holds(operator)).count(), 1);
    }

    #[test]
    fn dates_come_back_from_their_parts(milliseconds in -62_135_596_800_000i64..253_402_300_800_000, zone in zone()) {
        let document = two(DateTime::from_millis(milliseconds), zone);
        for iso in [false, true] {
            let mut parts = one("date", "$a");
            parts.insert("timezone", "$b");
            parts.insert("iso8601", iso);
            let parts = evaluate(one("$dateToParts", parts), &document).unwrap();
            let mut from = parts.as_document().unwrap().clone();
            from.insert("timezone", zone);
            let back = evaluate(one("$dateFromParts", from), &Document::new());
            prop_assert_eq!(back, Some(DateTime::from_millis(milliseconds).into()));
        }
    }

    #[test]
    fn dates_come_back_from_their_text(milliseconds in -62_135_596_800_000i64..253_402_300_800_000) {
        let document = one("d", DateTime::from_millis(milliseconds));
        let back = evaluate(one("$toDate", one("$toString", "$d")), &document);
        prop_assert_eq!(back, Some(DateTime::from_millis(milliseconds).into()));
    }

    #[test]
    fn decimals_come_back_from_their_text(number in number()) {
        let document = one("a", number);
        let decimal = evaluate(one("$toDecimal", "$a"), &document);
        let back = evaluate(one("$toDecimal", one("$toString", one("$toDecimal", "$a"))), &document);
        prop_assert!(document::equal((&decimal.unwrap()).into(), (&back.unwrap()).into()));
    }

    #[test]
    fn an_expression_filters_as_it_evaluates(document in common_document(), expression in expression()) {
        let Ok(parsed) = Expression::parse(&expression, &Names::default()) else { return Ok(()) };
        let filter = Filter::parse(&one("$expr", expression)).unwrap();
        prop_assert_eq!(filter.matches((&document).into()), parsed.is_true(&Scope::of((&document).into())));
    }
}

/// Offsets only: where a place turns its clock back, a time is two moments.
fn zone() -> impl Strategy<Value = &'static str> {
    select(vec!["UTC", "+08:00", "-0330", "+05"])
}

/// Expressions, most of them mistaken in some way that only evaluation finds.
fn expression() -> BoxedStrategy<Bson> {
    let paths = select(vec!["$a", "$b", "$c", "$a.b", "$$ROOT", "$x", "$aa", "$b.a.c", "$$REMOVE"]);
    let leaf = prop_oneof![
        3 => common_value(),
        4 => paths.prop_map(Bson::from),
        2 => (-3..4i32).prop_map(Bson::Int32),
    ];
    let names: Vec<&str> = operators::names().collect();
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let members = vec(select(MEMBERS), 0..4);
        prop_oneof![
            4 => (select(names.clone()), vec(inner.clone(), 1..4)).prop_map(|(name, arguments)| one(name, arguments).into()),
            2 => (select(names.clone()), inner.clone()).prop_map(|(name, argument)| one(name, argument).into()),
            2 => (select(names.clone()), members, vec(inner.clone(), 4)).prop_map(|(name, members, values)| {
                let members = members.into_iter().map(str::to_owned).zip(values).collect::<Document>();
                one(name, members).into()
            }),
            2 => (select(vec!["$map", "$filter", "$reduce"]), vec(inner, 3)).prop_map(|(name, values)| form(name, values)),
        ]
    })
    .boxed()
}

const MEMBERS: &[&str] = &[
    "date",
    "timezone",
    "input",
    "regex",
    "chars",
    "year",
    "month",
    "to",
    "dateString",
    "format",
    "find",
    "replacement",
];

fn form(name: &str, values: Vec<Bson>) -> Bson {
    let members = match name {
        "$map" => ["input", "in", "as"],
        "$filter" => ["input", "cond", "as"],
        _ => ["input", "in", "initialValue"],
    };
    let mut object: Document = members.into_iter().map(str::to_owned).zip(values).collect();
    if object.contains_key("as") {
        object.insert("as", "v");
    }
    one(name, object).into()
}

fn evaluate(expression: Document, document: &Document) -> Option<Bson> {
    attempt(expression, document).unwrap()
}

fn attempt(expression: Document, document: &Document) -> Result<Option<Bson>, QueryError> {
    Expression::parse(&expression.into(), &Names::default())?.evaluate(&Scope::of(document.into()))
}

/// A document with the fields `a` and `b`.
fn two(a: impl Into<Bson>, b: impl Into<Bson>) -> Document {
    Document::from_iter([("a".to_owned(), a.into()), ("b".to_owned(), b.into())])
}

fn one(name: &str, value: impl Into<Bson>) -> Document {
    Document::from_iter([(name.to_owned(), value.into())])
}
