//! Who may write which entry: what a transaction has written is its own until it ends. Entries it only read are free.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::store::{CollectionId, EntryKey};
use crate::{DatabaseError, Sequence};

/// The entries that open transactions hold, each with the number of its transaction.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    holders: HashMap<EntryKey, u64>,
}

/// The transaction that a draft is written in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inside {
    /// Unique for as long as the store is open.
    pub(crate) number: u64,
    /// The commit it reads at.
    pub(crate) sequence: Sequence,
}

impl Locks {
    /// Whether any transaction holds the entry.
    pub(crate) fn is_held(&self, key: &EntryKey) -> bool {
        !self.holders.is_empty() && self.holders.contains_key(key)
    }

    /// Any entry of a collection that a transaction holds.
    pub(crate) fn held_in(&self, collection: CollectionId) -> Option<&EntryKey> {
        self.holders.keys().find(|key| key.is_of(collection))
    }

    /// Gives the entry to a transaction, unless another one holds it or it was written after the transaction's snapshot: the
    /// first writer wins (semantics DB-5.06). `newest` is the last commit that wrote it.
    pub(crate) fn take(
        &mut self,
        key: &EntryKey,
        inside: Inside,
        newest: impl FnOnce() -> Result<Option<Sequence>, DatabaseError>,
    ) -> Result<(), DatabaseError> {
        match self.holders.entry(key.clone()) {
            Entry::Occupied(holder) if *holder.get() == inside.number => Ok(()),
            Entry::Occupied(_) => Err(DatabaseError::TransactionConflict),
            Entry::Vacant(vacant) => {
                if newest()?.is_some_and(|newest| newest > inside.sequence) {
                    return Err(DatabaseError::TransactionConflict);
                }
                vacant.insert(inside.number);
                Ok(())
            }
        }
    }

    /// Frees everything a transaction holds.
    pub(crate) fn release(&mut self, number: u64) {
        self.holders.retain(|_, holder| *holder != number);
    }
}
