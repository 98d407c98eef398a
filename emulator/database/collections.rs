//! The collections of one namespace (one cloud environment): every question that can be asked of them.

use std::sync::Arc;

use document::{Bson, Document, RawDocumentBuf};
use query::Filter;

use crate::draft::Draft;
use crate::explain::{self, Explanation, Stopwatch};
use crate::folder::Shared;
use crate::index::{self, IndexDefinition};
use crate::plan::{Plan, Question, Source};
use crate::read::{self, View};
use crate::record::NewDocument;
use crate::store::CollectionId;
use crate::writer::guarded;
use crate::{
    AggregateRequest, CollectionName, DatabaseError, FindRequest, RefillRequest, Refilled, RemoveRequest, Transaction,
    UpdateReply, UpdateRequest, Watch, WatchError, WatchRequest, aggregate,
    write::{self, Refill},
};

/// The collections of one namespace. A cheap handle.
#[derive(Debug, Clone)]
pub struct Database {
    pub(crate) shared: Arc<Shared>,
    namespace: Arc<str>,
    /// Whether a namespace that is not there is left so.
    is_of_existing: bool,
}

impl Database {
    pub(crate) fn new(shared: Arc<Shared>, namespace: Arc<str>) -> Database {
        Database { shared, namespace, is_of_existing: false }
    }

    /// The same, for a namespace that others may drop: what comes too late does not make it anew, but fails with
    /// [`DatabaseError::BadNamespace`].
    pub fn of_existing(self) -> Database {
        Database { is_of_existing: true, ..self }
    }

    /// The namespace these collections are in.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Makes an empty collection; [`DatabaseError::CollectionExists`] if there is one of that name.
    pub async fn create_collection(&self, name: &CollectionName) -> Result<(), DatabaseError> {
        let name = name.clone();
        let work = self.unless_dropped(move |draft: &mut Draft<'_>| draft.create_collection(&name).map(drop));
        self.shared.writer.run(self.namespace.clone(), work).await
    }

    /// The names of the collections, sorted.
    pub fn collections(&self) -> Vec<CollectionName> {
        self.shared.published.catalogue().collections(&self.namespace)
    }

    /// Does everything that `request` asks for in one commit, all or nothing.
    pub async fn refill(&self, request: RefillRequest) -> Result<Refilled, DatabaseError> {
        let emptied = request.emptied;
        let prepared = Refill::prepare(request)?;
        let work = self.unless_dropped(move |draft: &mut Draft<'_>| write::refill(draft, &prepared));
        if !emptied {
            return self.shared.writer.run(self.namespace.clone(), work).await;
        }
        let _turn = self.shared.indexing.lock().await;
        self.shared.writer.run_whole(self.namespace.clone(), work).await
    }

    /// `work` that may make collections, refused where it would make a namespace anew that was dropped.
    fn unless_dropped<T, Work>(
        &self,
        mut work: Work,
    ) -> impl FnMut(&mut Draft<'_>) -> Result<T, DatabaseError> + use<T, Work>
    where
        Work: FnMut(&mut Draft<'_>) -> Result<T, DatabaseError>,
    {
        let is_of_existing = self.is_of_existing;
        move |draft| {
            if is_of_existing {
                draft.require_namespace()?;
            }
            work(draft)
        }
    }

    /// Inserts all documents or none, in one commit, and returns their ids in order. Each document has its `_id`.
    /// [`DatabaseError::DuplicateKey`] if an `_id` is taken, also by another of these documents.
    pub async fn insert(
        &self,
        collection: &CollectionName,
        documents: Vec<Document>,
    ) -> Result<Vec<Bson>, DatabaseError> {
        let documents = prepare(documents)?;
        let ids = documents.iter().map(|document| document.id.clone()).collect();
        let collection = collection.clone();
        let work = move |draft: &mut Draft<'_>| write::insert(draft, &collection, &documents);
        self.shared.writer.run(self.namespace.clone(), work).await?;
        Ok(ids)
    }

    /// The documents asked for, as they all were at one moment.
    pub async fn find(&self, request: FindRequest) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        let (view, id) = self.view(&request.collection)?;
        let plan = view.plan(id, request.question())?;
        let watch = Stopwatch::start(&request.collection);
        let work = move |plan: &Plan| {
            let found = read::find(&view, id, plan, &request);
            watch.stop(plan, &request.filter, request.sort.as_ref(), request.limit.is_some());
            found
        };
        read_by(plan, work).await
    }

    /// Answers a query and tells how: which index, how much was looked at, which index would have helped.
    pub async fn explain(&self, request: FindRequest) -> Result<Explanation, DatabaseError> {
        let (view, id) = self.view(&request.collection)?;
        let plan = view.plan(id, request.question())?;
        read_by(plan, move |plan| explain::explain(&view, id, plan, &request)).await
    }

    /// How many documents match, as they all were at one moment.
    pub async fn count(&self, collection: &CollectionName, filter: Filter) -> Result<u64, DatabaseError> {
        let (view, id) = self.view(collection)?;
        filter.check_without_near()?;
        let plan = view.plan(id, Question::all(&filter))?;
        let watch = Stopwatch::start(collection);
        let work = move |plan: &Plan| {
            let counted = read::count(&view, id, plan, &filter);
            watch.stop(plan, &filter, None, false);
            counted
        };
        read_by(plan, work).await
    }

    /// The results of a pipeline; all it reads, other collections too, is as it was at one moment. A missing collection is an error,
    /// but in `$lookup`, where it is empty.
    pub async fn aggregate(&self, request: AggregateRequest) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        let (view, _) = self.view(&request.collection)?;
        let namespace = self.namespace.clone();
        blocking(move || aggregate::aggregate(&view, &namespace, &request)).await
    }

    /// Changes the matching documents, all of them or (if one cannot be changed) none, in one commit.
    /// If none matches and the request says so, creates one.
    pub async fn update(&self, request: UpdateRequest) -> Result<UpdateReply, DatabaseError> {
        self.shared.writer.run(self.namespace.clone(), move |draft| write::update(draft, &request)).await
    }

    /// Removes the matching documents in one commit and returns how many they were.
    pub async fn remove(&self, request: RemoveRequest) -> Result<u64, DatabaseError> {
        self.shared.writer.run(self.namespace.clone(), move |draft| write::remove(draft, &request)).await
    }

    /// Makes an index, and returns when queries use it. The same again is no error; for others, see MongoDB's texts.
    /// [`DatabaseError::DuplicateKey`] if it is unique and documents share a key: then nothing is left of it.
    pub async fn create_index(
        &self,
        collection: &CollectionName,
        definition: IndexDefinition,
    ) -> Result<(), DatabaseError> {
        index::create(self.shared.clone(), self.namespace.clone(), collection.clone(), definition).await
    }

    /// Drops an index by its name; [`DatabaseError::BadIndex`] for `_id_` and for one that is not there.
    pub async fn drop_index(&self, collection: &CollectionName, name: &str) -> Result<(), DatabaseError> {
        let (collection, name) = (collection.clone(), name.to_owned());
        let _turn = self.shared.indexing.lock().await;
        self.shared.writer.run(self.namespace.clone(), move |draft| index::drop(draft, &collection, &name)).await
    }

    /// The indexes that queries use, `_id_` first, then in the order in which they were made.
    pub fn indexes(&self, collection: &CollectionName) -> Result<Vec<IndexDefinition>, DatabaseError> {
        let (view, id) = self.view(collection)?;
        Ok((&view).indexes(id).iter().map(|index| index.definition.clone()).collect())
    }

    /// Keeps a query open: the documents it finds now, and everything that happens to its result from then on.
    pub async fn watch(&self, request: WatchRequest) -> Result<Watch, WatchError> {
        self.shared.watching.watch(&self.shared, self.namespace.clone(), request).await
    }

    /// Opens a transaction (semantics §5) under an id of the caller's choice that no other one of this namespace had before.
    pub async fn begin(&self, id: &str) -> Result<Transaction, DatabaseError> {
        let transaction = self.transaction(id);
        transaction.begin().await?;
        Ok(transaction)
    }

    /// The transaction of that id, whether it is open or not.
    pub fn transaction(&self, id: &str) -> Transaction {
        Transaction::new(self.clone(), id)
    }

    /// The store as it is now, and a collection of it.
    fn view(&self, collection: &CollectionName) -> Result<(View, CollectionId), DatabaseError> {
        let view = self.shared.view()?;
        let id = view.catalogue.collection(&self.namespace, collection)?;
        Ok((view, id))
    }
}

/// Reads at a snapshot: here if that takes microseconds, otherwise on a thread that may block.
pub(crate) async fn read_by<T: Send + 'static>(
    plan: Plan,
    work: impl FnOnce(&Plan) -> Result<T, DatabaseError> + Send + 'static,
) -> Result<T, DatabaseError> {
    if plan.is_short() {
        return guarded(|| work(&plan));
    }
    blocking(move || work(&plan)).await
}

/// On a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DatabaseError> + Send + 'static,
) -> Result<T, DatabaseError> {
    tokio::task::spawn_blocking(move || guarded(work))
        .await
        .unwrap_or_else(|error| Err(DatabaseError::Internal(error.to_string())))
}

pub(crate) fn prepare(documents: Vec<Document>) -> Result<Vec<NewDocument>, DatabaseError> {
    documents.into_iter().map(NewDocument::prepare).collect()
}
