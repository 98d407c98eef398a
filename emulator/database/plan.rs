//! Which documents a filter can match at all: those of some ids, or any. What an index would add is added here.

use document::{Bson, ValueRef};
use query::Filter;

use crate::DatabaseError;
use crate::record::{Record, decode_number};
use crate::store::{CollectionId, EntryKey, Version};

/// Above this many look-ups a request is no longer a matter of microseconds.
const LOOK_UPS_SHORT: usize = 32;

/// Where the matches of a filter are to be looked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plan {
    /// Among the documents with these ids.
    Ids(Vec<Bson>),
    /// Everywhere.
    Scan,
}

/// Where entries are read: at a snapshot, or in a commit being drafted.
pub(crate) trait Source {
    /// The version of an entry that is seen here, removals included.
    fn look(&self, key: &EntryKey) -> Result<Option<Version>, DatabaseError>;

    /// The documents of a collection, in insertion order.
    fn scan(&mut self, collection: CollectionId) -> Result<Records, DatabaseError>;
}

/// Documents by their record numbers.
pub(crate) type Records = Box<dyn Iterator<Item = Result<(u64, Version), DatabaseError>>>;

/// The documents a plan names, in insertion order, each once.
pub(crate) enum Candidates {
    /// Looked up beforehand.
    Few(std::vec::IntoIter<Record>),
    /// Read on the way.
    All(Records),
}

impl Plan {
    /// The cheapest plan for a filter.
    pub(crate) fn of(filter: &Filter) -> Plan {
        filter.equality("_id").map_or(Plan::Scan, Plan::Ids)
    }

    /// Whether it is carried out so fast that it need not leave the async threads.
    pub(crate) fn is_short(&self) -> bool {
        match self {
            Plan::Ids(ids) => ids.len() <= LOOK_UPS_SHORT,
            Plan::Scan => false,
        }
    }

    /// The documents in which matches are to be looked for.
    pub(crate) fn candidates(
        &self,
        source: &mut impl Source,
        collection: CollectionId,
    ) -> Result<Candidates, DatabaseError> {
        match self {
            Plan::Ids(ids) => Ok(Candidates::Few(records_by_id(source, collection, ids)?.into_iter())),
            Plan::Scan => Ok(Candidates::All(source.scan(collection)?)),
        }
    }
}

impl Iterator for Candidates {
    type Item = Result<Record, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Candidates::Few(records) => records.next().map(Ok),
            Candidates::All(scan) => {
                let found = scan.next()?;
                Some(found.map(|(number, version)| Record { number, version }))
            }
        }
    }
}

fn records_by_id(source: &impl Source, collection: CollectionId, ids: &[Bson]) -> Result<Vec<Record>, DatabaseError> {
    let mut records = Vec::new();
    for id in ids {
        records.extend(record_by_id(source, collection, ValueRef::from(id))?);
    }
    records.sort_by_key(|record| record.number);
    records.dedup_by_key(|record| record.number);
    Ok(records)
}

fn record_by_id(
    source: &impl Source,
    collection: CollectionId,
    id: ValueRef<'_>,
) -> Result<Option<Record>, DatabaseError> {
    let Some(entry) = present(source.look(&EntryKey::id(collection, id))?) else { return Ok(None) };
    let number = decode_number(&entry.value)?;
    let version = present(source.look(&EntryKey::record(collection, number))?)
        .ok_or_else(|| DatabaseError::Corrupt(format!("record {number} is missing")))?;
    Ok(Some(Record { number, version }))
}

/// The version, unless it is a removal.
pub(crate) fn present(version: Option<Version>) -> Option<Version> {
    version.filter(|version| !version.value.is_removal())
}
