//! Data in and out: `import` takes what the cloud's console exports, `export` writes a whole environment as a folder of fixtures,
//! or one collection as the console would. All or nothing: a mistake changes nothing and says where it is, and whoever stops
//! waiting, or kills the emulator, finds everything as it was before or as it is after.
//!
//! ## Differences from the cloud
//! - A file with a mistake is refused as a whole; the cloud stores its other lines, or those before it.
//! - CSV and JSON are read in the encodings of Chinese spreadsheets too; the cloud wants UTF-8.

mod encoding;
mod export;
mod folder;
mod import;
mod jobs;
mod json_lines;
mod mask;
mod moment;
mod names;
mod nesting;
mod place;
mod table;

pub(crate) use jobs::{Dropped, Job, Jobs, Progress, Stage};
pub(crate) use names::collection_of_file;

use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use database::DatabaseError;
use mask::Mask;
use place::Mistake;
use serde::Deserialize;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use storage::StorageError;

/// Why data was not taken or given. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// Something in a file is not what it should be.
    #[error("{}:{mistake}", .path.display())]
    Mistake { path: PathBuf, mistake: Mistake },
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    /// A parameter, or what it names, does not do.
    #[error("{0}")]
    Refused(String),
    /// The database refused it.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The file storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A rule of the environment's refused it.
    #[error("{}", .0.message)]
    Action(#[from] ActionError),
    /// Whoever asked no longer waits.
    #[error("stopped")]
    Dropped,
}

/// What a file of one collection is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Csv,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv => "csv",
        }
    }
}

impl ExchangeError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> ExchangeError + use<> {
        let path = path.to_path_buf();
        |source| ExchangeError::Io { path, source }
    }
}

impl From<Dropped> for ExchangeError {
    fn from(Dropped: Dropped) -> ExchangeError {
        ExchangeError::Dropped
    }
}

impl From<ExchangeError> for ActionError {
    fn from(error: ExchangeError) -> ActionError {
        match error {
            ExchangeError::Action(error) => error,
            ExchangeError::Database(error) => ActionError::from(error),
            ExchangeError::Storage(error) => ActionError::from(error),
            ExchangeError::Dropped => Dropped.into(),
            ExchangeError::Mistake { .. } | ExchangeError::Io { .. } | ExchangeError::Refused(_) => {
                ActionError::invalid_param(error.to_string())
            }
        }
    }
}

impl Environment {
    /// Masks those fields with `key` or, without one, with a key of the data folder's own.
    fn mask(&self, fields: &[String], key: Option<&str>) -> Result<Mask, ExchangeError> {
        let own = || self.shared.storage.sign("anonymise");
        let key = key.map_or_else(own, str::to_owned);
        Mask::new(fields, key.as_bytes()).map_err(ExchangeError::Refused)
    }
}

/// On a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExchangeError> + Send + 'static,
) -> Result<T, ExchangeError> {
    let failed = |error: tokio::task::JoinError| Err(ActionError::new(codes::SYS_ERR, error.to_string()).into());
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}

/// Opens a file for reading. Pipes and devices are refused: they may have no end, or keep whoever opens them waiting for ever.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if std::fs::metadata(path)?.is_file() {
        return File::open(path);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"))
}

/// Refuses a path that would mean something else to the emulator than to whoever wrote it.
fn check_absolute(path: &Path) -> Result<(), ExchangeError> {
    if path.is_absolute() {
        return Ok(());
    }
    Err(ExchangeError::Refused(format!("{}: the path must be absolute", path.display())))
}
