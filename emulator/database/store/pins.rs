//! Pins: the commits at which collections are seen by those that lie over them. What is seen there is not garbage.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::Sequence;

use super::key::CollectionId;
use super::layers::Base;

/// For each pinned commit of a collection, how many lie over it there.
#[derive(Debug, Default)]
pub(super) struct Pins(BTreeMap<(CollectionId, Sequence), usize>);

impl Pins {
    pub(super) fn add(&mut self, base: Base) {
        *self.0.entry((base.collection, base.sequence)).or_insert(0) += 1;
    }

    /// Takes a pin away. Returns whether it was the last one of its commit.
    pub(super) fn release(&mut self, base: Base) -> bool {
        let Some(count) = self.0.get_mut(&(base.collection, base.sequence)) else { return false };
        *count -= 1;
        *count == 0 && self.0.remove(&(base.collection, base.sequence)).is_some()
    }

    /// Whether anything lies over a collection.
    pub(super) fn is_pinned(&self, collection: CollectionId) -> bool {
        self.holds(collection, 0..Sequence::MAX)
    }

    /// Whether what is seen in a collection at some of these commits is needed.
    pub(super) fn holds(&self, collection: CollectionId, seen: Range<Sequence>) -> bool {
        let seen = (collection, seen.start)..(collection, seen.end.max(seen.start));
        !self.0.is_empty() && self.0.range(seen).next().is_some()
    }
}
