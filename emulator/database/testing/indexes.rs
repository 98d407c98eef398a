//! Laws of indexes: whatever is stored and asked, a collection with indexes answers as one without, documents and order
//! (semantics DB-8.06); a unique index never holds two documents under one key; a process that is killed leaves whole indexes.

use bson::doc;
use document::{Bson, Document, DocumentRef};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use query::{Filter, Sort, Update};

use super::{Bench, until_versions};
use crate::{
    Database, DatabaseError, Durability, FindRequest, IndexDefinition, RefillRequest, RemoveRequest, UpdateRequest,
};

#[derive(Debug, Clone)]
enum Step {
    Insert(Document),
    Set {
        filter: Document,
        fields: Document,
        multi: bool,
    },
    Replace {
        filter: Document,
        document: Document,
    },
    Remove {
        filter: Document,
        multi: bool,
    },
    CreateIndex {
        keys: Document,
        unique: bool,
    },
    DropIndex(usize),
    Find {
        filter: Document,
        sort: Option<Document>,
        skip: u64,
        limit: Option<u64>,
    },
    /// Goes back to what there is: from then on the collection lies over what it was.
    GoBack,
    Reopen,
    Crash,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_changes_no_answer(steps in vec(step(), 10..90)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}

async fn run(steps: Vec<Step>) {
    let mut bench = Bench::with(Durability::Process).await;
    let mut plain = plain(&bench).await;
    for (id, step) in (0..).zip(steps) {
        match step {
            Step::Reopen | Step::Crash => {
                let before = bench.database.indexes(&bench.collection).unwrap();
                bench = if matches!(step, Step::Crash) { bench.crash().await } else { bench.reopen().await };
                plain = bench.store.database("plain").unwrap();
                assert_eq!(bench.database.indexes(&bench.collection).unwrap(), before);
            }
            Step::GoBack => {
                bench.store.snapshot("env", "s").await.unwrap();
                bench.store.restore("env", "s").await.unwrap();
            }
            Step::CreateIndex { keys, unique } => {
                let definition = IndexDefinition::parse(&keys, None, unique).unwrap();
                drop(bench.database.create_index(&bench.collection, definition).await);
            }
            Step::DropIndex(at) => {
                let indexes = bench.database.indexes(&bench.collection).unwrap();
                if let Some(index) = indexes.get(at) {
                    drop(bench.database.drop_index(&bench.collection, &index.name).await);
                }
            }
            Step::Find { filter, sort, skip, limit } => check_find(&bench, &plain, filter, sort, skip, limit).await,
            step => {
                if let Ok(done) = write(&bench.database, &bench, &step, id).await {
                    assert_eq!(write(&plain, &bench, &step, id).await, Ok(done), "{step:?}");
                }
            }
        }
        check_unique(&bench).await;
    }
    bench.database.remove(bench.removal(Filter::all())).await.unwrap();
    plain.remove(bench.removal(Filter::all())).await.unwrap();
    assert_eq!(bench.all().await, Vec::<Document>::new());
    if bench.store.snapshots("env").is_empty() {
        until_versions(&bench, 0).await;
    }
    bench.store.drop_namespace("env").await.unwrap();
    until_versions(&bench, 0).await;
}

#[tokio::test]
async fn an_index_is_built_beside_writes() {
    let bench = Bench::new().await;
    bench.insert((0..20_000).map(|id| doc! { "_id": id, "n": id % 100 }).collect()).await;
    let building = tokio::spawn(create(&bench, doc! { "n": 1 }, false));
    let mut writes = 0;
    while !building.is_finished() {
        bench.insert(vec![doc! { "_id": 20_000 + writes, "n": 7 }]).await;
        let moved = bench.set(super::with_id(writes * 100), doc! { "n": 7 });
        bench.database.update(moved).await.unwrap();
        bench.database.remove(bench.removal(super::with_id(19_907 - writes * 100))).await.unwrap();
        writes += 1;
    }
    building.await.unwrap().unwrap();
    let sevens = bench.database.count(&bench.collection, super::filter(doc! { "n": 7 })).await.unwrap();
    let all = bench.all().await;
    assert!(writes > 2, "no writes came in between");
    assert_eq!(sevens as usize, all.iter().filter(|document| document.get_i32("n").is_ok_and(|n| n == 7)).count());
    assert_eq!(explain(&bench, doc! { "n": 7 }).await, ("n_1".to_owned(), sevens));
}

#[tokio::test]
async fn a_unique_index_sees_the_commit_it_is_in() {
    let bench = Bench::new().await;
    create(&bench, doc! { "n": 1 }, true).await.unwrap();
    let twice =
        bench.database.insert(&bench.collection, vec![doc! { "_id": 1, "n": 5 }, doc! { "_id": 2, "n": 5 }]).await;
    let expected = "E11000 duplicate key error collection: c index: n_1 dup key: { : 5 }";
    assert_eq!(twice.unwrap_err().to_string(), expected);
    assert_eq!(bench.all().await, Vec::<Document>::new());
    bench.insert(vec![doc! { "_id": 1, "n": 5 }, doc! { "_id": 2, "n": 6 }]).await;
    let refill = vec![(bench.collection.clone(), vec![doc! { "_id": 3, "n": 5 }])];
    let request = RefillRequest {
        removals: vec![bench.removal(super::filter(doc! { "n": 5 }))],
        collections: refill,
        ..RefillRequest::default()
    };
    bench.database.refill(request).await.unwrap();
    assert_eq!(bench.all().await, [doc! { "_id": 2, "n": 6 }, doc! { "_id": 3, "n": 5 }]);
    let upsert = UpdateRequest { upsert: Some(9.into()), ..bench.set(super::with_id(9), doc! { "n": 6 }) };
    assert!(matches!(bench.database.update(upsert).await, Err(DatabaseError::DuplicateKey { .. })));
}

#[tokio::test]
async fn a_build_that_fails_leaves_nothing() {
    let bench = Bench::new().await;
    bench.insert((0..3_000).map(|id| doc! { "_id": id, "n": id % 2_900 }).collect()).await;
    let refused = create(&bench, doc! { "n": 1 }, true).await;
    assert!(matches!(refused, Err(DatabaseError::DuplicateKey { .. })), "{refused:?}");
    assert_eq!(bench.database.indexes(&bench.collection).unwrap().len(), 1);
    until_versions(&bench, 2 * 3_000).await;
    bench.insert(vec![doc! { "_id": "free", "n": 0 }]).await;
    create(&bench, doc! { "n": 1 }, false).await.unwrap();
    assert_eq!(explain(&bench, doc! { "n": 1 }).await, ("n_1".to_owned(), 2));
}

#[tokio::test]
async fn an_index_half_built_is_gone_after_a_crash() {
    let bench = Bench::with(Durability::Process).await;
    bench.insert((0..5_000).map(|id| doc! { "_id": id, "n": id }).collect()).await;
    let building = tokio::spawn(create(&bench, doc! { "n": 1 }, true));
    while bench.store.shared.versions() < 2 * 5_000 + 600 {
        tokio::task::yield_now().await;
    }
    let crashed = bench.crash().await;
    assert_eq!(crashed.database.indexes(&crashed.collection).unwrap().len(), 1);
    until_versions(&crashed, 2 * 5_000).await;
    create(&crashed, doc! { "n": -1 }, true).await.unwrap();
    assert_eq!(explain(&crashed, doc! { "n": 4_321 }).await, ("n_-1".to_owned(), 1));
    building.abort();
}

#[tokio::test]
async fn who_reads_at_an_earlier_commit_does_not_use_a_later_index() {
    let bench = Bench::new().await;
    bench.insert((0..10).map(|id| doc! { "_id": id, "n": 1 }).collect()).await;
    let view = bench.store.shared.view().unwrap();
    bench.database.update(bench.set(Filter::all(), doc! { "n": 2 })).await.unwrap();
    create(&bench, doc! { "n": 1 }, false).await.unwrap();
    let later = crate::read::View { catalogue: bench.store.shared.published.catalogue(), ..view };
    let id = later.catalogue.collection("env", &bench.collection).unwrap();
    let filter = super::filter(doc! { "n": 1 });
    let plan = later.plan(id, crate::plan::Question::all(&filter)).unwrap();
    assert_eq!(crate::read::count(&later, id, &plan, &filter), Ok(10));
}

#[tokio::test]
async fn a_dropped_index_leaves_nothing() {
    let bench = Bench::new().await;
    bench.insert((0..2_500).map(|id| doc! { "_id": id, "n": [id, id + 1] }).collect()).await;
    create(&bench, doc! { "n": 1 }, false).await.unwrap();
    until_versions(&bench, 4 * 2_500).await;
    let view = bench.store.shared.view().unwrap();
    bench.database.drop_index(&bench.collection, "n_1").await.unwrap();
    let id = view.catalogue.collection("env", &bench.collection).unwrap();
    let filter = super::filter(doc! { "n": 7 });
    let plan = view.plan(id, crate::plan::Question::all(&filter)).unwrap();
    assert_eq!(plan.index_name(), "n_1");
    assert_eq!(crate::read::count(&view, id, &plan, &filter), Ok(2));
    drop(view);
    until_versions(&bench, 2 * 2_500).await;
    assert_eq!(explain(&bench, doc! { "n": 7 }).await, ("COLLSCAN".to_owned(), 2_500));
    for (name, text) in [("n_1", "index not found with name [n_1]"), ("_id_", "cannot drop _id index")] {
        let refused = bench.database.drop_index(&bench.collection, name).await;
        assert_eq!(refused, Err(DatabaseError::BadIndex(text.to_owned())));
    }
}

fn create(bench: &Bench, keys: Document, unique: bool) -> impl Future<Output = Result<(), DatabaseError>> + use<> {
    let (database, collection) = (bench.database.clone(), bench.collection.clone());
    async move { database.create_index(&collection, IndexDefinition::parse(&keys, None, unique)?).await }
}

/// The index used, and how many documents were looked at.
async fn explain(bench: &Bench, filter: Document) -> (String, u64) {
    let request = FindRequest { filter: super::filter(filter), ..bench.everything() };
    let told = bench.database.explain(request).await.unwrap();
    (told.index, told.documents_examined)
}

async fn plain(bench: &Bench) -> Database {
    let plain = bench.store.database("plain").unwrap();
    plain.create_collection(&bench.collection).await.unwrap();
    plain
}

async fn write(database: &Database, bench: &Bench, step: &Step, id: i32) -> Result<u64, DatabaseError> {
    let collection = bench.collection.clone();
    let update = |filter: &Document, update, multi| UpdateRequest {
        collection: bench.collection.clone(),
        filter: super::filter(filter.clone()),
        update,
        multi,
        upsert: None,
        return_document: false,
    };
    match step {
        Step::Insert(document) => {
            let mut new = doc! { "_id": id };
            new.extend(document.clone());
            database.insert(&collection, vec![new]).await.map(|_| 1)
        }
        Step::Set { filter, fields, multi } => {
            let request = update(filter, Update::parse(&doc! { "$set": fields.clone() }).unwrap(), *multi);
            database.update(request).await.map(|reply| reply.matched)
        }
        Step::Replace { filter, document } => {
            let request = update(filter, Update::replacement(document.clone()).unwrap(), false);
            database.update(request).await.map(|reply| reply.matched)
        }
        Step::Remove { filter, multi } => {
            let filter = super::filter(filter.clone());
            database.remove(RemoveRequest { collection, filter, multi: *multi }).await
        }
        _ => Ok(0),
    }
}

async fn check_find(
    bench: &Bench,
    plain: &Database,
    query: Document,
    sort: Option<Document>,
    skip: u64,
    limit: Option<u64>,
) {
    let filter = super::filter(query.clone());
    let parsed = sort.as_ref().map(|sort| Sort::parse(sort).unwrap());
    let request = FindRequest { filter: filter.clone(), sort: parsed, skip, limit, ..bench.everything() };
    let expected = documents(plain, request.clone()).await;
    let found = documents(&bench.database, request).await;
    let indexes = bench.database.indexes(&bench.collection).unwrap();
    assert_eq!(found, expected, "{query} sort {sort:?} skip {skip} limit {limit:?} with {indexes:?}");
    let counted = bench.database.count(&bench.collection, filter.clone()).await;
    assert_eq!(counted, plain.count(&bench.collection, filter).await, "{query} with {indexes:?}");
}

/// As text: NaN differs from itself.
async fn documents(database: &Database, request: FindRequest) -> Vec<String> {
    let found = database.find(request).await.unwrap();
    found.iter().map(|document| Document::try_from(document).unwrap().to_string()).collect()
}

async fn check_unique(bench: &Bench) {
    let documents = bench.all().await;
    for index in bench.database.indexes(&bench.collection).unwrap().into_iter().filter(|index| index.unique) {
        let keys = documents.iter().map(|document| index.pattern().keys(DocumentRef::from(document)).unwrap().keys);
        let keys: Vec<_> = keys.flatten().collect();
        let mut once = keys.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), keys.len(), "{} holds a key twice", index.name);
    }
}

fn step() -> BoxedStrategy<Step> {
    let limit = prop::option::weighted(0.6, 0..5u64);
    let sort = prop::option::weighted(0.6, directions());
    prop_oneof![
        8 => fields().prop_map(Step::Insert),
        2 => (filter(), set(), any::<bool>()).prop_map(|(filter, fields, multi)| Step::Set { filter, fields, multi }),
        2 => (filter(), fields()).prop_map(|(filter, document)| Step::Replace { filter, document }),
        1 => (filter(), any::<bool>()).prop_map(|(filter, multi)| Step::Remove { filter, multi }),
        4 => (directions(), prop::bool::weighted(0.15)).prop_map(|(keys, unique)| Step::CreateIndex { keys, unique }),
        1 => (0..6usize).prop_map(Step::DropIndex),
        12 => (filter(), sort, 0..3u64, limit)
            .prop_map(|(filter, sort, skip, limit)| Step::Find { filter, sort, skip, limit }),
        2 => Just(Step::GoBack),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
    .boxed()
}

fn path() -> impl Strategy<Value = String> {
    select(vec!["a", "a", "a", "b", "b", "a.b", "a.c", "_id"]).prop_map(str::to_owned)
}

fn directions() -> impl Strategy<Value = Document> {
    vec((path(), select(vec![Bson::Int32(1), Bson::Int32(-1)])), 1..4).prop_map(Document::from_iter)
}

fn scalar() -> BoxedStrategy<Bson> {
    let texts = vec!["", "a", "ab", "abc", "b", "a\0"];
    prop_oneof![
        2 => Just(Bson::Null),
        8 => (0..4i32).prop_map(Bson::Int32),
        1 => select(vec![1.0, 1.5, f64::NAN, -0.0]).prop_map(Bson::Double),
        3 => select(texts).prop_map(Bson::from),
        1 => any::<bool>().prop_map(Bson::Boolean),
        1 => select(vec![Bson::MinKey, Bson::MaxKey, Bson::DateTime(bson::DateTime::from_millis(1))]),
    ]
    .boxed()
}

fn value() -> BoxedStrategy<Bson> {
    let inner = || vec((select(vec!["b", "c"]).prop_map(str::to_owned), scalar()), 0..3).prop_map(Document::from_iter);
    let element =
        prop_oneof![4 => scalar(), 3 => inner().prop_map(Bson::from), 1 => vec(scalar(), 0..2).prop_map(Bson::from)];
    prop_oneof![
        6 => scalar(),
        2 => inner().prop_map(Bson::from),
        2 => vec(element, 0..3).prop_map(Bson::from),
    ]
    .boxed()
}

fn fields() -> BoxedStrategy<Document> {
    vec((select(vec!["a", "b"]).prop_map(str::to_owned), value()), 0..3).prop_map(Document::from_iter).boxed()
}

fn set() -> BoxedStrategy<Document> {
    (select(vec!["a", "b"]), value()).prop_map(|(name, value)| doc! { name: value }).boxed()
}

fn condition() -> BoxedStrategy<Bson> {
    let operators = || {
        let compared =
            (select(vec!["$eq", "$gt", "$gte", "$lt", "$lte", "$ne"]), prop_oneof![5 => scalar(), 1 => value()]);
        vec(compared, 1..3)
            .prop_map(|parts| Bson::Document(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    };
    let prefix = select(vec!["^a", "^ab", "^a.*b", "b$", "^ab?", "^(a|b)"]);
    prop_oneof![
        6 => value(),
        6 => operators(),
        3 => vec(prop_oneof![6 => scalar(), 1 => value()], 0..4).prop_map(|values| doc! { "$in": values }.into()),
        1 => any::<bool>().prop_map(|flag| doc! { "$exists": flag }.into()),
        2 => prefix.prop_map(|pattern| doc! { "$regex": pattern }.into()),
        1 => operators().prop_map(|operators| doc! { "$elemMatch": operators }.into()),
        1 => (select(vec!["b", "c"]), operators())
            .prop_map(|(name, operators)| doc! { "$elemMatch": { name: operators } }.into()),
        1 => operators().prop_map(|operators| doc! { "$not": operators }.into()),
    ]
    .boxed()
}

fn filter() -> BoxedStrategy<Document> {
    let conjunction = || vec((path(), condition()), 0..3).prop_map(Document::from_iter);
    let branches = vec(conjunction(), 1..3).prop_map(|branches| doc! { "$or": branches });
    prop_oneof![5 => conjunction(), 1 => branches].boxed()
}
