//! The catalogue: which namespaces and collections there are, and the numbers their keys begin with.
//! Held in memory, kept in the tree under namespace 0, without versions.

use std::collections::BTreeMap;

use crate::{CollectionName, DatabaseError};

use super::key::CollectionId;

/// What all keys of the catalogue begin with.
pub(super) const PREFIX: [u8; 4] = [0; 4];

/// The key of [`super::state::State`].
pub(super) const STATE_KEY: [u8; 5] = [0, 0, 0, 0, KIND_STATE];

const KIND_STATE: u8 = 1;
const KIND_NAMESPACE: u8 = 2;
const KIND_COLLECTION: u8 = 3;

/// Which namespaces and collections there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Catalogue {
    namespaces: BTreeMap<String, Namespace>,
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

    /// Adds a collection, and its namespace if that is new, and returns what has to be written to the tree.
    pub(crate) fn add(&mut self, namespace: &str, name: &CollectionName, id: CollectionId) -> Vec<(Vec<u8>, Vec<u8>)> {
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
        let number = value.try_into().map(u32::from_be_bytes).map_err(|_| damaged("a number is cut short"))?;
        match key.get(PREFIX.len()..).and_then(<[u8]>::split_first) {
            Some((&KIND_NAMESPACE, name)) => {
                self.put_namespace(text(name)?, number);
                Ok(())
            }
            Some((&KIND_COLLECTION, rest)) => self.load_collection(rest, number),
            Some(_) | None => Err(damaged("an entry of unknown kind")),
        }
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
        let mut loaded = Catalogue::default();
        for (key, value) in &entries {
            loaded.load(key, value).unwrap();
        }
        assert_eq!(loaded, catalogue);
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
