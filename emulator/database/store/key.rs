//! Keys of the tree: namespace, collection, index, key bytes, and last the commit that wrote the version, inverted, so
//! that the newest version of an entry comes first. All numbers are big-endian. Namespace 0 belongs to the catalogue.

use document::{ValueRef, encode_key};

use crate::{DatabaseError, Sequence};

/// A collection of a namespace, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CollectionId {
    /// From 1.
    pub(crate) namespace: u32,
    /// From 1, unique in the whole store.
    pub(crate) collection: u32,
}

/// The index that holds the documents themselves, under their record numbers.
const INDEX_RECORDS: u32 = 0;

/// The index `_id_`: from an encoded `_id` to a record number.
const INDEX_IDS: u32 = 1;

const PREFIX_LENGTH: usize = 12;
const COLLECTION_LENGTH: usize = 8;
const SEQUENCE_LENGTH: usize = 8;

/// An entry of an index, whatever its version: what a key is without the commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryKey(Vec<u8>);

impl EntryKey {
    /// The entry that holds a document.
    pub(crate) fn record(collection: CollectionId, number: u64) -> EntryKey {
        EntryKey([&prefix(collection, INDEX_RECORDS)[..], &number.to_be_bytes()].concat())
    }

    /// The entry that leads from an `_id` to its record.
    pub(crate) fn id(collection: CollectionId, id: ValueRef<'_>) -> EntryKey {
        let mut bytes = prefix(collection, INDEX_IDS).to_vec();
        encode_key(id, &mut bytes);
        EntryKey(bytes)
    }

    /// Whether this is an entry of an index of the collection.
    pub(crate) fn is_of(&self, collection: CollectionId) -> bool {
        self.0.starts_with(&prefix(collection, INDEX_RECORDS)[..COLLECTION_LENGTH])
    }

    /// The record number, if this is the entry of a document.
    pub(crate) fn record_number(&self) -> Option<u64> {
        self.0.split_last_chunk::<8>().map(|(_, number)| u64::from_be_bytes(*number))
    }

    /// The key of one version of the entry.
    pub(super) fn at(&self, sequence: Sequence) -> Vec<u8> {
        [&self.0[..], &(!sequence).to_be_bytes()].concat()
    }
}

/// What all keys of a collection's documents begin with.
pub(super) fn records(collection: CollectionId) -> Vec<u8> {
    prefix(collection, INDEX_RECORDS).to_vec()
}

/// A key of the tree, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct VersionKey<'a> {
    /// Everything but the commit: what an [`EntryKey`] holds.
    pub(super) entry: &'a [u8],
    /// The commit that wrote this version.
    pub(super) sequence: Sequence,
}

impl<'a> VersionKey<'a> {
    /// Takes a key apart. Not for the catalogue's keys, which have no versions.
    pub(super) fn split(key: &'a [u8]) -> Result<VersionKey<'a>, DatabaseError> {
        let damaged = || DatabaseError::Corrupt(format!("a key of {} bytes cannot be", key.len()));
        if key.len() < PREFIX_LENGTH + SEQUENCE_LENGTH {
            return Err(damaged());
        }
        let (entry, sequence) = key.split_last_chunk::<SEQUENCE_LENGTH>().ok_or_else(damaged)?;
        Ok(VersionKey { entry, sequence: !Sequence::from_be_bytes(*sequence) })
    }

    /// The record number, if this is a version of a document.
    pub(super) fn record(self) -> Result<u64, DatabaseError> {
        match self.entry.split_last_chunk::<8>() {
            Some((_, number)) => Ok(u64::from_be_bytes(*number)),
            None => Err(DatabaseError::Corrupt("a record without a number".to_owned())),
        }
    }
}

fn prefix(collection: CollectionId, index: u32) -> [u8; PREFIX_LENGTH] {
    let mut prefix = [0; PREFIX_LENGTH];
    prefix[..4].copy_from_slice(&collection.namespace.to_be_bytes());
    prefix[4..8].copy_from_slice(&collection.collection.to_be_bytes());
    prefix[8..].copy_from_slice(&index.to_be_bytes());
    prefix
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::Bson;
    use proptest::prelude::*;

    use super::*;

    const COLLECTION: CollectionId = CollectionId { namespace: 1, collection: 7 };

    #[test]
    fn a_key_comes_apart_as_it_was_put_together() {
        let entry = EntryKey::record(COLLECTION, 258);
        let key = entry.at(9);
        let split = VersionKey::split(&key).unwrap();
        assert_eq!((split.entry, split.sequence, split.record().unwrap()), (&entry.0[..], 9, 258));
        assert!(key.starts_with(&records(COLLECTION)));
    }

    #[test]
    fn short_keys_are_damage() {
        assert!(VersionKey::split(&[1; 19]).is_err());
        assert!(VersionKey::split(&[1; 20]).is_ok());
    }

    proptest! {
        #[test]
        fn versions_of_an_entry_stand_together_newest_first(
            a in any::<String>(), b in any::<String>(), one in any::<u64>(), other in any::<u64>()
        ) {
            let (low, high) = if a <= b { (a, b) } else { (b, a) };
            let key = |id: &str, sequence| EntryKey::id(COLLECTION, ValueRef::from(&Bson::String(id.to_owned()))).at(sequence);
            if low == high {
                prop_assert_eq!(key(&low, one).cmp(&key(&low, other)), other.cmp(&one));
            } else {
                prop_assert!(key(&low, one) < key(&high, other));
            }
        }
    }
}
