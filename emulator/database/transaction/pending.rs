//! What a transaction has written so far, seen by nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::draft::Write;
use crate::store::{CollectionId, EntryKey, Version};
use crate::{Change, Sequence};

/// The entries a transaction has written, with what they replace.
pub(crate) type OwnWrites = BTreeMap<EntryKey, Write>;

/// What a transaction has written so far.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// Shared with its readers on other threads.
    pub(crate) writes: Arc<OwnWrites>,
    /// In the order in which they were made; a document may appear several times.
    pub(crate) changes: Vec<Change>,
}

/// What a transaction has made of an entry; `None` if it has not touched it.
pub(crate) fn own_version(writes: &OwnWrites, key: &EntryKey) -> Option<Version> {
    writes.get(key).map(version)
}

/// What a transaction has made of the documents of a collection, in insertion order, removals included.
pub(crate) fn own_records(writes: &OwnWrites, collection: CollectionId) -> Vec<(u64, Version)> {
    writes
        .range(EntryKey::record(collection, 0)..=EntryKey::record(collection, u64::MAX))
        .filter_map(|(key, write)| Some((key.record_number()?, version(write))))
        .collect()
}

/// A version later than every commit.
fn version(write: &Write) -> Version {
    Version { sequence: Sequence::MAX, value: write.value.clone() }
}
