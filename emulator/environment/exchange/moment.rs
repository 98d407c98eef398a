//! An environment as it is at one moment: what an export writes. The one place of `exchange/` that knows how to get at it.

use super::ExchangeError;
use crate::cloud::Environment;
use crate::register::Entries;
use database::{CollectionName, DatabaseError, FindRequest, IndexDefinition};
use document::RawDocumentBuf;
use query::Filter;
use std::sync::Arc;
use storage::{FilePath, StoredFile};

/// What an environment holds.
pub(super) struct Moment {
    /// Sorted by name.
    pub(super) collections: Vec<HeldCollection>,
    /// Users, modes and rules.
    pub(super) entries: Arc<Entries>,
    /// Sorted by path.
    pub(super) files: Vec<HeldFile>,
}

/// A collection.
pub(super) struct HeldCollection {
    pub(super) name: CollectionName,
    /// In the order in which they were inserted.
    pub(super) documents: Documents,
    /// Without the one on `_id`.
    pub(super) indexes: Vec<IndexDefinition>,
}

/// Documents one by one. May block.
pub(super) type Documents = Box<dyn Iterator<Item = Result<RawDocumentBuf, DatabaseError>> + Send>;

/// A stored file.
#[derive(Clone)]
pub(super) struct HeldFile {
    pub(super) path: FilePath,
    pub(super) content_type: String,
    /// The openid of who uploaded it.
    pub(super) owner: Option<String>,
    pub(super) modified_ms: i64,
    stored: StoredFile,
}

/// The index every collection has.
const INDEX_IDS: &str = "_id_";

impl Moment {
    /// `environment` as it is now.
    pub(super) async fn of(environment: &Environment) -> Result<Moment, ExchangeError> {
        let mut collections = Vec::new();
        for name in environment.collections() {
            let mut indexes = environment.database.indexes(&name)?;
            indexes.retain(|index| index.name != INDEX_IDS);
            collections.push(HeldCollection { documents: documents(environment, &name).await?, name, indexes });
        }
        let files = environment.shared.storage.list(&environment.name).await?;
        Ok(Moment { collections, entries: environment.register.entries(), files: files.into_iter().map(held).collect() })
    }
}

/// The documents of one collection as they are now.
pub(super) async fn documents(
    environment: &Environment,
    collection: &CollectionName,
) -> Result<Documents, ExchangeError> {
    let (collection, filter) = (collection.clone(), Filter::all());
    let request = FindRequest { collection, filter, sort: None, skip: 0, limit: None, projection: None };
    Ok(Box::new(environment.database.find(request).await?.into_iter().map(Ok)))
}

/// The body of a file.
pub(super) async fn body(environment: &Environment, file: &HeldFile) -> Result<tokio::fs::File, ExchangeError> {
    Ok(environment.shared.storage.open_body(&file.stored).await?)
}

fn held(stored: StoredFile) -> HeldFile {
    HeldFile {
        path: stored.path.clone(),
        content_type: stored.content_type.clone(),
        owner: stored.owner.clone(),
        modified_ms: stored.modified_ms,
        stored,
    }
}
