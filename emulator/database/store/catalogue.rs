//! The catalogue: which namespaces, collections and indexes there are, and the numbers their keys begin with.
//! Held in memory, kept in the tree under namespace 0, without versions.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::{CollectionName, DatabaseError, IndexDefinition, Sequence};

use super::index::{Index, IndexState};
use super::key::{CollectionId, INDEX_IDS};

/// What all keys of the catalogue begin with.
pub(super) const PREFIX: [u8; 4] = [0; 4];

/// The key of [`super::state::State`].
pub(super) const STATE_KEY: [u8; 5] = [0, 0, 0, 0, KIND_STATE];

const KIND_STATE: u8 = 1;
const KIND_NAMESPACE: u8 = 2;
const KIND_COLLECTION: u8 = 3;
const KIND_INDEX: u8 = 4;

/// The least number of an index that somebody made.
const INDEX_FIRST: u32 = 2;

/// An entry of the tree. An empty value says that the entry is to be removed.
pub(crate) type CatalogueEntry = (Vec<u8>, Vec<u8>);

/// The index `_id_` of every collection, which needs no place in the tree.
static IDS: LazyLock<Option<Arc<Index>>> = LazyLock::new(|| {
    let index = Index::new(INDEX_IDS, IndexDefinition::of_ids().ok()?);
    Some(Arc::new(Index { state: IndexState::Ready { since: 0 }, ..index }))
});

/// Which namespaces and collections there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Catalogue {
    namespaces: BTreeMap<String, Namespace>,
    /// By namespace and collection, in the order in which they were made; the dropped ones until their entries are gone.
    indexes: BTreeMap<CollectionId, Vec<Arc<Index>>>,
}

/// One namespace and its collections.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Namespace {
    number: u32,
    collections: BTreeMap<CollectionName, u32>,
}

impl Catalogue {
    /// The names of all namespaces, sorted.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        self.namespaces.keys().cloned().collect()
    }

    /// The number of a namespace that has collections.
    pub(crate) fn namespace(&self, name: &str) -> Option<u32> {
        self.namespaces.get(name).map(|namespace| namespace.number)
    }

    /// The names of the collections of a namespace, sorted.
    pub(crate) fn collections(&self, namespace: &str) -> Vec<CollectionName> {
        self.namespaces
            .get(namespace)
            .map(|namespace| namespace.collections.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The numbers of a collection, or that it is missing.
    pub(crate) fn collection(&self, namespace: &str, name: &CollectionName) -> Result<CollectionId, DatabaseError> {
        self.namespaces
            .get(namespace)
            .and_then(|namespace| {
                let collection = *namespace.collections.get(name)?;
                Some(CollectionId { namespace: namespace.number, collection })
            })
            .ok_or_else(|| DatabaseError::CollectionMissing(name.clone()))
    }

    /// The indexes that writes keep up, but for `_id_`.
    pub(crate) fn indexes(&self, collection: CollectionId) -> impl Iterator<Item = &Arc<Index>> {
        self.indexes.get(&collection).into_iter().flatten().filter(|index| !index.is_dropped())
    }

    /// The indexes that can be used by who reads at `sequence`, `_id_` first.
    pub(crate) fn indexes_complete_at(&self, collection: CollectionId, sequence: Sequence) -> Vec<Arc<Index>> {
        let made = self.indexes(collection).filter(|index| index.is_complete_at(sequence));
        IDS.iter().chain(made).cloned().collect()
    }

    /// The number the next index of a collection gets.
    pub(crate) fn next_index(&self, collection: CollectionId) -> u32 {
        let numbers = self.indexes.get(&collection).into_iter().flatten().map(|index| index.number + 1);
        numbers.max().unwrap_or(INDEX_FIRST)
    }

    /// Puts an index in the place of the one of its number, and returns what has to be written to the tree.
    pub(crate) fn put_index(
        &mut self,
        collection: CollectionId,
        index: Index,
    ) -> Result<CatalogueEntry, DatabaseError> {
        let entry = (index_key(collection, index.number), index.encode()?);
        let indexes = self.indexes.entry(collection).or_default();
        match indexes.iter_mut().find(|other| other.number == index.number) {
            Some(place) => *place = Arc::new(index),
            None => indexes.push(Arc::new(index)),
        }
        Ok(entry)
    }

    /// Forgets an index whose entries are gone, and returns what has to be written to the tree.
    pub(crate) fn forget_index(&mut self, collection: CollectionId, number: u32) -> CatalogueEntry {
        if let Some(indexes) = self.indexes.get_mut(&collection) {
            indexes.retain(|index| index.number != number);
        }
        (index_key(collection, number), Vec::new())
    }

    /// The dropped indexes whose entries are not gone, and the commits that dropped them.
    pub(crate) fn dropped(&self) -> Vec<(CollectionId, u32, Sequence)> {
        let all = self.indexes.iter().flat_map(|(id, indexes)| indexes.iter().map(move |index| (*id, index)));
        all.filter_map(|(id, index)| match index.state {
            IndexState::Dropped { since } => Some((id, index.number, since)),
            IndexState::Building | IndexState::Ready { .. } => None,
        })
        .collect()
    }

    /// Drops the indexes that an earlier process did not finish.
    pub(super) fn drop_unfinished(&mut self) {
        for index in self.indexes.values_mut().flatten() {
            if index.state == IndexState::Building {
                Arc::make_mut(index).state = IndexState::Dropped { since: 0 };
            }
        }
    }

    /// Adds a collection, and its namespace if that is new, and returns what has to be written to the tree.
    pub(crate) fn add(&mut self, namespace: &str, name: &CollectionName, id: CollectionId) -> Vec<CatalogueEntry> {
        self.put_namespace(namespace, id.namespace).collections.insert(name.clone(), id.collection);
        let namespace_key = [&PREFIX[..], &[KIND_NAMESPACE], namespace.as_bytes()].concat();
        let collection_key =
            [&PREFIX[..], &[KIND_COLLECTION], &id.namespace.to_be_bytes(), name.as_str().as_bytes()].concat();
        vec![
            (namespace_key, id.namespace.to_be_bytes().to_vec()),
            (collection_key, id.collection.to_be_bytes().to_vec()),
        ]
    }

    /// Reads one entry of the tree back. Entries come in key order: namespaces before the collections in them.
    pub(super) fn load(&mut self, key: &[u8], value: &[u8]) -> Result<(), DatabaseError> {
        match key.get(PREFIX.len()..).and_then(<[u8]>::split_first) {
            Some((&KIND_NAMESPACE, name)) => {
                self.put_namespace(text(name)?, number(value)?);
                Ok(())
            }
            Some((&KIND_COLLECTION, rest)) => self.load_collection(rest, number(value)?),
            Some((&KIND_INDEX, rest)) => self.load_index(rest, value),
            Some(_) | None => Err(damaged("an entry of unknown kind")),
        }
    }

    fn load_index(&mut self, key: &[u8], value: &[u8]) -> Result<(), DatabaseError> {
        let numbers: Vec<u32> = key.chunks(4).map(number).collect::<Result<_, _>>()?;
        let [namespace, collection, index] = numbers[..] else { return Err(damaged("a key is cut short")) };
        let indexes = self.indexes.entry(CollectionId { namespace, collection }).or_default();
        indexes.push(Arc::new(Index::decode(index, value)?));
        Ok(())
    }

    fn load_collection(&mut self, key: &[u8], number: u32) -> Result<(), DatabaseError> {
        let (namespace, name) = key.split_first_chunk::<4>().ok_or_else(|| damaged("a key is cut short"))?;
        let namespace_number = u32::from_be_bytes(*namespace);
        let name = CollectionName::parse(text(name)?)?;
        self.namespaces
            .values_mut()
            .find(|namespace| namespace.number == namespace_number)
            .ok_or_else(|| damaged("a collection without a namespace"))?
            .collections
            .insert(name, number);
        Ok(())
    }

    fn put_namespace(&mut self, name: &str, number: u32) -> &mut Namespace {
        let empty = || Namespace { number, collections: BTreeMap::new() };
        self.namespaces.entry(name.to_owned()).or_insert_with(empty)
    }
}

fn index_key(collection: CollectionId, index: u32) -> Vec<u8> {
    let numbers = [collection.namespace, collection.collection, index].map(u32::to_be_bytes).concat();
    [&PREFIX[..], &[KIND_INDEX], &numbers].concat()
}

fn number(bytes: &[u8]) -> Result<u32, DatabaseError> {
    bytes.try_into().map(u32::from_be_bytes).map_err(|_| damaged("a number is cut short"))
}

fn text(bytes: &[u8]) -> Result<&str, DatabaseError> {
    std::str::from_utf8(bytes).map_err(|_| damaged("a name is no text"))
}

fn damaged(what: &str) -> DatabaseError {
    DatabaseError::Corrupt(format!("catalogue: {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut catalogue = Catalogue::default();
        let mut entries = BTreeMap::new();
        for (namespace, number, collection) in [("b", 1, 1), ("a", 2, 2), ("", 3, 3), ("a", 2, 4)] {
            let name = CollectionName::parse(&format!("c{collection}")).unwrap();
            entries.extend(catalogue.add(namespace, &name, CollectionId { namespace: number, collection }));
        }
        let keys = document::Document::from_iter([("a".to_owned(), document::Bson::Int32(-1))]);
        let collection = CollectionId { namespace: 2, collection: 4 };
        for (unique, state) in [(true, IndexState::Building), (false, IndexState::Ready { since: 7 })] {
            let definition = crate::IndexDefinition::parse(&keys, None, unique).unwrap();
            let index = Index { state, ..Index::new(catalogue.next_index(collection), definition) };
            entries.extend([catalogue.put_index(collection, index).unwrap()]);
        }
        let mut loaded = Catalogue::default();
        for (key, value) in &entries {
            loaded.load(key, value).unwrap();
        }
        assert_eq!(loaded, catalogue);
        assert_eq!(loaded.next_index(CollectionId { namespace: 2, collection: 4 }), 4);
        assert_eq!(loaded.namespaces(), ["", "a", "b"]);
        assert_eq!(loaded.collections("a").len(), 2);
        assert_eq!(loaded.collections("z").len(), 0);
    }

    #[test]
    fn damage_is_an_error() {
        let mut catalogue = Catalogue::default();
        assert!(catalogue.load(&[0, 0, 0, 0, 9], &[0; 4]).is_err());
        assert!(catalogue.load(&[0, 0, 0, 0, KIND_NAMESPACE, 0xff], &[0; 4]).is_err());
        assert!(catalogue.load(&[0, 0, 0, 0, KIND_COLLECTION, 0, 0, 0, 5, b'x'], &[0; 4]).is_err());
        assert!(catalogue.load(&[0, 0, 0, 0, KIND_NAMESPACE, b'x'], &[0; 3]).is_err());
    }
}
