//! Filling an environment from a folder of fixtures, and emptying it. All or nothing, also when the emulator is killed in the
//! middle: see `change.rs`. What such a folder holds is `fixtures.rs`'s.

mod change;
mod fixtures;
mod lines;

pub use lines::FIXTURE_ENTRIES;
pub(crate) use lines::{FileLine, FileLines, FixtureFile, Permissions, UserLine};

use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use crate::exchange::{Dropped, Job, Jobs, Stage};
use change::Change;
use database::{DatabaseError, FindRequest};
use fixtures::Fixtures;
use query::Filter;
use std::path::{Path, PathBuf};
use storage::StorageError;

/// What fixtures did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeded {
    /// They were stored.
    Filled {
        /// Collections that they name.
        collections: usize,
        /// Documents inserted.
        documents: usize,
        /// Files stored.
        files: usize,
        /// Users that they name.
        users: usize,
    },
    /// The environment had data, so nothing was changed.
    HadData,
}

/// A mistake in a fixture folder, with its place, or why its content cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The folder or one of its files cannot be read.
    #[error("the fixtures cannot be read: {}: {source}", .path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a fixture folder.
    #[error("{} is no fixture folder: it has neither `database/` with NAME.jsonl files, nor `storage/`, `users.json`, `permissions.json`, `rules.json`, `indexes.json` or `files.json`", .0.display())]
    NotFixtures(PathBuf),
    /// A line is not what it should be.
    #[error("{}:{line}: {reason}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it, naming the field.
        reason: String,
    },
    /// Mistakes in rules: a line for each, with its file, line and column.
    #[error("{0}")]
    Rules(String),
    /// A file's name cannot be a collection's or a stored file's, or what is in it does not fit.
    #[error("{}: {reason}", .path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// Why not, naming the field.
        reason: String,
    },
    /// The database refused it.
    #[error("the fixtures cannot be stored: {0}")]
    Database(#[from] DatabaseError),
    /// The file storage refused it.
    #[error("the fixtures cannot be stored: {0}")]
    Storage(#[from] StorageError),
    /// A rule of the environment's refused it.
    #[error("the fixtures cannot be stored: {}", .0.message)]
    Action(#[from] ActionError),
}

impl From<Dropped> for SeedError {
    fn from(dropped: Dropped) -> SeedError {
        SeedError::Action(dropped.into())
    }
}

/// Fills `environment` from `folder` when it has no documents and no files; changes nothing when it has.
pub(crate) async fn fill(environment: &Environment, folder: &Path) -> Result<Seeded, SeedError> {
    if has_data(environment).await? {
        return Ok(Seeded::HadData);
    }
    seed(environment, folder, false, &Jobs::default().begin(None)?).await
}

/// Adds what `folder` holds to `environment`; with `reset`, in place of everything it held. A mistake changes nothing.
pub(crate) async fn seed(
    environment: &Environment,
    folder: &Path,
    reset: bool,
    job: &Job,
) -> Result<Seeded, SeedError> {
    let (folder, now, progress) = (folder.to_path_buf(), environment.shared.clock.now(), job.progress());
    let read = tokio::task::spawn_blocking(move || Fixtures::read(&folder, now, &progress)).await;
    let fixtures = read.map_err(|error| ActionError::new(codes::SYS_ERR, error.to_string()))??;
    job.progress().begin(Stage::Storing, None);
    let seeded = Seeded::Filled {
        collections: fixtures.collections.len(),
        documents: fixtures.documents(),
        files: fixtures.files.len(),
        users: fixtures.users.len(),
    };
    Change { environment: environment.clone(), fixtures, reset, progress: Some(job.progress()) }.carry_out().await?;
    Ok(seeded)
}

/// Removes every document, file, user, permission mode and rule of `environment`. Its collections stay, empty.
pub(crate) async fn reset(environment: &Environment) -> Result<(), SeedError> {
    Change { environment: environment.clone(), fixtures: Fixtures::default(), reset: true, progress: None }
        .carry_out()
        .await
}

async fn has_data(environment: &Environment) -> Result<bool, SeedError> {
    for collection in environment.collections() {
        let (filter, limit) = (Filter::all(), Some(1));
        let request = FindRequest { collection, filter, sort: None, skip: 0, limit, projection: None };
        if !environment.database.find(request).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(!environment.files().await?.is_empty())
}
