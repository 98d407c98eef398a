//! Layers: a collection may be laid over another one as that was after a commit. What it has not written itself, removals
//! included, is what the other one had then. Collections that were dropped live on here until nothing lies over them.

use imbl::OrdMap;

use crate::{DatabaseError, Sequence};

use super::key::{CollectionId, EntryKey};
use super::{Engine, Version};

const LENGTH: usize = 8 + 8 + 4 + 4 + 4 + 8;

/// What a collection lies over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) collection: CollectionId,
    /// The commit after which it is seen.
    pub(crate) sequence: Sequence,
}

/// What is to be known of a collection that was laid over another one, or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    /// The commit that made it. Its own versions are later, those below are not.
    pub(crate) since: Sequence,
    /// The commit that dropped it.
    pub(crate) dropped: Option<Sequence>,
    /// The least number of an index that nothing below has entries of.
    pub(crate) next_index: u32,
    /// `None` if there was nothing to lie over.
    pub(crate) base: Option<Base>,
}

/// The layers of a store. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layers(OrdMap<CollectionId, Layer>);

impl Layers {
    pub(crate) fn get(&self, collection: CollectionId) -> Option<&Layer> {
        self.0.get(&collection)
    }

    pub(crate) fn base(&self, collection: CollectionId) -> Option<Base> {
        self.get(collection)?.base
    }

    /// Whether a version that is seen in a collection was written below it, or is a copy of one that was.
    pub(crate) fn is_inherited(&self, collection: CollectionId, version: Sequence) -> bool {
        self.get(collection).is_some_and(|layer| layer.base.is_some() && version <= layer.since)
    }

    /// Over how many others a collection lies.
    pub(super) fn depth(&self, collection: CollectionId) -> usize {
        std::iter::successors(self.base(collection), |base| self.base(base.collection)).count()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&CollectionId, &Layer)> {
        self.0.iter()
    }

    pub(super) fn put(&mut self, collection: CollectionId, layer: Layer) {
        self.0.insert(collection, layer);
    }

    pub(super) fn forget(&mut self, collection: CollectionId) {
        self.0.remove(&collection);
    }
}

impl Layer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let none = Base { collection: CollectionId { namespace: 0, collection: 0 }, sequence: 0 };
        let base = self.base.unwrap_or(none);
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend(self.since.to_be_bytes());
        bytes.extend(self.dropped.unwrap_or(0).to_be_bytes());
        bytes.extend(self.next_index.to_be_bytes());
        bytes.extend(base.collection.namespace.to_be_bytes());
        bytes.extend(base.collection.collection.to_be_bytes());
        bytes.extend(base.sequence.to_be_bytes());
        bytes
    }

    /// `None` if that is damaged. Commits and collections are numbered from 1, so 0 says that there is none.
    pub(super) fn decode(bytes: &[u8]) -> Option<Layer> {
        let (since, rest) = bytes.split_first_chunk()?;
        let (dropped, rest) = rest.split_first_chunk()?;
        let (next_index, rest) = rest.split_first_chunk()?;
        let (namespace, rest) = rest.split_first_chunk()?;
        let (collection, rest) = rest.split_first_chunk()?;
        let sequence = u64::from_be_bytes(rest.try_into().ok()?);
        let collection =
            CollectionId { namespace: u32::from_be_bytes(*namespace), collection: u32::from_be_bytes(*collection) };
        Some(Layer {
            since: u64::from_be_bytes(*since),
            dropped: Some(u64::from_be_bytes(*dropped)).filter(|dropped| *dropped > 0),
            next_index: u32::from_be_bytes(*next_index),
            base: Some(Base { collection, sequence }).filter(|base| base.collection.collection > 0),
        })
    }
}

impl Engine {
    /// As [`Engine::version`], of an entry that may have been written below its collection.
    pub(crate) fn version_in(
        &self,
        layers: &Layers,
        key: &EntryKey,
        sequence: Sequence,
    ) -> Result<Option<Version>, DatabaseError> {
        match self.version(key, sequence)? {
            None => self.version_below(layers, key),
            found => Ok(found),
        }
    }

    /// The version of an entry that is seen in its collection as long as that has none of its own.
    pub(crate) fn version_below(&self, layers: &Layers, key: &EntryKey) -> Result<Option<Version>, DatabaseError> {
        let mut base = key.collection().and_then(|collection| layers.base(collection));
        while let Some(Base { collection, sequence }) = base {
            if let Some(found) = self.version(&key.moved_to(collection), sequence)? {
                return Ok(Some(found));
            }
            base = layers.base(collection);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let base = Base { collection: CollectionId { namespace: 3, collection: 5 }, sequence: 7 };
        let layer = Layer { since: 9, dropped: Some(11), next_index: 4, base: Some(base) };
        for layer in [layer, Layer { dropped: None, ..layer }, Layer { base: None, ..layer }] {
            assert_eq!(Layer::decode(&layer.encode()), Some(layer));
        }
        assert_eq!(Layer::decode(&layer.encode()[1..]), None);
        assert_eq!(layer.encode().len(), LENGTH);
    }
}
