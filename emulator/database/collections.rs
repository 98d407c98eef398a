//! The collections of one namespace (one cloud environment): every question that can be asked of them.

use document::{Bson, Document, RawDocumentBuf};
use query::Filter;

use crate::{CollectionName, DatabaseError, FindRequest, RemoveRequest, UpdateReply, UpdateRequest};

/// The collections of one namespace. A cheap handle.
#[derive(Clone)]
pub struct Database {}

impl Database {
    /// Makes an empty collection; [`DatabaseError::CollectionExists`] if there is one of that name.
    pub async fn create_collection(&self, name: &CollectionName) -> Result<(), DatabaseError> {
        let _ = name;
        Err(DatabaseError::Closed)
    }

    /// The names of the collections, sorted.
    pub fn collections(&self) -> Vec<CollectionName> {
        Vec::new()
    }

    /// Makes the collections that are missing and inserts all documents, in one commit, all or nothing.
    /// Each document has its `_id`.
    pub async fn seed(&self, collections: Vec<(CollectionName, Vec<Document>)>) -> Result<(), DatabaseError> {
        let _ = collections;
        Err(DatabaseError::Closed)
    }

    /// Inserts all documents or none, in one commit, and returns their ids in order. Each document has its `_id`.
    pub async fn insert(
        &self,
        collection: &CollectionName,
        documents: Vec<Document>,
    ) -> Result<Vec<Bson>, DatabaseError> {
        let _ = (collection, documents);
        Err(DatabaseError::Closed)
    }

    /// The documents asked for, as they all were at one moment.
    pub async fn find(&self, request: FindRequest) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        let _ = request;
        Err(DatabaseError::Closed)
    }

    /// How many documents match, as they all were at one moment.
    pub async fn count(&self, collection: &CollectionName, filter: Filter) -> Result<u64, DatabaseError> {
        let _ = (collection, filter);
        Err(DatabaseError::Closed)
    }

    /// Changes the matching documents, all of them or (if one cannot be changed) none, in one commit.
    pub async fn update(&self, request: UpdateRequest) -> Result<UpdateReply, DatabaseError> {
        let _ = request;
        Err(DatabaseError::Closed)
    }

    /// Removes the matching documents in one commit and returns how many they were.
    pub async fn remove(&self, request: RemoveRequest) -> Result<u64, DatabaseError> {
        let _ = request;
        Err(DatabaseError::Closed)
    }
}
