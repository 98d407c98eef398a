//! The files sled keeps in a data folder, for the one thing it does not do itself on Linux: waiting for the disk.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The files of one data folder.
#[derive(Debug)]
pub(super) struct Files {
    log: PathBuf,
    /// Large values, each in a file that is written once.
    large: PathBuf,
    /// The large values that are on disk already.
    synced: Mutex<BTreeSet<OsString>>,
}

impl Files {
    pub(super) fn of(folder: &Path) -> Files {
        Files { log: folder.join("db"), large: folder.join("blobs"), synced: Mutex::default() }
    }

    /// Returns when the disk has everything that was flushed.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.sync_large()?;
        File::open(&self.log)?.sync_all()
    }

    fn sync_large(&self) -> io::Result<()> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let mut present = BTreeSet::new();
        for entry in fs::read_dir(&self.large)? {
            let name = entry?.file_name();
            if !synced.contains(&name) {
                sync_if_present(&self.large.join(&name))?;
            }
            present.insert(name);
        }
        if !present.is_subset(&synced) {
            sync_if_present(&self.large)?;
        }
        *synced = present;
        Ok(())
    }
}

/// sled removes large values beside us: one that is gone needs no syncing.
fn sync_if_present(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
