//! Collections of documents on disk: reading, writing, and what each write changed.
//! What filters and updates mean is `query`'s; who may ask, and in which words, is `environment`'s.

mod folder;

mod collections;
mod commit;
mod error;
mod name;
mod options;
mod request;

mod aggregate;
mod draft;
mod explain;
mod frozen;
mod group;
mod index;
mod namespaces;
mod plan;
mod read;
mod record;
mod store;
mod top;
mod transaction;
mod watch;
mod write;
mod writer;

#[cfg(test)]
mod testing;

pub use collections::Database;
pub use error::DatabaseError;
pub use explain::Explanation;
pub use folder::Store;
pub use frozen::{Frozen, FrozenDocuments};
pub use index::{INDEX_IDS_NAME, INDEXES_MAX, IndexDefinition};
pub use name::CollectionName;
pub use options::{Durability, StoreOptions};
pub use record::NewDocument;
pub use request::{
    AggregateRequest, FindRequest, RefillRequest, Refilled, RemoveRequest, Supervisor, UpdateReply, UpdateRequest,
};
pub use transaction::{TimeChange, Transaction};
pub use watch::{DataType, QueueType, WATCHED_MAX, Watch, WatchError, WatchEvent, WatchEvents, WatchRequest};

pub(crate) use commit::{Change, ChangeKind, Commit, Sequence};
