//! Keys of the tree: namespace, collection, index, key bytes, and last the commit that wrote the version, inverted, so
//! that the newest version of an entry comes first. All numbers are big-endian. Namespace 0 belongs to the catalogue.

use document::{ValueRef, encode_key};

use crate::{DatabaseError, Sequence};

/// A collection of a namespace, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CollectionId {
    /// From 1.
    pub(crate) namespace: u32,
    /// From 1, unique in the whole store.
    pub(crate) collection: u32,
}

/// The index that holds the documents themselves, under their record numbers.
pub(super) const INDEX_RECORDS: u32 = 0;

/// The index `_id_`: from an encoded `_id` to a record number.
pub(crate) const INDEX_IDS: u32 = 1;

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

    /// The entry that leads from a key of an index that somebody made to a document. Documents may share a key.
    pub(crate) fn index(collection: CollectionId, index: u32, key: &[u8], record: u64) -> EntryKey {
        EntryKey([&prefix(collection, index)[..], key, &record.to_be_bytes()].concat())
    }

    /// The key without what [`KeyRange::of_index`] begins with.
    pub(crate) fn in_index(&self) -> &[u8] {
        self.0.get(PREFIX_LENGTH..).unwrap_or_default()
    }

    /// Whether these are its bytes.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        self.0 == bytes
    }

    /// Whether this is an entry of an index of the collection.
    pub(crate) fn is_of(&self, collection: CollectionId) -> bool {
        self.0.starts_with(&prefix(collection, INDEX_RECORDS)[..COLLECTION_LENGTH])
    }

    /// The collection it is an entry of.
    pub(crate) fn collection(&self) -> Option<CollectionId> {
        let (namespace, rest) = self.0.split_first_chunk()?;
        let (collection, _) = rest.split_first_chunk()?;
        Some(CollectionId { namespace: u32::from_be_bytes(*namespace), collection: u32::from_be_bytes(*collection) })
    }

    /// The number of the index it is an entry of.
    pub(super) fn index_number(&self) -> Option<u32> {
        self.0.get(COLLECTION_LENGTH..)?.first_chunk().map(|number| u32::from_be_bytes(*number))
    }

    /// The same entry in another collection.
    pub(super) fn moved_to(&self, collection: CollectionId) -> EntryKey {
        let rest = self.0.get(COLLECTION_LENGTH..).unwrap_or_default();
        EntryKey([&prefix(collection, 0)[..COLLECTION_LENGTH], rest].concat())
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

/// The entries from `low`, included, to `high`, excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) low: EntryKey,
    pub(crate) high: EntryKey,
}

impl KeyRange {
    /// The documents of a collection from this record on.
    pub(crate) fn records(collection: CollectionId, from: u64) -> KeyRange {
        KeyRange { low: EntryKey::record(collection, from), high: past(&prefix(collection, INDEX_RECORDS)) }
    }

    /// All entries of a collection.
    pub(super) fn of_collection(collection: CollectionId) -> KeyRange {
        let bound = |index| EntryKey(prefix(collection, index).to_vec());
        KeyRange { low: bound(0), high: bound(u32::MAX) } // no collection comes to have so many indexes
    }

    /// The same entries in another collection.
    pub(super) fn moved_to(&self, collection: CollectionId) -> KeyRange {
        KeyRange { low: self.low.moved_to(collection), high: self.high.moved_to(collection) }
    }

    /// The entries of an index that begin with `key`.
    pub(crate) fn of_index(collection: CollectionId, index: u32, key: &[u8]) -> KeyRange {
        let low = [&prefix(collection, index)[..], key].concat();
        KeyRange { high: past(&low), low: EntryKey(low) }
    }

    /// The entries of an index from those that begin with `low` to those before `high`.
    pub(crate) fn between(collection: CollectionId, index: u32, low: &[u8], high: &[u8]) -> KeyRange {
        let prefix = prefix(collection, index);
        KeyRange { low: EntryKey([&prefix, low].concat()), high: EntryKey([&prefix, high].concat()) }
    }

    /// As [`KeyRange::between`], of a descending key: bounds are those of the ascending one, every bit of it inverted.
    /// Both begin with `fixed`, which is not inverted.
    pub(crate) fn between_inverted(
        collection: CollectionId,
        index: u32,
        fixed: &[u8],
        low: &[u8],
        high: &[u8],
    ) -> KeyRange {
        let after = |bound: &[u8]| {
            let inverted: Vec<u8> = bound.iter().map(|byte| !byte).collect();
            past(&[&prefix(collection, index)[..], fixed, &inverted].concat())
        };
        KeyRange { low: after(high), high: after(low) }
    }

    /// The range's bounds as keys of the tree, whatever the version.
    pub(super) fn versions(&self) -> std::ops::Range<&[u8]> {
        &self.low.0..&self.high.0
    }

    pub(crate) fn bounds(&self) -> std::ops::Range<&EntryKey> {
        &self.low..&self.high
    }
}

/// The least key that is greater than all that begin with `bytes`. There is one, because namespaces are few.
fn past(bytes: &[u8]) -> EntryKey {
    let mut bytes = bytes.to_vec();
    while let Some(last) = bytes.pop() {
        if let Some(next) = last.checked_add(1) {
            bytes.push(next);
            break;
        }
    }
    EntryKey(bytes)
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

    /// The entry this is a version of.
    pub(super) fn to_entry(self) -> EntryKey {
        EntryKey(self.entry.to_vec())
    }

    /// The record number, if this is a version of a document or of an entry that leads to one.
    pub(super) fn record(self) -> Result<u64, DatabaseError> {
        match self.entry.split_last_chunk::<8>() {
            Some((_, number)) => Ok(u64::from_be_bytes(*number)),
            None => Err(DatabaseError::Corrupt("a record without a number".to_owned())),
        }
    }

    /// The key within its collection.
    pub(super) fn in_collection(self) -> &'a [u8] {
        self.entry.get(COLLECTION_LENGTH..).unwrap_or_default()
    }

    /// The key within its index.
    pub(super) fn in_index(self) -> &'a [u8] {
        self.entry.get(PREFIX_LENGTH..).unwrap_or_default()
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
        assert!(KeyRange::records(COLLECTION, 258).versions().contains(&&key[..]));
        assert!(!KeyRange::records(COLLECTION, 259).versions().contains(&&key[..]));
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
