//! Reading: the documents that match, in order, a page of them. Everything as it was after one commit.

use std::sync::Arc;

use document::{DocumentRef, RawDocumentBuf};
use query::{Filter, Projection, Sort};

use crate::plan::{Candidates, Examined, Plan, Question, Records, Source};
use crate::record::Record;
use crate::store::{Catalogue, CollectionId, Engine, Entries, EntryKey, Index, KeyRange, Snapshot, Version};
use crate::top::Top;
use crate::transaction::{Overlay, OwnWrites, own_version};
use crate::writer::guarded;
use crate::{DatabaseError, FindRequest};

/// The store as it was after one commit, and for a transaction with its own writes.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) engine: Arc<Engine>,
    pub(crate) snapshot: Snapshot,
    /// As it was after that commit or a later one: an index tells since when it can be used.
    pub(crate) catalogue: Arc<Catalogue>,
    /// What the transaction that reads has written itself.
    pub(crate) own: Option<Arc<OwnWrites>>,
}

impl FindRequest {
    /// What a plan is made for.
    pub(crate) fn question(&self) -> Question<'_> {
        let most = self.limit.map(|limit| self.skip.saturating_add(limit));
        Question { filter: &self.filter, sort: self.sort.as_ref(), most }
    }
}

impl Source for &View {
    fn look(&self, key: &EntryKey) -> Result<Option<Version>, DatabaseError> {
        match self.own.as_ref().and_then(|own| own_version(own, key)) {
            Some(version) => Ok(Some(version)),
            None => self.engine.version_in(self.catalogue.layers(), key, self.snapshot.sequence()),
        }
    }

    fn scan(&mut self, collection: CollectionId) -> Result<Records, DatabaseError> {
        let scan = self.engine.scan(self.catalogue.layers(), collection, self.snapshot.sequence());
        Ok(match &self.own {
            Some(own) => Box::new(Overlay::new(scan, own, collection)),
            None => Box::new(scan),
        })
    }

    fn indexes(&self, collection: CollectionId) -> Vec<Arc<Index>> {
        if self.own.is_some() {
            return Vec::new(); // own writes are not looked for in indexes
        }
        self.catalogue.indexes_complete_at(collection, self.snapshot.sequence())
    }

    fn entries(&mut self, range: &KeyRange, backward: bool) -> Result<Entries, DatabaseError> {
        Ok(self.engine.entries(self.catalogue.layers(), range, self.snapshot.sequence(), backward))
    }
}

impl View {
    /// The cheapest plan, as the store was then.
    pub(crate) fn plan(&self, collection: CollectionId, question: Question<'_>) -> Result<Plan, DatabaseError> {
        let mut source = self;
        guarded(|| Plan::of(&mut source, collection, question))
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
    view: &View,
    collection: CollectionId,
    plan: &Plan,
    request: &FindRequest,
) -> Result<Vec<Record>, DatabaseError> {
    page_examined(view, collection, plan, request).map(|(page, _)| page)
}

/// The documents asked for, and how much was looked at to find them.
pub(crate) fn page_examined(
    mut view: &View,
    collection: CollectionId,
    plan: &Plan,
    request: &FindRequest,
) -> Result<(Vec<Record>, Examined), DatabaseError> {
    if request.limit == Some(0) {
        return Ok((Vec::new(), Examined::default()));
    }
    let mut candidates = plan.candidates(&mut view, collection)?;
    let matches = matches(&mut candidates, &request.filter);
    let page = match &request.sort {
        Some(sort) if !plan.keeps_order(Some(sort)) => sorted(matches, sort, request)?,
        Some(_) | None => in_order(matches, request)?,
    };
    Ok((page, candidates.examined()))
}

/// How many documents match. Where the entries of an index are the matches, no document is looked at.
pub(crate) fn count(
    mut view: &View,
    collection: CollectionId,
    plan: &Plan,
    filter: &Filter,
) -> Result<u64, DatabaseError> {
    if let Plan::Index { access, .. } = plan
        && access.exact
    {
        return access.count(&mut view, u64::MAX);
    }
    let mut candidates = plan.candidates(&mut view, collection)?;
    matches(&mut candidates, filter).try_fold(0, |count, record| record.map(|_| count + 1))
}

/// The candidates that match.
fn matches<S: Source>(
    candidates: &mut Candidates<'_, S>,
    filter: &Filter,
) -> impl Iterator<Item = Result<Record, DatabaseError>> {
    candidates.filter_map(|candidate| is_match(candidate, filter).transpose())
}

fn sorted(
    matches: impl Iterator<Item = Result<Record, DatabaseError>>,
    sort: &Sort,
    request: &FindRequest,
) -> Result<Vec<Record>, DatabaseError> {
    let mut top = Top::new(sort, request.skip, request.limit);
    for record in matches {
        top.offer(record?)?;
    }
    Ok(top.into_page())
}

/// The candidate, if it matches.
pub(crate) fn is_match(
    candidate: Result<Record, DatabaseError>,
    filter: &Filter,
) -> Result<Option<Record>, DatabaseError> {
    let record = candidate?;
    let matches = filter.matches(DocumentRef::from(record.document()?))?;
    Ok(matches.then_some(record))
}

/// Of matches that come in the order asked for: stops reading when the page is full.
fn in_order(
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
