//! A commit being drafted: what one job reads and writes. Dropped, it leaves nothing; finished, it joins its group.
//! In a transaction several jobs, one after the other, draft the same commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use document::{RawDocumentBuf, ValueRef, to_shell_text};

use crate::group::Group;
use crate::index::INDEX_IDS_NAME;
use crate::plan::{Records, Source, present};
use crate::record::{NewDocument, Record};
use crate::store::{
    Base, Catalogue, CatalogueEntry, CollectionId, Entries, EntryKey, Index, KeyRange, Layer, Scan, State, Value,
    Version,
};
use crate::transaction::{Inside, Locks, Overlay, OwnWrites, Pending, merge};
use crate::{Change, ChangeKind, CollectionName, Commit, DatabaseError, Sequence};

/// One commit being drafted, in one namespace.
pub(crate) struct Draft<'a> {
    group: &'a mut Group,
    locks: &'a mut Locks,
    /// The transaction that this is a job of.
    inside: Option<Inside>,
    namespace: Arc<str>,
    finished: Finished,
    /// `None` if nobody wants to know.
    changes: Option<Vec<Change>>,
    /// Whether the collections of the namespace go, or others come in their place.
    replaces: bool,
    /// The first reason why this must not be finished, whatever the job makes of it.
    obstacle: Option<Obstacle>,
}

/// Why a draft must not be finished.
#[derive(Debug, Clone)]
pub(crate) enum Obstacle {
    /// An open transaction holds this entry: a plain write waits for it.
    Held(EntryKey),
    /// The transaction that the draft belongs to has failed.
    Failure(DatabaseError),
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
    /// The collections it lays over others.
    pub(crate) laid: Vec<CollectionId>,
    /// The collections it drops.
    pub(crate) dropped_collections: Vec<CollectionId>,
    pub(crate) writes: OwnWrites,
    /// What it changes, if anyone wants to know.
    pub(crate) commit: Option<Commit>,
}

/// A new version of an entry.
#[derive(Debug, Clone)]
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
    /// A new commit, of a namespace. `observed` says whether anyone wants to know what it changes.
    pub(crate) fn new(group: &'a mut Group, locks: &'a mut Locks, namespace: Arc<str>, observed: bool) -> Draft<'a> {
        let state = group.state();
        let finished = Finished {
            state: State { sequence: state.sequence + 1, ..state },
            catalogue: None,
            catalogue_entries: Vec::new(),
            dropped_indexes: Vec::new(),
            laid: Vec::new(),
            dropped_collections: Vec::new(),
            writes: BTreeMap::new(),
            commit: None,
        };
        let changes = observed.then(Vec::new);
        Draft { group, locks, inside: None, namespace, finished, changes, replaces: false, obstacle: None }
    }

    /// The commit of a transaction, as it was left by the job before this one.
    pub(crate) fn inside(
        group: &'a mut Group,
        locks: &'a mut Locks,
        namespace: Arc<str>,
        inside: Inside,
        pending: Pending,
    ) -> Draft<'a> {
        let mut draft = Draft { inside: Some(inside), ..Draft::new(group, locks, namespace, false) };
        draft.finished.writes = Arc::unwrap_or_clone(pending.writes);
        draft.changes = Some(pending.changes);
        draft
    }

    /// The commit of a transaction, complete and to be finished.
    pub(crate) fn of_transaction(
        group: &'a mut Group,
        locks: &'a mut Locks,
        namespace: Arc<str>,
        observed: bool,
        pending: Pending,
    ) -> Result<Draft<'a>, DatabaseError> {
        let mut draft = Draft::new(group, locks, namespace, observed);
        for (key, write) in Arc::unwrap_or_clone(pending.writes) {
            if !write.value.is_removal() || present(draft.group.newest(&key)?).is_some() {
                draft.finished.writes.insert(key, write);
            } // or else it was both made and removed inside
        }
        draft.changes = observed.then(|| merge(pending.changes));
        Ok(draft)
    }

    /// Why this must not be finished, if something stands in the way.
    pub(crate) fn obstacle(&self) -> Option<Obstacle> {
        self.obstacle.clone()
    }

    /// Makes sure that nobody else writes an entry until this is done, which for a transaction's draft is when the transaction
    /// is. What is written is claimed by that; claim beforehand what the job's outcome depends on.
    pub(crate) fn claim(&mut self, key: &EntryKey) -> Result<(), DatabaseError> {
        let claimed = match self.inside {
            None if self.locks.is_held(key) => Err(Obstacle::Held(key.clone())),
            None => Ok(()),
            Some(inside) => {
                let newest = || Ok(self.group.newest(key)?.map(|version| version.sequence));
                self.locks.take(key, inside, newest).map_err(Obstacle::Failure)
            }
        };
        claimed.map_err(|obstacle| match self.obstacle.get_or_insert(obstacle) {
            Obstacle::Held(_) => DatabaseError::TransactionConflict,
            Obstacle::Failure(error) => error.clone(),
        })
    }

    /// As [`Draft::claim`], of everything in a collection, for a plain draft that changes what writing to it means: an index
    /// that is made while a transaction is open would lack what that has written already.
    pub(crate) fn claim_collection(&mut self, collection: CollectionId) -> Result<(), DatabaseError> {
        match self.locks.held_in(collection).cloned() {
            Some(held) => self.claim(&held),
            None => Ok(()),
        }
    }

    /// The collection of that name, or that it is missing.
    pub(crate) fn target(&self, name: &CollectionName) -> Result<Target, DatabaseError> {
        let id = match self.inside {
            None => self.catalogue().collection(&self.namespace, name),
            Some(inside) => self.catalogue().collection_at(&self.namespace, name, inside.sequence),
        }?;
        Ok(Target { name: name.clone(), id })
    }

    /// Refuses what would make the namespace anew, after it was dropped.
    pub(crate) fn require_namespace(&self) -> Result<(), DatabaseError> {
        match self.catalogue().namespace(&self.namespace) {
            Some(_) => Ok(()),
            None => Err(DatabaseError::BadNamespace(format!("`{}` was dropped meanwhile", self.namespace))),
        }
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

    /// Lays a new namespace over what another one is now; over nothing if that is not there.
    pub(crate) fn fork(&mut self, from: &str, to: &str) -> Result<(), DatabaseError> {
        self.group.apply()?; // what lies below is looked for in the tree alone
        let mut catalogue = self.catalogue().clone();
        let namespace = take(&mut self.finished.state.next_namespace);
        self.finished.catalogue_entries.push(catalogue.add_namespace(to, namespace));
        for (name, below) in catalogue.members(from) {
            let id = CollectionId { namespace, collection: take(&mut self.finished.state.next_collection) };
            let layer = self.layer_over(&catalogue, below);
            self.finished.laid.push(id);
            self.finished.catalogue_entries.extend(catalogue.add(to, &name, id));
            self.finished.catalogue_entries.push(catalogue.put_layer(id, layer));
            self.finished.catalogue_entries.extend(catalogue.copy_indexes(self.catalogue(), below, id)?);
        }
        self.finished.catalogue = Some(catalogue);
        Ok(())
    }

    /// A layer over what a collection is now. One that has nothing of its own is passed over.
    fn layer_over(&self, catalogue: &Catalogue, below: CollectionId) -> Layer {
        let since = self.sequence();
        let base = match self.group.engine().is_blank(below) {
            true => catalogue.layers().base(below),
            false => Some(Base { collection: below, sequence: since }),
        };
        Layer { since, dropped: None, next_index: catalogue.next_index(below), base }
    }

    /// Puts empty collections, of the same names and with the same indexes, in the place of those of the namespace, where no
    /// transaction is open.
    pub(crate) fn empty_namespace(&mut self) -> Result<(), DatabaseError> {
        let (name, before) = (self.namespace.clone(), self.catalogue().clone());
        if before.members(&name).is_empty() {
            return Ok(());
        }
        self.drop_namespace(&name);
        let mut catalogue = self.catalogue().clone();
        let namespace = take(&mut self.finished.state.next_namespace);
        for (collection, old) in before.members(&name) {
            let id = CollectionId { namespace, collection: take(&mut self.finished.state.next_collection) };
            let layer = Layer { since: self.sequence(), dropped: None, next_index: before.next_index(old), base: None };
            self.finished.catalogue_entries.extend(catalogue.add(&name, &collection, id));
            self.finished.catalogue_entries.push(catalogue.put_layer(id, layer));
            self.finished.catalogue_entries.extend(catalogue.copy_indexes(&before, old, id)?);
        }
        self.finished.catalogue = Some(catalogue);
        Ok(())
    }

    /// Drops a namespace; one that is not there is left so.
    pub(crate) fn drop_namespace(&mut self, name: &str) {
        if self.catalogue().namespace(name).is_none() {
            return;
        }
        let mut catalogue = self.catalogue().clone();
        self.finished.dropped_collections.extend(catalogue.members(name).into_iter().map(|(_, id)| id));
        self.finished.catalogue_entries.extend(catalogue.remove_namespace(name, self.sequence()));
        self.finished.catalogue = Some(catalogue);
        self.replaces |= *name == *self.namespace;
    }

    /// Adds a document, or refuses it because its `_id` or another unique key is taken.
    pub(crate) fn insert(&mut self, target: &Target, document: NewDocument) -> Result<(), DatabaseError> {
        let id_key = EntryKey::id(target.id, ValueRef::from(&document.id));
        self.claim(&id_key)?;
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
        let replaced = if self.replaces { self.finished.catalogue.clone() } else { None };
        let changes = if replaced.is_some() { self.changes.map(|_| Vec::new()) } else { self.changes };
        self.finished.commit = changes.map(|changes| Commit { sequence, namespace, changes, replaced });
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

    /// What a transaction has written so far, with what this job has. The record numbers it used are nobody else's.
    /// What an index has noted of its fields is committed at once: it is true for others too.
    pub(crate) fn into_pending(mut self) -> Result<Pending, DatabaseError> {
        let writes = Arc::new(std::mem::take(&mut self.finished.writes));
        let changes = self.changes.take().unwrap_or_default();
        self.group.use_records(self.finished.state.next_record);
        self.finish()?;
        Ok(Pending { writes, changes })
    }

    /// The version of an entry that this draft finds there.
    fn look_below(&self, key: &EntryKey) -> Result<Option<Version>, DatabaseError> {
        match self.inside {
            None => self.group.newest(key),
            Some(inside) => self.group.engine().version_in(self.group.layers(), key, inside.sequence),
        }
    }

    /// Writes an entry. If somebody else holds it, the job goes on and is undone at its end.
    pub(crate) fn write(&mut self, key: EntryKey, value: Value, replaced: Option<Version>) {
        let _ = self.claim(&key); // an obstacle is noted
        let replaces = match self.finished.writes.get(&key) {
            Some(earlier) => earlier.replaces,
            None => replaced.map(|version| version.sequence).filter(|sequence| !self.is_inherited(&key, *sequence)),
        };
        self.finished.writes.insert(key, Write { value, replaces });
    }

    fn is_inherited(&self, key: &EntryKey, version: Sequence) -> bool {
        key.collection().is_some_and(|collection| self.group.layers().is_inherited(collection, version))
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
            None => self.look_below(key),
        }
    }

    /// Walks the commits before this one: what the draft itself wrote is not seen, unless it is a transaction's.
    fn scan(&mut self, collection: CollectionId) -> Result<Records, DatabaseError> {
        match self.inside {
            None => Ok(Box::new(self.group.scan(collection)?)),
            Some(inside) => {
                let scan = self.group.engine().scan(self.group.layers(), collection, inside.sequence);
                Ok(Box::new(Overlay::new(scan, &self.finished.writes, collection)))
            }
        }
    }

    fn indexes(&self, collection: CollectionId) -> Vec<Arc<Index>> {
        if self.inside.is_some() {
            return Vec::new(); // own writes are not looked for in indexes
        }
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
