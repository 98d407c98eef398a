//! What can go wrong with a stored file. The codes that SDKs see for these stand in `environment/error.rs`.

use std::io;

/// Why a storage call failed.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The target of a copy exists and overwriting was not asked for.
    #[error("a file exists at the target path already: ask for overwriting, or choose another path")]
    Exists,
    /// The file, or the body of a file that has been replaced since it was looked up, is not there.
    #[error("storage file not exists")]
    Missing,
    /// The text cannot be a file's path (semantics ST-08); says which rule it breaks.
    #[error("bad file path: {0}")]
    BadPath(String),
    /// The text cannot be a file id (semantics ST-01); says why.
    #[error("bad file id: {0}")]
    BadFileId(String),
    /// The data folder could not be read or written.
    #[error("the storage folder cannot be used: {0}")]
    Io(#[from] io::Error),
}

impl StorageError {
    /// What a failure to open a body means.
    pub(crate) fn of_body(error: io::Error) -> StorageError {
        if error.kind() == io::ErrorKind::NotFound { StorageError::Missing } else { StorageError::Io(error) }
    }
}
