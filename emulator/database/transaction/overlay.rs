//! The documents of a collection with what a transaction has made of them, in insertion order.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::DatabaseError;
use crate::store::{CollectionId, Scan, Version};

use super::{OwnWrites, own_records};

/// A walk through the documents at a transaction's snapshot, its own versions in the place of those.
pub(crate) struct Overlay {
    below: Peekable<Scan>,
    /// Removals included.
    own: Peekable<IntoIter<(u64, Version)>>,
}

impl Overlay {
    pub(crate) fn new(below: Scan, writes: &OwnWrites, collection: CollectionId) -> Overlay {
        Overlay { below: below.peekable(), own: own_records(writes, collection).into_iter().peekable() }
    }

    /// Whether the next document below comes before the next of the transaction's own; what both have, it drops below.
    fn is_below_first(&mut self) -> bool {
        let Some((own, _)) = self.own.peek() else { return true };
        let _ = self.below.next_if(|below| below.as_ref().is_ok_and(|(number, _)| number == own));
        self.below.peek().is_some_and(|below| below.as_ref().map_or(true, |(number, _)| number < own))
    }
}

impl Iterator for Overlay {
    type Item = Result<(u64, Version), DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.is_below_first() {
                return self.below.next();
            }
            match self.own.next() {
                Some((_, version)) if version.value.is_removal() => {}
                own => return own.map(Ok),
            }
        }
    }
}
