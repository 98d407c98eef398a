//! What each request does, one by one.

use std::sync::Arc;

use bson::doc;
use document::{Bson, Document};
use query::{Filter, Projection, QueryErrorKind, Update};

use super::{Bench, filter, name, sort, until_versions, with_id};
use crate::{
    DatabaseError, FindRequest, Frozen, IndexDefinition, RefillRequest, RemoveRequest, Supervisor, UpdateRequest,
    WatchError, WatchRequest,
};

#[tokio::test]
async fn documents_come_back_in_insertion_order() {
    let bench = Bench::new().await;
    let documents = vec![doc! { "_id": "z" }, doc! { "_id": "a" }, doc! { "_id": 5, "x": { "y": [1, 2] } }];
    let ids = bench.database.insert(&bench.collection, documents.clone()).await.unwrap();
    assert_eq!(ids, [Bson::from("z"), Bson::from("a"), Bson::from(5)]);
    assert_eq!(bench.all().await, documents);
}

#[tokio::test]
async fn collections_are_made_once_and_never_by_use() {
    let bench = Bench::new().await;
    let other = name("other");
    let exists = bench.database.create_collection(&bench.collection).await;
    assert_eq!(exists, Err(DatabaseError::CollectionExists(bench.collection.clone())));
    let missing = bench.database.insert(&other, vec![doc! { "_id": 1 }]).await;
    assert_eq!(missing, Err(DatabaseError::CollectionMissing(other.clone())));
    assert_eq!(bench.database.count(&other, Filter::all()).await, Err(DatabaseError::CollectionMissing(other)));
    assert_eq!(bench.database.collections(), [name("c")]);
    assert_eq!(bench.store.namespaces(), ["env"]);
}

#[tokio::test]
async fn namespaces_do_not_see_each_other() {
    let bench = Bench::new().await;
    let second = bench.store.database("second").unwrap();
    assert_eq!(second.collections(), []);
    let collections = vec![(bench.collection.clone(), vec![doc! { "_id": 1, "of": "second" }])];
    second.refill(RefillRequest { collections, ..RefillRequest::default() }).await.unwrap();
    bench.insert(vec![doc! { "_id": 1, "of": "env" }]).await;
    assert_eq!(bench.all().await, [doc! { "_id": 1, "of": "env" }]);
    assert_eq!(second.count(&bench.collection, Filter::all()).await, Ok(1));
    assert_eq!(bench.store.namespaces(), ["env", "second"]);
}

#[tokio::test]
async fn a_taken_id_refuses_the_whole_insertion() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": "x" }]).await;
    for documents in [vec![doc! { "_id": "new" }, doc! { "_id": "x" }], vec![doc! { "_id": "y" }, doc! { "_id": "y" }]]
    {
        let error = bench.database.insert(&bench.collection, documents).await.unwrap_err();
        assert!(error.to_string().starts_with("E11000 duplicate key error collection: c index: _id_ dup key: { : \""));
    }
    assert_eq!(bench.all().await, [doc! { "_id": "x" }]);
}

#[tokio::test]
async fn ids_that_are_equal_numbers_are_the_same() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1 }]).await;
    assert!(bench.database.insert(&bench.collection, vec![doc! { "_id": 1.0 }]).await.is_err());
    assert_eq!(bench.find(bench.by_id(1_i64)).await, [doc! { "_id": 1 }]);
    assert_eq!(bench.find(bench.by_id("1")).await, Vec::<Document>::new());
}

#[tokio::test]
async fn a_removed_id_is_free_again() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1 }, doc! { "_id": 2 }]).await;
    assert_eq!(bench.database.remove(bench.removal(with_id(1))).await, Ok(1));
    assert_eq!(bench.database.remove(bench.removal(with_id(1))).await, Ok(0));
    bench.insert(vec![doc! { "_id": 1, "again": true }]).await;
    assert_eq!(bench.all().await, [doc! { "_id": 2 }, doc! { "_id": 1, "again": true }]);
    let first = RemoveRequest { multi: false, ..bench.removal(Filter::all()) };
    assert_eq!(bench.database.remove(first).await, Ok(1));
    assert_eq!(bench.all().await, [doc! { "_id": 1, "again": true }]);
}

#[tokio::test]
async fn a_page_is_cut_from_the_order() {
    let bench = Bench::new().await;
    bench
        .insert([3, 1, 2, 1, 3].into_iter().enumerate().map(|(id, n)| doc! { "_id": id as i32, "n": n }).collect())
        .await;
    check_page(&bench, None, 0, None, &[0, 1, 2, 3, 4]).await;
    check_page(&bench, None, 1, Some(2), &[1, 2]).await;
    check_page(&bench, None, 9, Some(2), &[]).await;
    check_page(&bench, None, 0, Some(0), &[]).await;
    check_page(&bench, Some(doc! { "n": 1 }), 0, None, &[1, 3, 2, 0, 4]).await;
    check_page(&bench, Some(doc! { "n": 1 }), 0, Some(2), &[1, 3]).await;
    check_page(&bench, Some(doc! { "n": -1 }), 1, Some(2), &[4, 2]).await;
    check_page(&bench, Some(doc! { "n": 1 }), 4, Some(u64::MAX), &[4]).await;
}

async fn check_page(bench: &Bench, by: Option<Document>, skip: u64, limit: Option<u64>, expected: &[i32]) {
    let request = FindRequest { sort: by.and_then(sort), skip, limit, ..bench.everything() };
    let found: Vec<_> = bench.find(request).await.iter().map(|document| document.get_i32("_id").unwrap()).collect();
    assert_eq!(found, expected, "skip {skip} limit {limit:?}");
}

#[tokio::test]
async fn fields_are_projected_and_matches_counted() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "a": 1, "b": 2 }, doc! { "_id": 2, "a": 2, "b": 2 }]).await;
    let projection = Some(Projection::parse(&doc! { "a": 1, "_id": 0 }).unwrap());
    let request = FindRequest { projection, filter: filter(doc! { "a": { "$gt": 1 } }), ..bench.everything() };
    assert_eq!(bench.find(request).await, [doc! { "a": 2 }]);
    assert_eq!(bench.database.count(&bench.collection, filter(doc! { "b": 2 })).await, Ok(2));
    assert_eq!(bench.database.count(&bench.collection, with_id(2)).await, Ok(1));
}

#[tokio::test]
async fn lists_of_ids_are_looked_up_once_each_in_insertion_order() {
    let bench = Bench::new().await;
    bench.insert((0..50).rev().map(|id| doc! { "_id": id }).collect()).await;
    let request = FindRequest { filter: filter(doc! { "_id": { "$in": [3, 7, 3, 99, 7.0] } }), ..bench.everything() };
    assert_eq!(bench.find(request).await, [doc! { "_id": 7 }, doc! { "_id": 3 }]);
}

#[tokio::test]
async fn an_update_counts_what_matched_and_what_changed() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "a": 1 }, doc! { "_id": 2, "a": 2 }]).await;
    let reply = bench.database.update(bench.set(Filter::all(), doc! { "a": 2 })).await.unwrap();
    assert_eq!((reply.matched, reply.modified), (2, 1));
    let first = UpdateRequest { multi: false, return_document: true, ..bench.set(Filter::all(), doc! { "b": 1 }) };
    let reply = bench.database.update(first).await.unwrap();
    assert_eq!((reply.matched, reply.document), (1, Some(doc! { "_id": 1, "a": 2, "b": 1 })));
    assert_eq!(bench.all().await, [doc! { "_id": 1, "a": 2, "b": 1 }, doc! { "_id": 2, "a": 2 }]);
    let reply = bench.database.update(bench.set(with_id(9), doc! { "b": 1 })).await.unwrap();
    assert_eq!((reply.matched, reply.modified, reply.upserted), (0, 0, None));
}

#[tokio::test]
async fn an_update_that_fails_on_one_document_changes_none() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "a": {} }, doc! { "_id": 2, "a": Bson::Null }]).await;
    let error = bench.database.update(bench.set(Filter::all(), doc! { "a.b": 1 })).await.unwrap_err();
    assert!(matches!(&error, DatabaseError::Query(error) if error.kind == QueryErrorKind::WriteFailed), "{error:?}");
    assert_eq!(bench.all().await, [doc! { "_id": 1, "a": {} }, doc! { "_id": 2, "a": Bson::Null }]);
}

#[tokio::test]
async fn an_upsert_creates_what_the_filter_and_the_update_say() {
    let bench = Bench::new().await;
    let upsert =
        |filter, set| UpdateRequest { upsert: Some("made".into()), return_document: true, ..bench.set(filter, set) };
    let reply =
        bench.database.update(upsert(filter(doc! { "a": 1, "b": { "$gt": 1 } }), doc! { "c": 3 })).await.unwrap();
    assert_eq!((reply.matched, reply.upserted), (0, Some("made".into())));
    assert_eq!(reply.document, Some(doc! { "_id": "made", "a": 1, "c": 3 }));
    let reply = bench.database.update(upsert(with_id("pinned"), doc! { "c": 4 })).await.unwrap();
    assert_eq!(reply.upserted, Some("pinned".into()));
    let reply = bench.database.update(upsert(with_id("pinned"), doc! { "c": 5 })).await.unwrap();
    assert_eq!((reply.matched, reply.modified, reply.upserted), (1, 1, None));
    assert_eq!(bench.all().await, [doc! { "_id": "made", "a": 1, "c": 3 }, doc! { "_id": "pinned", "c": 5 }]);
}

/// semantics DB-7.04
#[tokio::test]
async fn an_upsert_beside_a_taken_id_is_a_duplicate() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "owner": "a" }]).await;
    let update = Update::replacement(doc! { "x": 1 }).unwrap();
    let set = |owner: &str| UpdateRequest {
        update: update.clone(),
        upsert: Some(1.into()),
        multi: false,
        ..bench.set(filter(doc! { "_id": 1, "owner": owner }), doc! { "unused": 1 })
    };
    let error = bench.database.update(set("b")).await.unwrap_err();
    assert!(matches!(error, DatabaseError::DuplicateKey { .. }), "{error:?}");
    let reply = bench.database.update(set("a")).await.unwrap();
    assert_eq!((reply.matched, reply.modified), (1, 1));
    assert_eq!(bench.all().await, [doc! { "_id": 1, "x": 1 }]);
}

#[tokio::test]
async fn seeding_is_all_or_nothing() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1 }]).await;
    let seed = |id: i32| RefillRequest {
        collections: vec![(name("new"), vec![doc! { "_id": 1 }]), (bench.collection.clone(), vec![doc! { "_id": id }])],
        ..RefillRequest::default()
    };
    assert!(bench.database.refill(seed(1)).await.is_err());
    assert_eq!(bench.database.collections(), [name("c")]);
    bench.database.refill(seed(2)).await.unwrap();
    assert_eq!(bench.database.collections(), [bench.collection.clone(), name("new")]);
    assert_eq!(bench.all().await, [doc! { "_id": 1 }, doc! { "_id": 2 }]);
}

#[tokio::test]
async fn a_refill_may_replace_documents() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "x": 1 }, doc! { "_id": 2, "x": 1 }]).await;
    let documents = vec![doc! { "_id": 2, "y": 2 }, doc! { "_id": 3 }, doc! { "_id": 3, "last": true }];
    let collections = vec![(bench.collection.clone(), documents)];
    let request = RefillRequest { collections, replaces: true, ..RefillRequest::default() };
    let refilled = bench.database.refill(request).await.unwrap();
    assert_eq!((refilled.inserted, refilled.replaced), (1, 2));
    assert_eq!(
        bench.all().await,
        [doc! { "_id": 1, "x": 1 }, doc! { "_id": 2, "y": 2 }, doc! { "_id": 3, "last": true }]
    );
}

#[tokio::test]
async fn an_emptied_namespace_keeps_its_collections_and_indexes() {
    let bench = Bench::new().await;
    let unique = IndexDefinition::parse(&doc! { "x": 1 }, None, true).unwrap();
    bench.database.create_index(&bench.collection, unique).await.unwrap();
    bench.insert(vec![doc! { "_id": 1, "x": 1 }]).await;
    let refill = |documents| RefillRequest {
        emptied: true,
        collections: vec![(bench.collection.clone(), documents)],
        ..RefillRequest::default()
    };
    let twice = bench.database.refill(refill(vec![doc! { "_id": 2, "x": 1 }, doc! { "_id": 3, "x": 1 }])).await;
    assert!(matches!(twice, Err(DatabaseError::DuplicateKey { .. })), "{twice:?}");
    assert_eq!(bench.all().await, [doc! { "_id": 1, "x": 1 }]);
    bench.database.refill(refill(vec![doc! { "_id": 1, "x": 1, "new": true }])).await.unwrap();
    assert_eq!(bench.all().await, [doc! { "_id": 1, "x": 1, "new": true }]);
    assert_eq!(bench.database.indexes(&bench.collection).unwrap().len(), 2);
    until_versions(&bench, 3).await; // the document, its `_id` and its `x`
}

#[tokio::test]
async fn emptying_what_has_no_collections_leaves_it() {
    let bench = Bench::new().await;
    bench.store.fork("nothing", "fork").await.unwrap();
    let request = RefillRequest { emptied: true, ..RefillRequest::default() };
    bench.store.database("fork").unwrap().of_existing().refill(request).await.unwrap();
    assert!(bench.store.has_namespace("fork"));
}

/// Stops a refill after some documents.
struct StopsAfter(u64);

impl Supervisor for StopsAfter {
    fn goes_on(&self, stored: u64) -> bool {
        stored < self.0
    }
}

#[tokio::test]
async fn a_refill_that_is_stopped_changes_nothing() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 9 }]).await;
    let all = || RemoveRequest { collection: name("c"), filter: Filter::all(), multi: true };
    let refill = |emptied: bool, stops_after: u64| RefillRequest {
        emptied,
        removals: if emptied { Vec::new() } else { vec![all()] },
        collections: vec![(name("c"), (0..4).map(|id| doc! { "_id": id }).collect())],
        supervisor: Some(Arc::new(StopsAfter(stops_after))),
        ..RefillRequest::default()
    };
    for (emptied, stops_after) in (0..4).flat_map(|stops_after| [(true, stops_after), (false, stops_after)]) {
        assert_eq!(bench.database.refill(refill(emptied, stops_after)).await, Err(DatabaseError::Stopped));
        assert_eq!(bench.all().await, [doc! { "_id": 9 }]);
    }
    assert_eq!(bench.database.refill(refill(false, 4)).await.unwrap().removed, 1);
    assert_eq!(bench.all().await.len(), 4);
}

#[tokio::test]
async fn what_comes_too_late_does_not_make_a_dropped_namespace_anew() {
    let bench = Bench::new().await;
    bench.store.fork("env", "fork").await.unwrap();
    let fork = bench.store.database("fork").unwrap().of_existing();
    let request = || RefillRequest { collections: vec![(name("new"), Vec::new())], ..RefillRequest::default() };
    fork.refill(request()).await.unwrap();
    bench.store.drop_namespace("fork").await.unwrap();
    assert!(matches!(fork.refill(request()).await, Err(DatabaseError::BadNamespace(_))));
    assert!(matches!(fork.create_collection(&name("newer")).await, Err(DatabaseError::BadNamespace(_))));
    assert!(!bench.store.has_namespace("fork"));
}

#[tokio::test]
async fn dropping_emptying_and_restoring_end_open_transactions() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1 }]).await;
    bench.store.snapshot("env", "s").await.unwrap();
    for number in 0..3 {
        bench.store.restore("env", "s").await.unwrap();
        let transaction = bench.database.begin(&number.to_string()).await.unwrap();
        transaction.update(bench.set(with_id(1), doc! { "n": 2 })).await.unwrap();
        match number {
            0 => bench.store.restore("env", "s").await.unwrap(),
            1 => {
                let request = RefillRequest { emptied: true, ..RefillRequest::default() };
                bench.database.refill(request).await.map(drop).unwrap();
            }
            _ => bench.store.drop_namespace("env").await.unwrap(),
        }
        assert_eq!(transaction.commit().await, Err(DatabaseError::TransactionNotExist));
    }
}

#[tokio::test]
async fn a_frozen_store_stays_as_it_was() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1 }]).await;
    let frozen = bench.store.frozen().unwrap();
    bench.insert(vec![doc! { "_id": 2 }]).await;
    let documents = |frozen: &Frozen| -> Vec<_> {
        frozen.documents("env", &bench.collection).unwrap().map(|document| document.unwrap()).collect()
    };
    assert_eq!(documents(&frozen).len(), 1);
    assert_eq!(documents(&bench.store.frozen().unwrap()).len(), 2);
    let id = Bson::Int32(2);
    assert!(frozen.document("env", &bench.collection, &id).unwrap().is_none());
    assert!(frozen.documents("other", &bench.collection).is_err());
}

#[tokio::test]
async fn a_large_commit_is_one_commit_too() {
    let bench = Bench::new().await;
    bench.insert((0..5_000).map(|id| doc! { "_id": id }).collect()).await;
    let reply = bench.database.update(bench.set(Filter::all(), doc! { "x": 1 })).await.unwrap();
    assert_eq!((reply.matched, reply.modified), (5_000, 5_000));
    let bench = bench.reopen().await;
    assert_eq!(bench.database.count(&bench.collection, filter(doc! { "x": 1 })).await, Ok(5_000));
}

#[tokio::test]
async fn large_documents_are_stored_and_too_large_ones_refused() {
    let bench = Bench::new().await;
    let large = doc! { "_id": 1, "text": "x".repeat(15 << 20) };
    bench.insert(vec![large.clone()]).await;
    let too_large = doc! { "_id": 2, "text": "x".repeat(17 << 20) };
    let refused = bench.database.insert(&bench.collection, vec![too_large]).await;
    assert!(matches!(refused, Err(DatabaseError::BadDocument(_))));
    let grown = bench.database.update(bench.set(with_id(1), doc! { "more": "x".repeat(2 << 20) })).await;
    assert!(matches!(grown, Err(DatabaseError::BadDocument(_))));
    let bench = bench.reopen().await;
    assert_eq!(bench.all().await, [large]);
}

#[tokio::test]
async fn a_document_without_an_id_is_refused() {
    let bench = Bench::new().await;
    let refused = bench.database.insert(&bench.collection, vec![doc! { "a": 1 }]).await;
    assert!(matches!(refused, Err(DatabaseError::BadDocument(_))));
}

#[tokio::test]
async fn a_panic_in_a_job_is_an_error_and_nothing_more() {
    let bench = Bench::new().await;
    let writer = &bench.store.shared.writer;
    let outcome: Result<(), _> = writer.run("env".into(), |_| panic!("as planned")).await;
    assert_eq!(outcome, Err(DatabaseError::Internal("as planned".to_owned())));
    bench.insert(vec![doc! { "_id": 1 }]).await;
    assert_eq!(bench.all().await, [doc! { "_id": 1 }]);
}

#[tokio::test]
async fn a_closed_store_refuses_everything() {
    let bench = Bench::new().await;
    let (_, _) = tokio::join!(bench.store.close(), bench.store.close());
    bench.store.close().await.unwrap();
    assert_eq!(bench.database.insert(&bench.collection, vec![doc! { "_id": 1 }]).await, Err(DatabaseError::Closed));
    assert_eq!(bench.database.count(&bench.collection, Filter::all()).await, Err(DatabaseError::Closed));
    assert!(matches!(bench.store.database("x"), Err(DatabaseError::Closed)));
    let watch = WatchRequest { collection: bench.collection.clone(), filter: Filter::all(), sort: None, limit: None };
    assert_eq!(bench.database.watch(watch).await.err(), Some(WatchError::Database(DatabaseError::Closed)));
}

#[tokio::test]
async fn after_a_failed_write_nothing_more_is_written() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1 }]).await;
    let writer = &bench.store.shared.writer;
    let broken = DatabaseError::Storage("the disk is full".to_owned());
    writer.break_with(broken.clone());
    assert_eq!(bench.database.insert(&bench.collection, vec![doc! { "_id": 2 }]).await, Err(broken.clone()));
    assert_eq!(bench.database.update(bench.set(Filter::all(), doc! { "a": 1 })).await.unwrap_err(), broken);
    assert_eq!(bench.all().await, [doc! { "_id": 1 }], "reading goes on");
    let _ = bench.store.close().await;
}
