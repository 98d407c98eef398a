//! A walk through entries as they were after one commit. sled's iterators see writes that happen meanwhile; those versions
//! belong to later commits and are passed over. Where a collection lies over others, their walks are merged.

use std::cmp::Ordering;

use sled::IVec;

use crate::{DatabaseError, Sequence};

use super::key::{EntryKey, VersionKey};
use super::{Value, Version, failure};

/// The entries of a range that were there after a commit, in key order or against it.
pub(crate) struct Entries {
    top: Walk,
    /// What is inherited, if anything can be.
    below: Option<Box<Below>>,
}

/// An entry that is there.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Of the version.
    key: IVec,
    pub(crate) version: Version,
}

/// The documents that were there after a commit, in insertion order, with their record numbers.
pub(crate) struct Scan(pub(crate) Entries);

/// The entries of one layer, removals included.
pub(super) struct Walk {
    versions: sled::Iter,
    sequence: Sequence,
    direction: Direction,
}

enum Direction {
    /// The newest version of an entry comes first. `settled` is the key whose entry is dealt with: its older versions are
    /// passed over.
    Forward { settled: Option<IVec> },
    /// The newest version of an entry comes last. `held` is the newest visible one so far of the entry the walk is at.
    Backward { held: Option<(IVec, IVec)> },
}

/// The layers below the top, where what is above hides what is below.
struct Below {
    /// The entry the walk through the top has come to.
    top: Option<Entry>,
    /// From the upper to the lower.
    lanes: Vec<Lane>,
    /// Whether [`Below::top`] and the heads of the lanes are filled.
    begun: bool,
}

struct Lane {
    walk: Walk,
    head: Option<Entry>,
}

impl Entries {
    /// Of one layer, and those below it, from the upper to the lower; all walk the same range in the same direction.
    pub(super) fn new(top: Walk, below: Vec<Walk>) -> Entries {
        let lanes: Vec<Lane> = below.into_iter().map(|walk| Lane { walk, head: None }).collect();
        let below = (!lanes.is_empty()).then(|| Box::new(Below { top: None, lanes, begun: false }));
        Entries { top, below }
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, DatabaseError> {
        match &mut self.below {
            None => self.top.next_entry(),
            Some(below) => below.next_entry(&mut self.top),
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.next_entry() {
                Ok(Some(entry)) if entry.version.value.is_removal() => {}
                next => return next.transpose(),
            }
        }
    }
}

impl Below {
    /// The first of all heads; of those that have the same key, the uppermost.
    fn next_entry(&mut self, top: &mut Walk) -> Result<Option<Entry>, DatabaseError> {
        if !std::mem::replace(&mut self.begun, true) {
            self.top = top.next_entry()?;
            self.lanes.iter_mut().try_for_each(Lane::advance)?;
        }
        let heads = self.top.iter().chain(self.lanes.iter().filter_map(|lane| lane.head.as_ref()));
        let Some(first) = heads.reduce(|first, other| if top.order(other, first).is_lt() { other } else { first })
        else {
            return Ok(None);
        };
        let first = first.clone();
        if self.top.as_ref().is_some_and(|head| head.place() == first.place()) {
            self.top = top.next_entry()?;
        }
        for lane in &mut self.lanes {
            if lane.head.as_ref().is_some_and(|head| head.place() == first.place()) {
                lane.advance()?;
            }
        }
        Ok(Some(first))
    }
}

impl Lane {
    fn advance(&mut self) -> Result<(), DatabaseError> {
        self.head = self.walk.next_entry()?;
        Ok(())
    }
}

impl Entry {
    /// The key within its index.
    pub(crate) fn key(&self) -> &[u8] {
        VersionKey::split(&self.key).map(VersionKey::in_index).unwrap_or_default()
    }

    /// The entry, whatever its version, and its content.
    pub(super) fn into_parts(self) -> Result<(EntryKey, Value), DatabaseError> {
        Ok((VersionKey::split(&self.key)?.to_entry(), self.version.value))
    }

    /// The key within its collection.
    fn place(&self) -> &[u8] {
        VersionKey::split(&self.key).map(VersionKey::in_collection).unwrap_or_default()
    }

    /// The record that the last bytes of the key name.
    pub(crate) fn record(&self) -> Result<u64, DatabaseError> {
        VersionKey::split(&self.key)?.record()
    }
}

impl Iterator for Scan {
    type Item = Result<(u64, Version), DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.and_then(|entry| Ok((entry.record()?, entry.version))))
    }
}

impl Walk {
    pub(super) fn new(versions: sled::Iter, sequence: Sequence, backward: bool) -> Walk {
        let direction =
            if backward { Direction::Backward { held: None } } else { Direction::Forward { settled: None } };
        Walk { versions, sequence, direction }
    }

    fn next_entry(&mut self) -> Result<Option<Entry>, DatabaseError> {
        match &mut self.direction {
            Direction::Forward { settled } => next_forward(&mut self.versions, self.sequence, settled),
            Direction::Backward { held } => next_backward(&mut self.versions, self.sequence, held),
        }
    }

    /// Which of two entries the walk comes to first.
    fn order(&self, one: &Entry, other: &Entry) -> Ordering {
        match self.direction {
            Direction::Forward { .. } => one.place().cmp(other.place()),
            Direction::Backward { .. } => other.place().cmp(one.place()),
        }
    }
}

fn next_forward(
    versions: &mut sled::Iter,
    sequence: Sequence,
    settled: &mut Option<IVec>,
) -> Result<Option<Entry>, DatabaseError> {
    for item in versions.by_ref() {
        let (key, value) = item.map_err(failure)?;
        let version = VersionKey::split(&key)?;
        if version.sequence > sequence || settled.as_ref().is_some_and(|settled| is_same_entry(settled, &version)) {
            continue;
        }
        *settled = Some(key.clone());
        return entry(key, value).map(Some);
    }
    Ok(None)
}

fn next_backward(
    versions: &mut sled::Iter,
    sequence: Sequence,
    held: &mut Option<(IVec, IVec)>,
) -> Result<Option<Entry>, DatabaseError> {
    while let Some(item) = versions.next_back() {
        let (key, value) = item.map_err(failure)?;
        let version = VersionKey::split(&key)?;
        if version.sequence > sequence {
            continue;
        }
        let same = held.as_ref().is_some_and(|(held, _)| is_same_entry(held, &version));
        let passed = held.replace((key, value));
        if !same && let Some((key, value)) = passed {
            return entry(key, value).map(Some);
        }
    }
    held.take().map(|(key, value)| entry(key, value)).transpose()
}

fn is_same_entry(key: &[u8], version: &VersionKey<'_>) -> bool {
    VersionKey::split(key).is_ok_and(|other| other.entry == version.entry)
}

fn entry(key: IVec, value: IVec) -> Result<Entry, DatabaseError> {
    let sequence = VersionKey::split(&key)?.sequence;
    Ok(Entry { key, version: Version { sequence, value: Value(value) } })
}
