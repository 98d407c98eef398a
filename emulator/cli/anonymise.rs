//! The key that fields are masked with: one for each data folder, made when it is first needed.

use crate::language::text;
use environment::{DataFolder, DataFolderError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const KEY_FILE: &str = "anonymise.key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    #[error("{}", text!("key-unusable", path = .path.display().to_string(), reason = .source.to_string()))]
    File { path: PathBuf, source: std::io::Error },
}

/// The key of the data folder at `data`, which is made when it is missing. Only the owner of the folder can read it.
pub(crate) fn key(data: &Path) -> Result<String, KeyError> {
    DataFolder::prepare(data)?;
    let path = data.join(KEY_FILE);
    read_or_make(data, &path).map_err(|source| KeyError::File { path, source })
}

fn read_or_make(data: &Path, path: &Path) -> std::io::Result<String> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make(data, path),
        outcome => outcome,
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let key = std::fs::read_to_string(path)?.trim().to_owned();
    // Masking without a secret would not hide anything.
    if key.is_empty() { Err(std::io::Error::new(ErrorKind::InvalidData, text!("key-empty"))) } else { Ok(key) }
}

/// Of two commands that make one at the same time, one does, and both use it.
fn make(data: &Path, path: &Path) -> std::io::Result<String> {
    let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    // A temporary file is private to its owner from the start, and it gets its name when it is whole.
    let mut file = tempfile::NamedTempFile::new_in(data)?;
    writeln!(file, "{key}")?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = key(&data).unwrap();
        assert_eq!((first.len(), key(&data).unwrap()), (64, first.clone()));
        assert_ne!(key(&folder.path().join("other")).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(data.join(KEY_FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        std::fs::write(data.join(KEY_FILE), "\n").unwrap();
        assert!(key(&data).unwrap_err().to_string().contains("anonymise.key"));
    }
}
