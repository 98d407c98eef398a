//! Many tasks at once: scans see whole commits, writes are answered when they are visible.

use bson::doc;
use query::Filter;

use super::{Bench, filter, with_id};
use crate::Durability;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_scan_sees_whole_commits_only() {
    let bench = Bench::with(Durability::Process).await;
    let mut writers = tokio::task::JoinSet::new();
    for task in 0..8 {
        let (database, collection) = (bench.database.clone(), bench.collection.clone());
        writers.spawn(async move {
            for round in 0..40 {
                let tag = format!("{task}-{round}");
                let pair = ["a", "b"].map(|half| doc! { "_id": format!("{tag}{half}"), "tag": &tag }).to_vec();
                database.insert(&collection, pair).await.unwrap();
                let mine = database.count(&collection, filter(doc! { "tag": &tag })).await.unwrap();
                assert_eq!(mine, 2, "a write that was answered is visible");
            }
        });
    }
    while !writers.is_empty() {
        let total = bench.database.count(&bench.collection, Filter::all()).await.unwrap();
        assert_eq!(total % 2, 0, "half a commit was seen");
        while let Some(done) = writers.try_join_next() {
            done.unwrap();
        }
    }
    assert_eq!(bench.database.count(&bench.collection, Filter::all()).await, Ok(640));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn increments_of_many_clients_are_all_kept() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 0 }]).await;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (database, collection) = (bench.database.clone(), bench.collection.clone());
        clients.spawn(async move {
            for _ in 0..20 {
                let request = crate::UpdateRequest {
                    collection: collection.clone(),
                    filter: with_id(1),
                    update: query::Update::parse(&doc! { "$inc": { "n": 1 } }).unwrap(),
                    multi: false,
                    upsert: None,
                    return_document: false,
                };
                database.update(request).await.unwrap();
            }
        });
    }
    clients.join_all().await;
    assert_eq!(bench.all().await, [doc! { "_id": 1, "n": 320 }]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn updates_of_a_group_see_the_insertions_before_them() {
    let bench = Bench::new().await;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..32 {
        let (database, collection) = (bench.database.clone(), bench.collection.clone());
        let set = bench.set(filter(doc! { "client": client }), doc! { "seen": true });
        clients.spawn(async move {
            let documents = vec![doc! { "_id": client, "client": client }];
            let insert = database.insert(&collection, documents);
            let update = database.update(set);
            let (inserted, updated) = tokio::join!(insert, update);
            inserted.unwrap();
            updated.unwrap().modified
        });
    }
    let modified: u64 = clients.join_all().await.into_iter().sum();
    assert_eq!(modified, 32, "both go to the writer in the order in which they were asked");
    assert_eq!(bench.database.count(&bench.collection, filter(doc! { "seen": true })).await, Ok(32));
}
