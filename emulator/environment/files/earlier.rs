//! Taking over the files of a data folder that was written before environments kept the catalogue of their own files.

use super::catalogue::{StoredFile, own_collection};
use crate::cloud::OpenError;
use database::{RefillRequest, Store};
use document::Document;
use std::collections::BTreeMap;
use storage::Storage;

/// Enters what the storage's own catalogue names, and forgets that catalogue. May be done again after a sudden end.
pub(crate) async fn adopt_earlier(store: &Store, storage: &Storage) -> Result<(), OpenError> {
    let mut environments: BTreeMap<String, Vec<Document>> = BTreeMap::new();
    let earlier = storage.earlier_files()?;
    if earlier.is_empty() {
        return Ok(());
    }
    for file in earlier {
        let environment = file.environment.clone();
        environments.entry(environment).or_default().push(StoredFile::of_earlier(file).document());
    }
    for (environment, files) in environments {
        let collections = vec![(own_collection()?, files)];
        let request = RefillRequest { collections, replaces: true, ..RefillRequest::default() };
        store.database(&environment)?.refill(request).await?;
    }
    storage.forget_earlier_files()?;
    Ok(())
}
