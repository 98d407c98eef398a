//! The records that a way of reading an index leads to: all at once in insertion order, or one after the other in the order of
//! the index, its ranges read side by side.

use std::collections::VecDeque;

use crate::DatabaseError;
use crate::plan::Source;
use crate::record::decode_number;
use crate::store::{Entries, Entry, INDEX_IDS, Index};

use super::{Access, Order};

impl Access {
    /// The records in insertion order, each once, and how many entries lead to them.
    pub(crate) fn collect(&self, source: &mut impl Source) -> Result<(Vec<u64>, u64), DatabaseError> {
        let (mut records, mut keys) = (Vec::new(), 0);
        for span in &self.spans {
            for entry in source.entries(&span.range, false)? {
                records.push(record(&self.index, &entry?)?);
                keys += 1;
            }
        }
        records.sort_unstable();
        records.dedup();
        Ok((records, keys))
    }

    /// How many entries there are; counts no further than `most`.
    pub(crate) fn count(&self, source: &mut impl Source, most: u64) -> Result<u64, DatabaseError> {
        let mut count = 0;
        for span in &self.spans {
            for entry in source.entries(&span.range, false)? {
                if count == most {
                    return Ok(count);
                }
                entry?;
                count += 1;
            }
        }
        Ok(count)
    }
}

/// The records of an [`Order::Merged`], in that order, each once. Ties are in insertion order (semantics DB-2.25).
pub(crate) struct Merge {
    lanes: Vec<Lane>,
    backward: bool,
    keeps_ties: bool,
    /// Records with equal places, in insertion order.
    tied: VecDeque<u64>,
    last: Option<u64>,
    /// How many entries were taken.
    keys: u64,
}

/// One range.
struct Lane {
    entries: Entries,
    head: Option<Place>,
    /// Which bytes of a key are merged by: from `skip` to where this many components end.
    skip: usize,
    components: usize,
    /// Whether the entries are those of `_id_`, which have one component and the record in their content.
    ids: bool,
}

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    bytes: Vec<u8>,
    record: u64,
}

impl Merge {
    /// Of a way that has an order.
    pub(crate) fn new(access: &Access, source: &mut impl Source) -> Result<Merge, DatabaseError> {
        let (components, backward) = match access.order {
            Order::Merged { to, backward, .. } => (to, backward),
            Order::None => (0, false),
        };
        let mut lanes = Vec::with_capacity(access.spans.len());
        for span in &access.spans {
            let entries = source.entries(&span.range, backward)?;
            let ids = access.index.number == INDEX_IDS;
            let mut lane = Lane { entries, head: None, skip: span.skip, components, ids };
            lane.advance()?;
            lanes.push(lane);
        }
        let keeps_ties = access.keeps_ties();
        Ok(Merge { lanes, backward, keeps_ties, tied: VecDeque::new(), last: None, keys: 0 })
    }

    /// How many entries were taken so far.
    pub(crate) fn keys(&self) -> u64 {
        self.keys
    }

    fn next_record(&mut self) -> Result<Option<u64>, DatabaseError> {
        if let Some(record) = self.tied.pop_front() {
            return Ok(Some(record));
        }
        if self.keeps_ties {
            return self.next_settled();
        }
        self.take_ties()?;
        Ok(self.tied.pop_front())
    }

    /// Where entries with equal places come in insertion order by themselves.
    fn next_settled(&mut self) -> Result<Option<u64>, DatabaseError> {
        while let Some(lane) =
            self.lanes.iter_mut().filter(|lane| lane.head.is_some()).min_by(|a, b| a.head.cmp(&b.head))
        {
            let record = lane.head.take().map(|place| place.record);
            lane.advance()?;
            self.keys += 1;
            if record != self.last {
                self.last = record;
                return Ok(record);
            }
        }
        Ok(None)
    }

    /// Takes all entries that share the next place.
    fn take_ties(&mut self) -> Result<(), DatabaseError> {
        let places = self.lanes.iter().filter_map(|lane| lane.head.as_ref()).map(|place| &place.bytes);
        let Some(next) = (if self.backward { places.max() } else { places.min() }).cloned() else { return Ok(()) };
        let mut records = Vec::new();
        for lane in &mut self.lanes {
            while let Some(place) = lane.head.take_if(|place| place.bytes == next) {
                records.push(place.record);
                lane.advance()?;
            }
        }
        self.keys += records.len() as u64;
        records.sort_unstable();
        records.dedup();
        self.tied.extend(records);
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = Result<u64, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

impl Lane {
    fn advance(&mut self) -> Result<(), DatabaseError> {
        self.head = match self.entries.next().transpose()? {
            Some(entry) => Some(self.place(&entry)?),
            None => None,
        };
        Ok(())
    }

    fn place(&self, entry: &Entry) -> Result<Place, DatabaseError> {
        if self.ids {
            return Ok(Place { bytes: entry.key().to_vec(), record: decode_number(&entry.version.value)? });
        }
        let ends = entry.version.value.as_chunks::<2>().0;
        let last = self.components.checked_sub(1).and_then(|last| ends.get(last));
        let end = last.map_or(self.skip, |end| usize::from(u16::from_be_bytes(*end)));
        let bytes = entry.key().get(self.skip..end).unwrap_or_default().to_vec();
        Ok(Place { bytes, record: entry.record()? })
    }
}

fn record(index: &Index, entry: &Entry) -> Result<u64, DatabaseError> {
    if index.number == INDEX_IDS { decode_number(&entry.version.value) } else { entry.record() }
}
