//! What callers have of a transaction: its id, and everything that can be done in it.

use document::{Bson, Document, RawDocumentBuf};
use query::Filter;

use crate::collections::{prepare, read_by};
use crate::plan::Question;
use crate::read::{self, View};
use crate::store::CollectionId;
use crate::{CollectionName, Database, DatabaseError, FindRequest, RemoveRequest, UpdateReply, UpdateRequest, write};

use super::{Step, TransactionKey};

/// A transaction, open or not. A cheap handle: dropping it ends nothing.
///
/// It sees the store as it was at its first read or write, and what it has written itself (semantics DB-5.05). Every operation
/// fails with [`DatabaseError::TransactionNotExist`] once the transaction was committed or aborted or its time is over
/// (DB-5.08). Any other error aborts it (DB-5.13); [`DatabaseError::TransactionConflict`] says that somebody else was first to
/// write (DB-5.06).
#[derive(Debug, Clone)]
pub struct Transaction {
    database: Database,
    key: TransactionKey,
}

impl Transaction {
    pub(crate) fn new(database: Database, id: &str) -> Transaction {
        let key = TransactionKey { namespace: database.namespace().into(), id: id.into() };
        Transaction { database, key }
    }

    /// The id it was begun under.
    pub fn id(&self) -> &str {
        &self.key.id
    }

    /// The documents asked for, its own changes among them.
    pub async fn find(&self, request: FindRequest) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        let reading = async {
            let (view, id) = self.view(&request.collection).await?;
            let plan = view.plan(id, request.question())?;
            read_by(plan, move |plan| read::find(&view, id, plan, &request)).await
        };
        self.or_abort(reading).await
    }

    /// How many documents match, its own changes among them.
    pub async fn count(&self, collection: &CollectionName, filter: Filter) -> Result<u64, DatabaseError> {
        let reading = async {
            let (view, id) = self.view(collection).await?;
            let plan = view.plan(id, Question::all(&filter))?;
            read_by(plan, move |plan| read::count(&view, id, plan, &filter)).await
        };
        self.or_abort(reading).await
    }

    /// Inserts all documents and returns their ids in order. Each document has its `_id`.
    pub async fn insert(
        &self,
        collection: &CollectionName,
        documents: Vec<Document>,
    ) -> Result<Vec<Bson>, DatabaseError> {
        let documents = match prepare(documents) {
            Ok(documents) => documents,
            Err(error) => return Err(self.fail(error).await),
        };
        let ids = documents.iter().map(|document| document.id.clone()).collect();
        let collection = collection.clone();
        let writer = &self.database.shared.writer;
        writer.run_inside(self.key.clone(), move |draft| write::insert(draft, &collection, &documents)).await?;
        Ok(ids)
    }

    /// Changes the matching documents. If none matches and the request says so, creates one.
    pub async fn update(&self, request: UpdateRequest) -> Result<UpdateReply, DatabaseError> {
        let writer = &self.database.shared.writer;
        writer.run_inside(self.key.clone(), move |draft| write::update(draft, &request)).await
    }

    /// Removes the matching documents and returns how many they were.
    pub async fn remove(&self, request: RemoveRequest) -> Result<u64, DatabaseError> {
        let writer = &self.database.shared.writer;
        writer.run_inside(self.key.clone(), move |draft| write::remove(draft, &request)).await
    }

    /// Makes everything it has written one commit. Returns when that is as durable as promised and visible.
    pub async fn commit(&self) -> Result<(), DatabaseError> {
        self.database.shared.writer.step(self.key.clone(), Step::Commit).await
    }

    /// Forgets everything it has written.
    pub async fn abort(&self) -> Result<(), DatabaseError> {
        self.database.shared.writer.step(self.key.clone(), Step::Abort).await
    }

    pub(crate) async fn begin(&self) -> Result<(), DatabaseError> {
        self.database.shared.writer.step(self.key.clone(), Step::Begin).await
    }

    /// What it sees, and a collection of that.
    async fn view(&self, collection: &CollectionName) -> Result<(View, CollectionId), DatabaseError> {
        let view = self.database.shared.writer.step(self.key.clone(), Step::View).await?;
        let id = view.catalogue.collection_at(self.database.namespace(), collection, view.snapshot.sequence())?;
        Ok((view, id))
    }

    /// Aborts if the work fails.
    async fn or_abort<T>(&self, work: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
        match work.await {
            Ok(value) => Ok(value),
            Err(error) => Err(self.fail(error).await),
        }
    }

    /// Aborts because of an error, and says what callers are told: that one, unless there was nothing left to abort.
    async fn fail(&self, error: DatabaseError) -> DatabaseError {
        match self.abort().await {
            Ok(()) => error,
            Err(ended) => ended,
        }
    }
}
