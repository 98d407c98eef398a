//! The whole store as it was after one commit, for whoever goes through much of it: exports, and the search for what nothing
//! names any more. Blocks: not for threads that must not.

use document::{Bson, RawDocumentBuf, ValueRef};

use crate::plan::record_by_id;
use crate::read::View;
use crate::record::Record;
use crate::store::Scan;
use crate::writer::guarded;
use crate::{CollectionName, DatabaseError, IndexDefinition, Store, namespaces};

/// All namespaces and snapshots, as they were after one commit, whatever is written meanwhile. While it lives, the versions it
/// sees are kept.
#[derive(Debug)]
pub struct Frozen {
    view: View,
}

/// The documents of a collection, in insertion order.
pub struct FrozenDocuments<'a> {
    scan: Scan,
    _frozen: &'a Frozen,
}

impl Store {
    /// The store as it is now.
    pub fn frozen(&self) -> Result<Frozen, DatabaseError> {
        Ok(Frozen { view: self.shared.view()? })
    }
}

impl Frozen {
    /// The names of all namespaces and, each with its snapshots behind it, of these: for this type's methods alone.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.view.catalogue.namespaces_after("")
    }

    /// The name by which this type's methods know a snapshot of a namespace.
    pub fn snapshot_name(namespace: &str, snapshot: &str) -> String {
        namespaces::hidden(namespace, snapshot)
    }

    /// The names of the collections of a namespace, sorted.
    pub fn collections(&self, namespace: &str) -> Vec<CollectionName> {
        self.view.catalogue.collections(namespace)
    }

    /// The indexes of a collection, `_id_` first.
    pub fn indexes(&self, namespace: &str, name: &CollectionName) -> Result<Vec<IndexDefinition>, DatabaseError> {
        let collection = self.view.catalogue.collection(namespace, name)?;
        let indexes = self.view.catalogue.indexes_complete_at(collection, self.view.snapshot.sequence());
        Ok(indexes.iter().map(|index| index.definition.clone()).collect())
    }

    /// The documents of a collection.
    pub fn documents(&self, namespace: &str, name: &CollectionName) -> Result<FrozenDocuments<'_>, DatabaseError> {
        let collection = self.view.catalogue.collection(namespace, name)?;
        let layers = self.view.catalogue.layers();
        let scan = self.view.engine.scan(layers, collection, self.view.snapshot.sequence());
        Ok(FrozenDocuments { scan, _frozen: self })
    }

    /// The document with that `_id`; `None` also where there is no such collection.
    pub fn document(
        &self,
        namespace: &str,
        name: &CollectionName,
        id: &Bson,
    ) -> Result<Option<RawDocumentBuf>, DatabaseError> {
        let Ok(collection) = self.view.catalogue.collection(namespace, name) else { return Ok(None) };
        let find = || record_by_id(&&self.view, collection, ValueRef::from(id));
        guarded(find)?.map(|record| record.to_raw()).transpose()
    }
}

impl Iterator for FrozenDocuments<'_> {
    type Item = Result<RawDocumentBuf, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = guarded(|| self.scan.next().transpose());
        let found = next.transpose()?;
        Some(found.and_then(|(number, version)| Record { number, version }.to_raw()))
    }
}
