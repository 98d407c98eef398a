//! Plain files: the few things done to them that `std::fs` has no word for.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Puts `content` at `target`, replacing what is there. Whoever looks, and a process that dies on the way, sees the old
/// file or the new one. `temporary` is a folder on the same file system.
pub(crate) fn write_atomically(temporary: &Path, target: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(temporary)?;
    file.write_all(content)?;
    file.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// Removes the file at `path` and says whether there was one.
pub(crate) fn remove_if_present(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
