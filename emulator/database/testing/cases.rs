//! Runs `tests/cases/index`: what queries find on collections with indexes, which of them they use, and what is refused.

use std::path::Path;

use document::{Bson, DateTime, Document, decode_document};
use query::{Filter, Sort, Update};
use serde_json::Value;

use super::Bench;
use super::support::{self, IndexCase};
use crate::{DatabaseError, FindRequest, IndexDefinition, UpdateRequest};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");

#[tokio::test]
async fn indexes() {
    let mut failures = Vec::new();
    for page in support::index_pages(Path::new(CASES)) {
        for case in &page.cases {
            if let Err(reason) = check(case).await {
                failures.push(format!("{}: {}: {reason}", page.name, case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn there_are_enough_cases_and_no_name_twice() {
    let pages = support::index_pages(Path::new(CASES));
    let mut names: Vec<_> =
        pages.iter().flat_map(|page| page.cases.iter().map(|case| (&page.name, &case.name))).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all >= 60, "{all} cases");
}

async fn check(case: &IndexCase) -> Result<(), String> {
    let bench = Bench::new().await;
    bench.insert(decode_all(&case.documents)).await;
    match (prepare(&bench, case).await, &case.error) {
        (Ok(()), None) => {}
        (Err(error), Some(text)) if error.to_string().contains(text.as_str()) => return unchanged(&bench, case).await,
        (outcome, expected) => return Err(format!("{outcome:?}, expected {expected:?}")),
    }
    let request = FindRequest {
        filter: Filter::parse(&decode(&case.query)).unwrap(),
        sort: case.sort.as_ref().map(|sort| Sort::parse(&decode(sort)).unwrap()),
        skip: case.skip,
        limit: case.limit,
        ..bench.everything()
    };
    let found: Vec<Bson> =
        bench.find(request.clone()).await.iter().map(|document| document.get("_id").cloned().unwrap()).collect();
    let told = bench.database.explain(request).await.map_err(|error| error.to_string())?;
    let mut agrees = told.returned == found.len() as u64;
    agrees &= case.expect.as_ref().is_none_or(|expected| decode_value(expected) == Bson::Array(found.clone()));
    agrees &= case.uses.as_ref().is_none_or(|uses| *uses == told.index);
    agrees &= case.keys.is_none_or(|keys| keys == told.keys_examined);
    agrees &= case.documents_examined.is_none_or(|documents| documents == told.documents_examined);
    agrees &= case.sorted_in_memory.is_none_or(|sorted| sorted == told.sorted_in_memory);
    agrees &= match case.advice.as_deref() {
        None => true,
        Some("") => told.advice.is_none(),
        Some(advice) => told.advice.as_ref().is_some_and(|told| told.contains(advice)),
    };
    if agrees { Ok(()) } else { Err(format!("found {}, {told:?}, expected {case:?}", Bson::Array(found))) }
}

/// Makes the indexes, then inserts and updates.
async fn prepare(bench: &Bench, case: &IndexCase) -> Result<(), DatabaseError> {
    for index in &case.indexes {
        let definition = IndexDefinition::parse(&decode(&index.keys), index.name.as_deref(), index.unique)?;
        bench.database.create_index(&bench.collection, definition).await?;
    }
    for document in decode_all(&case.insert) {
        bench.database.insert(&bench.collection, vec![document]).await?;
    }
    if let Some(fields) = &case.set {
        let update = Update::parse(&Document::from_iter([("$set".to_owned(), decode(fields).into())])).unwrap();
        let everything = bench.set(Filter::all(), Document::from_iter([("x".to_owned(), Bson::Null)]));
        bench.database.update(UpdateRequest { update, ..everything }).await?;
    }
    Ok(())
}

/// What was refused left nothing: neither the last document nor the last index.
async fn unchanged(bench: &Bench, case: &IndexCase) -> Result<(), String> {
    let left = bench.all().await.len();
    let whole = case.documents.len() + case.insert.len().saturating_sub(1);
    let indexes = bench.database.indexes(&bench.collection).map_err(|error| error.to_string())?.len();
    match case.insert.is_empty() && case.set.is_none() {
        true if indexes == case.indexes.len() && left == whole => Ok(()),
        false if left == whole => Ok(()),
        _ => Err(format!("{left} documents and {indexes} indexes are left")),
    }
}

fn decode(json: &Value) -> Document {
    decode_document(json, DateTime::from_millis(0)).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn decode_all(documents: &[Value]) -> Vec<Document> {
    documents.iter().map(decode).collect()
}

fn decode_value(values: &[Value]) -> Bson {
    decode(&serde_json::json!({ "values": values })).get("values").cloned().unwrap()
}
