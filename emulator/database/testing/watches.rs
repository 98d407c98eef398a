//! Watches: what each kind of write tells them, and the law that the first documents and every event after them make the
//! query's result, for random writes and queries, for watchers that are behind, and when commits are lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bson::doc;
use document::{Bson, Document};
use proptest::prelude::*;
use query::{Filter, Update};

use super::{Bench, filter, name, sort, with_id};
use crate::{
    DataType, DatabaseError, FindRequest, QueueType, Transaction, UpdateRequest, WATCHED_MAX, Watch, WatchError,
    WatchEvents, WatchRequest,
};

impl Bench {
    async fn watch(&self, query: Document, by: Option<Document>, limit: Option<usize>) -> Watch {
        self.try_watch(query, by, limit).await.unwrap()
    }

    async fn try_watch(
        &self,
        query: Document,
        by: Option<Document>,
        limit: Option<usize>,
    ) -> Result<Watch, WatchError> {
        let (collection, sort) = (self.collection.clone(), by.and_then(sort));
        self.database.watch(WatchRequest { collection, filter: filter(query), sort, limit }).await
    }

    async fn update(&self, id: i32, update: Document) {
        let request = self.set(with_id(id), doc! { "x": 1 });
        self.database.update(UpdateRequest { update: Update::parse(&update).unwrap(), ..request }).await.unwrap();
    }

    async fn replace(&self, id: i32, with: Document) {
        let update = Update::replacement(with).unwrap();
        let upsert = Some(Bson::Null);
        let request = self.set(with_id(id), doc! { "x": 1 });
        self.database.update(UpdateRequest { update, multi: false, upsert, ..request }).await.unwrap();
    }

    async fn remove(&self, id: i32) {
        self.database.remove(self.removal(with_id(id))).await.unwrap();
    }
}

async fn next(watch: &mut Watch) -> Arc<WatchEvents> {
    tokio::time::timeout(Duration::from_secs(10), watch.next()).await.expect("no event came").unwrap()
}

/// The next events in short: `enqueue/add 1`.
async fn told(watch: &mut Watch) -> Vec<String> {
    let events = next(watch).await;
    let short = events.events().iter().map(|event| {
        let id = event.document.get_i32("_id").unwrap();
        format!("{:?}/{:?} {id}", event.queue, event.data).to_lowercase()
    });
    short.collect()
}

fn ids(watch: &mut Watch) -> Vec<i32> {
    watch.take_initial().iter().map(|document| document.get_i32("_id").unwrap()).collect()
}

/// Every row of the table of semantics DB-6.05 that needs no limit.
#[tokio::test]
async fn each_kind_of_write_is_told() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 9 }]).await;
    let mut watch = bench.watch(doc! { "n": { "$lt": 5 } }, None, None).await;
    assert_eq!(ids(&mut watch), [1]);
    bench.update(1, doc! { "$set": { "n": 2 } }).await;
    assert_eq!(told(&mut watch).await, ["update/update 1"]);
    bench.update(2, doc! { "$set": { "n": 3 } }).await;
    assert_eq!(told(&mut watch).await, ["enqueue/update 2"]);
    bench.update(2, doc! { "$set": { "n": 8 } }).await;
    assert_eq!(told(&mut watch).await, ["dequeue/update 2"]);
    bench.replace(2, doc! { "n": 4 }).await;
    assert_eq!(told(&mut watch).await, ["enqueue/replace 2"]);
    bench.replace(2, doc! { "n": 3 }).await;
    assert_eq!(told(&mut watch).await, ["update/replace 2"]);
    bench.replace(2, doc! { "n": 7 }).await;
    assert_eq!(told(&mut watch).await, ["dequeue/replace 2"]);
    bench.insert(vec![doc! { "_id": 3, "n": 0 }, doc! { "_id": 4, "n": 6 }]).await;
    assert_eq!(told(&mut watch).await, ["enqueue/add 3"]);
    bench.replace(5, doc! { "n": 1 }).await;
    assert_eq!(told(&mut watch).await, ["enqueue/add 5"]);
    bench.remove(4).await; // not in the result: nothing to tell
    bench.replace(5, doc! { "n": 1 }).await; // changes nothing (UNC-49)
    bench.remove(1).await;
    assert_eq!(told(&mut watch).await, ["dequeue/remove 1"]);
    bench.database.update(bench.set(Filter::all(), doc! { "n": 4 })).await.unwrap();
    assert_eq!(told(&mut watch).await, ["update/update 3", "update/update 5", "enqueue/update 2"]);
}

#[tokio::test]
async fn the_edge_of_a_limit_is_told() {
    let bench = Bench::new().await;
    bench.insert((1..=9).map(|id| doc! { "_id": id, "n": id }).collect()).await;
    let mut watch = bench.watch(doc! {}, Some(doc! { "n": 1 }), Some(2)).await;
    assert_eq!(ids(&mut watch), [1, 2]);
    bench.insert(vec![doc! { "_id": 0, "n": 0 }]).await;
    assert_eq!(told(&mut watch).await, ["dequeue/limit 2", "enqueue/add 0"]);
    bench.remove(1).await;
    assert_eq!(told(&mut watch).await, ["dequeue/remove 1", "enqueue/limit 2"]);
    bench.update(0, doc! { "$set": { "n": 7 } }).await;
    assert_eq!(told(&mut watch).await, ["dequeue/update 0", "enqueue/limit 3"]);
    for (gone, come) in [(2, 4), (3, 5), (4, 6), (5, 7), (6, 0), (7, 8), (0, 9)] {
        bench.remove(gone).await;
        assert_eq!(told(&mut watch).await, [format!("dequeue/remove {gone}"), format!("enqueue/limit {come}")]);
    }
    bench.remove(8).await;
    assert_eq!(told(&mut watch).await, ["dequeue/remove 8"]);
    bench.update(9, doc! { "$set": { "n": -1 } }).await;
    assert_eq!(told(&mut watch).await, ["update/update 9"]);
}

#[tokio::test]
async fn an_update_tells_its_fields() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "a": { "b": 1 }, "c": 1 }]).await;
    let mut watch = bench.watch(doc! { "_id": 1 }, None, None).await;
    bench.update(1, doc! { "$set": { "a.b": 2 }, "$unset": { "c": "" } }).await;
    let events = next(&mut watch).await;
    let changes = events.events()[0].changes.clone().unwrap();
    assert_eq!((changes.updated, changes.removed), (doc! { "a.b": 2 }, vec!["c".to_owned()]));
    assert_eq!(Document::try_from(&*events.events()[0].document).unwrap(), doc! { "_id": 1, "a": { "b": 2 } });
    bench.replace(1, doc! { "c": 1 }).await;
    assert_eq!(next(&mut watch).await.events()[0].changes, None);
}

#[tokio::test]
async fn watches_of_one_query_share_their_events() {
    let bench = Bench::new().await;
    let mut watches = Vec::new();
    for _ in 0..3 {
        watches.push(bench.watch(doc! { "n": 1 }, Some(doc! { "n": -1 }), Some(5)).await);
    }
    let mut other = bench.watch(doc! { "n": 1 }, Some(doc! { "n": 1 }), Some(5)).await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }]).await;
    let first = next(&mut watches[0]).await;
    for watch in &mut watches[1..] {
        assert!(Arc::ptr_eq(&first, &next(watch).await));
    }
    assert!(!Arc::ptr_eq(&first, &next(&mut other).await));
    let text = first.texts(|event| format!("{:?}", event.queue));
    assert_eq!(text, ["Enqueue"]);
    assert_eq!(first.texts(|_| unreachable!()), text);
}

#[tokio::test]
async fn who_comes_later_begins_later() {
    let bench = Bench::new().await;
    let mut first = bench.watch(doc! {}, None, None).await;
    bench.insert(vec![doc! { "_id": 1 }]).await;
    let mut second = bench.watch(doc! {}, None, None).await;
    assert_eq!(ids(&mut second), [1], "an answered write is in the first documents");
    bench.insert(vec![doc! { "_id": 2 }]).await;
    assert_eq!(told(&mut first).await, ["enqueue/add 1"]);
    assert_eq!(told(&mut first).await, ["enqueue/add 2"]);
    assert_eq!(told(&mut second).await, ["enqueue/add 2"]);
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let bench = Bench::new().await;
    let missing = WatchRequest { collection: name("nowhere"), filter: Filter::all(), sort: None, limit: None };
    let error = bench.database.watch(missing).await.err();
    assert_eq!(error, Some(WatchError::Database(DatabaseError::CollectionMissing(name("nowhere")))));
    let count = WATCHED_MAX as i32;
    bench.insert((0..count).map(|id| doc! { "_id": id }).collect()).await;
    let mut watch = bench.watch(doc! {}, None, None).await;
    assert_eq!(watch.take_initial().len(), WATCHED_MAX);
    bench.insert(vec![doc! { "_id": count }]).await;
    assert_eq!(watch.next().await.err(), Some(WatchError::TooMany));
    assert_eq!(bench.try_watch(doc! {}, None, None).await.err(), Some(WatchError::TooMany));
    assert_eq!(bench.watch(doc! {}, None, Some(3)).await.take_initial().len(), 3);
}

#[tokio::test]
async fn a_query_that_fails_ends_its_watches_alone() {
    let bench = Bench::new().await;
    let mut fine = bench.watch(doc! {}, None, None).await;
    let mut failing = bench.watch(doc! { "text": { "$regex": r"^(?:(a+)\1?)+c" } }, None, None).await;
    bench.insert(vec![doc! { "_id": 1, "text": "a".repeat(60) + "b" }]).await;
    assert_eq!(told(&mut fine).await, ["enqueue/add 1"]);
    match tokio::time::timeout(Duration::from_secs(10), failing.next()).await {
        Ok(Err(WatchError::Database(DatabaseError::Query(_)))) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn closing_the_store_ends_watches() {
    let bench = Bench::new().await;
    let mut watch = bench.watch(doc! {}, None, None).await;
    bench.store.close().await.unwrap();
    assert_eq!(watch.next().await.err(), Some(WatchError::Database(DatabaseError::Closed)));
}

#[tokio::test]
async fn without_watches_nothing_is_kept() {
    let bench = Bench::new().await;
    for round in 0..3 {
        let mut watch = bench.watch(doc! {}, None, None).await;
        bench.insert(vec![doc! { "_id": round, "n": 0 }]).await;
        assert_eq!(told(&mut watch).await, [format!("enqueue/add {round}")]);
        drop(watch);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.database.update(bench.set(Filter::all(), doc! { "n": 1 })).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.store.shared.versions(), 3 * 2);
}

#[tokio::test]
async fn while_watched_garbage_is_collected() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 0 }]).await;
    let _watch = bench.watch(doc! { "_id": 2 }, None, None).await;
    for n in 0..500 {
        bench.update(1, doc! { "$set": { "n": n } }).await;
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(bench.store.shared.versions(), 2);
}

/// What a client makes of events. `None` in `order` is where no order is kept.
struct Client {
    watch: Watch,
    query: Document,
    by: Option<Document>,
    limit: Option<usize>,
    documents: BTreeMap<i32, Document>,
}

impl Client {
    async fn begin(bench: &Bench, (query, by, limit): (Document, Option<Document>, Option<usize>)) -> Client {
        let mut watch = bench.watch(query.clone(), by.clone(), limit).await;
        let documents = watch.take_initial().iter().map(|document| keyed(document)).collect();
        Client { watch, query, by, limit, documents }
    }

    fn apply(&mut self, events: &WatchEvents) {
        assert!(!events.events().is_empty());
        let leaves: Vec<bool> = events.events().iter().map(|event| event.queue == QueueType::Dequeue).collect();
        assert!(leaves.is_sorted_by(|left, right| left >= right), "what leaves comes first");
        for event in events.events() {
            let (id, document) = keyed(&event.document);
            match event.queue {
                QueueType::Enqueue => assert_eq!(self.documents.insert(id, document), None, "{event:?}"),
                QueueType::Dequeue => assert!(self.documents.remove(&id).is_some(), "{event:?}"),
                QueueType::Update => assert!(self.documents.insert(id, document).is_some(), "{event:?}"),
            }
            assert!(event.data != DataType::Remove || event.queue == QueueType::Dequeue);
        }
    }

    async fn expected(&self, bench: &Bench) -> BTreeMap<i32, Document> {
        let found = bench.find(FindRequest {
            filter: filter(self.query.clone()),
            sort: self.by.clone().and_then(sort),
            limit: self.limit.map(|limit| limit as u64),
            ..bench.everything()
        });
        found.await.into_iter().map(|document| (document.get_i32("_id").unwrap(), document)).collect()
    }

    /// Applies what has come; then, if that is not the query's result, what comes until it is.
    async fn settle(&mut self, bench: &Bench) {
        let expected = self.expected(bench).await;
        self.drain();
        while self.documents != expected {
            let what = format!("{:?} {:?} {:?}: {:?}, {expected:?}", self.query, self.by, self.limit, self.documents);
            match tokio::time::timeout(Duration::from_secs(10), self.watch.next()).await {
                Ok(events) => self.apply(&events.expect(&what)),
                Err(_) => panic!("{what}"),
            }
            self.drain();
        }
    }

    fn drain(&mut self) {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while let std::task::Poll::Ready(events) = self.watch.poll_next(&mut context) {
            self.apply(&events.unwrap());
        }
    }

    /// No event is left over.
    fn check_quiet(&mut self) {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(self.watch.poll_next(&mut context).is_pending(), "{:?} was told too much", self.query);
    }
}

fn keyed(document: &document::RawDocumentBuf) -> (i32, Document) {
    let document = Document::try_from(document).unwrap();
    (document.get_i32("_id").unwrap(), document)
}

#[derive(Debug, Clone)]
enum Step {
    Insert(i32, Bson),
    Update(i32, Bson),
    UpdateMany(i32, Bson),
    Replace(i32, Bson),
    Remove(i32),
    RemoveMany(i32),
    /// All of this as one commit.
    Transaction(Vec<Step>),
    Snapshot,
    /// All documents become those of the snapshot, if there is one.
    Restore,
    /// A watch begins.
    Watch(Document, Option<Document>, Option<usize>),
    /// Everyone looks at what came.
    Look,
}

fn value() -> impl Strategy<Value = Bson> {
    prop_oneof![
        8 => (0..6).prop_map(Bson::Int32),
        1 => (0..6).prop_map(|n| Bson::Double(f64::from(n))),
        1 => prop::collection::vec(0..6, 0..3).prop_map(|list| Bson::Array(list.into_iter().map(Bson::Int32).collect())),
        1 => Just(Bson::Null),
        1 => Just(Bson::String("x".into())),
    ]
}

fn question() -> impl Strategy<Value = (Document, Option<Document>, Option<usize>)> {
    let query = prop_oneof![
        Just(doc! {}),
        (0..6).prop_map(|n| doc! { "n": n }),
        (0..6).prop_map(|n| doc! { "n": { "$gte": n } }),
        (0..6).prop_map(|n| doc! { "n": { "$lt": n }, "even": true }),
        (0..12).prop_map(|id| doc! { "_id": id }),
        prop::collection::vec(0..12, 1..4).prop_map(|ids| doc! { "_id": { "$in": ids } }),
        (0..6, 0..6).prop_map(|(n, m)| doc! { "$or": [{ "n": n }, { "n": m }] }),
        (0..6).prop_map(|n| doc! { "n": { "$ne": n } }),
    ];
    let by = prop::option::of(prop_oneof![
        Just(doc! { "n": 1 }),
        Just(doc! { "n": -1 }),
        Just(doc! { "even": 1, "n": -1 }),
        Just(doc! { "_id": -1 }),
    ]);
    (query, by, prop::option::of(1_usize..5))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        18 => write_step(),
        2 => prop::collection::vec(write_step(), 1..8).prop_map(Step::Transaction),
        1 => Just(Step::Snapshot),
        2 => Just(Step::Restore),
        2 => question().prop_map(|(query, by, limit)| Step::Watch(query, by, limit)),
        2 => Just(Step::Look),
    ]
}

fn write_step() -> impl Strategy<Value = Step> {
    let id = || 0..12;
    prop_oneof![
        4 => (id(), value()).prop_map(|(id, n)| Step::Insert(id, n)),
        4 => (id(), value()).prop_map(|(id, n)| Step::Update(id, n)),
        2 => (0..6, value()).prop_map(|(from, to)| Step::UpdateMany(from, to)),
        2 => (id(), value()).prop_map(|(id, n)| Step::Replace(id, n)),
        3 => id().prop_map(Step::Remove),
        1 => (0..6).prop_map(Step::RemoveMany),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_make_the_result(first in question(), steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(first, steps));
    }
}

async fn run(first: (Document, Option<Document>, Option<usize>), steps: Vec<Step>) {
    let bench = Bench::new().await;
    let mut clients = vec![Client::begin(&bench, first).await];
    for step in steps {
        if let Step::Watch(query, by, limit) = step {
            clients.push(Client::begin(&bench, (query, by, limit)).await);
        } else if let Step::Look = step {
            settle(&bench, &mut clients).await;
        } else {
            write(&bench, step).await;
        }
    }
    settle(&bench, &mut clients).await;
    clients.iter_mut().for_each(Client::check_quiet);
}

async fn settle(bench: &Bench, clients: &mut [Client]) {
    // Who begins now was preceded by every commit so far.
    Client::begin(bench, (doc! { "_id": "last" }, None, None)).await;
    for client in clients {
        client.settle(bench).await;
    }
}

async fn write(bench: &Bench, step: Step) {
    let content = |n: &Bson| doc! { "n": n.clone(), "even": n.as_i32().is_some_and(|n| n % 2 == 0) };
    let n = |n: i32| filter(doc! { "n": n });
    match step {
        Step::Insert(id, n) => {
            let mut document = doc! { "_id": id };
            document.extend(content(&n));
            // The id may be taken.
            let _ = bench.database.insert(&bench.collection, vec![document]).await;
        }
        Step::Update(id, n) => bench.update(id, doc! { "$set": content(&n) }).await,
        Step::UpdateMany(from, to) => {
            bench.database.update(bench.set(n(from), content(&to))).await.unwrap();
        }
        Step::Replace(id, n) => bench.replace(id, content(&n)).await,
        Step::Remove(id) => bench.remove(id).await,
        Step::RemoveMany(from) => {
            bench.database.remove(bench.removal(n(from))).await.unwrap();
        }
        Step::Transaction(steps) => write_inside(bench, steps).await,
        Step::Snapshot => bench.store.snapshot("env", "s").await.unwrap(),
        // There may be no snapshot.
        Step::Restore => drop(bench.store.restore("env", "s").await),
        Step::Watch(..) | Step::Look => unreachable!(),
    }
}

/// Somebody else inserts meanwhile, so that commits are not in the order of insertion.
async fn write_inside(bench: &Bench, steps: Vec<Step>) {
    let transaction = bench.database.begin("t").await.unwrap();
    let mut done = Ok(());
    for (number, step) in steps.into_iter().enumerate() {
        done = done.and(write_one_inside(&transaction, bench, step).await);
        if number == 2 {
            let _ = bench.database.insert(&bench.collection, vec![doc! { "_id": 99, "n": 3 }]).await;
        }
    }
    // It may have failed: an id is taken.
    assert_eq!(transaction.commit().await.is_ok(), done.is_ok());
}

async fn write_one_inside(transaction: &Transaction, bench: &Bench, step: Step) -> Result<(), DatabaseError> {
    let n = |n: i32| filter(doc! { "n": n });
    match step {
        Step::Insert(id, n) => {
            let document = doc! { "_id": id, "n": n };
            transaction.insert(&bench.collection, vec![document]).await.map(drop)
        }
        Step::Update(id, n) => transaction.update(bench.set(with_id(id), doc! { "n": n })).await.map(drop),
        Step::UpdateMany(from, to) => transaction.update(bench.set(n(from), doc! { "n": to })).await.map(drop),
        Step::Replace(id, n) => {
            let update = Update::replacement(doc! { "n": n }).unwrap();
            let request = bench.set(with_id(id), doc! { "x": 1 });
            transaction
                .update(UpdateRequest { update, multi: false, upsert: Some(Bson::Null), ..request })
                .await
                .map(drop)
        }
        Step::Remove(id) => transaction.remove(bench.removal(with_id(id))).await.map(drop),
        Step::RemoveMany(from) => transaction.remove(bench.removal(n(from))).await.map(drop),
        Step::Transaction(_) | Step::Snapshot | Step::Restore | Step::Watch(..) | Step::Look => unreachable!(),
    }
}

#[tokio::test]
async fn going_back_is_told_as_a_difference() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 2 }, doc! { "_id": 3, "n": 3 }]).await;
    bench.store.snapshot("env", "s").await.unwrap();
    bench.store.fork("env", "fork").await.unwrap();
    let fork = Bench { database: bench.store.database("fork").unwrap(), ..bench };
    let mut there = fork.watch(doc! {}, None, None).await;
    assert_eq!(ids(&mut there), [1, 2, 3]);
    let bench = Bench { database: fork.store.database("env").unwrap(), ..fork };
    bench.update(1, doc! { "$set": { "n": 9 } }).await;
    bench.remove(2).await;
    bench.insert(vec![doc! { "_id": 4, "n": 4 }]).await;
    let mut here = bench.watch(doc! {}, None, None).await;
    assert_eq!(ids(&mut here), [1, 3, 4]);
    bench.store.restore("env", "s").await.unwrap();
    assert_eq!(told(&mut here).await, ["dequeue/remove 4", "update/replace 1", "enqueue/add 2"]);
    bench.update(2, doc! { "$set": { "n": 5 } }).await;
    assert_eq!(told(&mut here).await, ["update/update 2"]);
    bench.store.drop_namespace("env").await.unwrap();
    let missing = WatchError::Database(DatabaseError::CollectionMissing(name("c")));
    assert_eq!(here.next().await.unwrap_err(), missing);
    let fork = Bench { database: bench.store.database("fork").unwrap(), ..bench };
    fork.update(2, doc! { "$set": { "n": 7 } }).await;
    assert_eq!(told(&mut there).await, ["update/update 2"]); // and nothing else before
}

/// Many more commits than a queue holds, then everything at once.
#[tokio::test]
async fn a_watcher_that_is_behind_is_told_the_difference() {
    let bench = Bench::new().await;
    bench.insert((0..12).map(|id| doc! { "_id": id, "n": id % 6 }).collect()).await;
    let questions = [(doc! {}, None, None), (doc! { "n": { "$gte": 2 } }, Some(doc! { "n": 1 }), Some(3))];
    let mut clients = Vec::new();
    for question in questions.clone() {
        clients.push(Client::begin(&bench, question).await);
    }
    for round in 0..3_i32 {
        let mut attentive = Client::begin(&bench, questions[0].clone()).await;
        for number in 0..600_i32 {
            let id = number * 7 % 13;
            match number % 5 {
                0 => bench.remove(id).await,
                1 => bench.replace(id, doc! { "n": (number + round) % 6 }).await,
                _ => bench.update(id, doc! { "$set": { "n": number % 6 } }).await,
            }
            if number % 100 == 0 {
                attentive.settle(&bench).await;
            }
        }
        attentive.settle(&bench).await;
        settle(&bench, &mut clients).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    clients.iter_mut().for_each(Client::check_quiet);
}

/// More changes at once than the inbox holds.
#[tokio::test]
async fn lost_commits_are_made_good() {
    let bench = Bench::new().await;
    let mut clients = Vec::new();
    for question in [
        (doc! { "_id": { "$lt": 5 } }, None, None),
        (doc! {}, Some(doc! { "n": -1 }), Some(3)),
        (doc! { "_id": 3 }, None, None),
    ] {
        clients.push(Client::begin(&bench, question).await);
    }
    for from in [0, 700] {
        bench.insert((from..from + 700).map(|id| doc! { "_id": id, "n": id }).collect()).await;
    }
    bench.database.update(bench.set(Filter::all(), doc! { "n": 1 })).await.unwrap();
    bench.update(3, doc! { "$set": { "n": 5 } }).await;
    settle(&bench, &mut clients).await;
}
