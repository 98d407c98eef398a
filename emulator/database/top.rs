//! The first page of documents in a sort's order, without keeping more documents than the page and what is skipped.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use document::DocumentRef;
use query::{Sort, SortKey};

use crate::DatabaseError;
use crate::record::Record;

/// Takes documents in any order and keeps those that come first.
pub(crate) struct Top<'a> {
    sort: &'a Sort,
    skip: usize,
    /// How many are kept: those to skip and those to return.
    size: usize,
    /// The last of those kept is the first to go.
    kept: BinaryHeap<Ranked>,
}

/// A document with its place. Ties are broken by insertion order (semantics DB-2.25).
struct Ranked {
    key: SortKey,
    record: Record,
}

impl<'a> Top<'a> {
    /// For a page of `limit` documents after `skip`; `None` is all that remain.
    pub(crate) fn new(sort: &'a Sort, skip: u64, limit: Option<u64>) -> Top<'a> {
        let size = limit.map_or(u64::MAX, |limit| skip.saturating_add(limit));
        let (skip, size) = (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(size).unwrap_or(usize::MAX));
        Top { sort, skip, size, kept: BinaryHeap::new() }
    }

    /// Keeps the document if it is among the first so far.
    pub(crate) fn offer(&mut self, record: Record) -> Result<(), DatabaseError> {
        let key = self.sort.key(DocumentRef::from(record.document()?));
        let ranked = Ranked { key, record };
        if self.kept.len() < self.size {
            self.kept.push(ranked);
        } else if let Some(mut last) = self.kept.peek_mut()
            && ranked < *last
        {
            *last = ranked;
        }
        Ok(())
    }

    /// The page, in order.
    pub(crate) fn into_page(self) -> Vec<Record> {
        self.kept.into_sorted_vec().into_iter().skip(self.skip).map(|ranked| ranked.record).collect()
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Ranked) -> Ordering {
        self.key.cmp(&other.key).then(self.record.number.cmp(&other.record.number))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Ranked) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Ranked) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}
