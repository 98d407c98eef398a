//! What a group of commits writes, and how it gets into the tree: as one batch, or if that would keep readers waiting,
//! as several, of which only the last makes the commits count.

use crate::DatabaseError;

use super::catalogue::{CatalogueEntry, PREFIX, STATE_KEY};
use super::journal::Changes;
use super::key::{EntryKey, VersionKey};
use super::state::State;
use super::{Engine, Value, Version, failure};

/// While a batch is applied, nobody can read: this is about 30 ms.
const BATCH_ENTRIES_MAX: usize = 1_000;
/// A batch is on its way to the disk as a whole, see [`super::UNFLUSHED_BYTES_MAX`].
const BATCH_BYTES_MAX: usize = super::UNFLUSHED_BYTES_MAX;

/// Changes to the tree that belong together.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    /// New versions.
    versions: Vec<(Vec<u8>, Value)>,
    /// Versions nobody needs any more. Of an entry that is gone, the removal comes after the versions it hides.
    garbage: Vec<Vec<u8>>,
    /// Entries without versions: they must become visible with the commit itself.
    catalogue: Vec<CatalogueEntry>,
}

impl Writes {
    /// A new version of an entry.
    pub(crate) fn version(&mut self, key: &EntryKey, version: Version) {
        self.versions.push((key.at(version.sequence), version.value));
    }

    /// Entries of the catalogue, as [`super::Catalogue::add`] returns them.
    pub(crate) fn catalogue(&mut self, entries: Vec<CatalogueEntry>) {
        self.catalogue.extend(entries);
    }

    /// A version to remove.
    pub(super) fn garbage(&mut self, key: Vec<u8>) {
        self.garbage.push(key);
    }

    /// How many new versions there are.
    pub(crate) fn versions(&self) -> usize {
        self.versions.len()
    }

    /// Whether there is nothing to write or remove.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.versions.len() + self.garbage.len() + self.catalogue.len()
    }

    fn fit_one_batch(&self) -> bool {
        let bytes: usize = self.versions.iter().map(|(_, value)| value.len()).sum();
        self.len() <= BATCH_ENTRIES_MAX && bytes <= BATCH_BYTES_MAX
    }
}

impl Engine {
    /// Writes everything and the state after it. If the process dies meanwhile, the store is found as it was at `before`.
    pub(crate) fn apply(&self, writes: Writes, before: &State, after: &State) -> Result<(), DatabaseError> {
        let mut last = Changes::default();
        for (key, value) in &writes.catalogue {
            match value.is_empty() {
                true => last.remove(key.as_slice()),
                false => last.insert(key.as_slice(), value.as_slice()),
            }
        }
        last.insert(STATE_KEY.as_slice(), after.encode());
        if !writes.fit_one_batch() {
            return self.apply_in_parts(writes, last, before);
        }
        for (key, value) in writes.versions {
            last.insert(key, value.0);
        }
        for key in writes.garbage {
            last.remove(key);
        }
        self.note(&mut last);
        self.write(last)
    }

    /// Removes the versions of a commit that was written in parts and never completed.
    pub(super) fn remove_leftovers(&self, state: &mut State) -> Result<(), DatabaseError> {
        let mut leftovers = Changes::default();
        let mut count = 0;
        for item in self.tree.iter().keys() {
            let key = item.map_err(failure)?;
            if !key.starts_with(&PREFIX) && VersionKey::split(&key)?.sequence > state.sequence {
                leftovers.remove(key);
                count += 1;
            }
            if count == BATCH_ENTRIES_MAX {
                self.write(std::mem::take(&mut leftovers))?;
                count = 0;
            }
        }
        state.unfinished = false;
        leftovers.insert(STATE_KEY.as_slice(), state.encode());
        self.write(leftovers)?;
        self.flush()
    }

    fn apply_in_parts(&self, writes: Writes, last: Changes, before: &State) -> Result<(), DatabaseError> {
        self.pass_over_journal();
        let mut begin = Changes::default();
        begin.insert(STATE_KEY.as_slice(), State { unfinished: true, tidy: false, ..*before }.encode());
        self.write(begin)?;
        self.apply_garbage(&writes.garbage)?;
        let mut versions = writes.versions;
        versions.sort_unstable_by(|left, right| left.0.cmp(&right.0)); // neighbours share pages
        self.apply_versions(versions)?;
        self.write(last)
    }

    fn apply_garbage(&self, garbage: &[Vec<u8>]) -> Result<(), DatabaseError> {
        for part in garbage.chunks(BATCH_ENTRIES_MAX) {
            let mut batch = Changes::default();
            part.iter().for_each(|key| batch.remove(key.as_slice()));
            self.write(batch)?;
        }
        Ok(())
    }

    fn apply_versions(&self, versions: Vec<(Vec<u8>, Value)>) -> Result<(), DatabaseError> {
        let mut batch = Changes::default();
        let (mut entries, mut bytes) = (0, 0);
        for (key, value) in versions {
            entries += 1;
            bytes += value.len();
            batch.insert(key, value.0);
            if entries == BATCH_ENTRIES_MAX || bytes > BATCH_BYTES_MAX {
                self.write(std::mem::take(&mut batch))?;
                (entries, bytes) = (0, 0);
            }
        }
        self.write(batch)
    }
}
