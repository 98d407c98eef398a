//! Forks, snapshots and going back: namespaces that lie over each other are independent lists of documents, whatever is done
//! to each; what is dropped leaves nothing; a process that is killed leaves whole namespaces.

use std::collections::BTreeMap;
use std::time::Duration;

use bson::doc;
use document::Document;
use proptest::prelude::*;
use query::{Filter, Update};

use super::laws::{self, Model};
use super::{Bench, filter, name, sort, until_versions, with_id};
use crate::{Database, DatabaseError, Durability, FindRequest, IndexDefinition, RemoveRequest, UpdateRequest};

/// What is done. Namespaces and snapshots are few, so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Write(usize, laws::Step),
    CreateIndex(usize, Document),
    DropIndex(usize, usize),
    Fork {
        from: usize,
        to: usize,
    },
    Drop(usize),
    Snapshot(usize, usize),
    Restore(usize, usize),
    DropSnapshot(usize, usize),
    /// Time for garbage to be collected.
    Rest,
    Reopen,
    Crash,
}

/// The namespaces, of which the first is there at the beginning.
const NAMES: [&str; 5] = ["env", "a", "b", "c", "d"];
const SNAPSHOTS: [&str; 2] = ["s", "t"];

fn step() -> impl Strategy<Value = Step> {
    let namespace = || 0..NAMES.len();
    let snapshot = || (namespace(), 0..SNAPSHOTS.len());
    let keys = prop_oneof![Just(doc! { "n": 1 }), Just(doc! { "n": -1, "_id": 1 })];
    prop_oneof![
        24 => (namespace(), laws::write()).prop_map(|(namespace, step)| Step::Write(namespace, step)),
        3 => (namespace(), keys).prop_map(|(namespace, keys)| Step::CreateIndex(namespace, keys)),
        2 => (namespace(), 1_usize..3).prop_map(|(namespace, at)| Step::DropIndex(namespace, at)),
        6 => (namespace(), namespace()).prop_map(|(from, to)| Step::Fork { from, to }),
        3 => namespace().prop_map(Step::Drop),
        2 => snapshot().prop_map(|(namespace, name)| Step::Snapshot(namespace, name)),
        4 => snapshot().prop_map(|(namespace, name)| Step::Restore(namespace, name)),
        1 => snapshot().prop_map(|(namespace, name)| Step::DropSnapshot(namespace, name)),
        2 => Just(Step::Rest),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

/// What there should be.
#[derive(Default)]
struct World {
    namespaces: BTreeMap<usize, Model>,
    snapshots: BTreeMap<(usize, usize), Model>,
}

impl World {
    /// Carries out a step; `false` if it is to be refused.
    fn apply(&mut self, step: &Step) -> bool {
        match step {
            Step::Fork { from, to } => {
                let source = self.namespaces.get(from).cloned();
                !self.namespaces.contains_key(to)
                    && source.is_none_or(|source| self.namespaces.insert(*to, source).is_none())
            }
            Step::Drop(namespace) => {
                self.namespaces.remove(namespace);
                self.snapshots.retain(|(of, _), _| of != namespace);
                true
            }
            Step::Snapshot(namespace, name) => {
                let source = self.namespaces.get(namespace).cloned();
                source.is_some_and(|source| self.snapshots.insert((*namespace, *name), source).is_none_or(|_| true))
            }
            Step::Restore(namespace, name) => match self.snapshots.get(&(*namespace, *name)) {
                Some(model) => self.namespaces.insert(*namespace, model.clone()).is_none_or(|_| true),
                None => false,
            },
            Step::DropSnapshot(namespace, name) => self.snapshots.remove(&(*namespace, *name)).is_some(),
            Step::Write(..) | Step::CreateIndex(..) | Step::DropIndex(..) | Step::Rest | Step::Reopen | Step::Crash => {
                true
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn namespaces_are_independent_lists_of_documents(steps in prop::collection::vec(step(), 10..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}

async fn run(steps: Vec<Step>) {
    let mut bench = Bench::with(Durability::Process).await;
    let mut world = World::default();
    world.namespaces.insert(0, Model::default());
    for step in steps {
        match &step {
            Step::Reopen => bench = bench.reopen().await,
            Step::Crash => bench = bench.crash().await,
            Step::Rest => tokio::time::sleep(Duration::from_millis(45)).await,
            Step::Write(namespace, write) => {
                bench.database = bench.store.database(NAMES[*namespace]).unwrap();
                let expected = world.namespaces.get_mut(namespace).map(|model| model.apply(write));
                assert_eq!(laws::apply(&bench, write).await, expected.flatten(), "{step:?}");
            }
            Step::CreateIndex(namespace, keys) => {
                let database = bench.store.database(NAMES[*namespace]).unwrap();
                let created = create_index(&database, keys).await;
                assert_eq!(created.is_ok(), world.namespaces.contains_key(namespace), "{step:?}");
            }
            Step::DropIndex(namespace, at) => {
                let database = bench.store.database(NAMES[*namespace]).unwrap();
                let indexes = database.indexes(&bench.collection).unwrap_or_default();
                if let Some(index) = indexes.get(*at) {
                    database.drop_index(&bench.collection, &index.name).await.unwrap();
                }
            }
            step if is_of_nothing(step, &world) => {}
            step => assert_eq!(apply(&bench, step).await.is_ok(), world.apply(step), "{step:?}"),
        }
        check(&bench, &world).await;
    }
    for namespace in NAMES {
        bench.store.drop_namespace(namespace).await.unwrap();
    }
    until_keys(&bench, 1).await; // the state of the store
}

/// What is done to a namespace without collections has a test of its own.
fn is_of_nothing(step: &Step, world: &World) -> bool {
    matches!(step, Step::Fork { from: of, .. } | Step::Snapshot(of, _) if !world.namespaces.contains_key(of))
}

async fn apply(bench: &Bench, step: &Step) -> Result<(), DatabaseError> {
    let store = &bench.store;
    match step {
        Step::Fork { from, to } => store.fork(NAMES[*from], NAMES[*to]).await,
        Step::Drop(namespace) => store.drop_namespace(NAMES[*namespace]).await,
        Step::Snapshot(namespace, name) => store.snapshot(NAMES[*namespace], SNAPSHOTS[*name]).await,
        Step::Restore(namespace, name) => store.restore(NAMES[*namespace], SNAPSHOTS[*name]).await,
        Step::DropSnapshot(namespace, name) => store.drop_snapshot(NAMES[*namespace], SNAPSHOTS[*name]).await,
        Step::Write(..) | Step::CreateIndex(..) | Step::DropIndex(..) | Step::Rest | Step::Reopen | Step::Crash => {
            Ok(())
        }
    }
}

async fn check(bench: &Bench, world: &World) {
    let namespaces: Vec<usize> = world.namespaces.keys().copied().collect();
    assert_eq!(bench.store.namespaces().len(), namespaces.len());
    for (namespace, model) in &world.namespaces {
        let database = bench.store.database(NAMES[*namespace]).unwrap();
        assert_eq!(find(&database, bench.everything()).await, model.documents, "{namespace}");
        for n in 0..4 {
            let mut expected: Vec<Document> = model.documents.clone();
            expected.retain(|document| document.get_i32("n").ok() == Some(n));
            let asked = FindRequest { filter: filter(doc! { "n": n }), ..bench.everything() };
            assert_eq!(find(&database, asked.clone()).await, expected, "{namespace}: {n}");
            let counted = database.count(&bench.collection, asked.filter.clone()).await;
            assert_eq!(counted, Ok(expected.len() as u64), "{namespace}: {n}");
        }
        check_sorted(bench, &database, model).await;
    }
}

/// A page in the order of either index, or against it.
async fn check_sorted(bench: &Bench, database: &Database, model: &Model) {
    for direction in [1, -1] {
        let mut expected = model.documents.clone();
        expected.sort_by_key(|document| {
            let n = document.get_i32("n").unwrap() * direction;
            (n, document.get_i32("_id").unwrap() * -direction)
        });
        expected.truncate(3);
        let by = sort(doc! { "n": direction, "_id": -direction });
        let asked = FindRequest { sort: by, limit: Some(3), ..bench.everything() };
        assert_eq!(find(database, asked).await, expected);
    }
    for id in 0..12 {
        let expected: Vec<Document> =
            model.documents.iter().filter(|document| document.get_i32("_id").ok() == Some(id)).cloned().collect();
        assert_eq!(find(database, bench.by_id(id)).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_forks_at_work_do_not_see_each_other() {
    let bench = Bench::new().await;
    bench.insert((0..200).map(|id| doc! { "_id": id, "n": id % 4 }).collect()).await;
    create_index(&bench.database, &doc! { "n": 1 }).await.unwrap();
    let mut forks = tokio::task::JoinSet::new();
    for fork in 0..100 {
        let (store, namespace) = (bench.store.clone(), format!("fork {fork}"));
        store.fork("env", &namespace).await.unwrap();
        forks.spawn(async move {
            work(&store.database(&namespace).unwrap(), 1_000 + fork).await;
            if fork % 2 == 0 {
                store.drop_namespace(&namespace).await.unwrap();
            }
        });
    }
    work(&bench.database, 5_000).await;
    forks.join_all().await;
    assert_eq!(bench.store.namespaces().len(), 51);
}

/// Changes a collection and looks whether anybody else has.
async fn work(database: &Database, mark: i32) {
    let collection = name("c");
    let all = |update: Document| UpdateRequest {
        collection: collection.clone(),
        filter: filter(doc! { "n": mark % 4 }),
        update: Update::parse(&update).unwrap(),
        multi: true,
        upsert: None,
        return_document: false,
    };
    for round in 0..5 {
        database.insert(&collection, vec![doc! { "_id": 1_000 + round, "n": mark, "mark": mark }]).await.unwrap();
        let updated = database.update(all(doc! { "$set": { "mark": mark } })).await.unwrap();
        assert_eq!(updated.matched, 50 - round as u64);
        let removal =
            RemoveRequest { collection: collection.clone(), filter: filter(doc! { "n": mark % 4 }), multi: false };
        database.remove(removal).await.unwrap();
    }
    let marked = filter(doc! { "mark": { "$exists": true, "$ne": mark } });
    assert_eq!(database.count(&collection, marked).await, Ok(0));
    assert_eq!(database.count(&collection, filter(doc! { "n": mark, "mark": mark })).await, Ok(5));
    assert_eq!(database.count(&collection, Filter::all()).await, Ok(200));
}

#[tokio::test]
async fn ten_thousand_forks_leave_nothing() {
    let bench = Bench::new().await;
    bench.insert((0..100).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    create_index(&bench.database, &doc! { "n": 1 }).await.unwrap();
    let keys = bench.store.shared.keys();
    for _ in 0..100 {
        let mut forks = tokio::task::JoinSet::new();
        for fork in 0..100 {
            let (store, collection) = (bench.store.clone(), bench.collection.clone());
            forks.spawn(async move {
                let namespace = format!("fork {fork}");
                store.fork("env", &namespace).await.unwrap();
                let database = store.database(&namespace).unwrap();
                database.insert(&collection, vec![doc! { "_id": "own" }]).await.unwrap();
                store.drop_namespace(&namespace).await.unwrap();
            });
        }
        forks.join_all().await;
    }
    until_keys(&bench, keys).await;
}

#[tokio::test]
async fn a_dropped_parent_keeps_what_its_forks_need() {
    let bench = Bench::with(Durability::Process).await;
    bench.insert((0..10).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    create_index(&bench.database, &doc! { "n": 1 }).await.unwrap();
    bench.store.fork("env", "fork").await.unwrap();
    bench.database.update(bench.set(Filter::all(), doc! { "n": 1 })).await.unwrap();
    bench.insert((10..20).map(|id| doc! { "_id": id, "n": 1 }).collect()).await;
    bench.store.fork("env", "late").await.unwrap();
    bench.store.drop_namespace("env").await.unwrap();
    let (fork, late) = (bench.store.database("fork").unwrap(), bench.store.database("late").unwrap());
    // Documents, ids and keys; of ten documents what the first fork sees, and what hides their old keys from the second.
    until_versions(&bench, 20 * 3 + 10 * 2 + 10).await;
    for (n, expected) in [(0, 10), (1, 0)] {
        assert_eq!(fork.count(&bench.collection, filter(doc! { "n": n })).await, Ok(expected));
        assert_eq!(late.count(&bench.collection, filter(doc! { "n": n })).await, Ok(if n == 1 { 20 } else { 0 }));
    }
    bench.store.drop_namespace("late").await.unwrap();
    until_versions(&bench, 10 * 3).await;
    let bench = bench.crash().await;
    let fork = bench.store.database("fork").unwrap();
    assert_eq!(fork.count(&bench.collection, Filter::all()).await, Ok(10));
    assert_eq!(bench.store.namespaces(), ["fork"]);
    bench.store.drop_namespace("fork").await.unwrap();
    until_keys(&bench, 1).await;
}

#[tokio::test]
async fn a_parent_is_tidied_up_when_its_fork_goes() {
    let bench = Bench::new().await;
    bench.insert((0..10).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    bench.store.fork("env", "fork").await.unwrap();
    for n in 1..5 {
        bench.database.update(bench.set(Filter::all(), doc! { "n": n })).await.unwrap();
    }
    bench.database.remove(bench.removal(with_id(3))).await.unwrap();
    until_versions(&bench, 10 * 2 + 9 + 2).await; // one document is removed twice: itself and its id
    let bench = bench.reopen().await;
    let fork = bench.store.database("fork").unwrap();
    assert_eq!(fork.count(&bench.collection, filter(doc! { "n": 0 })).await, Ok(10));
    bench.store.drop_namespace("fork").await.unwrap();
    until_versions(&bench, 9 * 2).await;
    assert_eq!(bench.all().await.len(), 9);
}

#[tokio::test]
async fn what_a_deep_fork_removed_stays_removed_while_it_is_laid_on_its_own() {
    let bench = Bench::new().await;
    bench.insert((0..10).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    let names = ["env", "first", "second", "third"];
    for (from, to) in names.iter().zip(&names[1..]) {
        bench.store.fork(from, to).await.unwrap();
        let fork = bench.store.database(to).unwrap();
        fork.update(bench.set(with_id(0), doc! { "fork": *to })).await.unwrap();
    }
    let deepest = bench.store.database("third").unwrap();
    deepest.remove(bench.removal(with_id(3))).await.unwrap();
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(5)).await; // and no commit, so that readers do not know of it
        assert_eq!(deepest.count(&bench.collection, Filter::all()).await, Ok(9));
        assert_eq!(find(&deepest, bench.by_id(3)).await, []);
    }
    let before = bench.store.shared.versions();
    deepest.update(bench.set(with_id(0), doc! { "n": 1 })).await.unwrap();
    deepest.update(bench.set(with_id(0), doc! { "n": 2 })).await.unwrap();
    until_versions(&bench, before - 2 * 2).await; // of the document and of its id, the copy and the removal
    assert_eq!(find(&deepest, bench.by_id(3)).await, []);
}

#[tokio::test]
async fn going_back_again_and_again_keeps_little() {
    let bench = Bench::new().await;
    bench.insert((0..50).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    create_index(&bench.database, &doc! { "n": 1 }).await.unwrap();
    for round in 1..20 {
        bench.database.update(bench.set(with_id(round), doc! { "n": round })).await.unwrap();
        bench.database.remove(bench.removal(with_id(50 - round))).await.unwrap();
        bench.store.snapshot("env", "s").await.unwrap();
        bench.database.update(bench.set(Filter::all(), doc! { "n": -1 })).await.unwrap();
        bench.store.restore("env", "s").await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let changed = filter(doc! { "n": { "$gt": 0 } });
    assert_eq!(bench.database.count(&bench.collection, changed).await, Ok(19));
    assert_eq!(bench.all().await.len(), 31);
    let versions = bench.store.shared.versions();
    assert!(versions < 50 * 3 * 3, "{versions} versions of 31 documents");
    bench.store.drop_snapshot("env", "s").await.unwrap();
    bench.store.drop_namespace("env").await.unwrap();
    until_keys(&bench, 1).await;
}

#[tokio::test]
async fn indexes_go_their_own_ways() {
    let bench = Bench::new().await;
    bench.insert((0..10).map(|id| doc! { "_id": id, "n": id % 2, "m": id }).collect()).await;
    create_index(&bench.database, &doc! { "n": 1 }).await.unwrap();
    bench.store.fork("env", "fork").await.unwrap();
    let fork = bench.store.database("fork").unwrap();
    bench.database.drop_index(&bench.collection, "n_1").await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    create_index(&bench.database, &doc! { "m": 1 }).await.unwrap(); // not under the number that the fork reads
    check_index(&fork, "n_1", doc! { "n": 1 }, 5).await;
    check_index(&bench.database, "m_1", doc! { "m": { "$gte": 3 } }, 7).await;
    fork.drop_index(&bench.collection, "n_1").await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    create_index(&fork, &doc! { "m": -1 }).await.unwrap();
    check_index(&fork, "m_-1", doc! { "m": { "$lt": 3 } }, 3).await;
    check_index(&fork, "COLLSCAN", doc! { "n": 1 }, 5).await;
}

async fn check_index(database: &Database, index: &str, query: Document, expected: u64) {
    let request = FindRequest {
        collection: name("c"),
        filter: filter(query),
        sort: None,
        skip: 0,
        limit: None,
        projection: None,
    };
    let told = database.explain(request).await.unwrap();
    assert_eq!((told.index.as_str(), told.returned), (index, expected));
}

#[tokio::test]
async fn unique_keys_are_inherited() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 2 }]).await;
    let unique = IndexDefinition::parse(&doc! { "n": 1 }, None, true).unwrap();
    bench.database.create_index(&bench.collection, unique).await.unwrap();
    bench.store.fork("env", "fork").await.unwrap();
    let fork = bench.store.database("fork").unwrap();
    for taken in [doc! { "_id": 1, "n": 3 }, doc! { "_id": 3, "n": 1 }] {
        let refused = fork.insert(&bench.collection, vec![taken]).await;
        assert!(matches!(refused, Err(DatabaseError::DuplicateKey { .. })), "{refused:?}");
    }
    fork.remove(bench.removal(with_id(1))).await.unwrap();
    fork.insert(&bench.collection, vec![doc! { "_id": 1, "n": 1 }]).await.unwrap();
    let moved = [doc! { "_id": 2, "n": 2 }, doc! { "_id": 1, "n": 1 }]; // in the order of insertion
    assert_eq!(find(&fork, bench.everything()).await, moved);
    assert_eq!(bench.all().await, [doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 2 }]);
}

#[tokio::test]
async fn a_geo_index_is_inherited() {
    let bench = Bench::new().await;
    let place = |longitude: f64| doc! { "type": "Point", "coordinates": [longitude, 10.0] };
    bench.insert((0..5).map(|id| doc! { "_id": id, "at": place(f64::from(id)) }).collect()).await;
    create_index(&bench.database, &doc! { "at": "2dsphere" }).await.unwrap();
    bench.store.fork("env", "fork").await.unwrap();
    let fork = bench.store.database("fork").unwrap();
    fork.update(bench.set(with_id(0), doc! { "at": place(3.4) })).await.unwrap();
    fork.remove(bench.removal(with_id(1))).await.unwrap();
    let near = FindRequest {
        filter: filter(doc! { "at": { "$nearSphere": { "$geometry": place(0.0) } } }),
        ..bench.everything()
    };
    let ids = |found: Vec<Document>| found.iter().map(|found| found.get_i32("_id").unwrap()).collect::<Vec<_>>();
    assert_eq!(ids(find(&fork, near.clone()).await), [2, 3, 0, 4]);
    assert_eq!(ids(bench.find(near).await), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn transactions_work_in_forks_and_do_not_outlive_what_they_saw() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }]).await;
    bench.store.fork("env", "fork").await.unwrap();
    let fork = bench.store.database("fork").unwrap();
    let transaction = fork.begin("first").await.unwrap();
    transaction.update(bench.set(with_id(1), doc! { "n": 2 })).await.unwrap();
    transaction.insert(&bench.collection, vec![doc! { "_id": 2, "n": 2 }]).await.unwrap();
    assert_eq!(transaction.count(&bench.collection, filter(doc! { "n": 2 })).await, Ok(2));
    bench.database.update(bench.set(with_id(1), doc! { "n": 7 })).await.unwrap(); // no conflict
    bench.store.snapshot("fork", "before").await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(find(&fork, bench.everything()).await, [doc! { "_id": 1, "n": 2 }, doc! { "_id": 2, "n": 2 }]);

    let reader = fork.begin("second").await.unwrap();
    assert_eq!(reader.count(&bench.collection, Filter::all()).await, Ok(2));
    bench.store.restore("fork", "before").await.unwrap();
    assert_eq!(find(&fork, bench.everything()).await, [doc! { "_id": 1, "n": 1 }]);
    let ended = reader.count(&bench.collection, Filter::all()).await;
    assert_eq!(ended, Err(DatabaseError::TransactionNotExist));
}

#[tokio::test]
async fn who_reads_sees_a_namespace_to_the_end() {
    let bench = Bench::new().await;
    bench.insert((0..3_000).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    bench.store.snapshot("env", "s").await.unwrap();
    bench.database.update(bench.set(Filter::all(), doc! { "n": 1 })).await.unwrap();
    let view = bench.store.shared.view().unwrap();
    bench.store.restore("env", "s").await.unwrap();
    bench.store.drop_namespace("env").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let id = view.catalogue.collection("env", &bench.collection).unwrap();
    let request = FindRequest { filter: filter(doc! { "n": 1 }), ..bench.everything() };
    let plan = view.plan(id, request.question()).unwrap();
    assert_eq!(crate::read::find(&view, id, &plan, &request).unwrap().len(), 3_000);
    drop(view);
    until_keys(&bench, 1).await;
}

#[tokio::test]
async fn names_and_what_is_not_there() {
    let bench = Bench::new().await;
    let refused = |result: Result<(), DatabaseError>, text: &str| {
        assert_eq!(result, Err(DatabaseError::BadNamespace(text.to_owned())));
    };
    let store = &bench.store;
    let exists = "namespace `env` exists already: drop it, or fork to another one";
    refused(store.fork("env", "env").await, exists);
    refused(store.fork("nowhere", "env").await, exists);
    refused(store.restore("env", "s").await, "namespace `env` has no snapshot `s`");
    refused(store.drop_snapshot("env", "s").await, "namespace `env` has no snapshot `s`");
    refused(store.fork("env", "a\0b").await, "\"a\\0b\" cannot be a name: it contains a NUL character");
    assert!(matches!(store.database("a\0b"), Err(DatabaseError::BadNamespace(_))));
    assert_eq!(store.drop_namespace("nowhere").await, Ok(()));
    store.fork("nowhere", "empty").await.unwrap();
    assert_eq!(store.namespaces(), ["empty", "env"]);
    store.snapshot("empty", "s").await.unwrap();
    store.database("empty").unwrap().create_collection(&bench.collection).await.unwrap();
    store.restore("empty", "s").await.unwrap();
    assert_eq!(store.database("empty").unwrap().collections(), []);
    assert_eq!((store.snapshots("empty"), store.snapshots("env")), (vec!["s".to_owned()], Vec::new()));
    assert_eq!(store.namespaces(), ["empty", "env"]);
}

async fn until_keys(bench: &Bench, expected: usize) {
    for _ in 0..1_000 {
        if bench.store.shared.keys() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} keys, {expected} expected", bench.store.shared.keys());
}

async fn find(database: &Database, request: FindRequest) -> Vec<Document> {
    let found = database.find(request).await.unwrap();
    found.iter().map(|document| Document::try_from(document).unwrap()).collect()
}

async fn create_index(database: &Database, keys: &Document) -> Result<(), DatabaseError> {
    database.create_index(&name("c"), IndexDefinition::parse(keys, None, false).unwrap()).await
}
