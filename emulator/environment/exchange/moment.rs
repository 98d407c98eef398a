//! An environment as it is at one moment: what an export writes. The one place of `exchange/` that knows how to get at it.

use super::ExchangeError;
use crate::cloud::Environment;
use crate::register::{self, Entries};
use database::{CollectionName, DatabaseError, Frozen, IndexDefinition};
use document::RawDocumentBuf;
use std::sync::Arc;
use storage::{FilePath, StoredFile};

/// What an environment holds. As long as it lives, the store keeps what is in it.
pub(super) struct Moment {
    environment: Arc<str>,
    frozen: Frozen,
}

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
    pub(super) fn of(environment: &Environment) -> Result<Moment, ExchangeError> {
        Ok(Moment { environment: environment.name.clone(), frozen: environment.shared.store.frozen()? })
    }

    /// Its collections, sorted by name, without the emulator's own.
    pub(super) fn collections(&self) -> Vec<CollectionName> {
        let mut collections = self.frozen.collections(&self.environment);
        collections.retain(|name| name.as_str() != register::COLLECTION);
        collections
    }

    /// The documents of one of them, in the order in which they were inserted. Reading them may block.
    pub(super) fn documents(
        &self,
        collection: &CollectionName,
    ) -> Result<impl Iterator<Item = Result<RawDocumentBuf, DatabaseError>> + '_, DatabaseError> {
        self.frozen.documents(&self.environment, collection)
    }

    /// The indexes of one of them, without the one on `_id`.
    pub(super) fn indexes(&self, collection: &CollectionName) -> Result<Vec<IndexDefinition>, DatabaseError> {
        let mut indexes = self.frozen.indexes(&self.environment, collection)?;
        indexes.retain(|index| index.name != INDEX_IDS);
        Ok(indexes)
    }

    /// Its users, modes and rules. Reading them may block.
    pub(super) fn entries(&self) -> Result<Entries, DatabaseError> {
        let own = register::own_collection()?;
        if !self.frozen.collections(&self.environment).contains(&own) {
            return Ok(Entries::default());
        }
        let documents = self.frozen.documents(&self.environment, &own)?;
        Ok(Entries::of_documents(documents.collect::<Result<Vec<_>, _>>()?))
    }
}

/// The files that `environment` has, sorted by path.
pub(super) async fn files(environment: &Environment) -> Result<Vec<HeldFile>, ExchangeError> {
    let files = environment.shared.storage.list(&environment.name).await?;
    Ok(files.into_iter().map(held).collect())
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
