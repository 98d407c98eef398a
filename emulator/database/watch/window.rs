//! The documents a query finds, in order, held in memory and kept from what changes alone. Under a limit it holds some
//! beyond the limit too, so that the next one in is usually known when one leaves; when they run out it must be filled anew.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use document::{DocumentRef, RawDocumentBuf};
use query::{Sort, SortKey};

use super::WATCHED_MAX;

/// The first documents of a query: always exactly the first, but perhaps not all.
#[derive(Debug)]
pub(super) struct Window {
    sort: Option<Sort>,
    limit: Option<usize>,
    held: BTreeMap<Place, Arc<RawDocumentBuf>>,
    places: HashMap<u64, Place>,
    /// Whether no more documents match than are held.
    complete: bool,
}

/// Where a document stands. Ties are broken by insertion order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: Option<SortKey>,
    record: u64,
}

/// Whether a document was and is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) was: bool,
    pub(super) is: bool,
}

impl Window {
    /// An empty one, to be filled.
    pub(super) fn new(sort: Option<Sort>, limit: Option<usize>) -> Window {
        Window { sort, limit, held: BTreeMap::new(), places: HashMap::new(), complete: false }
    }

    /// How many documents it is to be filled with, and holds at most: under a limit as many again beyond it; without one,
    /// one more than is allowed, which tells.
    pub(super) fn capacity(limit: Option<usize>) -> usize {
        limit.map_or(WATCHED_MAX + 1, |limit| limit.saturating_mul(2))
    }

    pub(super) fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// Whether more documents match than may be watched.
    pub(super) fn is_overfull(&self) -> bool {
        self.limit.is_none() && self.held.len() > WATCHED_MAX
    }

    /// Whether documents within the limit are not known.
    pub(super) fn needs_filling(&self) -> bool {
        !self.complete && self.held.len() < self.limit.unwrap_or(0)
    }

    /// Holds these documents alone: the first of the query, as many as [`Window::capacity`] says or else all there are.
    pub(super) fn fill(&mut self, documents: impl Iterator<Item = (u64, Arc<RawDocumentBuf>)>) {
        self.held.clear();
        self.places.clear();
        for (record, document) in documents {
            let place = self.place(record, &document);
            self.insert(place, document);
        }
        self.complete = self.held.len() < Window::capacity(self.limit);
    }

    /// Puts a document that matches where it belongs; `None` takes away one that does not, or is gone.
    pub(super) fn put(&mut self, record: u64, document: Option<Arc<RawDocumentBuf>>) -> Put {
        let was = self.take_away(record);
        let Some(document) = document else { return Put { was, is: false } };
        let place = self.place(record, &document);
        if !self.complete && self.held.last_key_value().is_none_or(|(last, _)| *last < place) {
            return Put { was, is: false }; // somewhere among those that are not held
        }
        self.insert(place, document);
        self.cut();
        Put { was, is: self.places.contains_key(&record) }
    }

    /// The documents within the limit, in order.
    pub(super) fn visible(&self) -> impl Iterator<Item = (u64, &Arc<RawDocumentBuf>)> {
        let limit = self.limit.unwrap_or(usize::MAX);
        self.held.iter().take(limit).map(|(place, document)| (place.record, document))
    }

    fn place(&self, record: u64, document: &RawDocumentBuf) -> Place {
        Place { key: self.sort.as_ref().map(|sort| sort.key(DocumentRef::from(document))), record }
    }

    fn insert(&mut self, place: Place, document: Arc<RawDocumentBuf>) {
        self.places.insert(place.record, place.clone());
        self.held.insert(place, document);
    }

    fn take_away(&mut self, record: u64) -> bool {
        let Some(place) = self.places.remove(&record) else { return false };
        self.held.remove(&place).is_some()
    }

    fn cut(&mut self) {
        while self.held.len() > Window::capacity(self.limit)
            && let Some((last, _)) = self.held.pop_last()
        {
            self.places.remove(&last.record);
            self.complete = false;
        }
    }
}
