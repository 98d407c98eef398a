//! Superseded versions go, those that a reader needs stay.

use std::time::Duration;

use bson::doc;
use document::Document;
use query::Filter;

use super::{Bench, until_versions, with_id};
use crate::Durability;

/// A document has two entries: itself and its `_id`.
const ENTRIES: usize = 2;

#[tokio::test]
async fn a_document_rewritten_often_keeps_few_versions() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": -1 }]).await;
    for n in 0..5_000 {
        bench.database.update(bench.set(with_id(1), doc! { "n": n })).await.unwrap();
        if n % 1_000 == 0 {
            assert!(bench.store.shared.versions() < 10, "{} versions", bench.store.shared.versions());
        }
    }
    until_versions(&bench, ENTRIES).await;
}

#[tokio::test]
async fn nothing_is_left_of_removed_documents() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        bench.insert((0..100).map(|id| doc! { "_id": id }).collect()).await;
        bench.database.remove(bench.removal(Filter::all())).await.unwrap();
    }
    until_versions(&bench, 0).await;
}

#[tokio::test]
async fn what_a_reader_needs_stays_until_it_is_done() {
    let bench = Bench::new().await;
    bench.insert((0..10).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    let view = bench.store.shared.view().unwrap();
    for n in 1..=50 {
        bench.database.update(bench.set(Filter::all(), doc! { "n": n })).await.unwrap();
    }
    bench.database.remove(bench.removal(Filter::all())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let id = bench.store.shared.published.catalogue().collection("env", &bench.collection).unwrap();
    let request = bench.everything();
    let seen = crate::read::find(&view, id, &view.plan(id, request.question()).unwrap(), &request).unwrap();
    drop(view);
    let seen: Vec<_> = seen.iter().map(|document| Document::try_from(document).unwrap()).collect();
    assert_eq!(seen, (0..10).map(|id| doc! { "_id": id, "n": 0 }).collect::<Vec<_>>());
    until_versions(&bench, 0).await;
}

#[tokio::test]
async fn a_sweep_finds_what_an_earlier_process_left() {
    let bench = Bench::with(Durability::Process).await;
    bench.insert((0..500).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    let view = bench.store.shared.view().unwrap(); // so that the garbage stays
    for n in 1..4 {
        bench.database.update(bench.set(Filter::all(), doc! { "n": n })).await.unwrap();
    }
    bench.database.remove(bench.removal(with_id(3))).await.unwrap();
    assert!(bench.store.shared.versions() > 500 * 4);
    let bench = bench.crash().await;
    drop(view);
    bench.database.remove(bench.removal(with_id(4))).await.unwrap();
    bench.insert(vec![doc! { "_id": 3, "n": 3 }]).await;
    assert_eq!(bench.all().await.len(), 499);
    until_versions(&bench, 499 * ENTRIES).await;
    assert_eq!(bench.all().await.len(), 499);
}

#[tokio::test]
async fn a_store_that_was_closed_is_not_swept() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 0 }]).await;
    bench.database.update(bench.set(Filter::all(), doc! { "n": 1 })).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.store.shared.versions(), ENTRIES);
    let copy = bench.crash().await;
    assert_eq!(copy.store.shared.versions(), ENTRIES);
}
