//! An environment as it is at one moment: what an export writes. The one place of `exchange/` that knows how to get at it.

use super::ExchangeError;
use crate::access;
use crate::cloud::Environment;
use crate::files::{self, StoredFile};
use crate::register::{self, Entries};
use database::{CollectionName, DatabaseError, Frozen, INDEX_IDS_NAME, IndexDefinition};
use document::RawDocumentBuf;
use std::sync::Arc;
use tokio::sync::OwnedRwLockReadGuard;

/// What an environment holds. As long as it lives, the store keeps what is in it, and the storage the bodies of its files.
pub(super) struct Moment {
    environment: Arc<str>,
    frozen: Frozen,
    _bodies: OwnedRwLockReadGuard<()>,
}

impl Moment {
    /// `environment` as it is now.
    pub(super) async fn of(environment: &Environment) -> Result<Moment, ExchangeError> {
        let shared = &environment.shared;
        let bodies = shared.unnamed.pause().await;
        Ok(Moment { environment: environment.name.clone(), frozen: shared.store.frozen()?, _bodies: bodies })
    }

    /// Its collections, sorted by name, without the emulator's own.
    pub(super) fn collections(&self) -> Vec<CollectionName> {
        let mut collections = self.frozen.collections(&self.environment);
        collections.retain(|name| !access::is_own(name));
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
        indexes.retain(|index| index.name != INDEX_IDS_NAME);
        Ok(indexes)
    }

    /// Its users, modes and rules. Reading them may block.
    pub(super) fn entries(&self) -> Result<Entries, DatabaseError> {
        Ok(Entries::of_documents(self.own(&register::own_collection()?)?))
    }

    /// Its files, sorted by path. Reading them may block.
    pub(super) fn files(&self) -> Result<Vec<StoredFile>, DatabaseError> {
        let documents = self.own(&files::own_collection()?)?;
        let mut files: Vec<StoredFile> = documents.iter().filter_map(StoredFile::read).collect();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }

    /// The documents of a collection of the emulator's own, which may not be there.
    fn own(&self, collection: &CollectionName) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        match self.frozen.documents(&self.environment, collection) {
            Ok(documents) => documents.collect(),
            Err(DatabaseError::CollectionMissing(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
