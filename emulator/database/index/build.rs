//! Making and dropping indexes. An index is built in steps, each a commit of the writer's among those of others, so that no
//! write waits long; from the first step on every write keeps it up. Until the last nobody uses it, and a process that finds
//! one unfinished drops it.

use std::sync::Arc;

use crate::draft::{Draft, Target};
use crate::folder::Shared;
use crate::store::{Index, IndexState};
use crate::{CollectionName, DatabaseError, IndexDefinition};

use super::{INDEX_IDS_NAME, INDEXES_MAX};

/// How many documents a step looks at, and after how many bytes of them it ends early.
const STEP_DOCUMENTS: usize = 500;
const STEP_BYTES: usize = 2 * 1024 * 1024;

/// An index being built: all documents before `next` are in it.
#[derive(Debug, Clone)]
struct Progress {
    target: Target,
    number: u32,
    next: u64,
}

/// Makes an index; one that is there already is left as it is. Goes on to the end also if nobody waits for it.
pub(crate) async fn create(
    shared: Arc<Shared>,
    namespace: Arc<str>,
    collection: CollectionName,
    definition: IndexDefinition,
) -> Result<(), DatabaseError> {
    let turn = shared.indexing.clone().lock_owned().await;
    let work = async move {
        let _turn = turn;
        build(&shared, namespace, collection, definition).await
    };
    tokio::spawn(work).await.unwrap_or_else(|error| Err(DatabaseError::Internal(error.to_string())))
}

/// Makes an index as a part of a commit, over what the collection holds there; one that is there already is left as it is.
pub(crate) fn create_within(
    draft: &mut Draft<'_>,
    collection: &CollectionName,
    definition: &IndexDefinition,
) -> Result<(), DatabaseError> {
    let mut progress = begin(draft, collection, definition.clone())?;
    while let Some(at) = progress {
        progress = step(draft, at)?;
    }
    Ok(())
}

/// Drops an index by its name.
pub(crate) fn drop(draft: &mut Draft<'_>, collection: &CollectionName, name: &str) -> Result<(), DatabaseError> {
    let target = draft.target(collection)?;
    if name == INDEX_IDS_NAME {
        return Err(DatabaseError::BadIndex("cannot drop _id index".to_owned()));
    }
    let found = draft.catalogue().indexes(target.id).find(|index| index.definition.name == name);
    let index = found.ok_or_else(|| DatabaseError::BadIndex(format!("index not found with name [{name}]")))?;
    let number = index.number;
    draft.claim_collection(target.id)?;
    abandon(draft, &target, number)
}

async fn build(
    shared: &Shared,
    namespace: Arc<str>,
    collection: CollectionName,
    definition: IndexDefinition,
) -> Result<(), DatabaseError> {
    let first = shared.writer.run(namespace.clone(), move |draft| begin(draft, &collection, definition.clone()));
    let mut progress = first.await?;
    while let Some(at) = progress {
        let (target, number) = (at.target.clone(), at.number);
        match shared.writer.run(namespace.clone(), move |draft| step(draft, at.clone())).await {
            Ok(further) => progress = further,
            Err(error) => {
                shared.writer.run(namespace, move |draft| abandon(draft, &target, number)).await?;
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Puts the index into the catalogue and takes the first step. `None` if nothing is left to do.
fn begin(
    draft: &mut Draft<'_>,
    collection: &CollectionName,
    definition: IndexDefinition,
) -> Result<Option<Progress>, DatabaseError> {
    let target = draft.target(collection)?;
    let existing: Vec<Arc<Index>> = draft.catalogue().indexes(target.id).cloned().collect();
    if is_there(&existing, &definition)? {
        return Ok(None);
    }
    if existing.len() + 1 >= INDEXES_MAX {
        return Err(DatabaseError::BadIndex(format!(
            "add index fails, too many indexes for {collection} key:{} (at most {INDEXES_MAX}, _id_ among them)",
            definition.keys_text()
        )));
    }
    draft.claim_collection(target.id)?;
    let number = draft.catalogue().next_index(target.id);
    draft.put_index(target.id, Index::new(number, definition))?;
    step(draft, Progress { target, number, next: 0 })
}

/// Whether the same index exists, or why it cannot: as MongoDB 4.0 tells.
fn is_there(existing: &[Arc<Index>], wanted: &IndexDefinition) -> Result<bool, DatabaseError> {
    let ids = IndexDefinition::of_ids()?;
    for index in existing.iter().map(|index| &index.definition).chain([&ids]) {
        let (same_name, same_keys) = (index.name == wanted.name, index.keys == wanted.keys);
        let same_options = index.unique == wanted.unique || index.name == INDEX_IDS_NAME;
        let (name, found, asked) = (&wanted.name, index.keys_text(), wanted.keys_text());
        let message = match (same_name, same_keys, same_options) {
            (false, false, _) => continue,
            (_, true, true) => return Ok(true),
            (true, false, _) => format!(
                "Index must have unique name.The existing index: {{ key: {found}, name: \"{name}\" }} has the same name as \
                 the requested index: {{ key: {asked}, name: \"{name}\" }}"
            ),
            (true, true, false) => format!("Index with name: {name} already exists with different options"),
            (false, true, false) => format!(
                "Index: {{ key: {asked}, name: \"{name}\" }} already exists with different options: {{ key: {found}, name: \
                 \"{}\" }}",
                index.name
            ),
        };
        return Err(DatabaseError::BadIndex(message));
    }
    Ok(false)
}

/// Adds some documents. `None` if those were the last.
fn step(draft: &mut Draft<'_>, progress: Progress) -> Result<Option<Progress>, DatabaseError> {
    let Progress { target, number, next } = &progress;
    let (mut documents, mut bytes) = (0, 0);
    for found in draft.scan_from(target.id, *next)? {
        let (record, version) = found?;
        if documents >= STEP_DOCUMENTS || bytes >= STEP_BYTES {
            return Ok(Some(Progress { next: record, ..progress }));
        }
        let record = crate::record::Record { number: record, version };
        draft.add_to_index(target, &*current(draft, target, *number)?, record.number, record.document()?)?;
        documents += 1;
        bytes += record.version.value.len();
    }
    let since = draft.sequence();
    change_state(draft, target, *number, IndexState::Ready { since })?;
    Ok(None)
}

fn abandon(draft: &mut Draft<'_>, target: &Target, number: u32) -> Result<(), DatabaseError> {
    let since = draft.sequence();
    change_state(draft, target, number, IndexState::Dropped { since })
}

fn change_state(draft: &mut Draft<'_>, target: &Target, number: u32, state: IndexState) -> Result<(), DatabaseError> {
    let index = Index { state, ..Index::clone(&*current(draft, target, number)?) };
    draft.put_index(target.id, index)
}

fn current(draft: &Draft<'_>, target: &Target, number: u32) -> Result<Arc<Index>, DatabaseError> {
    let found = draft.catalogue().indexes(target.id).find(|index| index.number == number);
    found.cloned().ok_or_else(|| DatabaseError::Internal(format!("index {number} is gone")))
}
