//! Aggregation over collections: the library in which a pipeline reads, everything as it was after one commit.
//! What the stages mean is `query`'s; the front of a pipeline is answered as a find is, by the same plans.

use std::cell::Cell;
use std::sync::Arc;

use document::{Document, DocumentRef, RawDocumentBuf, ValueRef};
use query::aggregate::{Documents, Front, GeoNear, Library};
use query::{Filter, KeyKind, Near, QueryError, QueryErrorKind};

use crate::plan::{Plan, Records, Source};
use crate::read::{self, View, is_match};
use crate::record::Record;
use crate::store::{CollectionId, Index};
use crate::{AggregateRequest, CollectionName, DatabaseError, FindRequest};

/// How many bytes of documents are sorted in memory, as a pipeline's own sort counts them.
const SORT_BYTES_MAX: usize = 100 * 1024 * 1024;

const SORT_EXCEEDED: &str = "Sort exceeded memory limit of 104857600 bytes, but did not opt in to external sorting. \
                             Aborting operation. Pass allowDiskUse:true to opt in.";

/// Carries out a pipeline.
pub(crate) fn aggregate(
    view: &View,
    namespace: &str,
    request: &AggregateRequest,
) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
    let collections = Collections { view, namespace, random: Cell::new(request.seed) };
    request.pipeline.run(request.collection.as_str(), &collections)?.collect()
}

/// The collections of a namespace after one commit.
struct Collections<'a> {
    view: &'a View,
    namespace: &'a str,
    random: Cell<u64>,
}

impl Library for Collections<'_> {
    type Error = DatabaseError;

    fn documents<'a>(&'a self, collection: &str, front: Front) -> Result<Documents<'a, DatabaseError>, DatabaseError> {
        let Some((name, id)) = self.collection(collection) else { return Ok(Box::new(std::iter::empty())) };
        if let Some(stage) = &front.near {
            let found = self.near(id, stage, &front.filter)?;
            return Ok(Box::new(found.into_iter().map(Ok)));
        }
        let Front { filter, sort, skip, limit, .. } = front;
        let request = FindRequest { collection: name, filter, sort, skip, limit, projection: None };
        let plan = self.view.plan(id, request.question())?;
        if matches!(plan, Plan::Scan) && request.sort.is_none() {
            return self.scan(id, request);
        }
        let page = read::page(self.view, id, &plan, &request)?;
        if request.sort.is_some() {
            check_sorted(&page)?;
        }
        Ok(Box::new(page.into_iter().map(|record| record.to_raw())))
    }

    /// SplitMix64, which turns any seed into well-spread numbers.
    fn random_below(&self, end: u64) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(end).unwrap_or_default()
    }
}

impl Collections<'_> {
    /// `None` for what is no name, and for a collection that is missing.
    fn collection(&self, name: &str) -> Option<(CollectionName, CollectionId)> {
        let name = CollectionName::parse(name).ok()?;
        let id = self.view.catalogue.collection(self.namespace, &name).ok()?;
        Some((name, id))
    }

    /// The documents near the point of a `$geoNear`, nearest first, each with its distance.
    fn near(&self, id: CollectionId, stage: &GeoNear, filter: &Filter) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        let mut view = self.view;
        let path = stage.key.clone().map_or_else(|| only_geo_path(&view.indexes(id)), Ok)?;
        let near = Near::stage(&path, ValueRef::from(&stage.near), stage.min_distance, stage.max_distance)?;
        let plan = Plan::near(&mut view, id, filter, &near)?;
        let mut found = Vec::new();
        for candidate in plan.candidates(&mut view, id)? {
            if found.len() as u64 == stage.limit {
                break;
            }
            if let Some(record) = is_match(candidate, filter)? {
                found.extend(placed(&record, stage, &near)?);
            }
        }
        Ok(found)
    }

    /// Documents as they are stored, read only as far as they are asked for.
    fn scan(&self, id: CollectionId, request: FindRequest) -> Result<Documents<'static, DatabaseError>, DatabaseError> {
        let mut source = self.view;
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let mut left_out = size(request.skip);
        let matches = Matches { scan: source.scan(id)?, filter: request.filter };
        let rest = matches.skip_while(move |record| {
            let skipped = record.is_ok() && left_out > 0;
            left_out -= usize::from(skipped);
            skipped
        });
        let page = rest.take(request.limit.map_or(usize::MAX, size));
        Ok(Box::new(page.map(|record| record?.to_raw())))
    }
}

/// The documents of a scan that match.
struct Matches {
    scan: Records,
    filter: Filter,
}

impl Iterator for Matches {
    type Item = Result<Record, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.scan.find_map(|found| {
            let record = found.map(|(number, version)| Record { number, version });
            is_match(record, &self.filter).transpose()
        })
    }
}

/// A document with its distance; `None` where it has no place.
fn placed(record: &Record, stage: &GeoNear, near: &Near) -> Result<Option<RawDocumentBuf>, DatabaseError> {
    let raw = record.document()?;
    let Some(nearest) = near.nearest(DocumentRef::from(raw)) else { return Ok(None) };
    let corrupt = |error: &dyn std::fmt::Display| DatabaseError::Corrupt(error.to_string());
    let mut document = Document::try_from(raw).map_err(|error| corrupt(&error))?;
    stage.place(&mut document, nearest.distance, &nearest.location.to_bson());
    RawDocumentBuf::try_from(&document).map(Some).map_err(|error| corrupt(&error))
}

/// The field of the one geo index that a collection has.
fn only_geo_path(indexes: &[Arc<Index>]) -> Result<String, DatabaseError> {
    let keys = indexes.iter().filter_map(|index| index.definition.keys.first());
    let mut paths = keys.filter(|(_, kind)| *kind == KeyKind::Geo2dsphere).map(|(path, _)| path.as_str());
    match (paths.next(), paths.next()) {
        (Some(path), None) => Ok(path.to_owned()),
        (None, _) => Err(bad_query("$geoNear requires a 2d or 2dsphere index, but none were found")),
        (Some(_), Some(_)) => Err(bad_query(
            "There is more than one 2dsphere index; unsure which to use for $geoNear: name its field in `key`",
        )),
    }
}

fn check_sorted(page: &[Record]) -> Result<(), DatabaseError> {
    let bytes: usize = page.iter().map(|record| record.version.value.len()).sum();
    if bytes > SORT_BYTES_MAX { Err(bad_query(SORT_EXCEEDED)) } else { Ok(()) }
}

fn bad_query(message: &str) -> DatabaseError {
    QueryError { kind: QueryErrorKind::BadQuery, message: message.to_owned() }.into()
}
