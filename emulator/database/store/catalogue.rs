//! The catalogue: which namespaces, collections, layers and indexes there are, and the numbers their keys begin with.
//! Held in memory, kept in the tree under namespace 0, without versions. A copy of it shares what is not changed.

use std::sync::{Arc, LazyLock};

use imbl::OrdMap;

use crate::{CollectionName, DatabaseError, IndexDefinition, Sequence};

use super::index::{Index, IndexState};
use super::key::{CollectionId, INDEX_IDS};
use super::layers::{Layer, Layers};

/// What all keys of the catalogue begin with.
pub(super) const PREFIX: [u8; 4] = [0; 4];

/// The key of [`super::state::State`].
pub(super) const STATE_KEY: [u8; 5] = [0, 0, 0, 0, KIND_STATE];

const KIND_STATE: u8 = 1;
const KIND_NAMESPACE: u8 = 2;
const KIND_COLLECTION: u8 = 3;
const KIND_INDEX: u8 = 4;
const KIND_LAYER: u8 = 5;

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
    namespaces: OrdMap<String, Namespace>,
    /// The names of the namespaces by their numbers.
    names: OrdMap<u32, String>,
    /// By namespace and collection, in the order in which they were made; the dropped ones until their entries are gone.
    indexes: OrdMap<CollectionId, Vec<Arc<Index>>>,
    layers: Layers,
}

/// One namespace and its collections.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Namespace {
    number: u32,
    collections: OrdMap<CollectionName, u32>,
}

impl Catalogue {
    /// The names of the namespaces from this one on, sorted.
    pub(crate) fn namespaces_after(&self, first: &str) -> impl Iterator<Item = &str> {
        self.namespaces.range(first.to_owned()..).map(|(name, _)| name.as_str())
    }

    /// The number of a namespace that is there.
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

    /// The collections of a namespace with their numbers, sorted by name.
    pub(crate) fn members(&self, namespace: &str) -> Vec<(CollectionName, CollectionId)> {
        let Some(Namespace { number, collections }) = self.namespaces.get(namespace) else { return Vec::new() };
        let id = |collection: &u32| CollectionId { namespace: *number, collection: *collection };
        collections.iter().map(|(name, collection)| (name.clone(), id(collection))).collect()
    }

    /// As [`Catalogue::collection`], for who reads at `sequence` and was not to see it replaced meanwhile.
    pub(crate) fn collection_at(
        &self,
        namespace: &str,
        name: &CollectionName,
        sequence: Sequence,
    ) -> Result<CollectionId, DatabaseError> {
        let id = self.collection(namespace, name)?;
        match self.layers.get(id) {
            Some(layer) if layer.since > sequence => Err(DatabaseError::TransactionConflict),
            Some(_) | None => Ok(id),
        }
    }

    /// What lies over what.
    pub(crate) fn layers(&self) -> &Layers {
        &self.layers
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
        let least = self.layers.get(collection).map_or(INDEX_FIRST, |layer| layer.next_index);
        numbers.max().unwrap_or(least).max(least)
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

    /// Gives a collection the indexes that another one has in `source`, which it lies over or takes the place of, and returns
    /// what has to be written to the tree. Who reads it reads what was there when it was made, or later: the indexes that were
    /// complete then are.
    pub(crate) fn copy_indexes(
        &mut self,
        source: &Catalogue,
        from: CollectionId,
        to: CollectionId,
    ) -> Result<Vec<CatalogueEntry>, DatabaseError> {
        let complete = source.indexes(from).filter(|index| index.is_complete_at(Sequence::MAX));
        let copies = complete.map(|index| Index { state: IndexState::Ready { since: 0 }, ..Index::clone(index) });
        copies.map(|copy| self.put_index(to, copy)).collect()
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
        for id in self.indexes.keys().copied().collect::<Vec<_>>() {
            let indexes = self.indexes.get_mut(&id).into_iter().flatten();
            for index in indexes.filter(|index| index.state == IndexState::Building) {
                Arc::make_mut(index).state = IndexState::Dropped { since: 0 };
            }
        }
    }

    /// Adds a namespace if it is new, and returns what has to be written to the tree.
    pub(crate) fn add_namespace(&mut self, name: &str, number: u32) -> CatalogueEntry {
        self.put_namespace(name, number);
        (namespace_key(name), number.to_be_bytes().to_vec())
    }

    /// Adds a collection, and its namespace if that is new, and returns what has to be written to the tree.
    pub(crate) fn add(&mut self, namespace: &str, name: &CollectionName, id: CollectionId) -> Vec<CatalogueEntry> {
        let entry = self.add_namespace(namespace, id.namespace);
        self.put_namespace(namespace, id.namespace).collections.insert(name.clone(), id.collection);
        vec![entry, (collection_key(id.namespace, name), id.collection.to_be_bytes().to_vec())]
    }

    /// Removes a namespace with its collections and their indexes, of which the layers remain, and returns what has to be
    /// written to the tree.
    pub(crate) fn remove_namespace(&mut self, name: &str, dropped: Sequence) -> Vec<CatalogueEntry> {
        let members = self.members(name);
        let mut entries = Vec::new();
        for (collection, id) in members {
            entries.push((collection_key(id.namespace, &collection), Vec::new()));
            let indexes = self.indexes.get(&id).into_iter().flatten();
            entries.extend(indexes.map(|index| (index_key(id, index.number), Vec::new())));
            self.indexes.remove(&id);
            let plain = Layer { since: 0, dropped: None, next_index: INDEX_FIRST, base: None };
            let layer = self.layers.get(id).copied().unwrap_or(plain);
            entries.push(self.put_layer(id, Layer { dropped: Some(dropped), ..layer }));
        }
        if let Some(Namespace { number, .. }) = self.namespaces.remove(name) {
            self.names.remove(&number);
        }
        entries.push((namespace_key(name), Vec::new()));
        entries
    }

    /// Notes what a collection lies over, or that it was dropped, and returns what has to be written to the tree.
    pub(crate) fn put_layer(&mut self, collection: CollectionId, layer: Layer) -> CatalogueEntry {
        self.layers.put(collection, layer);
        (layer_key(collection), layer.encode())
    }

    /// Forgets the layer of a collection that is gone, and returns what has to be written to the tree.
    pub(crate) fn forget_layer(&mut self, collection: CollectionId) -> CatalogueEntry {
        self.layers.forget(collection);
        (layer_key(collection), Vec::new())
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
            Some((&KIND_LAYER, rest)) => self.load_layer(rest, value),
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

    fn load_layer(&mut self, key: &[u8], value: &[u8]) -> Result<(), DatabaseError> {
        let numbers: Vec<u32> = key.chunks(4).map(number).collect::<Result<_, _>>()?;
        let [namespace, collection] = numbers[..] else { return Err(damaged("a key is cut short")) };
        let layer = Layer::decode(value).ok_or_else(|| damaged("a layer is cut short"))?;
        self.layers.put(CollectionId { namespace, collection }, layer);
        Ok(())
    }

    fn load_collection(&mut self, key: &[u8], number: u32) -> Result<(), DatabaseError> {
        let (namespace, name) = key.split_first_chunk::<4>().ok_or_else(|| damaged("a key is cut short"))?;
        let namespace_number = u32::from_be_bytes(*namespace);
        let name = CollectionName::parse(text(name)?)?;
        let namespace = self.names.get(&namespace_number).and_then(|name| self.namespaces.get_mut(name));
        let namespace = namespace.ok_or_else(|| damaged("a collection without a namespace"))?;
        namespace.collections.insert(name, number);
        Ok(())
    }

    fn put_namespace(&mut self, name: &str, number: u32) -> &mut Namespace {
        self.names.insert(number, name.to_owned());
        let empty = || Namespace { number, collections: OrdMap::new() };
        self.namespaces.entry(name.to_owned()).or_insert_with(empty)
    }
}

fn namespace_key(name: &str) -> Vec<u8> {
    [&PREFIX[..], &[KIND_NAMESPACE], name.as_bytes()].concat()
}

fn collection_key(namespace: u32, name: &CollectionName) -> Vec<u8> {
    [&PREFIX[..], &[KIND_COLLECTION], &namespace.to_be_bytes(), name.as_str().as_bytes()].concat()
}

fn layer_key(collection: CollectionId) -> Vec<u8> {
    let numbers = [collection.namespace, collection.collection].map(u32::to_be_bytes).concat();
    [&PREFIX[..], &[KIND_LAYER], &numbers].concat()
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

    use std::collections::BTreeMap;

    use super::*;
    use crate::store::Base;

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
        let base = Base { collection, sequence: 8 };
        let layer = Layer { since: 9, dropped: None, next_index: 5, base: Some(base) };
        entries.extend([catalogue.put_layer(CollectionId { namespace: 1, collection: 1 }, layer)]);
        let mut loaded = Catalogue::default();
        for (key, value) in &entries {
            loaded.load(key, value).unwrap();
        }
        assert_eq!(loaded, catalogue);
        assert_eq!(loaded.next_index(CollectionId { namespace: 2, collection: 4 }), 4);
        assert_eq!(loaded.namespaces_after("").collect::<Vec<_>>(), ["", "a", "b"]);
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
