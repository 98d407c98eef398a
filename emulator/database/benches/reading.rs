//! Figures of reading and writing 100,000 documents, with and without indexes: `cargo bench -p database`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use bson::doc;
use database::{CollectionName, Database, Durability, FindRequest, IndexDefinition, Store, StoreOptions};
use document::Document;
use query::{Filter, Sort};

const DOCUMENTS: i32 = 100_000;
const BATCH: i32 = 1_000;
const ROUNDS: u32 = 2_000;

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { durability: Durability::Process, ..StoreOptions::default() };
    let store = Store::open(folder.path(), options).unwrap();
    let database = store.database("bench").unwrap();
    for (name, indexes) in [("without", 0), ("one", 1), ("three", 3)] {
        let collection = CollectionName::parse(name).unwrap();
        database.create_collection(&collection).await.unwrap();
        for keys in [doc! { "_openid": 1 }, doc! { "status": 1, "at": -1 }, doc! { "tags": 1 }].iter().take(indexes) {
            database.create_index(&collection, index(keys)).await.unwrap();
        }
        per_second(
            &format!("insert in batches of {BATCH}, {indexes} indexes"),
            DOCUMENTS as u32,
            fill(&database, &collection),
        )
        .await;
    }
    let collection = CollectionName::parse("without").unwrap();
    let page = || request(&collection, doc! { "status": 3, "at": { "$gt": 50_000 } }, Some(doc! { "at": -1 }));
    let owner = |n: u32| request(&collection, doc! { "_openid": format!("user-{}", n % 5_000) }, None);
    repeat("find by _id", ROUNDS, &database, |n| request(&collection, doc! { "_id": (n * 37 % 100_000) as i32 }, None))
        .await;
    repeat("find by owner, no index", 20, &database, owner).await;
    repeat("range, sort, limit 20, no index", 20, &database, |_| page()).await;
    for keys in [doc! { "_openid": 1 }, doc! { "status": 1, "at": -1 }] {
        let definition = index(&keys);
        let label = format!("documents added to a new index {}", definition.keys_text());
        let work = async { database.create_index(&collection, definition).await.unwrap() };
        per_second(&label, DOCUMENTS as u32, work).await;
    }
    repeat("find by owner, 20 of them", ROUNDS, &database, owner).await;
    repeat("range, sort, limit 20", ROUNDS, &database, |_| page()).await;
    let started = Instant::now();
    for _ in 0..200 {
        database.count(&collection, Filter::parse(&doc! { "status": 3 }).unwrap()).await.unwrap();
    }
    show("count 10,000 by index", 200, started.elapsed());
    store.close().await.unwrap();
}

async fn fill(database: &Database, collection: &CollectionName) {
    for batch in 0..DOCUMENTS / BATCH {
        let ids = batch * BATCH..(batch + 1) * BATCH;
        database.insert(collection, ids.map(document).collect()).await.unwrap();
    }
}

/// About 280 bytes, as in the figures of `emulator/ARCHITECTURE.md`.
fn document(id: i32) -> Document {
    doc! {
        "_id": id, "_openid": format!("user-{}", id % 5_000), "status": id % 10, "at": id,
        "tags": [format!("tag-{}", id % 7), "common"], "text": "x".repeat(120),
    }
}

fn index(keys: &Document) -> IndexDefinition {
    IndexDefinition::parse(keys, None, false).unwrap()
}

fn request(collection: &CollectionName, filter: Document, sort: Option<Document>) -> FindRequest {
    FindRequest {
        collection: collection.clone(),
        filter: Filter::parse(&filter).unwrap(),
        sort: sort.map(|sort| Sort::parse(&sort).unwrap()),
        skip: 0,
        limit: Some(20),
        projection: None,
    }
}

async fn repeat(label: &str, rounds: u32, database: &Database, request: impl Fn(u32) -> FindRequest) {
    let work = async {
        for round in 0..rounds {
            database.find(request(round)).await.unwrap();
        }
    };
    per_second(label, rounds, work).await;
}

async fn per_second(label: &str, count: u32, work: impl Future<Output = ()>) {
    let started = Instant::now();
    work.await;
    show(label, count, started.elapsed());
}

fn show(label: &str, count: u32, elapsed: Duration) {
    let each = elapsed / count;
    println!("{label:<60} {:>10.0} a second, {each:>10.1?} each", f64::from(count) / elapsed.as_secs_f64());
}
