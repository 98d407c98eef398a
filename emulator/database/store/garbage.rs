//! Versions that nobody needs: those that were superseded, remembered by the writer until the readers are past them, those
//! of indexes and collections that were dropped, and those that sweeps through the tree find. A version that is seen in a
//! collection where another one lies over it stays, however old it is.

use std::collections::{BTreeSet, VecDeque};

use crate::{DatabaseError, Sequence};

use super::flattening::Released;
use super::key::{CollectionId, EntryKey, KeyRange};
use super::layers::{Base, Layers};
use super::pins::Pins;
use super::sweep::{Sweep, sweep_entry};
use super::writes::Writes;
use super::{Catalogue, Engine, failure};

/// What is to be removed, now or later.
#[derive(Debug)]
pub(crate) struct Garbage {
    /// In the order of the commits that superseded them.
    queue: VecDeque<Superseded>,
    sweeps: VecDeque<Sweep>,
    dropped_indexes: VecDeque<DroppedIndex>,
    dropped_collections: VecDeque<DroppedCollection>,
    released: VecDeque<Released>,
    pub(super) pins: Pins,
    /// The collections that may hold versions which only pins keep: to be swept when a pin goes.
    pub(super) retained: BTreeSet<CollectionId>,
}

/// Where garbage is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) layers: &'a Layers,
    /// The oldest commit that anyone, now or later, reads at; but for those who read through layers.
    pub(crate) horizon: Sequence,
}

/// An index whose entries go once every reader reads at `by` or later.
#[derive(Debug)]
struct DroppedIndex {
    collection: CollectionId,
    number: u32,
    by: Sequence,
}

/// A collection that goes once every reader reads at `by` or later and nothing lies over it.
#[derive(Debug)]
struct DroppedCollection {
    collection: CollectionId,
    by: Sequence,
    /// Whether what nobody sees from above was looked for.
    swept: bool,
}

/// Versions of an entry that go once every reader reads at `by` or later.
#[derive(Debug)]
struct Superseded {
    entry: EntryKey,
    by: Sequence,
    old: Vec<Sequence>,
    is_removal: bool,
}

impl Garbage {
    /// Of a store that was left tidy, or may hold any: then it will be swept.
    pub(super) fn of(catalogue: &Catalogue, tidy: bool) -> Garbage {
        let mut garbage = Garbage {
            queue: VecDeque::new(),
            sweeps: (!tidy).then(Sweep::of_everything).into_iter().collect(),
            dropped_indexes: VecDeque::new(),
            dropped_collections: VecDeque::new(),
            released: VecDeque::new(),
            pins: Pins::default(),
            retained: BTreeSet::new(),
        };
        catalogue.dropped().into_iter().for_each(|(id, number, since)| garbage.drop_index(id, number, since));
        for (collection, layer) in catalogue.layers().iter() {
            layer.base.into_iter().for_each(|base| garbage.pins.add(base));
            if let Some(by) = layer.dropped {
                garbage.retained.insert(*collection);
                garbage.dropped_collections.push_back(DroppedCollection { collection: *collection, by, swept: true });
            }
        }
        garbage
    }

    /// Whether nothing can be removed, now or when readers are done.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
            && self.sweeps.is_empty()
            && !self.dropped_indexes.iter().any(|index| self.is_free(index))
            && !self.dropped_collections.iter().any(|dropped| self.is_to_do(dropped))
    }

    /// Whether whoever opens the store next need not sweep it.
    pub(crate) fn is_tidy(&self) -> bool {
        let is_dropped = |id: &CollectionId| self.dropped_collections.iter().any(|dropped| dropped.collection == *id);
        self.is_empty() && self.retained.iter().all(is_dropped)
    }

    /// Whether there are versions left to look at.
    pub(crate) fn is_sweeping(&self) -> bool {
        !self.sweeps.is_empty()
    }

    /// Whether an earlier process may have left versions that nobody knows of.
    pub(crate) fn is_unknown(&self) -> bool {
        self.sweeps.iter().any(Sweep::is_of_everything)
    }

    /// Commit `by` wrote a version of an entry, a removal or not, in place of those of the commits `old`.
    pub(crate) fn supersede(&mut self, key: &EntryKey, by: Sequence, is_removal: bool, old: Vec<Sequence>) {
        if is_removal || !old.is_empty() {
            self.queue.push_back(Superseded { entry: key.clone(), by, old, is_removal });
        }
    }

    /// Commit `by` dropped an index.
    pub(crate) fn drop_index(&mut self, collection: CollectionId, number: u32, by: Sequence) {
        self.dropped_indexes.push_back(DroppedIndex { collection, number, by });
    }

    /// Commit `by` dropped a collection.
    pub(crate) fn drop_collection(&mut self, collection: CollectionId, by: Sequence) {
        self.dropped_collections.push_back(DroppedCollection { collection, by, swept: false });
    }

    /// A collection was laid over another one.
    pub(crate) fn pin(&mut self, base: Base) {
        self.pins.add(base);
    }

    /// A collection is gone, and lies no longer over another one.
    pub(crate) fn release(&mut self, collection: CollectionId, base: Option<Base>) {
        self.retained.remove(&collection);
        self.sweeps.retain(|sweep| !sweep.is_of(collection));
        base.into_iter().for_each(|base| self.unpin(base));
    }

    /// A collection has got everything it inherited, and from commit `by` on is not read through `base` any more.
    pub(crate) fn flattened(&mut self, collection: CollectionId, base: Base, by: Sequence) {
        self.released.push_back(Released { collection, base, by });
        self.retained.insert(collection);
    }

    /// Moves to `writes` about `limit` versions of a dropped index that nobody needs. Returns the index if it has no more.
    pub(crate) fn collect_dropped_index(
        &mut self,
        ground: Ground<'_>,
        limit: usize,
        writes: &mut Writes,
    ) -> Result<Option<(CollectionId, u32)>, DatabaseError> {
        let is_ready = |index: &DroppedIndex| index.by <= ground.horizon && self.is_free(index);
        let Some(position) = self.dropped_indexes.iter().position(is_ready) else { return Ok(None) };
        let Some(index) = self.dropped_indexes.get(position) else { return Ok(None) };
        let range = KeyRange::of_index(index.collection, index.number, &[]);
        let gone = (index.collection, index.number);
        if take_range(ground.engine, &range, limit, writes)? == limit {
            return Ok(None);
        }
        self.dropped_indexes.remove(position);
        Ok(Some(gone))
    }

    /// Moves to `writes` about `limit` versions of dropped collections that nobody needs. Returns those that have no more.
    pub(crate) fn collect_dropped_collections(
        &mut self,
        ground: Ground<'_>,
        limit: usize,
        writes: &mut Writes,
    ) -> Result<Vec<CollectionId>, DatabaseError> {
        let (mut count, mut gone) = (0, Vec::new());
        let ready: Vec<CollectionId> = (self.dropped_collections.iter())
            .filter(|dropped| dropped.by <= ground.horizon && self.is_to_do(dropped))
            .take(limit)
            .map(|dropped| dropped.collection)
            .collect();
        for collection in ready {
            if self.pins.is_pinned(collection) {
                self.sweep_dropped(collection);
            } else if count < limit {
                let left = limit - count;
                let taken = take_range(ground.engine, &KeyRange::of_collection(collection), left, writes)?;
                count += taken + 1;
                gone.extend((taken < left).then_some(collection));
            }
        }
        self.dropped_collections.retain(|dropped| !gone.contains(&dropped.collection));
        Ok(gone)
    }

    /// Moves to `writes` what readers at the horizon and later do not need: about `limit` versions from the queue.
    pub(crate) fn collect(
        &mut self,
        ground: Ground<'_>,
        limit: usize,
        writes: &mut Writes,
    ) -> Result<(), DatabaseError> {
        while let Some(released) = self.released.pop_front_if(|released| released.by <= ground.horizon) {
            self.unpin(released.base);
            self.sweep_collection(released.collection); // among what it got is much that it had replaced
        }
        let mut count = 0;
        while count < limit
            && let Some(superseded) = self.queue.pop_front_if(|superseded| superseded.by <= ground.horizon)
        {
            count += 1 + superseded.old.len();
            if self.is_plain(ground.layers, &superseded.entry) {
                superseded.remove(writes);
            } else {
                sweep_entry(self, ground, &superseded.entry, writes)?;
            }
        }
        Ok(())
    }

    /// As [`Garbage::collect`], by looking at the next `limit` versions or so of the tree, where it is to be swept.
    pub(crate) fn sweep(&mut self, ground: Ground<'_>, limit: usize, writes: &mut Writes) -> Result<(), DatabaseError> {
        let Some(sweep) = self.sweeps.pop_front() else { return Ok(()) };
        let collection = sweep.collection();
        match sweep.step(self, ground, limit, writes)? {
            Some(rest) => self.sweeps.push_front(rest),
            None => {
                if let Some(collection) = collection
                    && !self.pins.is_pinned(collection)
                    && !self.is_read_through(collection)
                {
                    self.retained.remove(&collection);
                }
            }
        }
        Ok(())
    }

    /// Whether an entry has no more versions than the queue knows, and hides nothing below.
    fn is_plain(&self, layers: &Layers, entry: &EntryKey) -> bool {
        entry.collection().is_some_and(|collection| {
            layers.base(collection).is_none()
                && !self.pins.is_pinned(collection)
                && !self.retained.contains(&collection)
        })
    }

    /// Whether somebody may still read a collection through a layer that it has no more.
    pub(super) fn is_read_through(&self, collection: CollectionId) -> bool {
        self.released.iter().any(|released| released.collection == collection)
    }

    /// Whether nobody sees the entries of an index from above.
    fn is_free(&self, index: &DroppedIndex) -> bool {
        !self.pins.holds(index.collection, 0..index.by)
    }

    fn is_to_do(&self, dropped: &DroppedCollection) -> bool {
        !dropped.swept || !self.pins.is_pinned(dropped.collection)
    }

    fn unpin(&mut self, base: Base) {
        if self.pins.release(base) && self.retained.contains(&base.collection) {
            self.sweep_collection(base.collection);
        }
    }

    fn sweep_dropped(&mut self, collection: CollectionId) {
        self.retained.insert(collection);
        self.sweep_collection(collection);
        let dropped = self.dropped_collections.iter_mut().find(|dropped| dropped.collection == collection);
        dropped.into_iter().for_each(|dropped| dropped.swept = true);
    }

    /// From its beginning, also if a sweep of it is on the way.
    fn sweep_collection(&mut self, collection: CollectionId) {
        self.sweeps.retain(|sweep| !sweep.is_of(collection));
        self.sweeps.push_back(Sweep::of_collection(collection));
    }
}

impl Superseded {
    fn remove(self, writes: &mut Writes) {
        self.old.iter().for_each(|sequence| writes.garbage(self.entry.at(*sequence)));
        if self.is_removal {
            writes.garbage(self.entry.at(self.by)); // with nothing left to hide, the removal itself is of no use
        }
    }
}

/// Moves to `writes` at most `limit` versions of a range, and returns how many they are.
fn take_range(engine: &Engine, range: &KeyRange, limit: usize, writes: &mut Writes) -> Result<usize, DatabaseError> {
    let mut count = 0;
    for key in engine.tree.range(range.versions()).keys().take(limit) {
        writes.garbage(key.map_err(failure)?.to_vec());
        count += 1;
    }
    Ok(count)
}
