//! A library for tests of pipelines: collections in memory, and numbers that only look random.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;

use document::{Document, DocumentRef, RawDocumentBuf};

use crate::QueryError;
use crate::aggregate::{Documents, Front, Library};

/// Collections by name.
pub(crate) struct Shelf {
    collections: Vec<(String, Vec<Document>)>,
    random: Cell<u64>,
}

impl Shelf {
    pub(crate) fn new(collections: Vec<(String, Vec<Document>)>) -> Shelf {
        Shelf { collections, random: Cell::new(1) }
    }
}

impl Library for Shelf {
    type Error = QueryError;

    /// As a collection without any index answers.
    fn documents<'a>(&'a self, collection: &str, front: Front) -> Result<Documents<'a, QueryError>, QueryError> {
        if front.near.is_some() {
            return Err(QueryError::bad_query("geoNear index is required"));
        }
        let documents = self.collections.iter().find(|(name, _)| name == collection);
        let mut found = Vec::new();
        for document in documents.into_iter().flat_map(|(_, documents)| documents) {
            let raw = RawDocumentBuf::try_from(document).unwrap();
            if front.filter.matches(DocumentRef::Raw(&raw))? {
                found.push(raw);
            }
        }
        if let Some(sort) = &front.sort {
            found.sort_by(|left, right| sort.compare(left.into(), right.into()));
        }
        let count = |count: u64| usize::try_from(count).unwrap();
        let page = found.into_iter().skip(count(front.skip)).take(front.limit.map_or(usize::MAX, count));
        Ok(Box::new(page.map(Ok)))
    }

    fn random_below(&self, end: u64) -> u64 {
        self.random
            .set(self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        (self.random.get() >> 33) % end
    }
}
