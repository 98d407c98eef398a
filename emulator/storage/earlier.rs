//! The catalogue of files that emulators of before issue 6 kept beside the bodies: a JSON file for each stored file. It is only
//! read, so that an old data folder loses nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::bodies::BodyName;
use crate::path::FilePath;

/// A file of that catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EarlierFile {
    /// The environment that holds it.
    pub environment: String,
    /// Its path there.
    pub path: FilePath,
    /// The length of its body in bytes.
    pub size: u64,
    /// As given at upload, or guessed from the path.
    pub content_type: String,
    /// With the quotes of an HTTP `ETag`.
    pub etag: String,
    /// The openid of who uploaded it; `None` for a server.
    pub owner: Option<String>,
    /// When it came to this path, in milliseconds since 1970.
    pub modified_ms: i64,
    /// Its body.
    pub body: BodyName,
}

pub(crate) struct EarlierCatalogue {
    /// The catalogue, and the notes of changes that were under way.
    folders: [PathBuf; 2],
}

impl EarlierCatalogue {
    pub(crate) fn of(folder: &Path) -> EarlierCatalogue {
        EarlierCatalogue { folders: [folder.join("catalogue"), folder.join("notes")] }
    }

    /// All its files; none where there is no such catalogue. One that a power cut has left unreadable counts as absent, as it
    /// always did.
    pub(crate) fn read(&self) -> io::Result<Vec<EarlierFile>> {
        let mut files = Vec::new();
        for shelf in entries(&self.folders[0])? {
            for entry in entries(&shelf)? {
                files.extend(serde_json::from_slice::<EarlierFile>(&fs::read(entry)?).ok());
            }
        }
        Ok(files)
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        for folder in self.folders.iter().filter(|folder| folder.is_dir()) {
            fs::remove_dir_all(folder)?;
        }
        Ok(())
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
