//! The collections of one namespace (one cloud environment): every question that can be asked of them.

use std::sync::Arc;

use document::{Bson, Document, RawDocumentBuf};
use query::Filter;

use crate::folder::Shared;
use crate::plan::Plan;
use crate::read::{self, View};
use crate::record::NewDocument;
use crate::store::CollectionId;
use crate::writer::guarded;
use crate::{
    CollectionName, DatabaseError, FindRequest, RemoveRequest, Transaction, UpdateReply, UpdateRequest, Watch,
    WatchError, WatchRequest, write,
};

/// The collections of one namespace. A cheap handle.
#[derive(Debug, Clone)]
pub struct Database {
    pub(crate) shared: Arc<Shared>,
    namespace: Arc<str>,
}

impl Database {
    pub(crate) fn new(shared: Arc<Shared>, namespace: Arc<str>) -> Database {
        Database { shared, namespace }
    }

    /// The namespace these collections are in.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Makes an empty collection; [`DatabaseError::CollectionExists`] if there is one of that name.
    pub async fn create_collection(&self, name: &CollectionName) -> Result<(), DatabaseError> {
        let name = name.clone();
        self.shared.writer.run(self.namespace.clone(), move |draft| draft.create_collection(&name).map(drop)).await
    }

    /// The names of the collections, sorted.
    pub fn collections(&self) -> Vec<CollectionName> {
        self.shared.published.catalogue().collections(&self.namespace)
    }

    /// Makes the collections that are missing and inserts all documents, in one commit, all or nothing.
    /// Each document has its `_id`.
    pub async fn seed(&self, collections: Vec<(CollectionName, Vec<Document>)>) -> Result<(), DatabaseError> {
        let prepared = prepare_all(collections)?;
        self.shared.writer.run(self.namespace.clone(), move |draft| write::seed(draft, &prepared)).await
    }

    /// Does what `removals` ask for, then makes the collections that are missing and inserts all documents, in one commit, all or
    /// nothing. A removal from a missing collection removes nothing. Each document has its `_id`.
    pub async fn refill(
        &self,
        removals: Vec<RemoveRequest>,
        collections: Vec<(CollectionName, Vec<Document>)>,
    ) -> Result<(), DatabaseError> {
        let prepared = prepare_all(collections)?;
        let work = move |draft: &mut crate::draft::Draft<'_>| write::refill(draft, &removals, &prepared);
        self.shared.writer.run(self.namespace.clone(), work).await
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
        let work = move |draft: &mut crate::draft::Draft<'_>| write::insert(draft, &collection, &documents);
        self.shared.writer.run(self.namespace.clone(), work).await?;
        Ok(ids)
    }

    /// The documents asked for, as they all were at one moment.
    pub async fn find(&self, request: FindRequest) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        let plan = Plan::of(&request.filter);
        let collection = request.collection.clone();
        self.read(&collection, plan, move |view, id, plan| read::find(&view, id, plan, &request)).await
    }

    /// How many documents match, as they all were at one moment.
    pub async fn count(&self, collection: &CollectionName, filter: Filter) -> Result<u64, DatabaseError> {
        let plan = Plan::of(&filter);
        self.read(collection, plan, move |view, id, plan| read::count(&view, id, plan, &filter)).await
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

    /// Reads at a snapshot of now.
    async fn read<T: Send + 'static>(
        &self,
        collection: &CollectionName,
        plan: Plan,
        work: impl FnOnce(View, CollectionId, &Plan) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.read_at(self.shared.view()?, collection, plan, work).await
    }

    /// Reads at a snapshot: here if that takes microseconds, otherwise on a thread that may block.
    pub(crate) async fn read_at<T: Send + 'static>(
        &self,
        view: View,
        collection: &CollectionName,
        plan: Plan,
        work: impl FnOnce(View, CollectionId, &Plan) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let id = self.shared.published.catalogue().collection(&self.namespace, collection)?;
        if plan.is_short() {
            return guarded(|| work(view, id, &plan));
        }
        tokio::task::spawn_blocking(move || guarded(|| work(view, id, &plan)))
            .await
            .unwrap_or_else(|error| Err(DatabaseError::Internal(error.to_string())))
    }
}

fn prepare_all(
    collections: Vec<(CollectionName, Vec<Document>)>,
) -> Result<Vec<(CollectionName, Vec<NewDocument>)>, DatabaseError> {
    collections.into_iter().map(|(name, documents)| Ok((name, prepare(documents)?))).collect()
}

pub(crate) fn prepare(documents: Vec<Document>) -> Result<Vec<NewDocument>, DatabaseError> {
    documents.into_iter().map(NewDocument::prepare).collect()
}
