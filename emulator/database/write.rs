//! What each kind of write does with a commit being drafted. Runs on the writer's thread.

use std::sync::Arc;

use document::{Bson, Document, DocumentRef, ValueRef};
use query::{FieldChanges, Filter, QueryError, QueryErrorKind};

use crate::collections::prepare;
use crate::draft::{Draft, Target};
use crate::plan::{Plan, Question, record_by_id};
use crate::record::{NewDocument, Record, encode};
use crate::store::EntryKey;
use crate::{
    ChangeKind, CollectionName, DatabaseError, RefillRequest, Refilled, RemoveRequest, Supervisor, UpdateReply,
    UpdateRequest, index,
};

/// A [`RefillRequest`] whose documents may all be stored.
pub(crate) struct Refill {
    request: RefillRequest,
    collections: Vec<(CollectionName, Arc<Vec<NewDocument>>)>,
}

impl Refill {
    pub(crate) fn prepare(mut request: RefillRequest) -> Result<Refill, DatabaseError> {
        let collections = std::mem::take(&mut request.collections).into_iter();
        let prepared = collections.map(|(name, documents)| Ok((name, Arc::new(prepare(documents)?))));
        let mut collections = prepared.collect::<Result<Vec<_>, DatabaseError>>()?;
        collections.append(&mut request.prepared);
        Ok(Refill { collections, request })
    }
}

/// A collection, made where it is missing.
fn target(draft: &mut Draft<'_>, name: &CollectionName) -> Result<Target, DatabaseError> {
    match draft.target(name) {
        Ok(target) => Ok(target),
        Err(_) => draft.create_collection(name),
    }
}

/// Empties and removes what is asked for, makes the indexes, then stores the documents. A collection that is missing has
/// nothing to remove.
pub(crate) fn refill(draft: &mut Draft<'_>, refill: &Refill) -> Result<Refilled, DatabaseError> {
    let Refill { request, collections } = refill;
    let mut refilled = Refilled::default();
    if request.emptied {
        draft.empty_namespace()?;
    }
    for removal in &request.removals {
        match remove_while(draft, removal, || go_on(request, &refilled)) {
            Ok(count) => refilled.removed += count,
            Err(DatabaseError::CollectionMissing(_)) => {}
            Err(error) => return Err(error),
        }
    }
    for (collection, definition) in &request.indexes {
        target(draft, collection)?;
        index::create_within(draft, collection, definition)?;
    }
    for (name, documents) in collections {
        let target = target(draft, name)?;
        for document in documents.iter() {
            go_on(request, &refilled)?;
            let replaces = request.replaces && replace(draft, &target, document)?;
            if replaces {
                refilled.replaced += 1;
            } else {
                draft.insert(&target, document.clone())?;
                refilled.inserted += 1;
            }
        }
    }
    request.supervisor.iter().for_each(|supervisor| supervisor.commits());
    Ok(refilled)
}

/// An error where the supervisor has the request stopped.
fn go_on(request: &RefillRequest, refilled: &Refilled) -> Result<(), DatabaseError> {
    let goes_on = |supervisor: &Arc<dyn Supervisor>| supervisor.goes_on(refilled.inserted + refilled.replaced);
    if request.supervisor.as_ref().is_none_or(goes_on) { Ok(()) } else { Err(DatabaseError::Stopped) }
}

/// Puts a document in the place of the one with its `_id`; `false` if there is none.
fn replace(draft: &mut Draft<'_>, target: &Target, document: &NewDocument) -> Result<bool, DatabaseError> {
    let Some(record) = record_by_id(draft, target.id, ValueRef::from(&document.id))? else { return Ok(false) };
    draft.claim(&EntryKey::record(target.id, record.number))?;
    if document.bytes.as_bytes() != &*record.version.value {
        draft.replace(target, record, document.bytes.clone(), ChangeKind::Replace)?;
    }
    Ok(true)
}

/// Inserts all documents.
pub(crate) fn insert(
    draft: &mut Draft<'_>,
    collection: &CollectionName,
    documents: &[NewDocument],
) -> Result<(), DatabaseError> {
    let target = draft.target(collection)?;
    documents.iter().cloned().try_for_each(|document| draft.insert(&target, document))
}

/// Removes the matching documents and counts them.
pub(crate) fn remove(draft: &mut Draft<'_>, request: &RemoveRequest) -> Result<u64, DatabaseError> {
    remove_while(draft, request, || Ok(()))
}

/// The same, until `go_on` is an error.
fn remove_while(
    draft: &mut Draft<'_>,
    request: &RemoveRequest,
    go_on: impl Fn() -> Result<(), DatabaseError>,
) -> Result<u64, DatabaseError> {
    let target = draft.target(&request.collection)?;
    let matches = matches(draft, &target, &request.filter, request.multi)?;
    let count = matches.len() as u64;
    for found in matches {
        go_on()?;
        draft.remove(&target, found.record)?;
    }
    Ok(count)
}

/// Changes the matching documents, or creates one.
pub(crate) fn update(draft: &mut Draft<'_>, request: &UpdateRequest) -> Result<UpdateReply, DatabaseError> {
    let target = draft.target(&request.collection)?;
    let matches = matches(draft, &target, &request.filter, request.multi)?;
    if matches.is_empty() {
        return match &request.upsert {
            Some(id) => upsert(draft, &target, request, id),
            None => Ok(UpdateReply::default()),
        };
    }
    let mut reply = UpdateReply { matched: matches.len() as u64, ..UpdateReply::default() };
    for found in matches {
        let changed = change(draft, &target, found, request)?;
        reply.modified += u64::from(changed.modified);
        if request.return_document {
            reply.document.get_or_insert(changed.document);
        }
    }
    Ok(reply)
}

/// A document that a filter matches.
struct Match {
    record: Record,
    /// The first array element that matched, for the positional `$`.
    position: Option<usize>,
}

/// The documents to be written: nobody else may, from here on.
fn matches(draft: &mut Draft<'_>, target: &Target, filter: &Filter, multi: bool) -> Result<Vec<Match>, DatabaseError> {
    let mut matches = Vec::new();
    let plan = Plan::of(draft, target.id, Question::all(filter))?;
    for candidate in plan.candidates(draft, target.id)? {
        let record = candidate?;
        if let Some(position) = filter.match_position(DocumentRef::from(record.document()?))? {
            matches.push(Match { record, position });
            if !multi {
                break;
            }
        }
    }
    for found in &matches {
        draft.claim(&EntryKey::record(target.id, found.record.number))?;
    }
    Ok(matches)
}

/// What became of one document.
struct Changed {
    modified: bool,
    document: Document,
}

fn change(
    draft: &mut Draft<'_>,
    target: &Target,
    found: Match,
    request: &UpdateRequest,
) -> Result<Changed, DatabaseError> {
    let mut document = found.record.decode()?;
    let changes = request.update.apply(&mut document, found.position)?;
    check_id_stayed(found.record.id()?, document.get("_id"))?;
    let after = encode(&document)?;
    let modified = after.as_bytes() != &*found.record.version.value;
    if modified {
        draft.replace(target, found.record, after, kind(request, changes))?;
    }
    Ok(Changed { modified, document })
}

fn kind(request: &UpdateRequest, changes: FieldChanges) -> ChangeKind {
    if request.update.is_replacement() { ChangeKind::Replace } else { ChangeKind::Update(changes) }
}

fn upsert(
    draft: &mut Draft<'_>,
    target: &Target,
    request: &UpdateRequest,
    id: &Bson,
) -> Result<UpdateReply, DatabaseError> {
    let new = NewDocument::prepare(inserted(request, id)?)?;
    let created = if request.return_document { Some(new.decode()?) } else { None };
    let upserted = Some(new.id.clone());
    draft.insert(target, new)?;
    Ok(UpdateReply { upserted, document: created, ..UpdateReply::default() })
}

impl UpdateRequest {
    /// The document it creates where its filter matches none; `None` where it creates none.
    pub fn document_to_insert(&self) -> Result<Option<Document>, DatabaseError> {
        self.upsert.as_ref().map(|id| inserted(self, id)).transpose()
    }
}

/// The new document has what the filter demands, then what the update does to it.
fn inserted(request: &UpdateRequest, id: &Bson) -> Result<Document, DatabaseError> {
    let mut document = request.filter.upsert_fields()?;
    let pinned = document.get("_id").cloned();
    request.update.apply_insert(&mut document)?;
    if let Some(pinned) = &pinned {
        check_id_stayed(ValueRef::from(pinned), document.get("_id"))?;
    }
    if !document.contains_key("_id") {
        document.insert("_id", id.clone());
    }
    Ok(document)
}

/// An `_id` never changes (semantics DB-3.27).
fn check_id_stayed(before: ValueRef<'_>, after: Option<&Bson>) -> Result<(), DatabaseError> {
    if after.is_some_and(|after| document::equal(before, ValueRef::from(after))) {
        return Ok(());
    }
    let message = "Performing an update on the path '_id' would modify the immutable field '_id'".to_owned();
    Err(QueryError { kind: QueryErrorKind::WriteFailed, message }.into())
}
