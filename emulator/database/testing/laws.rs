//! Laws: the store equals a plain list of documents, whatever is done to it and however often it is opened again,
//! and who reads at a commit never sees a later one.

use bson::doc;
use document::{Bson, Document};
use proptest::prelude::*;

use super::Bench;
use crate::read::{self, View};
use crate::{Durability, UpdateRequest};

/// What is done to a collection. Ids and values are few, so that they meet.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Insert(Vec<i32>),
    Upsert(i32, i32),
    /// Of the documents whose `n` is this.
    Update {
        n: i32,
        to: i32,
        multi: bool,
    },
    UpdateById(i32, i32),
    Remove {
        n: i32,
        multi: bool,
    },
    RemoveById(i32),
    /// Someone begins to read and goes on to the end.
    View,
    Reopen,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![14 => write(), 2 => Just(Step::View), 1 => Just(Step::Reopen), 1 => Just(Step::Crash)]
}

/// A step that writes.
pub(super) fn write() -> impl Strategy<Value = Step> {
    let id = || 0..12;
    let n = || 0..4;
    prop_oneof![
        4 => prop::collection::vec(id(), 1..4).prop_map(Step::Insert),
        2 => (id(), n()).prop_map(|(id, n)| Step::Upsert(id, n)),
        2 => (n(), n(), any::<bool>()).prop_map(|(n, to, multi)| Step::Update { n, to, multi }),
        2 => (id(), n()).prop_map(|(id, n)| Step::UpdateById(id, n)),
        2 => (n(), any::<bool>()).prop_map(|(n, multi)| Step::Remove { n, multi }),
        2 => id().prop_map(Step::RemoveById),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_list_of_documents(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}

async fn run(steps: Vec<Step>) {
    let mut bench = Bench::with(Durability::Process).await;
    let mut model = Model::default();
    let mut views: Vec<(View, Vec<Document>)> = Vec::new();
    for step in steps {
        match step {
            Step::View => views.push((bench.store.shared.view().unwrap(), model.documents.clone())),
            Step::Reopen => {
                check_views(&bench, &mut views);
                bench = bench.reopen().await;
            }
            Step::Crash => {
                bench = bench.crash().await;
                check_views(&bench, &mut views);
            }
            Step::Insert(_)
            | Step::Upsert(..)
            | Step::Update { .. }
            | Step::UpdateById(..)
            | Step::Remove { .. }
            | Step::RemoveById(_) => {
                let expected = model.apply(&step);
                assert_eq!(apply(&bench, &step).await, expected, "{step:?}");
            }
        }
        assert_eq!(bench.all().await, model.documents);
        check_ids(&bench, &model).await;
    }
    check_views(&bench, &mut views);
}

/// Every reader still sees what there was when it began.
fn check_views(bench: &Bench, views: &mut Vec<(View, Vec<Document>)>) {
    for (view, expected) in views.drain(..) {
        let request = bench.everything();
        let id = bench.store.shared.published.catalogue().collection("env", &bench.collection).unwrap();
        let seen = read::find(&view, id, &view.plan(id, request.question()).unwrap(), &request).unwrap();
        let seen: Vec<_> = seen.iter().map(|document| Document::try_from(document).unwrap()).collect();
        assert_eq!(seen, expected);
    }
}

async fn check_ids(bench: &Bench, model: &Model) {
    for id in 0..12 {
        assert_eq!(bench.find(bench.by_id(id)).await.first(), model.by_id(id));
    }
}

/// Carries out a step; `None` if it was refused, or how many documents it was about.
pub(super) async fn apply(bench: &Bench, step: &Step) -> Option<u64> {
    let n = |n: &i32| super::filter(doc! { "n": *n });
    match step {
        Step::Insert(ids) => {
            let documents = ids.iter().map(|id| doc! { "_id": *id, "n": *id % 4 }).collect();
            bench.database.insert(&bench.collection, documents).await.ok().map(|ids| ids.len() as u64)
        }
        Step::Upsert(id, to) => {
            let request = bench.set(super::with_id(*id), doc! { "n": *to });
            update(bench, UpdateRequest { upsert: Some(Bson::Null), ..request }).await
        }
        Step::Update { n: from, to, multi } => {
            update(bench, UpdateRequest { multi: *multi, ..bench.set(n(from), doc! { "n": *to }) }).await
        }
        Step::UpdateById(id, to) => update(bench, bench.set(super::with_id(*id), doc! { "n": *to })).await,
        Step::Remove { n: from, multi } => {
            bench.database.remove(crate::RemoveRequest { multi: *multi, ..bench.removal(n(from)) }).await.ok()
        }
        Step::RemoveById(id) => bench.database.remove(bench.removal(super::with_id(*id))).await.ok(),
        Step::View | Step::Reopen | Step::Crash => None,
    }
}

async fn update(bench: &Bench, request: UpdateRequest) -> Option<u64> {
    bench.database.update(request).await.ok().map(|reply| reply.matched)
}

/// The collection as a list.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) documents: Vec<Document>,
}

impl Model {
    pub(super) fn apply(&mut self, step: &Step) -> Option<u64> {
        let is_n = |n: i32| move |document: &Document| document.get_i32("n").ok() == Some(n);
        let is_id = |id: i32| move |document: &Document| document.get_i32("_id").ok() == Some(id);
        match step {
            Step::Insert(ids) => self.insert(ids),
            Step::Upsert(id, to) => {
                let matched = self.update(is_id(*id), *to, true);
                if matched == Some(0) {
                    self.documents.push(doc! { "_id": *id, "n": *to });
                }
                matched
            }
            Step::Update { n, to, multi } => self.update(is_n(*n), *to, *multi),
            Step::UpdateById(id, to) => self.update(is_id(*id), *to, true),
            Step::Remove { n, multi } => self.remove(is_n(*n), *multi),
            Step::RemoveById(id) => self.remove(is_id(*id), true),
            Step::View | Step::Reopen | Step::Crash => None,
        }
    }

    fn by_id(&self, id: i32) -> Option<&Document> {
        self.documents.iter().find(|document| document.get_i32("_id").ok() == Some(id))
    }

    fn insert(&mut self, ids: &[i32]) -> Option<u64> {
        let twice = ids.iter().enumerate().any(|(index, id)| ids[..index].contains(id));
        if twice || ids.iter().any(|id| self.by_id(*id).is_some()) {
            return None;
        }
        self.documents.extend(ids.iter().map(|id| doc! { "_id": *id, "n": *id % 4 }));
        Some(ids.len() as u64)
    }

    fn update(&mut self, matches: impl Fn(&Document) -> bool, to: i32, multi: bool) -> Option<u64> {
        let most = if multi { usize::MAX } else { 1 };
        let mut count = 0;
        for document in self.documents.iter_mut().filter(|document| matches(document)).take(most) {
            document.insert("n", to);
            count += 1;
        }
        Some(count)
    }

    fn remove(&mut self, matches: impl Fn(&Document) -> bool, multi: bool) -> Option<u64> {
        let before = self.documents.len();
        let mut left = if multi { usize::MAX } else { 1 };
        self.documents.retain(|document| {
            let goes = left > 0 && matches(document);
            left -= usize::from(goes);
            !goes
        });
        Some((before - self.documents.len()) as u64)
    }
}
