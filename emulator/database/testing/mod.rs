//! Tests of the whole crate through its public face, and what they share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aggregation;
mod behaviour;
mod cases;
mod concurrency;
mod durability;
mod garbage;
mod geo;
mod indexes;
mod isolation;
mod laws;
mod namespaces;
mod schedules;
#[path = "../../../tests/support/cases.rs"]
mod support;
mod transactions;
mod watches;
mod watching;

use std::path::Path;
use std::time::Duration;

use bson::doc;
use document::{Bson, Document};
use query::{Filter, Sort, Update};
use tempfile::TempDir;

use crate::draft::Draft;
use crate::{CollectionName, Database, Durability, FindRequest, RemoveRequest, Store, StoreOptions, UpdateRequest};

/// A store in a folder of its own, with the collection `c` in the namespace `env`.
struct Bench {
    folder: TempDir,
    store: Store,
    database: Database,
    collection: CollectionName,
}

impl Bench {
    async fn new() -> Bench {
        Bench::with(Durability::None).await
    }

    async fn with(durability: Durability) -> Bench {
        Bench::with_options(options(durability)).await
    }

    async fn with_options(options: StoreOptions) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), options).unwrap();
        let database = store.database("env").unwrap();
        let collection = name("c");
        database.create_collection(&collection).await.unwrap();
        Bench { folder, store, database, collection }
    }

    async fn reopen(self) -> Bench {
        self.store.close().await.unwrap();
        let store = open(&self.folder, Durability::Process);
        Bench { database: store.database("env").unwrap(), store, ..self }
    }

    /// The store as a process finds it that starts after this one was killed.
    async fn crash(self) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (self.folder.path().to_owned(), folder.path().to_owned());
        // On the writer's thread, so that it does not write meanwhile.
        let copied = move |_: &mut Draft<'_>| {
            copy(&from, &to);
            Ok(())
        };
        self.store.shared.writer.run("env".into(), copied).await.unwrap();
        let store = open(&folder, Durability::Process);
        Bench { folder, database: store.database("env").unwrap(), store, collection: self.collection }
    }

    async fn insert(&self, documents: Vec<Document>) {
        self.database.insert(&self.collection, documents).await.unwrap();
    }

    async fn all(&self) -> Vec<Document> {
        self.find(self.everything()).await
    }

    async fn find(&self, request: FindRequest) -> Vec<Document> {
        let found = self.database.find(request).await.unwrap();
        found.iter().map(|document| Document::try_from(document).unwrap()).collect()
    }

    fn everything(&self) -> FindRequest {
        FindRequest {
            collection: self.collection.clone(),
            filter: Filter::all(),
            sort: None,
            skip: 0,
            limit: None,
            projection: None,
        }
    }

    fn by_id(&self, id: impl Into<Bson>) -> FindRequest {
        FindRequest { filter: with_id(id), ..self.everything() }
    }

    fn set(&self, filter: Filter, update: Document) -> UpdateRequest {
        UpdateRequest {
            collection: self.collection.clone(),
            filter,
            update: Update::parse(&doc! { "$set": update }).unwrap(),
            multi: true,
            upsert: None,
            return_document: false,
        }
    }

    fn removal(&self, filter: Filter) -> RemoveRequest {
        RemoveRequest { collection: self.collection.clone(), filter, multi: true }
    }
}

async fn until_versions(bench: &Bench, expected: usize) {
    for _ in 0..500 {
        if bench.store.shared.versions() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} versions, {expected} expected", bench.store.shared.versions());
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn open(folder: &TempDir, durability: Durability) -> Store {
    Store::open(folder.path(), options(durability)).unwrap()
}

fn options(durability: Durability) -> StoreOptions {
    StoreOptions { durability, cache_bytes: 16 << 20, ..StoreOptions::default() }
}

fn name(text: &str) -> CollectionName {
    CollectionName::parse(text).unwrap()
}

fn filter(query: Document) -> Filter {
    Filter::parse(&query).unwrap()
}

fn with_id(id: impl Into<Bson>) -> Filter {
    filter(doc! { "_id": id.into() })
}

fn sort(by: Document) -> Option<Sort> {
    Some(Sort::parse(&by).unwrap())
}
