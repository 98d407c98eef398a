//! Versions that no reader needs: those that were superseded, remembered by the writer until the readers are past them,
//! and those an earlier process left, found by a sweep through the tree that takes a step now and then.

use std::collections::VecDeque;
use std::ops::Bound;

use crate::{DatabaseError, Sequence};

use super::catalogue::PREFIX;
use super::key::{CollectionId, EntryKey, KeyRange, VersionKey};
use super::writes::Writes;
use super::{Engine, failure};

/// What is to be removed, now or later.
#[derive(Debug)]
pub(crate) struct Garbage {
    /// In the order of the commits that superseded them.
    queue: VecDeque<Superseded>,
    /// The key the sweep has come to; `None` once it is through, or if the store was left tidy.
    sweep: Option<Vec<u8>>,
    /// Indexes that go whole.
    dropped: VecDeque<DroppedIndex>,
}

/// An index whose entries go once every reader reads at `by` or later.
#[derive(Debug)]
struct DroppedIndex {
    collection: CollectionId,
    number: u32,
    by: Sequence,
}

/// Versions that go together once every reader reads at `by` or later.
#[derive(Debug)]
struct Superseded {
    by: Sequence,
    keys: Vec<Vec<u8>>,
}

impl Garbage {
    /// Of a store that was left tidy.
    pub(super) fn none() -> Garbage {
        Garbage { queue: VecDeque::new(), sweep: None, dropped: VecDeque::new() }
    }

    /// Of a store that may hold any: it will be swept.
    pub(super) fn unknown() -> Garbage {
        let mut after_catalogue = PREFIX.to_vec();
        after_catalogue.push(u8::MAX);
        Garbage { sweep: Some(after_catalogue), ..Garbage::none() }
    }

    /// Whether nothing is left to remove.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.sweep.is_none() && self.dropped.is_empty()
    }

    /// Whether an earlier process may have left versions the queue does not know.
    pub(crate) fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }

    /// Commit `by` wrote a version of an entry, a removal or not, in place of those of the commits `old`.
    pub(crate) fn supersede(&mut self, key: &EntryKey, by: Sequence, is_removal: bool, old: &[Sequence]) {
        let mut keys: Vec<_> = old.iter().map(|sequence| key.at(*sequence)).collect();
        if is_removal {
            keys.push(key.at(by)); // with nothing left to hide, the removal itself is of no use
        }
        if !keys.is_empty() {
            self.queue.push_back(Superseded { by, keys });
        }
    }

    /// Commit `by` dropped an index.
    pub(crate) fn drop_index(&mut self, collection: CollectionId, number: u32, by: Sequence) {
        self.dropped.push_back(DroppedIndex { collection, number, by });
    }

    /// Moves to `writes` about `limit` versions of a dropped index that no reader at `horizon` or later needs. Returns the
    /// index if it has no more of them.
    pub(crate) fn collect_dropped(
        &mut self,
        engine: &Engine,
        horizon: Sequence,
        limit: usize,
        writes: &mut Writes,
    ) -> Result<Option<(CollectionId, u32)>, DatabaseError> {
        let Some(dropped) = self.dropped.front().filter(|dropped| dropped.by <= horizon) else { return Ok(None) };
        let range = KeyRange::of_index(dropped.collection, dropped.number, &[]);
        let mut count = 0;
        for key in engine.tree.range(range.versions()).keys().take(limit) {
            writes.garbage(key.map_err(failure)?.to_vec());
            count += 1;
        }
        let gone = (dropped.collection, dropped.number);
        if count == limit {
            return Ok(None);
        }
        self.dropped.pop_front();
        Ok(Some(gone))
    }

    /// Moves to `writes` what readers at `horizon` and later do not need: about `limit` versions from the queue.
    pub(crate) fn collect(&mut self, horizon: Sequence, limit: usize, writes: &mut Writes) {
        let mut count = 0;
        while count < limit
            && let Some(superseded) = self.queue.pop_front_if(|superseded| superseded.by <= horizon)
        {
            count += superseded.keys.len();
            superseded.keys.into_iter().for_each(|key| writes.garbage(key));
        }
    }

    /// As [`Garbage::collect`], by looking at the next `limit` versions or so of the tree, unless it was all swept.
    pub(crate) fn sweep(
        &mut self,
        engine: &Engine,
        horizon: Sequence,
        limit: usize,
        writes: &mut Writes,
    ) -> Result<(), DatabaseError> {
        if let Some(from) = self.sweep.take() {
            self.sweep = sweep(engine, from, horizon, limit, writes)?;
        }
        Ok(())
    }
}

/// Looks at about `limit` versions after the key `from`. Returns how far it came; `None` at the end of the tree.
/// Stops between entries only, so that a removal goes together with the versions it hides.
fn sweep(
    engine: &Engine,
    from: Vec<u8>,
    horizon: Sequence,
    limit: usize,
    writes: &mut Writes,
) -> Result<Option<Vec<u8>>, DatabaseError> {
    let mut entry = Entry::default();
    let mut last = from.clone();
    let rest = (Bound::Excluded(from), Bound::Unbounded);
    for (visited, item) in engine.tree.range::<Vec<u8>, _>(rest).enumerate() {
        let (key, value) = item.map_err(failure)?;
        let version = VersionKey::split(&key)?;
        if version.entry != entry.key {
            entry.finish(writes);
            if visited >= limit {
                return Ok(Some(last));
            }
            entry = Entry { key: version.entry.to_vec(), ..Entry::default() };
        }
        if version.sequence <= horizon {
            entry.visit(&key, value.is_empty(), writes);
        }
        last = key.to_vec();
    }
    entry.finish(writes);
    Ok(None)
}

/// The entry a sweep is at.
#[derive(Default)]
struct Entry {
    key: Vec<u8>,
    /// Whether the version that readers at the horizon see was passed: all older ones are garbage.
    seen: bool,
    /// The key of that version, if it is a removal.
    removal: Option<Vec<u8>>,
}

impl Entry {
    fn visit(&mut self, key: &[u8], is_removal: bool, writes: &mut Writes) {
        if self.seen {
            writes.garbage(key.to_vec());
        } else {
            self.seen = true;
            self.removal = is_removal.then(|| key.to_vec());
        }
    }

    fn finish(&mut self, writes: &mut Writes) {
        if let Some(key) = self.removal.take() {
            writes.garbage(key);
        }
    }
}
