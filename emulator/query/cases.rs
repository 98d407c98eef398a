//! Runs `tests/cases/filter`, `geo`, `update` and `aggregate` on this crate alone: every document decoded and as bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use document::{Bson, DateTime, Document, DocumentRef, RawDocumentBuf, decode_document};
use serde_json::Value;

use crate::aggregate::expressions::operator_names;
use crate::aggregate::{Expression, Names, Pipeline, Scope, accumulator_names, stage_names};
use crate::shelf::Shelf;
use crate::update::FieldChanges;
use crate::{Filter, Projection, QueryError, Sort, Update};
use support::{ExpressionCase, FilterCase, Page, PipelineCase, UpdateCase};

#[path = "../../tests/support/cases.rs"]
mod support;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");

#[test]
fn filters() {
    check_filters(&support::filter_pages(Path::new(CASES)));
}

#[test]
fn geo() {
    let pages = support::geo_pages(Path::new(CASES));
    let count: usize = pages.iter().map(|page| page.cases.len()).sum();
    assert!(count >= 80, "{count} cases");
    check_filters(&pages);
}

#[test]
fn updates() {
    let mut failures = Vec::new();
    for page in support::update_pages(Path::new(CASES)) {
        for case in &page.cases {
            let mut collection = decode_all(&case.before());
            let outcome = update(case, &mut collection);
            let shown = outcome.as_ref().map(|_| collection.clone()).map_err(|error| error.message.clone());
            let expected = case.error.as_ref().map_or_else(|| Ok(decode_all(&case.after())), |text| Err(text.clone()));
            note(&mut failures, &page.name, &case.name, shown, expected);
            if case.error.is_some() && !same(&collection, &decode_all(&case.before())) {
                failures.push(format!("{}: {}: changed in spite of the error", page.name, case.name));
            }
            if let Ok(counts) = outcome {
                check_counts(&mut failures, &page.name, case, &counts);
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn expressions() {
    let mut failures = Vec::new();
    for page in support::expression_pages(Path::new(CASES)) {
        for case in &page.cases {
            let found = evaluate(case).map_err(|error| error.message);
            let expected = match (&case.expect, &case.error) {
                (Some(value), _) => Ok(wrapped(Some(decode_value(value)))),
                (None, Some(text)) => Err(text.clone()),
                (None, None) => Ok(wrapped(None)),
            };
            let kinds = [case.expect.is_some(), case.error.is_some(), case.missing];
            assert_eq!(kinds.iter().filter(|kind| **kind).count(), 1, "{}: one of expect, error, missing", case.name);
            note(
                &mut failures,
                &page.name,
                &case.name,
                found.map(|value| vec![value]),
                expected.map(|value| vec![value]),
            );
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn there_are_enough_expressions_and_every_operator_is_among_them() {
    let pages = support::expression_pages(Path::new(CASES));
    let cases: Vec<_> = pages.iter().flat_map(|page| page.cases.iter().map(|case| (&page.name, &case.name))).collect();
    let mut unique = cases.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(cases.len(), unique.len());
    assert!(cases.len() >= 300, "{} cases", cases.len());
    let text: String = pages.iter().flat_map(|page| &page.cases).map(|case| case.expression.to_string()).collect();
    let unnamed = operator_names().filter(|name| !text.contains(&format!("\"{name}\"")));
    assert_eq!(unnamed.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn pipelines() {
    let mut failures = Vec::new();
    for page in support::pipeline_pages(Path::new(CASES)) {
        for case in &page.cases {
            let mut expected = match (case.expect.as_ref().or(case.expect_unordered.as_ref()), case.expect_count) {
                (Some(documents), _) => Ok(decode_all(documents)),
                (None, Some(count)) => Ok(vec![Document::new(); count]),
                (None, None) => Err(case.error.clone().unwrap_or_default()),
            };
            let mut found = aggregate(case, &mut failures).map_err(|error| error.message);
            if case.expect_count.is_some() {
                found = found.map(|found| vec![Document::new(); found.len()]);
            }
            if case.expect_unordered.is_some() {
                found = found.map(sorted);
                expected = expected.map(sorted);
            }
            note(&mut failures, &page.name, &case.name, found, expected);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn every_stage_and_accumulator_has_a_case() {
    let pages = support::pipeline_pages(Path::new(CASES));
    let cases: Vec<_> = pages.iter().flat_map(|page| &page.cases).collect();
    assert!(cases.len() >= 150, "{} cases of pipelines", cases.len());
    let text = serde_json::to_string(&cases.iter().map(|case| &case.pipeline).collect::<Vec<_>>()).unwrap();
    let names = [stage_names(), accumulator_names()].concat();
    let missing: Vec<_> = names.iter().filter(|name| !text.contains(&format!("\"{name}\":"))).collect();
    assert!(missing.is_empty(), "no case has {missing:?}");
}

#[test]
fn there_are_enough_cases_and_no_name_twice() {
    let mut filters = support::filter_pages(Path::new(CASES));
    filters.extend(support::geo_pages(Path::new(CASES)));
    let updates = support::update_pages(Path::new(CASES));
    let names = filters.iter().flat_map(|page| page.cases.iter().map(|case| (&page.name, &case.name)));
    let names: Vec<_> =
        names.chain(updates.iter().flat_map(|page| page.cases.iter().map(|case| (&page.name, &case.name)))).collect();
    let mut unique = names.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(names.len(), unique.len());
    assert!(names.len() >= 150, "{} cases", names.len());
}

fn check_filters(pages: &[Page<FilterCase>]) {
    let mut failures = Vec::new();
    for page in pages {
        for case in &page.cases {
            let found = find(case).map_err(|error| error.message);
            let expected = match (&case.expect_documents, &case.expect, &case.error) {
                (Some(documents), _, _) => Ok(decode_all(documents)),
                (_, Some(ids), _) => Ok(ids.iter().map(|id| decode(&serde_json::json!({ "_id": id }))).collect()),
                (_, _, error) => Err(error.clone().unwrap_or_default()),
            };
            let found =
                if case.expect.is_some() { found.map(|found| found.iter().map(only_id).collect()) } else { found };
            note(&mut failures, &page.name, &case.name, found, expected);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn find(case: &FilterCase) -> Result<Vec<Document>, QueryError> {
    let filter = Filter::parse(&decode(&case.query))?;
    let projection = case.projection.as_ref().map(|projection| Projection::parse(&decode(projection))).transpose()?;
    let sort = case.sort.as_ref().map(|sort| Sort::parse(&decode(sort))).transpose()?;
    let mut found = Vec::new();
    for document in decode_all(&case.documents) {
        let raw = RawDocumentBuf::try_from(&document).unwrap();
        let matched = filter.matches(DocumentRef::Decoded(&document))?;
        assert_eq!(matched, filter.matches(DocumentRef::Raw(&raw))?, "{}: raw and decoded differ", case.name);
        if matched {
            found.push(document);
        }
    }
    if let Some(near) = filter.near() {
        let distance = |document: &Document| near.distance(document.into()).unwrap_or(f64::INFINITY);
        found.sort_by(|left, right| distance(left).total_cmp(&distance(right)));
    }
    if let Some(sort) = &sort {
        found.sort_by(|left, right| sort.compare(left.into(), right.into()));
        assert!(found.is_sorted_by_key(|document| sort.key(document.into())), "{}: keys differ", case.name);
    }
    let found = found.into_iter().skip(case.skip).take(case.limit.unwrap_or(usize::MAX));
    found
        .map(|document| {
            projection.as_ref().map_or(Ok(document.clone()), |projection| projection.apply((&document).into()))
        })
        .collect()
}

/// The value of the expression as field `value`, which is not there where the value is missing.
fn evaluate(case: &ExpressionCase) -> Result<Document, QueryError> {
    let expression = Expression::parse(&decode_value(&case.expression), &Names::default())?;
    let document = decode(&case.document);
    let raw = RawDocumentBuf::try_from(&document).unwrap();
    let [found, from_raw] = [DocumentRef::Decoded(&document), DocumentRef::Raw(&raw)]
        .map(|document| expression.evaluate(&Scope::of(document)).map(wrapped));
    let (shown, from_raw) = (format!("{found:?}"), format!("{from_raw:?}"));
    assert_eq!(shown, from_raw, "{}: raw and decoded differ", case.name);
    found
}

fn wrapped(value: Option<Bson>) -> Document {
    value.into_iter().map(|value| ("value".to_owned(), value)).collect()
}

fn aggregate(case: &PipelineCase, failures: &mut Vec<String>) -> Result<Vec<Document>, QueryError> {
    let stages: Vec<Bson> = decode_all(&case.pipeline).into_iter().map(Bson::Document).collect();
    let pipeline = Pipeline::parse(&stages)?;
    let agrees = |(found, expected): (&String, &String)| found.contains(expected.as_str());
    if pipeline.warnings().len() != case.warnings.len() || !pipeline.warnings().iter().zip(&case.warnings).all(agrees) {
        failures.push(format!("{}: warns of {:?}", case.name, pipeline.warnings()));
    }
    let mut collections: Vec<_> =
        case.collections.iter().map(|(name, documents)| (name.clone(), decode_all(documents))).collect();
    collections.push(("this".to_owned(), decode_all(case.documents())));
    let shelf = Shelf::new(collections);
    let found = pipeline.run("this", &shelf)?.collect::<Result<Vec<_>, _>>()?;
    Ok(found.iter().map(|document| Document::try_from(document).unwrap()).collect())
}

/// Documents in the order of their bytes.
fn sorted(mut documents: Vec<Document>) -> Vec<Document> {
    documents.sort_by_key(|document| document.to_vec().unwrap());
    documents
}

/// What an update did: how many matched, what changed in each.
struct Counts {
    matched: usize,
    changes: Vec<FieldChanges>,
}

fn update(case: &UpdateCase, collection: &mut Vec<Document>) -> Result<Counts, QueryError> {
    let filter = Filter::parse(&decode(&case.query))?;
    let update = decode(&case.update);
    let update = if case.replace { Update::replacement(update)? } else { Update::parse(&update)? };
    let mut counts = Counts { matched: 0, changes: Vec::new() };
    for document in collection.iter_mut() {
        let Some(position) = filter.match_position((&*document).into())? else { continue };
        counts.matched += 1;
        counts.changes.push(update.apply(document, position)?);
        if !case.multi {
            break;
        }
    }
    if counts.matched == 0 && case.upsert {
        let mut document = filter.upsert_fields()?;
        update.apply_insert(&mut document)?;
        collection.push(document);
    }
    Ok(counts)
}

fn check_counts(failures: &mut Vec<String>, page: &str, case: &UpdateCase, counts: &Counts) {
    let modified = counts.changes.iter().filter(|changes| !changes.is_empty()).count();
    if case.matched.is_some_and(|matched| matched != counts.matched) {
        failures.push(format!("{page}: {}: {} matched", case.name, counts.matched));
    }
    if case.modified.is_some_and(|expected| expected != modified) {
        failures.push(format!("{page}: {}: {modified} modified", case.name));
    }
    if let Some(expected) = &case.changes {
        let found = counts.changes.first().cloned().unwrap_or_default();
        let updated = decode(&Value::Object(expected.updated.clone()));
        if !same(std::slice::from_ref(&found.updated), &[updated]) || found.removed != expected.removed {
            failures.push(format!("{page}: {}: {found:?}", case.name));
        }
    }
}

fn note(
    failures: &mut Vec<String>,
    page: &str,
    name: &str,
    found: Result<Vec<Document>, String>,
    expected: Result<Vec<Document>, String>,
) {
    let agrees = match (&found, &expected) {
        (Ok(found), Ok(expected)) => same(found, expected),
        (Err(found), Err(expected)) => !expected.is_empty() && found.contains(expected.as_str()),
        _ => false,
    };
    if !agrees {
        failures.push(format!("{page}: {name}\n  found    {found:?}\n  expected {expected:?}"));
    }
}

/// Whether two results agree in every type and in the order of fields.
fn same(left: &[Document], right: &[Document]) -> bool {
    let bytes =
        |documents: &[Document]| documents.iter().map(|document| document.to_vec().unwrap()).collect::<Vec<_>>();
    bytes(left) == bytes(right)
}

fn only_id(document: &Document) -> Document {
    Document::from_iter([("_id".to_owned(), document.get("_id").cloned().unwrap_or(Bson::Null))])
}

fn decode(json: &Value) -> Document {
    decode_document(json, DateTime::from_millis(0)).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn decode_value(json: &Value) -> Bson {
    decode(&serde_json::json!({ "value": json })).remove("value").unwrap()
}

fn decode_all(documents: &[Value]) -> Vec<Document> {
    documents.iter().map(decode).collect()
}
