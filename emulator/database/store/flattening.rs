//! Flattening: a collection that lies over many others, which makes it slow to read, is given what it inherits, a step now
//! and then, until it needs none of them. The copies are as old as the collection and older than all it has of its own, so
//! that nobody sees a difference meanwhile, nor after a crash, when it begins again.

use std::collections::VecDeque;

use crate::{DatabaseError, Sequence};

use super::garbage::Ground;
use super::key::{CollectionId, EntryKey, INDEX_IDS, INDEX_RECORDS, KeyRange};
use super::layers::{Base, Layer};
use super::writes::Writes;
use super::{Catalogue, Version};

/// Over how many others a collection may lie.
const DEPTH_MAX: usize = if cfg!(test) { 2 } else { 8 };

/// The collections to be flattened, each with the entry below it that comes next.
#[derive(Debug)]
pub(crate) struct Flattening(VecDeque<(CollectionId, EntryKey)>);

/// A collection that inherits nothing any more.
pub(crate) struct Flattened {
    pub(crate) collection: CollectionId,
    pub(crate) layer: Layer,
    /// What it does not lie over any more.
    pub(crate) base: Base,
}

impl Flattening {
    pub(crate) fn of(catalogue: &Catalogue) -> Flattening {
        let mut flattening = Flattening(VecDeque::new());
        catalogue.layers().iter().for_each(|(collection, _)| flattening.consider(catalogue, *collection));
        flattening
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a collection on if it lies too deep.
    pub(crate) fn consider(&mut self, catalogue: &Catalogue, collection: CollectionId) {
        let layers = catalogue.layers();
        let is_dropped = layers.get(collection).is_none_or(|layer| layer.dropped.is_some());
        if let Some(base) = layers.base(collection)
            && !is_dropped
            && layers.depth(collection) > DEPTH_MAX
        {
            self.0.push_back((collection, KeyRange::of_collection(base.collection).low));
        }
    }

    /// Moves to `writes` copies of about `limit` entries. Returns the collection if those were its last.
    pub(crate) fn step(
        &mut self,
        ground: Ground<'_>,
        catalogue: &Catalogue,
        limit: usize,
        writes: &mut Writes,
    ) -> Result<Option<Flattened>, DatabaseError> {
        let Some((collection, next)) = self.0.pop_front() else { return Ok(None) };
        let Some(layer) = ground.layers.get(collection).filter(|layer| layer.dropped.is_none()) else {
            return Ok(None);
        };
        let Some(base) = layer.base else { return Ok(None) };
        let range = KeyRange { low: next, ..KeyRange::of_collection(base.collection) };
        for (count, entry) in ground.engine.entries(ground.layers, &range, base.sequence, false).enumerate() {
            let (key, value) = entry?.into_parts()?;
            if count >= limit {
                self.0.push_front((collection, key.moved_to(base.collection)));
                return Ok(None);
            }
            if is_of_use(catalogue, collection, &key) {
                writes.version(&key.moved_to(collection), Version { sequence: layer.since, value });
            }
        }
        Ok(Some(Flattened { collection, layer: Layer { base: None, ..*layer }, base }))
    }
}

/// Whether an entry below is one of the collection's: indexes that it has not are not inherited.
fn is_of_use(catalogue: &Catalogue, collection: CollectionId, key: &EntryKey) -> bool {
    key.index_number().is_some_and(|number| {
        matches!(number, INDEX_RECORDS | INDEX_IDS) || catalogue.indexes(collection).any(|index| index.number == number)
    })
}

/// A collection that inherits nothing any more, as every reader knows who reads at `by` or later. Until then somebody may
/// read through the layer as it was: its base stays pinned, and its removals still hide what is below.
#[derive(Debug)]
pub(super) struct Released {
    pub(super) collection: CollectionId,
    pub(super) base: Base,
    pub(super) by: Sequence,
}
