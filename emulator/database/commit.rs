//! A commit: what one write changed, in the order in which writes happened. The only thing that travels sideways to watches.

use std::sync::Arc;

use document::RawDocumentBuf;
use query::FieldChanges;

use crate::CollectionName;
use crate::store::Catalogue;

/// Numbers commits, without gaps and from 1, for as long as a data folder lives. Readers name the one they read at.
pub(crate) type Sequence = u64;

/// What one write changed: all of it became visible at once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Commit {
    /// Its place among all commits of the store.
    pub(crate) sequence: Sequence,
    /// The namespace (cloud environment) it belongs to.
    pub(crate) namespace: Arc<str>,
    /// The documents that became different, in the order in which they did. A document appears once.
    pub(crate) changes: Vec<Change>,
    /// If the collections of the namespace were dropped, or others took their place: what there is after the commit. Then
    /// `changes` has nothing: whoever wants to know asks again.
    pub(crate) replaced: Option<Catalogue>,
}

/// One document that became different.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The collection of the document.
    pub(crate) collection: CollectionName,
    /// The record of the document: smaller is inserted earlier.
    pub(crate) record: u64,
    /// The document before; `None` for an insertion.
    pub(crate) before: Option<Arc<RawDocumentBuf>>,
    /// The document after; `None` for a removal.
    pub(crate) after: Option<Arc<RawDocumentBuf>>,
    /// What happened to it.
    pub(crate) kind: ChangeKind,
}

/// What happened to a document (semantics DB-6.05).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ChangeKind {
    /// It is new.
    Insert,
    /// Some of its fields became different.
    Update(FieldChanges),
    /// Its whole content was replaced.
    Replace,
    /// It is gone.
    Remove,
}
