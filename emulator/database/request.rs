//! What is asked of a collection, and what comes back: filters and updates arrive here parsed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use document::{Bson, Document};
use query::aggregate::Pipeline;
use query::{Filter, Projection, Sort, Update};

use crate::{CollectionName, IndexDefinition, NewDocument};

/// Documents to read.
#[derive(Debug, Clone)]
pub struct FindRequest {
    /// Where.
    pub collection: CollectionName,
    /// Which.
    pub filter: Filter,
    /// In which order; `None` is insertion order (semantics DB-1.31), which also breaks ties (DB-2.25).
    pub sort: Option<Sort>,
    /// How many of them to leave out at the front.
    pub skip: u64,
    /// How many at most; `Some(0)` is none at all.
    pub limit: Option<u64>,
    /// Which of their fields; `None` is all.
    pub projection: Option<Projection>,
}

/// A pipeline to run.
#[derive(Debug, Clone)]
pub struct AggregateRequest {
    /// Where it begins.
    pub collection: CollectionName,
    /// What the documents go through.
    pub pipeline: Pipeline,
    /// What `$sample` picks by: another number, another choice.
    pub seed: u64,
}

/// Documents to change.
pub struct UpdateRequest {
    /// Where.
    pub collection: CollectionName,
    /// Which.
    pub filter: Filter,
    /// How.
    pub update: Update,
    /// Every match, or only the first in insertion order.
    pub multi: bool,
    /// If nothing matches: create a document, with this `_id` when the filter pins none.
    pub upsert: Option<Bson>,
    /// Whether [`UpdateReply::document`] is wanted.
    pub return_document: bool,
}

/// What an update did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpdateReply {
    /// How many documents the filter found, changed or not (semantics UNC-05). An upsert that creates counts none.
    pub matched: u64,
    /// How many of those became different.
    pub modified: u64,
    /// The `_id` of the document that was created.
    pub upserted: Option<Bson>,
    /// If asked for: the first document matched, or else the created one, as it is after the update.
    pub document: Option<Document>,
}

/// Documents to remove.
pub struct RemoveRequest {
    /// Where.
    pub collection: CollectionName,
    /// Which.
    pub filter: Filter,
    /// Every match, or only the first in insertion order.
    pub multi: bool,
}

/// A change of many things at once, in the order of the fields.
#[derive(Default)]
pub struct RefillRequest {
    /// Documents to remove. From a missing collection nothing is removed.
    pub removals: Vec<RemoveRequest>,
    /// Indexes to make, and their collections where they are missing. One that is there already stays.
    pub indexes: Vec<(CollectionName, IndexDefinition)>,
    /// Collections to make where they are missing, and documents to insert, each with its `_id`.
    pub collections: Vec<(CollectionName, Vec<Document>)>,
    /// The same, of documents that were looked at and encoded before.
    pub prepared: Vec<(CollectionName, Arc<Vec<NewDocument>>)>,
    /// Whether a document whose `_id` is taken replaces the one that has it. Otherwise it is refused.
    pub replace_existing: bool,
    /// Counts what is done, while it is; for whoever wants to know.
    pub refilled: Option<Arc<Refilled>>,
}

/// What a refill has done so far: counted by the writer, looked at by others. After an error it tells how far it came.
#[derive(Debug, Default)]
pub struct Refilled {
    removed: AtomicU64,
    inserted: AtomicU64,
    replaced: AtomicU64,
}

impl Refilled {
    /// How many documents were removed.
    pub fn removed(&self) -> u64 {
        self.removed.load(Ordering::Relaxed)
    }

    /// How many of [`RefillRequest::prepared`] were inserted.
    pub fn inserted(&self) -> u64 {
        self.inserted.load(Ordering::Relaxed)
    }

    /// How many of [`RefillRequest::prepared`] took the place of another.
    pub fn replaced(&self) -> u64 {
        self.replaced.load(Ordering::Relaxed)
    }

    /// How many of [`RefillRequest::prepared`] were stored; after an error the number of the one that was refused.
    pub fn stored(&self) -> u64 {
        self.inserted() + self.replaced()
    }

    /// The refill begins, perhaps not for the first time.
    pub(crate) fn begin(&self) {
        [&self.removed, &self.inserted, &self.replaced].map(|count| count.store(0, Ordering::Relaxed));
    }

    pub(crate) fn add_removed(&self, count: u64) {
        self.removed.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_stored(&self, replaced: bool) {
        let count = if replaced { &self.replaced } else { &self.inserted };
        count.fetch_add(1, Ordering::Relaxed);
    }
}
