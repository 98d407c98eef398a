//! What `database` and `query` do not give yet, refused by name. To wire it in: delete this file, and let the `use` lines that name
//! it say `database::Transaction` and `query::aggregate::Pipeline`; `DatabaseError`'s new cases get the codes that wait in `error.rs`.

use database::{CollectionName, Database, DatabaseError, FindRequest, RemoveRequest, UpdateReply, UpdateRequest};
use document::{Bson, Document, RawDocumentBuf};
use query::{Filter, QueryError, QueryErrorKind};

/// Stands for `database::Transaction`.
pub(super) struct Transaction;

/// Stands for `query::aggregate::Pipeline`.
pub(super) struct Pipeline;

/// Stands for the methods of `Database` itself.
pub(super) trait Pending {
    async fn begin(&self, id: &str) -> Result<Transaction, DatabaseError>;
    fn transaction(&self, id: &str) -> Transaction;
    async fn aggregate(
        &self,
        collection: &CollectionName,
        pipeline: Pipeline,
    ) -> Result<Vec<RawDocumentBuf>, DatabaseError>;
}

impl Pending for Database {
    async fn begin(&self, _id: &str) -> Result<Transaction, DatabaseError> {
        refused("database.startTransaction")
    }

    fn transaction(&self, _id: &str) -> Transaction {
        Transaction
    }

    async fn aggregate(&self, _: &CollectionName, _: Pipeline) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        refused("database.aggregate")
    }
}

impl Transaction {
    pub(super) async fn find(&self, _: FindRequest) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        refused("transactions (transactionId)")
    }

    pub(super) async fn count(&self, _: &CollectionName, _: Filter) -> Result<u64, DatabaseError> {
        refused("transactions (transactionId)")
    }

    pub(super) async fn insert(&self, _: &CollectionName, _: Vec<Document>) -> Result<Vec<Bson>, DatabaseError> {
        refused("transactions (transactionId)")
    }

    pub(super) async fn update(&self, _: UpdateRequest) -> Result<UpdateReply, DatabaseError> {
        refused("transactions (transactionId)")
    }

    pub(super) async fn remove(&self, _: RemoveRequest) -> Result<u64, DatabaseError> {
        refused("transactions (transactionId)")
    }

    pub(super) async fn commit(&self) -> Result<(), DatabaseError> {
        refused("database.commitTransaction")
    }

    pub(super) async fn abort(&self) -> Result<(), DatabaseError> {
        refused("database.abortTransaction")
    }
}

impl Pipeline {
    pub(super) fn parse(_: &[Bson]) -> Result<Pipeline, DatabaseError> {
        refused("database.aggregate")
    }

    pub(super) fn warnings(&self) -> &[String] {
        &[]
    }

    pub(super) fn collections(&self) -> Vec<&str> {
        Vec::new()
    }

    pub(super) fn is_limited(&self) -> bool {
        false
    }

    pub(super) fn limited(self, _: u64) -> Pipeline {
        self
    }

    pub(super) fn narrowed(self, _: Filter) -> Pipeline {
        self
    }
}

fn refused<T>(name: &str) -> Result<T, DatabaseError> {
    let message = format!("not supported by the emulator: {name}");
    Err(DatabaseError::Query(QueryError { kind: QueryErrorKind::Unsupported, message }))
}
