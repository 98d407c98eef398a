//! Which of the watched queries of a collection a change can touch: those whose equality condition one of the document's
//! values meets, before or after, and those that have none.

use std::collections::{BTreeSet, HashMap};

use document::{DocumentRef, RawDocumentBuf, ValueRef, encode_key};
use query::{Filter, Probe};

use crate::Change;

use super::live::QueryId;

/// The watched queries of one collection.
#[derive(Debug, Default)]
pub(super) struct Index {
    paths: HashMap<String, Values>,
    /// Those any change may touch.
    anywhere: BTreeSet<QueryId>,
}

/// The queries that demand one of some values at a path.
#[derive(Debug)]
struct Values {
    probe: Probe,
    queries: HashMap<Key, BTreeSet<QueryId>>,
}

/// A value, so that equal values have equal keys.
type Key = Box<[u8]>;

/// Where a query stands in an index.
#[derive(Debug)]
pub(super) enum Entry {
    Anywhere,
    At { path: String, keys: Vec<Key> },
}

impl Index {
    /// Adds a query where fewest others are: under `_id` if it names one, or under another path whose value it demands.
    pub(super) fn add(&mut self, query: QueryId, filter: &Filter) -> Entry {
        let entry = self.best_entry(filter);
        match &entry {
            Entry::Anywhere => {
                self.anywhere.insert(query);
            }
            Entry::At { path, keys } => {
                let values = self.paths.entry(path.clone()).or_insert_with(|| Values::new(path));
                for key in keys {
                    values.queries.entry(key.clone()).or_default().insert(query);
                }
            }
        }
        entry
    }

    /// Takes a query out. Returns whether none is left.
    pub(super) fn remove(&mut self, query: QueryId, entry: &Entry) -> bool {
        match entry {
            Entry::Anywhere => {
                self.anywhere.remove(&query);
            }
            Entry::At { path, keys } => self.remove_at(query, path, keys),
        }
        self.anywhere.is_empty() && self.paths.is_empty()
    }

    /// Shows `see` every query that a change can touch; some of them perhaps several times.
    pub(super) fn touched(&self, change: &Change, mut see: impl FnMut(QueryId)) {
        self.anywhere.iter().copied().for_each(&mut see);
        for values in self.paths.values() {
            for document in change.before.iter().chain(&change.after) {
                values.met_by(document, &mut see);
            }
        }
    }

    fn best_entry(&self, filter: &Filter) -> Entry {
        let entries = filter.equality_paths().into_iter().filter_map(|path| {
            let keys: Vec<Key> = filter.equality(path)?.iter().map(|value| key(value.into())).collect();
            Some((path, keys))
        });
        let best = entries.min_by_key(|(path, keys)| (*path != "_id", self.neighbours(path, keys)));
        best.map_or(Entry::Anywhere, |(path, keys)| Entry::At { path: path.to_owned(), keys })
    }

    fn neighbours(&self, path: &str, keys: &[Key]) -> usize {
        let Some(values) = self.paths.get(path) else { return 0 };
        keys.iter().map(|key| values.queries.get(key).map_or(0, BTreeSet::len)).sum()
    }

    fn remove_at(&mut self, query: QueryId, path: &str, keys: &[Key]) {
        let Some(values) = self.paths.get_mut(path) else { return };
        for key in keys {
            if let Some(queries) = values.queries.get_mut(key) {
                queries.remove(&query);
                if queries.is_empty() {
                    values.queries.remove(key);
                }
            }
        }
        if values.queries.is_empty() {
            self.paths.remove(path);
        }
    }
}

impl Values {
    fn new(path: &str) -> Values {
        Values { probe: Probe::new(path), queries: HashMap::new() }
    }

    fn met_by(&self, document: &RawDocumentBuf, see: &mut impl FnMut(QueryId)) {
        let mut bytes = Vec::new();
        self.probe.values(DocumentRef::from(document), |value| {
            bytes.clear();
            encode_key(value, &mut bytes);
            if let Some(queries) = self.queries.get(bytes.as_slice()) {
                queries.iter().copied().for_each(&mut *see);
            }
        });
    }
}

fn key(value: ValueRef<'_>) -> Key {
    let mut bytes = Vec::new();
    encode_key(value, &mut bytes);
    bytes.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use bson::doc;
    use document::Document;

    use super::*;
    use crate::{ChangeKind, CollectionName};

    #[test]
    fn a_change_touches_the_queries_that_may_see_it() {
        let mut index = Index::default();
        let queries = [
            doc! { "_id": "x" },
            doc! { "_id": { "$in": ["x", "y"] }, "room": 1 },
            doc! { "room": 1, "n": { "$gt": 2 } },
            doc! { "tags": "red" },
            doc! { "n": { "$gt": 2 } },
            doc! { "room": 2, "n": 7 },
        ];
        let entries: Vec<Entry> =
            (0..).zip(&queries).map(|(query, text)| index.add(query, &Filter::parse(text).unwrap())).collect();
        check(&index, None, Some(doc! { "_id": "z" }), &[4]);
        check(&index, None, Some(doc! { "_id": "x" }), &[0, 1, 4]);
        check(&index, Some(doc! { "_id": "y" }), None, &[1, 4]);
        check(&index, Some(doc! { "_id": 1, "room": 1.0 }), Some(doc! { "_id": 1, "room": 2 }), &[2, 4, 5]);
        check(&index, None, Some(doc! { "_id": 1, "n": 7, "tags": ["blue", "red"] }), &[3, 4]);
        let left: Vec<bool> = (0..).zip(&entries).map(|(query, entry)| index.remove(query, entry)).collect();
        assert_eq!(left, [false, false, false, false, false, true]);
    }

    fn check(index: &Index, before: Option<Document>, after: Option<Document>, expected: &[QueryId]) {
        let raw = |document: Option<Document>| document.map(|text| Arc::new(RawDocumentBuf::try_from(&text).unwrap()));
        let collection = CollectionName::parse("c").unwrap();
        let kind = ChangeKind::Replace;
        let change = Change { collection, record: 1, before: raw(before), after: raw(after), kind };
        let mut touched = BTreeSet::new();
        index.touched(&change, |query| {
            touched.insert(query);
        });
        assert_eq!(touched.into_iter().collect::<Vec<_>>(), expected);
    }
}
