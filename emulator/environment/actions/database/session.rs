//! Where the documents of a request are: in the database, or in the transaction that it names.

use super::Request;
use crate::error::ActionError;
use database::{
    CollectionName, Database, DatabaseError, FindRequest, RemoveRequest, Transaction, UpdateReply, UpdateRequest,
};
use document::{Bson, Document, RawDocumentBuf};
use query::Filter;

/// What a request reads and writes in.
pub(super) enum Session {
    Outside(Database),
    Inside(Transaction),
}

impl Request<'_> {
    /// That of the `transactionId`, if there is one; whether that transaction is open shows when something is asked of it.
    pub(super) fn session(&self) -> Result<Session, ActionError> {
        let database = &self.environment.database;
        Ok(match self.params.optional_text("transactionId")? {
            Some(id) => Session::Inside(database.transaction(id)),
            None => Session::Outside(database.clone()),
        })
    }
}

impl Session {
    pub(super) async fn find(&self, request: FindRequest) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        match self {
            Session::Outside(database) => database.find(request).await,
            Session::Inside(transaction) => transaction.find(request).await,
        }
    }

    pub(super) async fn count(&self, collection: &CollectionName, filter: Filter) -> Result<u64, DatabaseError> {
        match self {
            Session::Outside(database) => database.count(collection, filter).await,
            Session::Inside(transaction) => transaction.count(collection, filter).await,
        }
    }

    pub(super) async fn insert(
        &self,
        collection: &CollectionName,
        documents: Vec<Document>,
    ) -> Result<Vec<Bson>, DatabaseError> {
        match self {
            Session::Outside(database) => database.insert(collection, documents).await,
            Session::Inside(transaction) => transaction.insert(collection, documents).await,
        }
    }

    pub(super) async fn update(&self, request: UpdateRequest) -> Result<UpdateReply, DatabaseError> {
        match self {
            Session::Outside(database) => database.update(request).await,
            Session::Inside(transaction) => transaction.update(request).await,
        }
    }

    pub(super) async fn remove(&self, request: RemoveRequest) -> Result<u64, DatabaseError> {
        match self {
            Session::Outside(database) => database.remove(request).await,
            Session::Inside(transaction) => transaction.remove(request).await,
        }
    }
}
