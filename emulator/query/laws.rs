//! Laws of this crate, tried on arbitrary documents, filters and updates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use document::arbitrary::{common_document, common_value, document};
use document::{Bson, Document, DocumentRef, FieldPath, RawDocumentBuf};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::update::FieldChanges;
use crate::{Condition, Filter, KeyKind, KeyPattern, Projection, Sort, Update};

const PATHS: &[&str] =
    &["a", "b", "c", "aa", "a.b", "a.a", "b.c", "a.0", "b.1", "a.0.b", "a.b.c", "0", "c.a.b", "名字"];

proptest! {
    #[test]
    fn raw_documents_match_as_decoded_ones(document in document(), filter in filter()) {
        let Ok(filter) = Filter::parse(&filter) else { return Ok(()) };
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        let (decoded, raw) = (DocumentRef::Decoded(&document), DocumentRef::Raw(&raw));
        prop_assert_eq!(filter.match_position(decoded), filter.match_position(raw));
        prop_assert_eq!(filter.matches(decoded), filter.match_position(raw).map(|position| position.is_some()));
    }

    #[test]
    fn raw_documents_project_and_sort_as_decoded_ones(
        document in document(),
        projection in object(select(vec![Bson::Int32(1), Bson::Boolean(true)])),
        sort in sort(),
    ) {
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        let (decoded, raw) = (DocumentRef::Decoded(&document), DocumentRef::Raw(&raw));
        let projection = Projection::parse(&projection).unwrap();
        prop_assert_eq!(bytes(&projection.apply(decoded).unwrap()), bytes(&projection.apply(raw).unwrap()));
        let sort = Sort::parse(&sort).unwrap();
        prop_assert_eq!(sort.key(decoded), sort.key(raw));
    }

    #[test]
    fn negations_negate(document in common_document(), path in path(), value in common_value()) {
        let holds = |operator: &str| matches(&one(path, one(operator, value.clone())), &document);
        prop_assert_eq!(holds("$ne"), !holds("$eq"));
        let condition = one(path, one("$eq", value.clone()));
        prop_assert_eq!(matches(&one("$nor", vec![condition.clone()]), &document), !holds("$eq"));
        prop_assert_eq!(holds("$eq"), matches(&one(path, one("$in", vec![value.clone()])), &document));
    }

    #[test]
    fn candidates_of_an_id_lose_no_match(document in common_document(), filter in filter()) {
        let Ok(filter) = Filter::parse(&filter) else { return Ok(()) };
        let Some(candidates) = filter.equality("a") else { return Ok(()) };
        let value = document.get("a").cloned().unwrap_or(Bson::Null);
        if filter.matches((&document).into()).unwrap() && value.as_array().is_none() {
            prop_assert!(candidates.iter().any(|candidate| document::equal(candidate.into(), (&value).into())));
        }
    }

    #[test]
    fn the_keys_of_matches_lie_within_bounds(document in common_document(), filter in filter()) {
        let Ok(filter) = Filter::parse(&filter) else { return Ok(()) };
        let conditions = filter.conditions();
        match filter.matches((&document).into()).unwrap() {
            true => prop_assert!(conditions.iter().all(|condition| is_met(condition, &document) != Met::No), "{:?}", conditions),
            false => prop_assert!(!conditions.iter().all(|condition| is_met(condition, &document) == Met::Exactly), "{:?}", conditions),
        }
    }

    #[test]
    fn the_least_key_is_the_place_in_a_sort(document in document(), path in indexed_path(), descending in any::<bool>()) {
        let sort = Sort::parse(&one(path, if descending { -1 } else { 1 })).unwrap();
        let path = FieldPath::parse(path).unwrap();
        let Ok(keys) = KeyPattern::new([(&path, if descending { KeyKind::Descending } else { KeyKind::Ascending })]).keys((&document).into()) else { return Ok(()) };
        let place = sort.key((&document).into());
        prop_assert_eq!(&keys.keys[0].bytes[..], place.as_bytes());
    }

    #[test]
    fn what_was_set_is_found(document in common_document(), path in path(), value in common_value()) {
        let mut changed = document.clone();
        let update = Update::parse(&one("$set", one(path, value.clone()))).unwrap();
        if update.apply(&mut changed, None).is_ok() {
            prop_assert!(matches(&one(path, one("$eq", value)), &changed));
        }
    }

    #[test]
    fn a_failed_update_changes_nothing(document in common_document(), update in update(), position in select(vec![None, Some(0), Some(2)])) {
        let Ok(update) = Update::parse(&update) else { return Ok(()) };
        let mut changed = document.clone();
        match update.apply(&mut changed, position) {
            Err(_) => prop_assert_eq!(bytes(&changed), bytes(&document)),
            Ok(changes) if changes.is_empty() => prop_assert_eq!(bytes(&changed), bytes(&document)),
            Ok(changes) => prop_assert_eq!(sorted(&redone(&document, &changes)), sorted(&changed)),
        }
    }

    #[test]
    fn a_replacement_is_what_comes_out(document in common_document(), replacement in common_document()) {
        let mut changed = document.clone();
        let changes = Update::replacement(replacement.clone()).unwrap().apply(&mut changed, None).unwrap();
        prop_assert_eq!(changes.is_empty(), bytes(&document) == bytes(&replacement));
        prop_assert_eq!(bytes(&changed), bytes(&replacement));
    }

    #[test]
    fn sort_keys_are_ordered_as_documents(left in document(), right in document(), sort in sort()) {
        let sort = Sort::parse(&sort).unwrap();
        let (left, right) = (DocumentRef::from(&left), DocumentRef::from(&right));
        prop_assert_eq!(sort.key(left).cmp(&sort.key(right)), sort.compare(left, right));
    }
}

#[derive(Debug, PartialEq)]
enum Met {
    No,
    Perhaps,
    Exactly,
}

fn is_met(condition: &Condition, document: &Document) -> Met {
    let (path, bounds) = match condition {
        Condition::Geo { .. } | Condition::Other => return Met::Perhaps,
        Condition::Any(branches) => {
            let met = |branch: &Vec<Condition>| branch.iter().all(|condition| is_met(condition, document) != Met::No);
            return if branches.iter().any(met) { Met::Perhaps } else { Met::No };
        }
        Condition::Field { path, bounds } => (path, bounds),
    };
    let Some(field) = FieldPath::parse(path).ok().filter(|_| !has_index(path)) else { return Met::Perhaps };
    let keys = KeyPattern::new([(&field, KeyKind::Ascending)]).keys(document.into()).unwrap();
    let within =
        |bytes: &Vec<u8>| bounds.intervals().iter().any(|interval| *bytes >= interval.low && *bytes < interval.high);
    match keys.keys.iter().any(|key| within(&key.bytes)) {
        false => Met::No,
        true if bounds.is_exact() && keys.multikey == [false] => Met::Exactly,
        true => Met::Perhaps,
    }
}

fn has_index(path: &str) -> bool {
    path.split('.').any(|segment| segment.bytes().all(|byte| byte.is_ascii_digit()))
}

fn indexed_path() -> impl Strategy<Value = &'static str> {
    path().prop_filter("no index in it", |path| !has_index(path))
}

fn path() -> impl Strategy<Value = &'static str> {
    select(PATHS)
}

fn one(name: &str, value: impl Into<Bson>) -> Document {
    Document::from_iter([(name.to_owned(), value.into())])
}

fn object(value: impl Strategy<Value = Bson>) -> impl Strategy<Value = Document> {
    vec((path().prop_map(str::to_owned), value), 1..4).prop_map(Document::from_iter)
}

fn sort() -> impl Strategy<Value = Document> {
    object(select(vec![Bson::Int32(1), Bson::Int32(-1)]))
}

/// Conditions on a field, some of them mistaken.
fn condition() -> BoxedStrategy<Bson> {
    let compared = (select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), common_value());
    let listed = (select(vec!["$in", "$nin", "$all"]), vec(common_value(), 0..3));
    let types = select(vec!["number", "string", "array", "object", "null", "date", "bool"]);
    let leaf = prop_oneof![
        2 => common_value(),
        4 => compared.prop_map(|(operator, value)| one(operator, value).into()),
        2 => listed.prop_map(|(operator, values)| one(operator, values).into()),
        1 => any::<bool>().prop_map(|flag| one("$exists", flag).into()),
        1 => types.prop_map(|name| one("$type", name).into()),
        1 => (0..4i32).prop_map(|size| one("$size", size).into()),
        1 => (-2..3i32, -2..3i32).prop_map(|(divisor, rest)| one("$mod", vec![divisor, rest]).into()),
        1 => "[a-c.^]{0,3}".prop_map(|pattern| one("$regex", pattern).into()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|condition| one("$not", condition).into()),
            inner.clone().prop_map(|condition| one("$elemMatch", condition).into()),
            object(inner).prop_map(|query| one("$elemMatch", query).into()),
        ]
    })
    .boxed()
}

fn filter() -> BoxedStrategy<Document> {
    object(condition())
        .prop_recursive(2, 8, 3, |inner| {
            (select(vec!["$and", "$or", "$nor"]), vec(inner, 1..3))
                .prop_map(|(operator, branches)| one(operator, branches))
        })
        .boxed()
}

fn update() -> BoxedStrategy<Document> {
    let targets = select([PATHS, &["a.$", "b.$.a", "a.$[]", "c.$[].b", "_id"]].concat());
    let one_field = |argument: BoxedStrategy<Bson>| {
        vec((targets.clone().prop_map(str::to_owned), argument), 1..3).prop_map(Document::from_iter)
    };
    let valued = select(vec!["$set", "$min", "$max", "$push", "$addToSet", "$pull", "$unset", "$setOnInsert"]);
    let operation = prop_oneof![
        4 => (valued, one_field(common_value())),
        1 => (select(vec!["$inc", "$mul"]), one_field((-3..4i32).prop_map(Bson::Int32).boxed())),
        1 => (Just("$pop"), one_field(select(vec![Bson::Int32(1), Bson::Int32(-1)]).boxed())),
        1 => (Just("$pullAll"), one_field(vec(common_value(), 0..3).prop_map(Bson::Array).boxed())),
        1 => (Just("$pull"), one_field(condition())),
        1 => (Just("$rename"), one_field(path().prop_map(Bson::from).boxed())),
        1 => (Just("$push"), one_field(push())),
    ];
    vec(operation, 1..3)
        .prop_map(|operations| operations.into_iter().map(|(name, fields)| (name.to_owned(), fields.into())).collect())
        .boxed()
}

fn push() -> BoxedStrategy<Bson> {
    (vec(common_value(), 0..3), -3..4i32, -3..4i32, select(vec![1, -1]), 0..8u8)
        .prop_map(|(elements, position, slice, order, chosen)| {
            let mut push = one("$each", elements);
            let clauses = [("$position", position), ("$slice", slice), ("$sort", order)];
            for (bit, (name, value)) in clauses.into_iter().enumerate() {
                if chosen & (1 << bit) != 0 {
                    push.insert(name, value);
                }
            }
            push.into()
        })
        .boxed()
}

fn matches(filter: &Document, document: &Document) -> bool {
    Filter::parse(filter).unwrap().matches(document.into()).unwrap()
}

fn bytes(document: &Document) -> Vec<u8> {
    document.to_vec().unwrap()
}

/// The document with `changes` made by hand.
fn redone(document: &Document, changes: &FieldChanges) -> Document {
    let mut redone = document.clone();
    for (path, value) in &changes.updated {
        Update::parse(&one("$set", one(path, value.clone()))).unwrap().apply(&mut redone, None).unwrap();
    }
    for path in &changes.removed {
        Update::parse(&one("$unset", one(path, ""))).unwrap().apply(&mut redone, None).unwrap();
    }
    redone
}

/// Bytes that do not tell the order of fields.
fn sorted(document: &Document) -> Vec<u8> {
    fn sort(value: &Bson) -> Bson {
        match value {
            Bson::Document(document) => Bson::Document(fields(document)),
            Bson::Array(array) => Bson::Array(array.iter().map(sort).collect()),
            value => value.clone(),
        }
    }
    fn fields(document: &Document) -> Document {
        let mut names: Vec<&String> = document.keys().collect();
        names.sort();
        names.into_iter().map(|name| (name.clone(), sort(document.get(name).unwrap()))).collect()
    }
    bytes(&fields(document))
}
