//! Versioned entries on sled, the only module that names it: keys, the catalogue, commits that are whole or absent.
//! Every write is a new version; a reader names the commit it reads at. A collection may lie over another one as that was
//! after a commit. What the entries mean is known upstairs.

mod catalogue;
mod files;
mod flattening;
mod garbage;
mod index;
mod journal;
mod key;
mod layers;
mod pins;
mod scan;
mod snapshots;
mod state;
mod sweep;
mod writes;

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sled::IVec;

use crate::{DatabaseError, Durability, Sequence, StoreOptions};

pub(crate) use catalogue::{Catalogue, CatalogueEntry};
pub(crate) use flattening::{Flattened, Flattening};
pub(crate) use garbage::{Garbage, Ground};
pub(crate) use index::{Index, IndexState};
pub(crate) use key::{CollectionId, EntryKey, INDEX_IDS, KeyRange};
pub(crate) use layers::{Base, Layer, Layers};
pub(crate) use scan::{Entries, Entry, Scan};
pub(crate) use snapshots::{Snapshot, Snapshots};
pub(crate) use state::State;
pub(crate) use writes::Writes;

use catalogue::{PREFIX, STATE_KEY};
use files::Files;
use journal::{Changes, Journal, NUMBER_KEY};
use key::VersionKey;
use scan::Walk;

/// How often opening is tried again when the folder is locked: this process may be about to let it go.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// How many bytes are written to the tree before it is flushed. sled 0.34 never comes back when its log is cut while all
/// seven threads that write buffers of 512 KiB are busy: they wait for a lock whose holder waits for one of them. Its log
/// is some three times what it is given, so this leaves most of them free, at a price that is lost in the noise.
const UNFLUSHED_BYTES_MAX: usize = 256 * 1024;

/// The tree of one data folder.
#[derive(Debug)]
pub(crate) struct Engine {
    tree: sled::Db,
    /// How many bytes were written to the tree since it was flushed.
    unflushed: AtomicUsize,
    files: Files,
    /// Where an answered write need not survive more than this process.
    journal: Option<Mutex<Journal>>,
}

/// What a data folder held when it was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) engine: Engine,
    pub(crate) state: State,
    pub(crate) catalogue: Catalogue,
    pub(crate) garbage: Garbage,
}

/// The content of a version, shared with the page cache. Empty content says that the entry is not there.
#[derive(Debug, Clone)]
pub(crate) struct Value(IVec);

/// A version of an entry.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// The commit that wrote it.
    pub(crate) sequence: Sequence,
    /// Its content; empty for a removal.
    pub(crate) value: Value,
}

impl Engine {
    /// Opens a data folder, making it if it is missing, and removes what an interrupted commit left.
    pub(crate) fn open(folder: &Path, options: &StoreOptions) -> Result<Opened, DatabaseError> {
        // sled answers some kinds of damage with a panic.
        catch_unwind(AssertUnwindSafe(|| Engine::open_unguarded(folder, options)))
            .unwrap_or_else(|_| Err(DatabaseError::Corrupt(format!("{} cannot be opened", folder.display()))))
    }

    fn open_unguarded(folder: &Path, options: &StoreOptions) -> Result<Opened, DatabaseError> {
        let tree = open_tree(folder, options.cache_bytes)?;
        let kept = recorded(&tree)?;
        let (journal, records) = Journal::open(folder, kept).map_err(unwritten)?;
        let mut engine = Engine {
            tree,
            unflushed: AtomicUsize::new(0),
            files: Files::of(folder),
            journal: Some(Mutex::new(journal)),
        };
        engine.recover(records, kept)?;
        if options.durability != Durability::Process {
            engine.journal = None;
        }
        let mut state = engine.load_state()?;
        if state.unfinished {
            engine.remove_leftovers(&mut state)?;
        }
        let catalogue = engine.load_catalogue()?;
        let garbage = Garbage::of(&catalogue, state.tidy);
        Ok(Opened { engine, state, catalogue, garbage })
    }

    /// The newest version of an entry that a reader at `sequence` sees, removals included.
    pub(crate) fn version(&self, key: &EntryKey, sequence: Sequence) -> Result<Option<Version>, DatabaseError> {
        match self.tree.range(key.at(sequence)..=key.at(0)).next() {
            None => Ok(None),
            Some(item) => {
                let (key, value) = item.map_err(failure)?;
                Ok(Some(Version { sequence: VersionKey::split(&key)?.sequence, value: Value(value) }))
            }
        }
    }

    /// The commits that wrote the versions of an entry before `sequence`.
    pub(crate) fn versions_before(&self, key: &EntryKey, sequence: Sequence) -> Result<Vec<Sequence>, DatabaseError> {
        let Some(last) = sequence.checked_sub(1) else { return Ok(Vec::new()) };
        self.tree
            .range(key.at(last)..=key.at(0))
            .map(|item| Ok(VersionKey::split(&item.map_err(failure)?.0)?.sequence))
            .collect()
    }

    /// The documents of a collection as they were at `sequence`, in insertion order.
    pub(crate) fn scan(&self, layers: &Layers, collection: CollectionId, sequence: Sequence) -> Scan {
        Scan(self.entries(layers, &KeyRange::records(collection, 0), sequence, false))
    }

    /// The entries of a range within a collection as they were at `sequence`, in key order or against it.
    pub(crate) fn entries(&self, layers: &Layers, range: &KeyRange, sequence: Sequence, backward: bool) -> Entries {
        let walk = |range: &KeyRange, sequence| Walk::new(self.tree.range(range.versions()), sequence, backward);
        let mut below = Vec::new();
        let mut base = range.low.collection().and_then(|collection| layers.base(collection));
        while let Some(Base { collection, sequence }) = base {
            below.push(walk(&range.moved_to(collection), sequence));
            base = layers.base(collection);
        }
        Entries::new(walk(range, sequence), below)
    }

    /// Whether a collection has no versions of its own.
    pub(crate) fn is_blank(&self, collection: CollectionId) -> bool {
        self.tree.range(KeyRange::of_collection(collection).versions()).next().is_none()
    }

    /// Lets everything written so far survive this process, as cheaply as that can be had.
    pub(crate) fn keep(&self) -> Result<(), DatabaseError> {
        if let Some(mut journal) = self.journal()
            && !journal.is_full()
        {
            return journal.write().map_err(unwritten);
        }
        self.flush()
    }

    /// Hands everything written so far to the operating system, in the tree's own files.
    pub(crate) fn flush(&self) -> Result<(), DatabaseError> {
        self.flush_tree()?;
        self.journal().map_or(Ok(()), |mut journal| journal.clear().map_err(unwritten))
    }

    /// As [`Engine::flush`], and waits until the disk has it.
    pub(crate) fn sync(&self) -> Result<(), DatabaseError> {
        self.flush()?;
        self.files.sync().map_err(|error| DatabaseError::Storage(error.to_string()))
    }

    /// How many versions there are, of everything.
    #[cfg(test)]
    pub(crate) fn versions(&self) -> usize {
        self.tree.iter().filter(|item| item.as_ref().is_ok_and(|(key, _)| !key.starts_with(&PREFIX))).count()
    }

    /// How many keys there are, of versions and of the catalogue, but for the journal's number.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> usize {
        self.tree.iter().filter(|item| item.as_ref().is_ok_and(|(key, _)| *key != NUMBER_KEY)).count()
    }

    /// Writes to the tree what it did not keep: it has all records up to the one of number `kept`.
    fn recover(&self, records: Vec<(u64, Changes)>, kept: u64) -> Result<(), DatabaseError> {
        if records.is_empty() {
            return self.journal().map_or(Ok(()), |mut journal| journal.clear().map_err(unwritten));
        }
        for (_, changes) in records.into_iter().filter(|(number, _)| *number > kept) {
            self.write(changes)?;
        }
        self.flush()
    }

    /// Writes to the tree, once it has handed on what it was given before if that is much.
    fn write(&self, changes: Changes) -> Result<(), DatabaseError> {
        let bytes = changes.bytes();
        if self.unflushed.load(Ordering::Relaxed) + bytes > UNFLUSHED_BYTES_MAX {
            self.flush_tree()?;
        }
        self.unflushed.fetch_add(bytes, Ordering::Relaxed);
        self.tree.apply_batch(changes.into_batch()).map_err(failure)
    }

    fn flush_tree(&self) -> Result<(), DatabaseError> {
        self.unflushed.store(0, Ordering::Relaxed);
        self.tree.flush().map(drop).map_err(failure)
    }

    /// Notes what is written to the tree.
    fn note(&self, changes: &mut Changes) {
        if let Some(mut journal) = self.journal() {
            journal.note(changes);
        }
    }

    /// What is written to the tree is too large to be noted.
    fn pass_over_journal(&self) {
        if let Some(mut journal) = self.journal() {
            journal.pass_over();
        }
    }

    fn journal(&self) -> Option<MutexGuard<'_, Journal>> {
        let journal = self.journal.as_ref()?;
        Some(journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn load_state(&self) -> Result<State, DatabaseError> {
        match self.tree.get(STATE_KEY).map_err(failure)? {
            Some(bytes) => State::decode(&bytes),
            None if self.tree.is_empty() => Ok(State::default()),
            None => Err(DatabaseError::Corrupt("the state of the store is missing".to_owned())),
        }
    }

    fn load_catalogue(&self) -> Result<Catalogue, DatabaseError> {
        let mut catalogue = Catalogue::default();
        for item in self.tree.scan_prefix(PREFIX) {
            let (key, value) = item.map_err(failure)?;
            if *key != STATE_KEY && *key != NUMBER_KEY {
                catalogue.load(&key, &value)?;
            }
        }
        catalogue.drop_unfinished();
        Ok(catalogue)
    }
}

impl Value {
    /// The content of an entry that is not there.
    pub(crate) fn removal() -> Value {
        Value(IVec::default())
    }

    /// Whether the entry is not there.
    pub(crate) fn is_removal(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value(IVec::from(bytes))
    }
}

impl Deref for Value {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

fn open_tree(folder: &Path, cache_bytes: u64) -> Result<sled::Db, DatabaseError> {
    let config = || sled::Config::new().path(folder).cache_capacity(cache_bytes).flush_every_ms(None);
    for _ in 1..LOCK_ATTEMPTS {
        match config().open() {
            Err(error) if is_locked(&error) => std::thread::sleep(LOCK_PAUSE),
            opened => return opened.map_err(failure),
        }
    }
    config().open().map_err(|error| {
        if is_locked(&error) { DatabaseError::InUse(folder.display().to_string()) } else { failure(error) }
    })
}

/// sled has no error of its own for a locked folder.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// The number of the last record of the journal that the tree has.
fn recorded(tree: &sled::Db) -> Result<u64, DatabaseError> {
    match tree.get(NUMBER_KEY).map_err(failure)? {
        None => Ok(0),
        Some(bytes) => {
            let bytes = bytes.as_ref().try_into();
            bytes.map(u64::from_be_bytes).map_err(|_| DatabaseError::Corrupt("the journal's number".to_owned()))
        }
    }
}

fn unwritten(error: std::io::Error) -> DatabaseError {
    DatabaseError::Storage(format!("the journal: {error}"))
}

fn failure(error: sled::Error) -> DatabaseError {
    match error {
        sled::Error::Corruption { .. } => DatabaseError::Corrupt(error.to_string()),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_)
        | sled::Error::Io(_) => DatabaseError::Storage(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
