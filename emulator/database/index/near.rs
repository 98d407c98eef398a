//! The documents near a point, nearest first: the cells of a geo index are looked up in rings around the point, each only when
//! the nearer ones hold no more.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use document::{DocumentRef, RawDocument};
use query::geo::Ring;
use query::{Bounds, Condition, Near};

use crate::DatabaseError;
use crate::plan::{Examined, Source, present};
use crate::record::Record;
use crate::store::{CollectionId, EntryKey, Index, Version};

use super::Access;

/// The records near a point, nearest first, ties in insertion order.
pub(crate) struct Nearest<'p> {
    near: &'p Near,
    index: &'p Arc<Index>,
    conditions: &'p [Condition],
    rings: Box<dyn Iterator<Item = Ring> + 'p>,
    /// Up to which distance everything was found.
    reached: f64,
    seen: HashSet<u64>,
    /// Found, by distance and record, and not given yet.
    found: BTreeMap<(Distance, u64), Version>,
    examined: Examined,
}

/// A distance; never below 0, so that its bits are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Distance(u64);

impl<'p> Nearest<'p> {
    pub(crate) fn new(near: &'p Near, index: &'p Arc<Index>, conditions: &'p [Condition]) -> Nearest<'p> {
        Nearest {
            near,
            index,
            conditions,
            rings: Box::new(near.rings()),
            reached: f64::NEG_INFINITY,
            seen: HashSet::new(),
            found: BTreeMap::new(),
            examined: Examined::default(),
        }
    }

    /// How much was looked at so far.
    pub(crate) fn examined(&self) -> Examined {
        self.examined
    }

    /// The next record.
    pub(crate) fn next(
        &mut self,
        source: &mut impl Source,
        collection: CollectionId,
    ) -> Result<Option<Record>, DatabaseError> {
        loop {
            if let Some(first) = self.found.first_entry()
                && first.key().0.value() <= self.reached
            {
                let ((_, number), version) = first.remove_entry();
                return Ok(Some(Record { number, version }));
            }
            match self.rings.next() {
                Some(ring) => self.look_up(source, collection, &ring)?,
                None if self.found.is_empty() => return Ok(None),
                None => self.reached = f64::INFINITY,
            }
        }
    }

    fn look_up(
        &mut self,
        source: &mut impl Source,
        collection: CollectionId,
        ring: &Ring,
    ) -> Result<(), DatabaseError> {
        let Some(access) = access(collection, self.index, self.conditions, self.near.path(), ring) else {
            return Err(DatabaseError::Internal("a geo index does not bound a ring".to_owned()));
        };
        let (records, keys) = access.collect(source)?;
        self.examined.keys += keys;
        for number in records {
            if self.seen.insert(number)
                && let Some(version) = present(source.look(&EntryKey::record(collection, number))?)
            {
                self.consider(Record { number, version })?;
            }
        }
        self.reached = ring.outer;
        Ok(())
    }

    fn consider(&mut self, record: Record) -> Result<(), DatabaseError> {
        self.examined.documents += 1;
        if let Some(distance) = distance(self.near, record.document()?) {
            self.found.insert((Distance(distance.to_bits()), record.number), record.version);
        }
        Ok(())
    }
}

impl Distance {
    fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// How a ring is looked up.
pub(super) fn access(
    collection: CollectionId,
    index: &Arc<Index>,
    conditions: &[Condition],
    path: &str,
    ring: &Ring,
) -> Option<Access> {
    let bounds = Bounds::of_cells(&ring.covering);
    let ring = [Condition::Geo { path: path.to_owned(), bounds }];
    let conditions: Vec<Condition> = ring.into_iter().chain(conditions.iter().cloned()).collect();
    Access::of(collection, index, &conditions, None).filter(|access| access.bounded > 0)
}

fn distance(near: &Near, document: &RawDocument) -> Option<f64> {
    near.distance(DocumentRef::Raw(document))
        .filter(|distance| near.accepts(*distance))
        .map(|distance| distance.max(0.0))
}
