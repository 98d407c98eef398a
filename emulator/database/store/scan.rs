//! A walk through the documents of a collection as they were after one commit. sled's iterators see writes that happen
//! meanwhile; those versions belong to later commits and are passed over.

use sled::IVec;

use crate::{DatabaseError, Sequence};

use super::key::VersionKey;
use super::{Value, Version, failure};

/// The documents that were there after a commit, in insertion order, with their record numbers.
pub(crate) struct Scan {
    versions: sled::Iter,
    sequence: Sequence,
    /// The key whose entry is settled: its older versions are passed over.
    settled: Option<IVec>,
}

impl Scan {
    pub(super) fn new(versions: sled::Iter, sequence: Sequence) -> Scan {
        Scan { versions, sequence, settled: None }
    }

    /// The version, if it is the one the reader sees of its entry and no removal.
    fn visible(&mut self, key: IVec, value: IVec) -> Result<Option<(u64, Version)>, DatabaseError> {
        let version = VersionKey::split(&key)?;
        if version.sequence > self.sequence || self.is_settled(version.entry) {
            return Ok(None);
        }
        let (sequence, record) = (version.sequence, version.record()?);
        self.settled = Some(key);
        if value.is_empty() {
            return Ok(None);
        }
        Ok(Some((record, Version { sequence, value: Value(value) })))
    }

    fn is_settled(&self, entry: &[u8]) -> bool {
        self.settled.as_ref().is_some_and(|key| VersionKey::split(key).is_ok_and(|settled| settled.entry == entry))
    }
}

impl Iterator for Scan {
    type Item = Result<(u64, Version), DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let visible = match self.versions.next()? {
                Ok((key, value)) => self.visible(key, value),
                Err(error) => Err(failure(error)),
            };
            if let Some(found) = visible.transpose() {
                return Some(found);
            }
        }
    }
}
