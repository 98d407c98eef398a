//! Sweeps: walks through versions, a step now and then, that find those nobody needs, whoever left them.

use std::ops::Bound;

use crate::{DatabaseError, Sequence};

use super::catalogue::PREFIX;
use super::failure;
use super::garbage::{Garbage, Ground};
use super::key::{CollectionId, EntryKey, KeyRange, VersionKey};
use super::writes::Writes;

/// A sweep that is not through.
#[derive(Debug)]
pub(super) struct Sweep {
    /// `None` for the whole tree.
    collection: Option<CollectionId>,
    /// The key it has come to.
    after: Vec<u8>,
}

impl Sweep {
    pub(super) fn of_everything() -> Sweep {
        let mut after_catalogue = PREFIX.to_vec();
        after_catalogue.push(u8::MAX);
        Sweep { collection: None, after: after_catalogue }
    }

    pub(super) fn of_collection(collection: CollectionId) -> Sweep {
        let after = KeyRange::of_collection(collection).versions().start.to_vec();
        Sweep { collection: Some(collection), after }
    }

    pub(super) fn collection(&self) -> Option<CollectionId> {
        self.collection
    }

    pub(super) fn is_of(&self, collection: CollectionId) -> bool {
        self.collection == Some(collection)
    }

    pub(super) fn is_of_everything(&self) -> bool {
        self.collection.is_none()
    }

    /// Looks at about `limit` versions. Returns what is left of the sweep. Stops between entries only, so that a removal goes
    /// together with the versions it hides.
    pub(super) fn step(
        self,
        garbage: &mut Garbage,
        ground: Ground<'_>,
        limit: usize,
        writes: &mut Writes,
    ) -> Result<Option<Sweep>, DatabaseError> {
        let range = self.collection.map(KeyRange::of_collection);
        let end = range.as_ref().map_or(Bound::Unbounded, |range| Bound::Excluded(range.versions().end));
        let mut entry: Option<Entry> = None;
        let mut last = self.after.clone();
        let rest = (Bound::Excluded(self.after.as_slice()), end);
        for (visited, item) in ground.engine.tree.range::<&[u8], _>(rest).enumerate() {
            let (key, value) = item.map_err(failure)?;
            let version = VersionKey::split(&key)?;
            let mut current = match entry.take() {
                Some(current) if current.key.is(version.entry) => current,
                passed => {
                    passed.map_or(Ok(()), |passed| passed.finish(garbage, ground, writes))?;
                    if visited >= limit {
                        return Ok(Some(Sweep { after: last, ..self }));
                    }
                    Entry::new(version.to_entry(), ground)?
                }
            };
            current.visit(version.sequence, value.is_empty(), garbage, ground, writes);
            entry = Some(current);
            last = key.to_vec();
        }
        entry.map_or(Ok(()), |passed| passed.finish(garbage, ground, writes))?;
        Ok(None)
    }
}

/// Sweeps the versions of one entry.
pub(super) fn sweep_entry(
    garbage: &mut Garbage,
    ground: Ground<'_>,
    key: &EntryKey,
    writes: &mut Writes,
) -> Result<(), DatabaseError> {
    let mut entry = Entry::new(key.clone(), ground)?;
    for item in ground.engine.tree.range(key.at(Sequence::MAX)..=key.at(0)) {
        let (key, value) = item.map_err(failure)?;
        entry.visit(VersionKey::split(&key)?.sequence, value.is_empty(), garbage, ground, writes);
    }
    entry.finish(garbage, ground, writes)
}

/// The entry a sweep is at.
struct Entry {
    key: EntryKey,
    collection: CollectionId,
    /// The commit that superseded the version the sweep comes to next.
    superseded: Sequence,
    /// Whether the version that readers at the horizon see was passed: older ones are there for pins only.
    settled: bool,
    /// The commit of that version, if it is a removal.
    removal: Option<Sequence>,
    /// Whether an older version stays.
    hides_own: bool,
}

impl Entry {
    fn new(key: EntryKey, ground: Ground<'_>) -> Result<Entry, DatabaseError> {
        let collection =
            key.collection().ok_or_else(|| DatabaseError::Corrupt("a key without a collection".to_owned()))?;
        let dropped = ground.layers.get(collection).and_then(|layer| layer.dropped);
        let settled = dropped.is_some_and(|dropped| dropped <= ground.horizon); // no reader is left
        Ok(Entry { key, collection, superseded: Sequence::MAX, settled, removal: None, hides_own: false })
    }

    /// The versions come newest first.
    fn visit(
        &mut self,
        sequence: Sequence,
        is_removal: bool,
        garbage: &mut Garbage,
        ground: Ground<'_>,
        writes: &mut Writes,
    ) {
        let superseded = std::mem::replace(&mut self.superseded, sequence);
        if sequence > ground.horizon {
            return;
        }
        if !std::mem::replace(&mut self.settled, true) {
            self.removal = is_removal.then_some(sequence);
        } else if garbage.pins.holds(self.collection, sequence..superseded) {
            self.hides_own = true;
            garbage.retained.insert(self.collection);
        } else {
            writes.garbage(self.key.at(sequence));
        }
    }

    /// A removal that hides nothing is of no use.
    fn finish(self, garbage: &Garbage, ground: Ground<'_>, writes: &mut Writes) -> Result<(), DatabaseError> {
        let Some(removal) = self.removal.filter(|_| !self.hides_own) else { return Ok(()) };
        if garbage.is_read_through(self.collection) {
            return Ok(());
        }
        let below = ground.engine.version_below(ground.layers, &self.key)?;
        if below.is_none_or(|below| below.value.is_removal()) {
            writes.garbage(self.key.at(removal));
        }
        Ok(())
    }
}
