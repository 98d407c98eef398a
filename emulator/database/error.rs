//! What can go wrong in the database. The codes SDKs see are given upstairs, in `environment/error.rs`.

use query::QueryError;

use crate::CollectionName;

/// Why a request was not carried out. Cloneable, because one failed flush answers every caller that waited for it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DatabaseError {
    /// Collections are never made by writing to them (semantics DB-1.14).
    #[error("collection `{0}` does not exist: create it in the console or add it to your fixtures")]
    CollectionMissing(CollectionName),
    /// `create_collection` on a collection that is there already (semantics DB-1.15).
    #[error("collection `{0}` exists already")]
    CollectionExists(CollectionName),
    /// A collection cannot be called that.
    #[error("`{name}` cannot be the name of a collection: {reason}")]
    BadCollectionName {
        /// The name as it came.
        name: String,
        /// The first rule it breaks.
        reason: &'static str,
    },
    /// Two documents of a collection would share a key of a unique index (semantics DB-8.03).
    /// Upstairs writes `E11000 duplicate key error collection: tnt-….coll index: _id_ dup key: { : "x" }`.
    #[error("E11000 duplicate key error collection: {collection} index: {index} dup key: {key}")]
    DuplicateKey {
        /// The collection whose index refused.
        collection: CollectionName,
        /// The index: `_id_` is the one every collection has.
        index: String,
        /// The key as MongoDB's shell prints it, braces included: `{ : "x" }`.
        key: String,
    },
    /// An index that cannot be made or dropped, in the words of MongoDB.
    #[error("{0}")]
    BadIndex(String),
    /// A namespace or a snapshot that cannot be made, because of its name, or is not there; the text says which and why.
    #[error("{0}")]
    BadNamespace(String),
    /// A document that may not be stored: no `_id`, an `_id` of a forbidden type, too large, too deep.
    #[error("{0}")]
    BadDocument(String),
    /// Somebody else was first to write: a document that the transaction was to write has changed since its snapshot, or
    /// another open transaction holds it. For a plain write: an open transaction held the document for too long (semantics
    /// DB-5.04, DB-5.06).
    #[error(
        "[ResourceUnavailable.TransactionConflict] Transaction is conflict, maybe resource operated by others. \
         Please check your request, but if the problem persists, contact us."
    )]
    TransactionConflict,
    /// The transaction was committed or aborted, its time is over, or there never was one of that id (semantics DB-5.08).
    #[error(
        "[ResourceUnavailable.TransactionNotExist] Transaction does not exist on the server, transaction must be commit or \
         abort in 30 seconds. Please check your request, but if the problem persists, contact us."
    )]
    TransactionNotExist,
    /// The filter, projection, sort or update failed on a document; nothing was written.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Another process has the data folder open.
    #[error("the data folder {0} is in use by another emulator: stop that one, or start this one on another folder")]
    InUse(String),
    /// The disk or the storage engine failed. After a failed write the store refuses further writes until it is opened again.
    #[error("storage failure: {0}")]
    Storage(String),
    /// What is stored cannot be read.
    #[error("the data folder is damaged: {0}")]
    Corrupt(String),
    /// The data folder was written by a version of the emulator this one does not know.
    #[error("the data folder has format {found}, this emulator reads format {known}")]
    UnknownFormat {
        /// The format of the folder.
        found: u32,
        /// The format of this program.
        known: u32,
    },
    /// A mistake of the emulator's own, caught before it could write anything.
    #[error("internal error of the emulator: {0}")]
    Internal(String),
    /// Whoever looked on had it stopped; see [`crate::Supervisor`].
    #[error("stopped")]
    Stopped,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}
