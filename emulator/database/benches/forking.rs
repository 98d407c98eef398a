//! Figures of forks, snapshots and what is read and written through them: `cargo bench -p database --bench forking`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::time::{Duration, Instant};

use bson::doc;
use database::{CollectionName, Database, Durability, FindRequest, IndexDefinition, Store, StoreOptions};
use document::Document;
use query::Filter;

const BATCH: i32 = 1_000;
const FORKS: u32 = 10_000;

#[tokio::main]
async fn main() {
    for documents in [10_000, 1_000_000] {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions { durability: Durability::Process, ..StoreOptions::default() };
        let store = Store::open(folder.path(), options).unwrap();
        let database = store.database("parent").unwrap();
        let collection = CollectionName::parse("c").unwrap();
        database.create_collection(&collection).await.unwrap();
        let index = IndexDefinition::parse(&doc! { "owner": 1 }, None, false).unwrap();
        database.create_index(&collection, index).await.unwrap();
        for batch in 0..documents / BATCH {
            let ids = batch * BATCH..(batch + 1) * BATCH;
            database.insert(&collection, ids.map(document).collect()).await.unwrap();
        }
        println!("{documents} documents");
        whole(&store).await;
        let fork = store.database("fork").unwrap();
        for (label, database) in [("parent", &database), ("fork", &fork)] {
            reads(label, database, &collection, documents).await;
        }
        if documents == 10_000 {
            churn(&store, &collection, folder.path()).await;
        }
        store.close().await.unwrap();
    }
}

/// What is done to whole namespaces.
async fn whole(store: &Store) {
    timed("fork", store.fork("parent", "fork")).await;
    timed("snapshot", store.snapshot("parent", "s")).await;
    timed("restore", store.restore("parent", "s")).await;
    timed("fork again", store.fork("parent", "second")).await;
    timed("drop", store.drop_namespace("second")).await;
}

async fn reads(label: &str, database: &Database, collection: &CollectionName, documents: i32) {
    let own = (0..100).map(|id| document(documents + id)).collect();
    database.insert(collection, own).await.unwrap();
    let request = |filter: Document| FindRequest {
        collection: collection.clone(),
        filter: Filter::parse(&filter).unwrap(),
        sort: None,
        skip: 0,
        limit: Some(20),
        projection: None,
    };
    let rounds = 5_000;
    let started = Instant::now();
    for round in 0..rounds {
        database.find(request(doc! { "_id": (round * 37) % documents })).await.unwrap();
    }
    show(&format!("{label}: find by _id"), started.elapsed() / rounds as u32);
    let started = Instant::now();
    for round in 0..rounds {
        database.find(request(doc! { "owner": format!("user-{}", round % 500) })).await.unwrap();
    }
    show(&format!("{label}: find by owner, 20 of them"), started.elapsed() / rounds as u32);
    let started = Instant::now();
    database.count(collection, Filter::parse(&doc! { "at": -1 }).unwrap()).await.unwrap();
    show(&format!("{label}: look at every document"), started.elapsed());
}

/// Forks made, written to and dropped, and what they leave.
async fn churn(store: &Store, collection: &CollectionName, folder: &Path) {
    let before = size(folder);
    let started = Instant::now();
    for _ in 0..FORKS {
        store.fork("parent", "churn").await.unwrap();
        store.database("churn").unwrap().insert(collection, vec![document(-1)]).await.unwrap();
        store.drop_namespace("churn").await.unwrap();
    }
    show("fork, insert and drop", started.elapsed() / FORKS);
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!("{:<40} {} kB before {FORKS} forks, {} kB after", "on disk", before / 1024, size(folder) / 1024);
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(
            |entry| {
                if entry.file_type().unwrap().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }
            },
        )
        .sum()
}

async fn timed(label: &str, work: impl Future<Output = Result<(), database::DatabaseError>>) {
    let started = Instant::now();
    work.await.unwrap();
    show(label, started.elapsed());
}

fn show(label: &str, elapsed: Duration) {
    println!("{label:<40} {elapsed:>10.1?}");
}

/// About 280 bytes, as in the figures of `emulator/ARCHITECTURE.md`.
fn document(id: i32) -> Document {
    doc! { "_id": id, "owner": format!("user-{}", id.rem_euclid(500)), "at": id, "text": "x".repeat(200) }
}
