//! One data folder, opened: the store that all its namespaces live in.

use std::path::Path;

use crate::{Commits, Database, DatabaseError, StoreOptions};

/// One data folder. A cheap handle: clones share the folder.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens `folder`, making it if it is missing. [`DatabaseError::InUse`] if another process has it open.
    pub fn open(folder: &Path, options: StoreOptions) -> Result<Store, DatabaseError> {
        let _ = (folder, options);
        Ok(Store {})
    }

    /// The collections of one namespace. A namespace comes to be with its first collection; until then it is empty.
    pub fn database(&self, namespace: &str) -> Result<Database, DatabaseError> {
        let _ = namespace;
        Ok(Database {})
    }

    /// The namespaces that have collections, sorted.
    pub fn namespaces(&self) -> Vec<String> {
        Vec::new()
    }

    /// From now on, what every commit changes.
    pub async fn subscribe(&self) -> Result<Commits, DatabaseError> {
        Err(DatabaseError::Closed)
    }

    /// Carries out the writes that are waiting, writes everything out and gives the folder back.
    /// Every later call fails with [`DatabaseError::Closed`]; closing again is no error.
    pub async fn close(&self) -> Result<(), DatabaseError> {
        Ok(())
    }
}
