//! Reading: the documents that match, in order, a page of them. Everything as it was after one commit.

use std::sync::Arc;

use document::{DocumentRef, RawDocumentBuf};
use query::{Filter, Projection};

use crate::plan::{Candidates, Plan, Records, Source};
use crate::record::Record;
use crate::store::{CollectionId, Engine, EntryKey, Snapshot, Version};
use crate::top::Top;
use crate::transaction::{Overlay, OwnWrites, own_version};
use crate::{DatabaseError, FindRequest};

/// The store as it was after one commit, and for a transaction with its own writes.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) engine: Arc<Engine>,
    pub(crate) snapshot: Snapshot,
    /// What the transaction that reads has written itself.
    pub(crate) own: Option<Arc<OwnWrites>>,
}

impl Source for &View {
    fn look(&self, key: &EntryKey) -> Result<Option<Version>, DatabaseError> {
        match self.own.as_ref().and_then(|own| own_version(own, key)) {
            Some(version) => Ok(Some(version)),
            None => self.engine.version(key, self.snapshot.sequence()),
        }
    }

    fn scan(&mut self, collection: CollectionId) -> Result<Records, DatabaseError> {
        let scan = self.engine.scan(collection, self.snapshot.sequence());
        Ok(match &self.own {
            Some(own) => Box::new(Overlay::new(scan, own, collection)),
            None => Box::new(scan),
        })
    }
}

/// The documents asked for.
pub(crate) fn find(
    view: &View,
    collection: CollectionId,
    plan: &Plan,
    request: &FindRequest,
) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
    let page = page(view, collection, plan, request)?;
    page.iter().map(|record| project(record, request.projection.as_ref())).collect()
}

/// The documents asked for, whole.
pub(crate) fn page(
    mut view: &View,
    collection: CollectionId,
    plan: &Plan,
    request: &FindRequest,
) -> Result<Vec<Record>, DatabaseError> {
    if request.limit == Some(0) {
        return Ok(Vec::new());
    }
    let matches = matches(plan.candidates(&mut view, collection)?, &request.filter);
    let Some(sort) = &request.sort else { return in_natural_order(matches, request) };
    let mut top = Top::new(sort, request.skip, request.limit);
    for record in matches {
        top.offer(record?)?;
    }
    Ok(top.into_page())
}

/// How many documents match.
pub(crate) fn count(
    mut view: &View,
    collection: CollectionId,
    plan: &Plan,
    filter: &Filter,
) -> Result<u64, DatabaseError> {
    let candidates = plan.candidates(&mut view, collection)?;
    matches(candidates, filter).try_fold(0, |count, record| record.map(|_| count + 1))
}

/// The candidates that match.
fn matches(candidates: Candidates, filter: &Filter) -> impl Iterator<Item = Result<Record, DatabaseError>> {
    candidates.filter_map(|candidate| is_match(candidate, filter).transpose())
}

fn is_match(candidate: Result<Record, DatabaseError>, filter: &Filter) -> Result<Option<Record>, DatabaseError> {
    let record = candidate?;
    let matches = filter.matches(DocumentRef::from(record.document()?))?;
    Ok(matches.then_some(record))
}

/// Stops reading when the page is full.
fn in_natural_order(
    matches: impl Iterator<Item = Result<Record, DatabaseError>>,
    request: &FindRequest,
) -> Result<Vec<Record>, DatabaseError> {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let mut left_out = size(request.skip);
    let wanted = request.limit.map_or(usize::MAX, size);
    let mut page = Vec::new();
    for record in matches {
        let record = record?;
        if left_out > 0 {
            left_out -= 1;
            continue;
        }
        page.push(record);
        if page.len() == wanted {
            break;
        }
    }
    Ok(page)
}

fn project(record: &Record, projection: Option<&Projection>) -> Result<RawDocumentBuf, DatabaseError> {
    match projection {
        Some(projection) if !projection.is_identity() => {
            let projected = projection.apply(DocumentRef::from(record.document()?))?;
            RawDocumentBuf::try_from(&projected).map_err(|error| DatabaseError::Corrupt(error.to_string()))
        }
        Some(_) | None => record.to_raw(),
    }
}
