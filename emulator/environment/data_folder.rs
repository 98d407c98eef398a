//! The data folder of an emulator: one process at a time, kept out of git, with what other commands need to find that process.
//! What the store and the files keep in it is theirs.

use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const LOCK_FILE: &str = "emulator.lock";
const HOLDER_FILE: &str = "emulator.json";

/// A data folder held by this process until dropped; an ephemeral one is removed then.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    /// Held for as long as the folder is: the lock ends with the process, however it ends.
    _lock: File,
    temporary: Option<TempDir>,
}

/// The process that holds a data folder, as it wrote itself down there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// The port its doors listen on.
    pub port: u16,
    /// The bearer token of `/_emulator/*`.
    pub token: String,
}

/// Whether somebody works on a data folder.
#[derive(Clone, Debug)]
pub enum Occupancy {
    /// Nobody does.
    Free,
    /// Nobody does, but an emulator that was ended by force left its entry behind.
    Left(Holder),
    /// Somebody does; `None`: and does not say who they are.
    Held(Option<Holder>),
}

/// Why a data folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Another emulator works on it.
    #[error("the data folder {} is in use{}: stop that emulator, or name another folder with --data", .path.display(), describe(.holder))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Who holds it, when it can be told.
        holder: Option<Holder>,
    },
    /// It cannot be made, read or written.
    #[error("the data folder {} cannot be used: {source}", .path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl DataFolder {
    /// Takes the folder at `path`, making it when it is missing.
    pub fn take(path: &Path) -> Result<DataFolder, DataFolderError> {
        let failed = |source| DataFolderError::Io { path: path.to_path_buf(), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        let path = std::path::absolute(path).map_err(failed)?;
        let lock = lock(&path)?;
        keep_out_of_git(&path).map_err(failed)?;
        Ok(DataFolder { path, _lock: lock, temporary: None })
    }

    /// Makes the folder at `path` when it is missing, without taking it: for notes of commands that need no cloud.
    pub fn prepare(path: &Path) -> Result<(), DataFolderError> {
        let made = std::fs::create_dir_all(path).and_then(|()| keep_out_of_git(path));
        made.map_err(|source| DataFolderError::Io { path: path.to_path_buf(), source })
    }

    /// A folder that is gone when the emulator ends.
    pub fn ephemeral() -> Result<DataFolder, DataFolderError> {
        let temporary = tempfile::Builder::new().prefix("emulator-").tempdir();
        let temporary = temporary.map_err(|source| DataFolderError::Io { path: std::env::temp_dir(), source })?;
        let mut folder = DataFolder::take(temporary.path())?;
        folder.temporary = Some(temporary);
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is gone when the emulator ends.
    pub fn is_ephemeral(&self) -> bool {
        self.temporary.is_some()
    }

    /// Writes down who holds the folder, readable by its owner alone, with a fresh token.
    pub(crate) fn announce(&self, port: u16) -> Result<Holder, DataFolderError> {
        let holder = Holder { pid: std::process::id(), port, token: fresh_token() };
        let failed = |source| DataFolderError::Io { path: self.path.clone(), source };
        let text = serde_json::to_vec_pretty(&holder).map_err(|error| failed(error.into()))?;
        // A temporary file is private to its owner from the start, and the rename makes it whole or absent.
        let mut file = tempfile::NamedTempFile::new_in(&self.path).map_err(failed)?;
        std::io::Write::write_all(&mut file, &text).map_err(failed)?;
        file.persist(self.path.join(HOLDER_FILE)).map_err(|error| failed(error.error))?;
        Ok(holder)
    }

    /// Who works on the folder at `path`, or did last; makes nothing there. A folder that is not there is free.
    pub fn occupancy(path: &Path) -> Occupancy {
        let lock = File::options().write(true).open(path.join(LOCK_FILE));
        match lock.map(|file| file.try_lock()) {
            Ok(Err(TryLockError::WouldBlock)) => Occupancy::Held(read_holder(path)),
            // What else is wrong with the lock is found by whoever takes the folder.
            Ok(Ok(()) | Err(TryLockError::Error(_))) | Err(_) => {
                read_holder(path).map_or(Occupancy::Free, Occupancy::Left)
            }
        }
    }

    /// The emulator that works on the folder at `path` now, if one does.
    pub fn holder(path: &Path) -> Option<Holder> {
        match lock(path) {
            Err(DataFolderError::InUse { holder, .. }) => holder,
            Err(DataFolderError::Io { .. }) | Ok(_) => None,
        }
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // A stale one is harmless, since only the lock says whether the folder is in use.
        let _ = std::fs::remove_file(self.path.join(HOLDER_FILE));
    }
}

fn lock(path: &Path) -> Result<File, DataFolderError> {
    let failed = |source| DataFolderError::Io { path: path.to_path_buf(), source };
    let lock_path = path.join(LOCK_FILE);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(lock_path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(DataFolderError::InUse { path: path.to_path_buf(), holder: read_holder(path) })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn read_holder(path: &Path) -> Option<Holder> {
    serde_json::from_slice(&std::fs::read(path.join(HOLDER_FILE)).ok()?).ok()
}

fn keep_out_of_git(path: &Path) -> std::io::Result<()> {
    let ignore = path.join(".gitignore");
    if ignore.exists() { Ok(()) } else { std::fs::write(ignore, "*\n") }
}

fn fresh_token() -> String {
    let mut bytes = [0; 24];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe(holder: &Option<Holder>) -> String {
    match holder {
        Some(holder) => format!(" by the emulator with process id {} on port {}", holder.pid, holder.port),
        None => " by another emulator".into(),
    }
}
