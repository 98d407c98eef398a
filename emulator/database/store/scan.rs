//! A walk through entries as they were after one commit. sled's iterators see writes that happen meanwhile; those versions
//! belong to later commits and are passed over.

use sled::IVec;

use crate::{DatabaseError, Sequence};

use super::key::VersionKey;
use super::{Value, Version, failure};

/// The entries of a range that were there after a commit, in key order or against it.
pub(crate) struct Entries {
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

/// An entry that is there.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Of the version.
    key: IVec,
    pub(crate) version: Version,
}

/// The documents that were there after a commit, in insertion order, with their record numbers.
pub(crate) struct Scan(pub(crate) Entries);

impl Entries {
    pub(super) fn new(versions: sled::Iter, sequence: Sequence, backward: bool) -> Entries {
        let direction =
            if backward { Direction::Backward { held: None } } else { Direction::Forward { settled: None } };
        Entries { versions, sequence, direction }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.direction {
            Direction::Forward { settled } => next_forward(&mut self.versions, self.sequence, settled),
            Direction::Backward { held } => next_backward(&mut self.versions, self.sequence, held),
        }
    }
}

impl Entry {
    /// The key within its index.
    pub(crate) fn key(&self) -> &[u8] {
        VersionKey::split(&self.key).map(VersionKey::in_index).unwrap_or_default()
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

fn next_forward(
    versions: &mut sled::Iter,
    sequence: Sequence,
    settled: &mut Option<IVec>,
) -> Option<Result<Entry, DatabaseError>> {
    loop {
        let (key, value) = match versions.next()? {
            Ok(item) => item,
            Err(error) => return Some(Err(failure(error))),
        };
        let version = match VersionKey::split(&key) {
            Ok(version) => version,
            Err(error) => return Some(Err(error)),
        };
        if version.sequence > sequence || settled.as_ref().is_some_and(|settled| is_same_entry(settled, &version)) {
            continue;
        }
        let found = (!value.is_empty()).then(|| entry(key.clone(), version.sequence, value));
        *settled = Some(key);
        if found.is_some() {
            return found.map(Ok);
        }
    }
}

fn next_backward(
    versions: &mut sled::Iter,
    sequence: Sequence,
    held: &mut Option<(IVec, IVec)>,
) -> Option<Result<Entry, DatabaseError>> {
    loop {
        let (key, value) = match versions.next_back() {
            Some(Ok(item)) => item,
            Some(Err(error)) => return Some(Err(failure(error))),
            None => return present(held.take()).map(Ok),
        };
        let version = match VersionKey::split(&key) {
            Ok(version) => version,
            Err(error) => return Some(Err(error)),
        };
        if version.sequence > sequence {
            continue;
        }
        let same = held.as_ref().is_some_and(|(held, _)| is_same_entry(held, &version));
        let passed = held.replace((key, value));
        if !same && let Some(found) = present(passed) {
            return Some(Ok(found));
        }
    }
}

fn is_same_entry(key: &[u8], version: &VersionKey<'_>) -> bool {
    VersionKey::split(key).is_ok_and(|other| other.entry == version.entry)
}

/// The entry, unless it is a removal.
fn present(held: Option<(IVec, IVec)>) -> Option<Entry> {
    let (key, value) = held.filter(|(_, value)| !value.is_empty())?;
    let sequence = VersionKey::split(&key).ok()?.sequence;
    Some(entry(key, sequence, value))
}

fn entry(key: IVec, sequence: Sequence, value: IVec) -> Entry {
    Entry { key, version: Version { sequence, value: Value(value) } }
}
