//! What subscribers are told.

use bson::doc;
use document::Document;
use query::{Filter, Update};

use super::{Bench, name, with_id};
use crate::{Change, ChangeKind, UpdateRequest};

#[tokio::test]
async fn a_subscriber_is_told_of_everything_after_it_came() {
    let bench = Bench::new().await;
    bench.insert(vec![doc! { "_id": 1, "a": 1 }]).await;
    let mut commits = bench.store.subscribe().await.unwrap();
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

    check(commits.next().await.unwrap(), 1, "insert", &[(2, None, Some(doc! { "_id": 2 }))]);
    check(
        commits.next().await.unwrap(),
        2,
        "update",
        &[(1, Some(doc! { "_id": 1, "a": 1 }), Some(doc! { "_id": 1, "a": 2 }))],
    );
    check(
        commits.next().await.unwrap(),
        3,
        "replace",
        &[(1, Some(doc! { "_id": 1, "a": 2 }), Some(doc! { "_id": 1, "b": 1 }))],
    );
    let removed = [(1, Some(doc! { "_id": 1, "b": 1 }), None), (2, Some(doc! { "_id": 2 }), None)];
    check(commits.next().await.unwrap(), 4, "remove", &removed);
    bench.store.close().await.unwrap();
    assert!(commits.next().await.is_none());

    fn check(
        commit: std::sync::Arc<crate::Commit>,
        after: u64,
        kind: &str,
        expected: &[(u64, Option<Document>, Option<Document>)],
    ) {
        assert_eq!((commit.sequence, commit.namespace.as_str()), (2 + after, "env"));
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
    let document = |raw: &Option<document::RawDocumentBuf>| raw.as_ref().map(|raw| Document::try_from(raw).unwrap());
    (change.record, document(&change.before), document(&change.after))
}

#[tokio::test]
async fn a_commit_is_visible_when_it_is_told() {
    let bench = Bench::new().await;
    let mut commits = bench.store.subscribe().await.unwrap();
    assert_eq!(commits.start(), 1);
    for id in 0..20 {
        let (database, collection) = (bench.database.clone(), bench.collection.clone());
        tokio::spawn(async move { database.insert(&collection, vec![doc! { "_id": id }]).await });
        let commit = commits.next().await.unwrap();
        assert_eq!(commit.sequence, 2 + id as u64);
        assert_eq!(bench.find(bench.by_id(id)).await.len(), 1);
    }
}
