//! A commit: what one write changed, in the order in which writes happened. The only thing that travels sideways to watches.

use std::sync::Arc;

use document::RawDocumentBuf;
use query::FieldChanges;
use tokio::sync::mpsc;

use crate::CollectionName;

/// Numbers commits, without gaps and from 1, for as long as a data folder lives. Readers name the one they read at.
pub type Sequence = u64;

/// What one write changed: all of it became visible at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Its place among all commits of the store.
    pub sequence: Sequence,
    /// The namespace (cloud environment) it belongs to.
    pub namespace: String,
    /// The documents that became different, in the order in which they did. A document appears once.
    pub changes: Vec<Change>,
}

/// One document that became different.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The collection of the document.
    pub collection: CollectionName,
    /// The record of the document: smaller is inserted earlier.
    pub record: u64,
    /// The document before; `None` for an insertion.
    pub before: Option<RawDocumentBuf>,
    /// The document after; `None` for a removal.
    pub after: Option<RawDocumentBuf>,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to a document (semantics DB-6.05).
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeKind {
    /// It is new.
    Insert,
    /// Some of its fields became different.
    Update(FieldChanges),
    /// Its whole content was replaced.
    Replace,
    /// It is gone.
    Remove,
}

/// The commits of a store from a point on, complete and in order. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Commits {
    pub(crate) start: Sequence,
    pub(crate) receiver: mpsc::UnboundedReceiver<Arc<Commit>>,
}

impl Commits {
    /// The commit this subscription begins after: everything up to it is visible to reads, everything later will be delivered.
    pub fn start(&self) -> Sequence {
        self.start
    }

    /// The next commit, once it is visible to reads. `None` after the store was closed.
    pub async fn next(&mut self) -> Option<Arc<Commit>> {
        self.receiver.recv().await
    }
}
