//! A commit being drafted: what one job reads and writes. Dropped, it leaves nothing; finished, it joins its group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use document::{RawDocumentBuf, ValueRef, to_shell_text};

use crate::group::Group;
use crate::index::INDEX_IDS_NAME;
use crate::plan::{Source, present};
use crate::record::{NewDocument, Record};
use crate::store::{
    Catalogue, CatalogueEntry, CollectionId, Entries, EntryKey, Index, KeyRange, Scan, State, Value, Version,
};
use crate::{Change, ChangeKind, CollectionName, Commit, DatabaseError, Sequence};

/// One commit being drafted, in one namespace.
pub(crate) struct Draft<'a> {
    group: &'a mut Group,
    namespace: Arc<str>,
    finished: Finished,
    /// `None` if nobody wants to know.
    changes: Option<Vec<Change>>,
}

/// What a commit writes.
pub(crate) struct Finished {
    /// The state after it.
    pub(crate) state: State,
    /// The catalogue after it, if it changes that, and what has to be written for it.
    pub(crate) catalogue: Option<Catalogue>,
    pub(crate) catalogue_entries: Vec<CatalogueEntry>,
    /// The indexes it drops, whose entries become garbage.
    pub(crate) dropped_indexes: Vec<(CollectionId, u32)>,
    pub(crate) writes: BTreeMap<EntryKey, Write>,
    /// What it changes, if anyone wants to know.
    pub(crate) commit: Option<Commit>,
}

/// A new version of an entry.
pub(crate) struct Write {
    pub(crate) value: Value,
    /// The commit whose version it takes the place of.
    pub(crate) replaces: Option<Sequence>,
}

/// A collection to be written to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: CollectionName,
    pub(crate) id: CollectionId,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(group: &'a mut Group, namespace: Arc<str>, observed: bool) -> Draft<'a> {
        let state = group.state();
        let finished = Finished {
            state: State { sequence: state.sequence + 1, ..state },
            catalogue: None,
            catalogue_entries: Vec::new(),
            dropped_indexes: Vec::new(),
            writes: BTreeMap::new(),
            commit: None,
        };
        Draft { group, namespace, finished, changes: observed.then(Vec::new) }
    }

    /// The collection of that name, or that it is missing.
    pub(crate) fn target(&self, name: &CollectionName) -> Result<Target, DatabaseError> {
        let id = self.catalogue().collection(&self.namespace, name)?;
        Ok(Target { name: name.clone(), id })
    }

    /// Makes a collection that is not there yet.
    pub(crate) fn create_collection(&mut self, name: &CollectionName) -> Result<Target, DatabaseError> {
        let mut catalogue = self.catalogue().clone();
        if catalogue.collection(&self.namespace, name).is_ok() {
            return Err(DatabaseError::CollectionExists(name.clone()));
        }
        let state = &mut self.finished.state;
        let namespace = catalogue.namespace(&self.namespace).unwrap_or_else(|| take(&mut state.next_namespace));
        let id = CollectionId { namespace, collection: take(&mut state.next_collection) };
        self.finished.catalogue_entries.extend(catalogue.add(&self.namespace, name, id));
        self.finished.catalogue = Some(catalogue);
        Ok(Target { name: name.clone(), id })
    }

    /// Adds a document, or refuses it because its `_id` or another unique key is taken.
    pub(crate) fn insert(&mut self, target: &Target, document: NewDocument) -> Result<(), DatabaseError> {
        let id_key = EntryKey::id(target.id, ValueRef::from(&document.id));
        let id_version = self.look(&id_key)?;
        if present(id_version.clone()).is_some() {
            return Err(duplicate_id(target, ValueRef::from(&document.id)));
        }
        let record = self.finished.state.next_record;
        self.finished.state.next_record += 1;
        self.write(id_key, Value::from(&record.to_be_bytes()[..]), id_version);
        self.write(EntryKey::record(target.id, record), Value::from(document.bytes.as_bytes()), None);
        self.reindex(target, record, None, Some(&document.bytes))?;
        self.tell(target, record, None, Some(document.bytes), ChangeKind::Insert);
        Ok(())
    }

    /// Puts a new content in the place of a document's. The `_id` stays as it is.
    pub(crate) fn replace(
        &mut self,
        target: &Target,
        record: Record,
        after: RawDocumentBuf,
        kind: ChangeKind,
    ) -> Result<(), DatabaseError> {
        let before = self.observed(&record)?;
        self.reindex(target, record.number, Some(record.document()?), Some(&after))?;
        let value = Value::from(after.as_bytes());
        self.write(EntryKey::record(target.id, record.number), value, Some(record.version));
        self.tell(target, record.number, before, Some(after), kind);
        Ok(())
    }

    /// Removes a document.
    pub(crate) fn remove(&mut self, target: &Target, record: Record) -> Result<(), DatabaseError> {
        let before = self.observed(&record)?;
        self.reindex(target, record.number, Some(record.document()?), None)?;
        let id_key = EntryKey::id(target.id, record.id()?);
        let id_version = self.look(&id_key)?;
        self.write(id_key, Value::removal(), id_version);
        self.write(EntryKey::record(target.id, record.number), Value::removal(), Some(record.version));
        self.tell(target, record.number, before, None, ChangeKind::Remove);
        Ok(())
    }

    /// Joins the group, unless nothing was written.
    pub(crate) fn finish(mut self) -> Result<(), DatabaseError> {
        if self.finished.writes.is_empty() && self.finished.catalogue.is_none() {
            return Ok(());
        }
        let (sequence, namespace) = (self.finished.state.sequence, self.namespace.clone());
        self.finished.commit = self.changes.map(|changes| Commit { sequence, namespace, changes });
        self.group.accept(self.finished)
    }

    /// The catalogue as this commit leaves it.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        self.finished.catalogue.as_ref().unwrap_or_else(|| self.group.catalogue())
    }

    /// Puts an index into the catalogue, in the place of the one of its number.
    pub(crate) fn put_index(&mut self, collection: CollectionId, index: Index) -> Result<(), DatabaseError> {
        let mut catalogue = self.catalogue().clone();
        if index.is_dropped() {
            self.finished.dropped_indexes.push((collection, index.number));
        }
        self.finished.catalogue_entries.push(catalogue.put_index(collection, index)?);
        self.finished.catalogue = Some(catalogue);
        Ok(())
    }

    /// The number of this commit.
    pub(crate) fn sequence(&self) -> Sequence {
        self.finished.state.sequence
    }

    /// The keys of the entries of a range that are there now, what the draft itself wrote among them.
    pub(crate) fn keys(&self, range: &KeyRange) -> Result<BTreeSet<Vec<u8>>, DatabaseError> {
        let own = self.finished.writes.range::<EntryKey, _>(range.bounds());
        self.group.keys(range, own.map(|(key, write)| (key, write.value.is_removal())))
    }

    /// As [`Source::scan`], from this record on.
    pub(crate) fn scan_from(&mut self, collection: CollectionId, record: u64) -> Result<Scan, DatabaseError> {
        Ok(Scan(self.group.entries(&KeyRange::records(collection, record), false)?))
    }

    pub(crate) fn write(&mut self, key: EntryKey, value: Value, replaced: Option<Version>) {
        let replaces = match self.finished.writes.get(&key) {
            Some(earlier) => earlier.replaces,
            None => replaced.map(|version| version.sequence),
        };
        self.finished.writes.insert(key, Write { value, replaces });
    }

    /// A copy of the document, if anyone wants to know.
    fn observed(&self, record: &Record) -> Result<Option<RawDocumentBuf>, DatabaseError> {
        self.changes.as_ref().map(|_| record.to_raw()).transpose()
    }

    fn tell(
        &mut self,
        target: &Target,
        record: u64,
        before: Option<RawDocumentBuf>,
        after: Option<RawDocumentBuf>,
        kind: ChangeKind,
    ) {
        if let Some(changes) = &mut self.changes {
            let (before, after) = (before.map(Arc::new), after.map(Arc::new));
            changes.push(Change { collection: target.name.clone(), record, before, after, kind });
        }
    }
}

impl Source for Draft<'_> {
    fn look(&self, key: &EntryKey) -> Result<Option<Version>, DatabaseError> {
        let sequence = self.finished.state.sequence;
        match self.finished.writes.get(key) {
            Some(write) => Ok(Some(Version { sequence, value: write.value.clone() })),
            None => self.group.newest(key),
        }
    }

    /// Walks the commits before this one: what the draft itself wrote is not seen.
    fn scan(&mut self, collection: CollectionId) -> Result<Scan, DatabaseError> {
        self.group.scan(collection)
    }

    fn indexes(&self, collection: CollectionId) -> Vec<Arc<Index>> {
        self.catalogue().indexes_complete_at(collection, self.sequence())
    }

    /// As [`Source::scan`].
    fn entries(&mut self, range: &KeyRange, backward: bool) -> Result<Entries, DatabaseError> {
        self.group.entries(range, backward)
    }
}

fn duplicate_id(target: &Target, id: ValueRef<'_>) -> DatabaseError {
    DatabaseError::DuplicateKey {
        collection: target.name.clone(),
        index: INDEX_IDS_NAME.to_owned(),
        key: format!("{{ : {} }}", to_shell_text(id)),
    }
}

fn take(number: &mut u32) -> u32 {
    let taken = *number;
    *number += 1;
    taken
}
