//! Laws of rules and proofs, tried on arbitrary rules, queries and documents; the queries' own filter is the model.
//!
//! The documents hold no arrays but in `m`, which rules ask by `in` alone: see `prove.rs` on arrays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use document::{Bson, DateTime, Document};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use query::Filter;

use super::{CollectionRules, Documents, Identity, Kind, Operation, Reference, Request, Subject, Verdict, check};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn an_admitted_query_finds_nothing_the_rule_refuses(
        rule in rule(), query in query(), documents in vec(stored(), 1..6),
    ) {
        let rules = read(&rule);
        if ask(&rules, Subject::Query(&query)).is_ok() {
            check_found(&rules, &query, &documents)?;
        }
    }

    #[test]
    fn a_refusal_names_what_admits(rule in rule(), query in query(), documents in vec(stored(), 1..6)) {
        let rules = read(&rule);
        let Err(refusal) = ask(&rules, Subject::Query(&query)) else { return Ok(()) };
        prop_assert!(refusal.limit.is_some() || !refusal.failed.is_empty(), "{}", refusal);
        prop_assert!(!refusal.to_string().is_empty() && !refusal.details().is_empty());
        let Some(add) = refusal.add.filter(|_| refusal.pin.is_empty()) else { return Ok(()) };
        let add: Document = add.into_iter().map(|(path, value)| (path, filled(value))).collect();
        let query = one("$and", vec![query, add]);
        prop_assert_eq!(ask(&rules, Subject::Query(&query)).map_err(|refusal| refusal.to_string()), Ok(()));
        check_found(&rules, &query, &documents)?;
    }

    #[test]
    fn a_plain_condition_can_always_be_added(path in path(), value in literal(), operator in comparison()) {
        let rules = read(&format!("doc.{path} {operator} {value}"));
        let Err(refusal) = ask(&rules, Subject::Query(&Document::new())) else { return Ok(()) };
        let orders_nothing = value == "null" && !operator.ends_with("==") && operator != "!=";
        prop_assert!(refusal.add.is_some() || orders_nothing, "{}", refusal);
    }

    #[test]
    fn narrowing_keeps_a_query_admitted(rule in rule(), query in query(), more in query()) {
        let rules = read(&rule);
        if ask(&rules, Subject::Query(&query)).is_ok() {
            let narrowed = one("$and", vec![query, more]);
            prop_assert_eq!(ask(&rules, Subject::Query(&narrowed)).map_err(|refusal| refusal.to_string()), Ok(()));
        }
    }

    #[test]
    fn a_rule_and_its_contrary_do_not_both_admit(rule in rule(), document in stored()) {
        let admits = |rule: &str| ask(&read(rule), Subject::Document(&document)).is_ok();
        prop_assert!(!(admits(&rule) && admits(&format!("!({rule})"))), "{}", rule);
    }

    #[test]
    fn nothing_panics(text in any_text()) {
        let rules = format!("{{\"read\": {}}}", serde_json::Value::from(text.as_str()));
        check(Kind::Collection, &rules);
        check(Kind::Collection, &text);
        check(Kind::Functions, &text);
        if let Ok(rules) = CollectionRules::parse(&rules) {
            let query = Document::from_iter([("a".to_owned(), Bson::Int32(1))]);
            let _ = ask(&rules, Subject::Query(&query)).map_err(|refusal| refusal.to_string());
            let _ = ask(&rules, Subject::Document(&query)).map_err(|refusal| refusal.details());
        }
    }
}

/// Every rule of one comparison, and its contrary, with every query of one operator: admitted exactly where the query finds
/// something, and nothing that the rule refuses, on documents dense enough to tell.
#[test]
fn single_comparisons_are_proved_exactly() {
    let values = ["null", "0", "1", "2", "'x'", "'y'", "true", "false"];
    let queries = single_queries(&values);
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        for value in values {
            check_exactly(&format!("doc.a {operator} {value}"), &queries);
            check_exactly(&format!("!({value} {operator} doc.a)"), &queries);
        }
    }
    for list in ["[]", "[1]", "[0, 2]", "['x', 1]", "[null, 'y']", "[true, false]"] {
        check_exactly(&format!("doc.a in {list}"), &queries);
        check_exactly(&format!("!(doc.a in {list})"), &queries);
    }
}

fn check_exactly(rule: &str, queries: &[Document]) {
    let rules = read(rule);
    let documents = single_documents().into_iter();
    let documents: Vec<_> =
        documents.map(|document| (ask(&rules, Subject::Document(&document)).is_ok(), document)).collect();
    for query in queries {
        let filter = Filter::parse(query).unwrap();
        let found = || documents.iter().filter(|(_, document)| filter.matches(document.into()).unwrap());
        let inside = found().all(|(allowed, _)| *allowed);
        if found().next().is_some() {
            assert_eq!(ask(&rules, Subject::Query(query)).is_ok(), inside, "{rule} with {query}");
        }
    }
}

fn single_documents() -> Vec<Document> {
    let numbers = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0].map(Bson::Double);
    let others = ["", "w", "x", "xx", "y", "z"].map(Bson::from);
    let values = numbers.into_iter().chain(others).chain([true.into(), false.into(), Bson::Null]);
    values.map(|value| one("a", value)).chain([Document::new()]).collect()
}

/// Bounds are texts and numbers: of others the proof makes less than it could.
fn single_queries(values: &[&str]) -> Vec<Document> {
    let values: Vec<Bson> = values.iter().map(|text| value_of(text)).collect();
    let by = |operator: &str, value: &Bson| one("a", one(operator, value.clone()));
    let equal = values.iter().flat_map(|value| ["$eq", "$ne"].map(|operator| by(operator, value)));
    let bounds = values.iter().filter(|value| matches!(value, Bson::String(_) | Bson::Int32(_)));
    let bounded = bounds.flat_map(|value| ["$gt", "$gte", "$lt", "$lte"].map(|operator| by(operator, value)));
    let pairs =
        values.iter().flat_map(|left| values.iter().map(|right| Bson::Array(vec![left.clone(), right.clone()])));
    let listed = pairs.flat_map(|pair| ["$in", "$nin"].map(|operator| by(operator, &pair)));
    equal.chain(bounded).chain(listed).chain([Document::new()]).collect()
}

fn value_of(literal: &str) -> Bson {
    document::decode_value_text(&literal.replace('\'', "\""), DateTime::from_millis(0)).unwrap()
}

/// The documents of the collection `r`: `get()` finds `x` and 1.
struct Shelf;

impl Documents for Shelf {
    type Error = std::convert::Infallible;

    async fn document(&self, reference: &Reference) -> Result<Option<Document>, Self::Error> {
        let found = reference.collection == "r" && matches!(reference.id.as_str(), "x" | "1");
        let value = if reference.id == "x" { Bson::Boolean(true) } else { Bson::Int32(1) };
        let members = Bson::Array(vec!["me".into(), "x".into()]);
        Ok(found.then(|| Document::from_iter([("v".to_owned(), value), ("m".to_owned(), members)])))
    }
}

fn ask(rules: &CollectionRules, subject: Subject<'_>) -> Verdict {
    let identity = Identity { openid: Some("me".to_owned()), ..Identity::default() };
    let request = Request::new(Some(&identity), DateTime::from_millis(2));
    let Ok(verdict) = wait(rules.rule(Operation::Read).admits(subject, &request, &Shelf));
    verdict
}

/// The result of a future that never waits, and could be sent to another thread.
fn wait<T>(future: impl Future<Output = T> + Send) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn check_found(rules: &CollectionRules, query: &Document, documents: &[Document]) -> Result<(), TestCaseError> {
    let filter = Filter::parse(query).unwrap();
    for document in documents.iter().filter(|document| filter.matches((*document).into()).unwrap()) {
        let verdict = ask(rules, Subject::Document(document));
        prop_assert!(verdict.is_ok(), "{} in {}: {}", document, query, verdict.unwrap_err());
    }
    Ok(())
}

fn read(rule: &str) -> CollectionRules {
    CollectionRules::parse(&format!("{{\"read\": {}}}", serde_json::Value::from(rule))).unwrap()
}

fn filled(value: Bson) -> Bson {
    match value {
        Bson::String(text) if text == "{openid}" => "me".into(),
        Bson::Array(values) => values.into_iter().map(filled).collect::<Vec<_>>().into(),
        Bson::Document(document) => {
            document.into_iter().map(|(name, value)| (name, filled(value))).collect::<Document>().into()
        }
        other => other,
    }
}

fn path() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c.a", "c.b"])
}

fn literal() -> impl Strategy<Value = &'static str> {
    select(vec!["0", "1", "2", "-1.5", "'x'", "'me'", "'y'", "true", "false", "null"])
}

fn comparison() -> impl Strategy<Value = &'static str> {
    select(vec!["==", "===", "!=", "<", "<=", ">", ">="])
}

/// A rule whose `get()` calls are few enough.
fn rule() -> BoxedStrategy<String> {
    let condition = prop_oneof![
        6 => (path(), comparison(), literal()).prop_map(|(path, operator, value)| format!("doc.{path} {operator} {value}")),
        2 => (path(), comparison(), literal()).prop_map(|(path, operator, value)| format!("{value} {operator} doc.{path}")),
        2 => (path(), vec(literal(), 0..3)).prop_map(|(path, list)| format!("doc.{path} in [{}]", list.join(", "))),
        2 => path().prop_map(|path| format!("doc.{path} == auth.openid")),
        1 => path().prop_map(|path| format!("now > doc.{path}")),
        1 => literal().prop_map(|value| format!("{value} in doc.m")),
        1 => path().prop_map(|path| format!("doc.{path}")),
        1 => (path(), path(), comparison()).prop_map(|(left, right, operator)| format!("doc.{left} {operator} doc.{right}")),
        1 => path().prop_map(|path| format!("/^[xm]/.test(doc.{path})")),
        1 => path().prop_map(|path| format!("get(`database.r.${{doc.{path}}}`).v")),
        1 => path().prop_map(|path| format!("auth.openid in get('database.r.' + doc.{path}).m")),
        1 => select(vec!["true", "false", "auth != null", "auth.uid == 'x'"]).prop_map(str::to_owned),
    ];
    let rule = condition.prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) && ({right})")),
            2 => (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) || ({right})")),
            1 => inner.prop_map(|inner| format!("!({inner})")),
        ]
    });
    rule.prop_filter("few get()", |rule| rule.matches("get(").count() <= 3).boxed()
}

fn scalar() -> impl Strategy<Value = Bson> {
    let values = vec![
        Bson::Int32(0),
        Bson::Int64(1),
        Bson::Double(2.0),
        Bson::Double(-1.5),
        Bson::Double(f64::NAN),
        "x".into(),
        "me".into(),
        "y".into(),
        true.into(),
        false.into(),
        Bson::Null,
        Bson::DateTime(DateTime::from_millis(1)),
        Bson::DateTime(DateTime::from_millis(3)),
    ];
    select(values)
}

fn stored() -> impl Strategy<Value = Document> {
    let below = (option::of(scalar()), option::of(scalar())).prop_map(|(a, b)| fields([("a", a), ("b", b)]).into());
    let below = option::of(prop_oneof![4 => below, 1 => scalar()]);
    let members = option::of(prop_oneof![4 => vec(scalar(), 0..3).prop_map(Bson::Array), 1 => scalar()]);
    (option::of(scalar()), option::of(scalar()), below, members)
        .prop_map(|(a, b, c, m)| fields([("a", a), ("b", b), ("c", c), ("m", m)]))
}

fn fields<const N: usize>(fields: [(&str, Option<Bson>); N]) -> Document {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn one(name: &str, value: impl Into<Bson>) -> Document {
    Document::from_iter([(name.to_owned(), value.into())])
}

fn query() -> BoxedStrategy<Document> {
    let compared = (select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), scalar());
    let listed = (select(vec!["$in", "$nin", "$all"]), vec(scalar(), 0..3));
    let condition = prop_oneof![
        6 => scalar(),
        5 => compared.prop_map(|(operator, value)| one(operator, value).into()),
        3 => listed.prop_map(|(operator, values)| one(operator, values).into()),
        1 => any::<bool>().prop_map(|flag| one("$exists", flag).into()),
        1 => scalar().prop_map(|value| one("$not", one("$gt", value)).into()),
        1 => Just(one("$regex", "x").into()),
    ];
    let name = select(vec!["a", "a", "b", "b", "c.a", "c.b", "c", "m"]).prop_map(str::to_owned);
    let fields = vec((name, condition), 0..4).prop_map(Document::from_iter);
    fields
        .prop_recursive(2, 6, 3, |inner| {
            (select(vec!["$and", "$or", "$or", "$nor"]), vec(inner.clone(), 1..3), inner).prop_map(
                |(operator, branches, mut rest)| {
                    rest.insert(operator, branches.into_iter().map(Bson::Document).collect::<Vec<_>>());
                    rest
                },
            )
        })
        .boxed()
}

fn any_text() -> impl Strategy<Value = String> {
    let fragments = select(vec![
        "doc",
        "auth",
        ".a",
        ".openid",
        "==",
        "!=",
        "&&",
        "||",
        "!",
        "(",
        ")",
        "[",
        "]",
        "`",
        "${",
        "}",
        "'",
        "\"",
        "get(",
        "in",
        " ",
        "1",
        "9223372036854775808",
        "1e999",
        "-",
        ".",
        "/x/",
        ".test(",
        "now",
        "null",
        "true",
        "\\u",
        "\\",
        "中",
        "request.data",
        "{",
        ":",
        ",",
    ]);
    prop_oneof![vec(fragments, 0..14).prop_map(|parts| parts.concat()), ".{0,40}"]
}
