//! What becomes of transactions in time, at the end and after a crash, and who is told of them. Who sees what is
//! `isolation.rs`'s and the schedules'.

use std::sync::Arc;
use std::time::Duration;

use bson::doc;
use document::Document;
use query::{FieldChanges, Filter, Update};

use super::watching::commits;
use super::{Bench, filter, options, until_versions, with_id};
use crate::watch::Inbox;
use crate::{
    ChangeKind, DatabaseError, Durability, FindRequest, IndexDefinition, StoreOptions, TimeChange, Transaction,
    UpdateRequest,
};

/// So long that what is done at once is done within it.
const SOON: Duration = Duration::from_secs(1);
const LATE: Duration = Duration::from_secs(60);

fn times(transaction_life: Duration, parking_patience: Duration) -> StoreOptions {
    StoreOptions { transaction_life, parking_patience, ..options(Durability::None) }
}

async fn set(transaction: &Transaction, bench: &Bench, id: i32, n: i32) -> Result<u64, DatabaseError> {
    transaction.update(bench.set(with_id(id), doc! { "n": n })).await.map(|reply| reply.matched)
}

async fn found(transaction: &Transaction, request: FindRequest) -> Vec<Document> {
    transaction.find(request).await.unwrap().iter().map(|found| Document::try_from(found).unwrap()).collect()
}

/// semantics DB-5.04, DB-5.08: applications match on these.
#[test]
fn the_texts_are_the_clouds() {
    let conflict = "[ResourceUnavailable.TransactionConflict] Transaction is conflict, maybe resource operated by others. \
                    Please check your request, but if the problem persists, contact us.";
    let gone = "[ResourceUnavailable.TransactionNotExist] Transaction does not exist on the server, transaction must be \
                commit or abort in 30 seconds. Please check your request, but if the problem persists, contact us.";
    assert_eq!(DatabaseError::TransactionConflict.to_string(), conflict);
    assert_eq!(DatabaseError::TransactionNotExist.to_string(), gone);
}

#[tokio::test]
async fn a_thousand_and_one_insertions() {
    let bench = Bench::with(Durability::Process).await;
    let transaction = bench.database.begin("t").await.unwrap();
    for id in 0..1_001 {
        transaction.insert(&bench.collection, vec![doc! { "_id": id }]).await.unwrap();
    }
    assert_eq!(transaction.count(&bench.collection, Filter::all()).await, Ok(1_001));
    assert_eq!(bench.database.count(&bench.collection, Filter::all()).await, Ok(0));
    transaction.commit().await.unwrap();
    let bench = bench.crash().await;
    assert_eq!(bench.all().await, (0..1_001).map(|id| doc! { "_id": id }).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_id_leads_to_the_transaction_wherever_it_is_asked_for() {
    let bench = Bench::new().await;
    drop(bench.database.begin("t").await.unwrap());
    let again = bench.database.begin("t").await;
    assert!(matches!(again, Err(DatabaseError::Internal(_))));
    bench.database.transaction("t").insert(&bench.collection, vec![doc! { "_id": 1 }]).await.unwrap();
    let elsewhere = bench.store.database("elsewhere").unwrap();
    assert_eq!(elsewhere.transaction("t").commit().await, Err(DatabaseError::TransactionNotExist));
    bench.database.transaction("t").commit().await.unwrap();
    assert_eq!(bench.all().await, [doc! { "_id": 1 }]);
}

#[tokio::test]
async fn its_time_is_over_without_anybody_asking() {
    let bench = Bench::with_options(times(SOON, LATE)).await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }]).await;
    let transaction = bench.database.begin("t").await.unwrap();
    set(&transaction, &bench, 1, 2).await.unwrap();
    let reply = bench.database.update(bench.set(filter(doc! { "n": 1 }), doc! { "n": 3 })).await.unwrap();
    assert_eq!(reply.matched, 1, "it waited for the end of a transaction that left nothing");
    for gone in [set(&transaction, &bench, 1, 2).await.map(drop), transaction.commit().await, transaction.abort().await]
    {
        assert_eq!(gone, Err(DatabaseError::TransactionNotExist));
    }
    assert_eq!(bench.all().await, [doc! { "_id": 1, "n": 3 }]);
}

#[tokio::test]
async fn a_plain_write_waits_only_so_long() {
    let bench = Bench::with_options(times(LATE, SOON)).await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }]).await;
    let transaction = bench.database.begin("t").await.unwrap();
    set(&transaction, &bench, 1, 2).await.unwrap();
    let update = bench.database.update(bench.set(with_id(1), doc! { "n": 3 }));
    let removal = bench.database.remove(bench.removal(Filter::all()));
    let (update, removal) = tokio::join!(update, removal);
    assert_eq!((update.map(drop), removal.map(drop)), (conflict(), conflict()));
    transaction.commit().await.unwrap();
    assert_eq!(bench.all().await, [doc! { "_id": 1, "n": 2 }]);

    fn conflict() -> Result<(), DatabaseError> {
        Err(DatabaseError::TransactionConflict)
    }
}

#[tokio::test]
async fn time_passes_while_others_are_busy() {
    let bench = Bench::with_options(times(SOON, LATE)).await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 1 }]).await;
    let transaction = bench.database.begin("t").await.unwrap();
    set(&transaction, &bench, 1, 2).await.unwrap();
    let busy = async {
        loop {
            bench.database.update(bench.set(with_id(2), doc! { "n": 1 })).await.unwrap();
        }
    };
    tokio::select! {
        () = busy => {}
        parked = bench.database.update(bench.set(with_id(1), doc! { "n": 3 })) => drop(parked.unwrap()),
    }
    assert_eq!(transaction.commit().await, Err(DatabaseError::TransactionNotExist));
}

#[tokio::test]
async fn time_that_is_let_pass_ends_it_at_once() {
    let bench = Bench::with_options(times(LATE, LATE)).await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }]).await;
    let transaction = bench.database.begin("t").await.unwrap();
    set(&transaction, &bench, 1, 2).await.unwrap();
    pass(&bench, LATE - SOON, false).await;
    let (parked, ()) = tokio::join!(bench.database.update(bench.set(with_id(1), doc! { "n": 3 })), async {
        set(&transaction, &bench, 1, 4).await.unwrap();
        pass(&bench, SOON, false).await;
    });
    assert_eq!(parked.unwrap().matched, 1);
    assert_eq!(transaction.commit().await, Err(DatabaseError::TransactionNotExist));
    assert_eq!(bench.all().await, [doc! { "_id": 1, "n": 3 }]);
    let next = bench.database.begin("t").await.unwrap();
    set(&next, &bench, 1, 5).await.unwrap();
    next.commit().await.unwrap();
}

#[tokio::test]
async fn it_lives_while_time_stands_still() {
    let bench = Bench::with_options(times(SOON, SOON / 4)).await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }]).await;
    let transaction = bench.database.begin("t").await.unwrap();
    pass(&bench, Duration::ZERO, true).await;
    set(&transaction, &bench, 1, 2).await.unwrap();
    let parked = bench.database.update(bench.set(with_id(1), doc! { "n": 3 })).await;
    assert_eq!(parked.map(drop), Err(DatabaseError::TransactionConflict), "waiting is real");
    tokio::time::sleep(SOON).await;
    set(&transaction, &bench, 1, 4).await.unwrap();
    pass(&bench, Duration::ZERO, false).await;
    tokio::time::sleep(SOON).await;
    assert_eq!(transaction.commit().await, Err(DatabaseError::TransactionNotExist));
    let another = bench.database.begin("u").await.unwrap();
    pass(&bench, Duration::ZERO, true).await;
    pass(&bench, SOON, true).await;
    assert_eq!(another.abort().await, Err(DatabaseError::TransactionNotExist));
}

async fn pass(bench: &Bench, passed: Duration, frozen: bool) {
    bench.store.change_time(TimeChange { passed, frozen }).await.unwrap();
}

#[tokio::test]
async fn a_crash_loses_what_was_not_committed() {
    let bench = Bench::with(Durability::Process).await;
    bench.insert(vec![doc! { "_id": 1, "n": 0 }]).await;
    let open = bench.database.begin("open").await.unwrap();
    set(&open, &bench, 1, 1).await.unwrap();
    open.insert(&bench.collection, vec![doc! { "_id": 2 }]).await.unwrap();
    let done = bench.database.begin("done").await.unwrap();
    let many: Vec<_> = (10..2_510).map(|id| doc! { "_id": id, "text": "x".repeat(2_000) }).collect();
    done.insert(&bench.collection, many.clone()).await.unwrap();
    done.insert(&bench.collection, vec![doc! { "_id": 3 }]).await.unwrap();
    done.commit().await.unwrap();
    let bench = bench.crash().await;
    assert_eq!(bench.database.transaction("open").commit().await, Err(DatabaseError::TransactionNotExist));
    assert_eq!(bench.all().await, [vec![doc! { "_id": 1, "n": 0 }], many, vec![doc! { "_id": 3 }]].concat());
    bench.insert(vec![doc! { "_id": 2 }]).await;
}

#[tokio::test]
async fn closing_ends_transactions_and_lets_go_on_who_waited() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }]).await;
    let transaction = bench.database.begin("t").await.unwrap();
    set(&transaction, &bench, 1, 2).await.unwrap();
    let parked = tokio::spawn({
        let (database, request) = (bench.database.clone(), bench.set(filter(doc! { "n": 1 }), doc! { "n": 3 }));
        async move { database.update(request).await }
    });
    tokio::task::yield_now().await; // so that it is asked for before the store is closed
    let bench = bench.reopen().await;
    assert_eq!(parked.await.unwrap().unwrap().matched, 1);
    assert_eq!(transaction.commit().await, Err(DatabaseError::Closed));
    assert_eq!(bench.all().await, [doc! { "_id": 1, "n": 3 }]);
}

#[tokio::test]
async fn what_it_sees_is_kept_as_long_as_it_is_open() {
    let bench = Bench::new().await;
    let before: Vec<_> = (0..10).map(|id| doc! { "_id": id, "n": 0 }).collect();
    bench.insert(before.clone()).await;
    let transaction = bench.database.begin("t").await.unwrap();
    assert_eq!(found(&transaction, bench.everything()).await, before);
    for n in 1..=50 {
        bench.database.update(bench.set(Filter::all(), doc! { "n": n })).await.unwrap();
    }
    bench.database.remove(bench.removal(Filter::all())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await; // garbage is collected meanwhile
    assert_eq!(found(&transaction, bench.everything()).await, before);
    transaction.abort().await.unwrap();
    until_versions(&bench, 0).await;
}

#[tokio::test]
async fn what_it_saw_is_forgotten_when_its_time_is_over() {
    let bench = Bench::with_options(times(SOON, LATE)).await;
    bench.insert(vec![doc! { "_id": 1 }]).await;
    let transaction = bench.database.begin("t").await.unwrap();
    assert_eq!(transaction.count(&bench.collection, Filter::all()).await, Ok(1));
    bench.database.remove(bench.removal(Filter::all())).await.unwrap();
    until_versions(&bench, 0).await;
}

#[tokio::test]
async fn nothing_is_left_of_what_it_made_and_removed() {
    let bench = Bench::new().await;
    for round in 0..3 {
        let transaction = bench.database.begin(&format!("{round}")).await.unwrap();
        transaction.insert(&bench.collection, vec![doc! { "_id": 1, "n": 1 }]).await.unwrap();
        set(&transaction, &bench, 1, 2).await.unwrap();
        assert_eq!(transaction.remove(bench.removal(Filter::all())).await, Ok(1));
        transaction.commit().await.unwrap();
    }
    until_versions(&bench, 0).await;
}

#[tokio::test]
async fn subscribers_are_told_of_one_commit_when_it_is_one() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 1 }, doc! { "_id": 2, "n": 2 }, doc! { "_id": 3, "n": 3 }]).await;
    let transaction = bench.database.begin("t").await.unwrap();
    set(&transaction, &bench, 1, 5).await.unwrap();
    let inbox = Arc::new(Inbox::default());
    let start = bench.store.shared.writer.subscribe(inbox.clone()).await.unwrap();
    set(&transaction, &bench, 1, 6).await.unwrap();
    transaction.insert(&bench.collection, vec![doc! { "_id": 4, "n": 4 }, doc! { "_id": 5 }]).await.unwrap();
    set(&transaction, &bench, 4, 7).await.unwrap();
    transaction.remove(bench.removal(filter(doc! { "_id": { "$in": [2, 5] } }))).await.unwrap();
    let replacement = Update::replacement(doc! { "m": 3 }).unwrap();
    let replace = UpdateRequest { update: replacement, multi: false, ..bench.set(with_id(3), doc! { "n": 1 }) };
    transaction.update(replace).await.unwrap();
    bench.insert(vec![doc! { "_id": 6 }]).await;
    transaction.commit().await.unwrap();

    let commits = commits(&inbox, 2);
    assert_eq!(commits[1].sequence, start.snapshot.sequence() + 2);
    let changes: Vec<_> = commits[1]
        .changes
        .iter()
        .map(|change| (change.record, change.kind.clone(), change.before.is_some(), change.after.is_some()))
        .collect();
    let update = ChangeKind::Update(FieldChanges { updated: doc! { "n": 6 }, removed: Vec::new() });
    let expected = [
        (1, update, true, true),
        (4, ChangeKind::Insert, false, true),
        (2, ChangeKind::Remove, true, false),
        (3, ChangeKind::Replace, true, true),
    ];
    assert_eq!(changes, expected);
    let inserted = commits[1].changes[1].after.as_ref().unwrap();
    assert_eq!(Document::try_from(&**inserted).unwrap(), doc! { "_id": 4, "n": 7 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_reads_and_writes_at_the_same_time() {
    let bench = Bench::new().await;
    bench.insert((0..20).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    let transaction = bench.database.begin("t").await.unwrap();
    let reads = async {
        for _ in 0..40 {
            let seen = found(&transaction, bench.everything()).await;
            let first = seen[0].get_i32("n").unwrap();
            assert!(seen.iter().all(|document| document.get_i32("n").unwrap() == first), "half of an update was seen");
        }
    };
    let writes = async {
        for n in 1..=40 {
            transaction.update(bench.set(Filter::all(), doc! { "n": n })).await.unwrap();
        }
    };
    tokio::join!(reads, writes);
    transaction.commit().await.unwrap();
    assert_eq!(bench.database.count(&bench.collection, filter(doc! { "n": 40 })).await, Ok(20));
}

#[tokio::test]
async fn a_mistake_of_ours_ends_the_transaction_alone() {
    let bench = Bench::new().await;
    let transaction = bench.database.begin("t").await.unwrap();
    transaction.insert(&bench.collection, vec![doc! { "_id": 1 }]).await.unwrap();
    let key = crate::transaction::TransactionKey { namespace: "env".into(), id: "t".into() };
    let failed = bench.store.shared.writer.run_inside::<()>(key, |_| panic!("on purpose")).await;
    assert_eq!(failed, Err(DatabaseError::Internal("on purpose".to_owned())));
    assert_eq!(transaction.commit().await, Err(DatabaseError::TransactionNotExist));
    bench.insert(vec![doc! { "_id": 1 }]).await;
}

#[tokio::test]
async fn a_store_that_cannot_write_says_so() {
    let bench = Bench::new().await;
    let transaction = bench.database.begin("t").await.unwrap();
    transaction.insert(&bench.collection, vec![doc! { "_id": 1 }]).await.unwrap();
    let full = DatabaseError::Storage("disk full".to_owned());
    bench.store.shared.writer.break_with(full.clone());
    assert_eq!(transaction.commit().await, Err(full));
    assert_eq!(bench.all().await, Vec::<Document>::new());
}

#[tokio::test]
async fn a_unique_key_is_written_by_one_transaction_at_a_time() {
    let bench = Bench::new().await;
    let unique = IndexDefinition::parse(&doc! { "n": 1 }, None, true).unwrap();
    bench.database.create_index(&bench.collection, unique).await.unwrap();
    bench.insert(vec![doc! { "_id": 0, "n": 0 }]).await;
    let insert = |id: i32, n: i32| bench.database.insert(&bench.collection, vec![doc! { "_id": id, "n": n }]);
    let (one, other) = (bench.database.begin("one").await.unwrap(), bench.database.begin("other").await.unwrap());
    one.insert(&bench.collection, vec![doc! { "_id": 1, "n": 1 }]).await.unwrap();
    let conflict = other.insert(&bench.collection, vec![doc! { "_id": 2, "n": 1 }]).await;
    assert_eq!(conflict, Err(DatabaseError::TransactionConflict));
    one.remove(bench.removal(with_id(0))).await.unwrap();
    let (taken, free, committed) = tokio::join!(insert(3, 1), insert(4, 0), one.commit());
    committed.unwrap();
    assert!(matches!(taken, Err(DatabaseError::DuplicateKey { .. })));
    free.unwrap();
    assert_eq!(bench.all().await, [doc! { "_id": 1, "n": 1 }, doc! { "_id": 4, "n": 0 }]);
}

#[tokio::test]
async fn an_index_is_made_when_nobody_writes_to_the_collection() {
    let bench = Bench::new().await;
    bench.insert((0..10).map(|id| doc! { "_id": id, "n": 0 }).collect()).await;
    let transaction = bench.database.begin("t").await.unwrap();
    set(&transaction, &bench, 1, 7).await.unwrap();
    transaction.insert(&bench.collection, vec![doc! { "_id": 11, "n": [7, 8] }]).await.unwrap();
    let index = IndexDefinition::parse(&doc! { "n": 1 }, None, false).unwrap();
    let (made, committed) = tokio::join!(bench.database.create_index(&bench.collection, index), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        transaction.commit().await
    });
    made.unwrap();
    committed.unwrap();
    let sevens = FindRequest { filter: filter(doc! { "n": 7 }), ..bench.everything() };
    assert_eq!(bench.find(sevens.clone()).await, [doc! { "_id": 1, "n": 7 }, doc! { "_id": 11, "n": [7, 8] }]);
    let transaction = bench.database.begin("u").await.unwrap();
    transaction.insert(&bench.collection, vec![doc! { "_id": 12, "n": [[7], 7] }]).await.unwrap();
    set(&transaction, &bench, 1, 8).await.unwrap();
    assert_eq!(found(&transaction, sevens.clone()).await.len(), 2);
    transaction.commit().await.unwrap();
    assert_eq!(bench.find(sevens).await.len(), 2);
}
