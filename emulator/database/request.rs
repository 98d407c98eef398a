//! What is asked of a collection, and what comes back: filters and updates arrive here parsed.

use std::sync::Arc;

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
    /// Whether all collections of the namespace lose their documents. They stay, with their indexes; open
    /// transactions end. Takes as long for a million documents as for one.
    pub emptied: bool,
    /// Documents to remove. From a missing collection nothing is removed.
    pub removals: Vec<RemoveRequest>,
    /// Indexes to make, and their collections where they are missing. One that is there already stays.
    pub indexes: Vec<(CollectionName, IndexDefinition)>,
    /// Collections to make where they are missing, and documents to insert, each with its `_id`.
    pub collections: Vec<(CollectionName, Vec<Document>)>,
    /// More of the same, of documents that were checked and encoded before.
    pub prepared: Vec<(CollectionName, Arc<Vec<NewDocument>>)>,
    /// Asked before each document that is removed or stored whether to go on.
    pub supervisor: Option<Arc<dyn Supervisor>>,
    /// Whether a document takes the place of one with its `_id`, instead of being refused.
    pub replaces: bool,
}

/// Looks on while the writer carries out a [`RefillRequest`], from the writer's own thread.
pub trait Supervisor: Send + Sync {
    /// `stored` documents of the request are stored so far. `false`: nothing of it is to happen, and the answer is
    /// [`crate::DatabaseError::Stopped`].
    fn goes_on(&self, stored: u64) -> bool;

    /// All is done but for the commit, which takes its time and is not stopped.
    fn commits(&self) {}
}

/// What a [`RefillRequest`] did with its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refilled {
    /// How many are new.
    pub inserted: u64,
    /// How many took the place of another one, the same or not.
    pub replaced: u64,
    /// How many were removed one by one, by [`RefillRequest::removals`].
    pub removed: u64,
}
