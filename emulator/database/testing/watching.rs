//! What subscribers to commits are told.

use std::sync::Arc;
use std::time::Duration;

use bson::doc;
use document::Document;
use query::{Filter, Update};

use super::{Bench, name, with_id};
use crate::watch::Inbox;
use crate::{Change, ChangeKind, Commit, UpdateRequest};

#[tokio::test]
async fn a_subscriber_is_told_of_everything_after_it_came() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "a": 1 }]).await;
    let inbox = Arc::new(Inbox::default());
    let start = bench.store.shared.writer.subscribe(inbox.clone()).await.unwrap();
    assert_eq!(start.snapshot.sequence(), 2);
    bench.insert(vec![doc! { "_id": 2 }]).await;
    bench.database.update(bench.set(with_id(1), doc! { "a": 2 })).await.unwrap();
    let replacement = Update::replacement(doc! { "b": 1 }).unwrap();
    bench
        .database
        .update(UpdateRequest { update: replacement, ..bench.set(with_id(1), doc! { "x": 1 }) })
        .await
        .unwrap();
    bench.database.update(bench.set(with_id(1), doc! { "b": 1 })).await.unwrap(); // changes nothing
    bench.database.remove(bench.removal(Filter::all())).await.unwrap();

    let commits = commits(&inbox, 4);
    check(&commits[0], 1, "insert", &[(2, None, Some(doc! { "_id": 2 }))]);
    check(&commits[1], 2, "update", &[(1, Some(doc! { "_id": 1, "a": 1 }), Some(doc! { "_id": 1, "a": 2 }))]);
    check(&commits[2], 3, "replace", &[(1, Some(doc! { "_id": 1, "a": 2 }), Some(doc! { "_id": 1, "b": 1 }))]);
    let removed = [(1, Some(doc! { "_id": 1, "b": 1 }), None), (2, Some(doc! { "_id": 2 }), None)];
    check(&commits[3], 4, "remove", &removed);
    drop(start);
    bench.store.close().await.unwrap();
    assert!(inbox.take(None).is_none());

    fn check(commit: &Commit, after: u64, kind: &str, expected: &[(u64, Option<Document>, Option<Document>)]) {
        assert_eq!((commit.sequence, &*commit.namespace), (2 + after, "env"));
        let changes: Vec<_> = commit.changes.iter().map(|change| plain(change, kind)).collect();
        assert_eq!(changes, expected);
    }
}

fn plain(change: &Change, kind: &str) -> (u64, Option<Document>, Option<Document>) {
    let told = match &change.kind {
        ChangeKind::Insert => "insert",
        ChangeKind::Update(changes) => {
            assert_eq!((&changes.updated, changes.removed.len()), (&doc! { "a": 2 }, 0));
            "update"
        }
        ChangeKind::Replace => "replace",
        ChangeKind::Remove => "remove",
    };
    assert_eq!((told, &change.collection), (kind, &name("c")));
    let document =
        |raw: &Option<Arc<document::RawDocumentBuf>>| raw.as_ref().map(|raw| Document::try_from(&**raw).unwrap());
    (change.record, document(&change.before), document(&change.after))
}

/// The commits that have come, which are this many.
pub(super) fn commits(inbox: &Inbox, count: usize) -> Vec<Arc<Commit>> {
    let mut commits = Vec::new();
    while commits.len() < count {
        let batch = inbox.take(Some(Duration::from_secs(10))).unwrap();
        assert!(!batch.commits.is_empty(), "{} commits of {count} came", commits.len());
        commits.extend(batch.commits.into_iter().map(|told| {
            assert_eq!(told.view.snapshot.sequence(), told.commit.sequence);
            told.commit
        }));
    }
    assert_eq!(commits.len(), count);
    commits
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_visible_when_it_is_told() {
    let bench = Bench::new().await;
    let inbox = Arc::new(Inbox::default());
    bench.store.shared.writer.subscribe(inbox.clone()).await.unwrap();
    for id in 0..20 {
        let (database, collection) = (bench.database.clone(), bench.collection.clone());
        let insertion = tokio::spawn(async move { database.insert(&collection, vec![doc! { "_id": id }]).await });
        let commits = commits(&inbox, 1);
        assert_eq!(commits[0].sequence, 2 + id as u64);
        assert_eq!(bench.find(bench.by_id(id)).await.len(), 1);
        insertion.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn who_is_too_far_behind_is_told_so() {
    let bench = Bench::new().await;
    let inbox = Arc::new(Inbox::default());
    bench.store.shared.writer.subscribe(inbox.clone()).await.unwrap();
    for from in [0, 600] {
        bench.insert((from..from + 600).map(|id| doc! { "_id": id }).collect()).await;
    }
    bench.insert(vec![doc! { "_id": "x" }]).await;
    let batch = inbox.take(None).unwrap();
    assert_eq!(batch.lost.unwrap().snapshot.sequence(), 3);
    assert_eq!(batch.commits.iter().map(|told| told.commit.sequence).collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn every_commit_is_told_with_the_store_as_it_was() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "n": 0 }]).await;
    let inbox = Arc::new(Inbox::default());
    bench.store.shared.writer.subscribe(inbox.clone()).await.unwrap();
    let mut updates = tokio::task::JoinSet::new();
    for n in 1..=50 {
        let (database, set) = (bench.database.clone(), bench.set(with_id(1), doc! { "n": n }));
        updates.spawn(async move { database.update(set).await.unwrap() });
    }
    updates.join_all().await;
    let id = bench.store.shared.published.catalogue().collection("env", &bench.collection).unwrap();
    let request = bench.everything();
    let told = inbox.take(None).unwrap().commits;
    assert_eq!(told.len(), 50);
    for told in told {
        let seen =
            crate::read::find(&told.view, id, &told.view.plan(id, request.question()).unwrap(), &request).unwrap();
        assert_eq!(Some(&seen[0]), told.commit.changes[0].after.as_deref());
    }
}
