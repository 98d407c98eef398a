//! What readers see: the commit that is visible to new ones, and the commits that running ones read at.
//! Versions that none of them needs are garbage; collecting them is `garbage.rs`'s.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Sequence;

/// The visible commit and the readers. A cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    shared: Arc<Mutex<Readers>>,
}

#[derive(Debug)]
struct Readers {
    /// The last commit that is as durable as promised: what a new reader reads at.
    published: Sequence,
    /// How many readers read at a commit; gone with the last of them.
    counts: BTreeMap<Sequence, usize>,
}

/// The right to read everything as it was after one commit. Dropping it lets that go.
#[derive(Debug)]
pub(crate) struct Snapshot {
    snapshots: Snapshots,
    sequence: Sequence,
}

impl Snapshots {
    pub(crate) fn new(published: Sequence) -> Snapshots {
        Snapshots { shared: Arc::new(Mutex::new(Readers { published, counts: BTreeMap::new() })) }
    }

    /// A snapshot of what is visible now.
    pub(crate) fn open(&self) -> Snapshot {
        let mut readers = self.lock();
        let sequence = readers.published;
        *readers.counts.entry(sequence).or_insert(0) += 1;
        Snapshot { snapshots: self.clone(), sequence }
    }

    /// A snapshot of a commit that is visible or will be. For the writer's thread alone, which has not collected anything that
    /// is seen there.
    pub(crate) fn open_at(&self, sequence: Sequence) -> Snapshot {
        *self.lock().counts.entry(sequence).or_insert(0) += 1;
        Snapshot { snapshots: self.clone(), sequence }
    }

    /// Makes the commits up to this one visible to new readers.
    pub(crate) fn publish(&self, sequence: Sequence) {
        self.lock().published = sequence;
    }

    /// The oldest commit that anyone, now or later, reads at.
    pub(crate) fn horizon(&self) -> Sequence {
        let readers = self.lock();
        readers.counts.keys().next().map_or(readers.published, |oldest| readers.published.min(*oldest))
    }

    fn lock(&self) -> MutexGuard<'_, Readers> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Snapshot {
    pub(crate) fn sequence(&self) -> Sequence {
        self.sequence
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let mut readers = self.snapshots.lock();
        if let Some(count) = readers.counts.get_mut(&self.sequence) {
            *count -= 1;
            if *count == 0 {
                readers.counts.remove(&self.sequence);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_waits_for_the_oldest_reader() {
        let snapshots = Snapshots::new(3);
        let (first, second) = (snapshots.open(), snapshots.open());
        snapshots.publish(8);
        let third = snapshots.open();
        assert_eq!((first.sequence(), third.sequence(), snapshots.horizon()), (3, 8, 3));
        drop(first);
        assert_eq!(snapshots.horizon(), 3);
        drop(second);
        assert_eq!(snapshots.horizon(), 8);
        snapshots.publish(9);
        assert_eq!(snapshots.horizon(), 8);
        drop(third);
        assert_eq!(snapshots.horizon(), 9);
    }
}
