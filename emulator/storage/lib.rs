//! Stored files: bodies and what is known of them, in one folder. Knows nothing of HTTP, of who may do what, and of
//! links' expiry: those are the environment's.
//!
//! ## On disk
//! - `incoming/`: bodies being received, and metadata being written. Whatever lies here at `open` is removed.
//! - `bodies/`: one file per body, under a random name.
//! - `catalogue/<hash of environment>/<hash of path>.json`: one file per stored file; names its body.
//! - `notes/`: one file per change under way, see `shelf.rs`.
//! - `signing-key`: the key of [`Storage::sign`].
//!
//! No name or path from outside becomes a name on disk. A process that dies at any point leaves each path with its old
//! file or its new one. A power cut may lose what was stored in its last seconds: nothing here is synced.

mod bodies;
mod catalogue;
mod error;
mod file_id;
mod files;
mod path;
mod shelf;
mod sign;
#[cfg(test)]
mod tests;
mod upload;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tempfile::NamedTempFile;

pub use catalogue::StoredFile;
pub use error::StorageError;
pub use file_id::FileId;
pub use path::FilePath;
pub use upload::Upload;

use bodies::Bodies;
use catalogue::Catalogue;
use shelf::Shelf;
use sign::Signer;

/// The files of one emulator, all its environments; a cheap handle. One process at a time may hold a folder open.
#[derive(Clone)]
pub struct Storage {
    shared: Arc<Shared>,
}

impl Storage {
    /// Opens `folder`, creating it if need be. Removes what an earlier process left half received and finishes what it
    /// left half changed; the time it takes does not grow with the number of stored files.
    pub async fn open(folder: &Path) -> Result<Storage, StorageError> {
        let folder = folder.to_owned();
        let shared = blocking(move || Ok(Shared::open(&folder)?)).await?;
        Ok(Storage { shared: Arc::new(shared) })
    }

    /// Begins to receive a body.
    pub async fn receive(&self) -> Result<Upload, StorageError> {
        let shared = Arc::clone(&self.shared);
        let received = blocking(move || Ok(NamedTempFile::new_in(&shared.incoming)?)).await?;
        Ok(Upload::new(Arc::clone(&self.shared), received))
    }

    /// The file at `path`, `None` when there is none.
    pub async fn get(&self, environment: &str, path: &FilePath) -> Result<Option<StoredFile>, StorageError> {
        let (environment, path) = (environment.to_owned(), path.clone());
        self.shared.look(move |shelf| Ok(shelf.get(&environment, &path)?)).await
    }

    /// Opens the body of `file`. It can be read to its end even if the file is replaced or removed meanwhile; if that
    /// happened before, the error is [`StorageError::Missing`]. [`Storage::get_with_body`] has no such gap.
    pub async fn open_body(&self, file: &StoredFile) -> Result<tokio::fs::File, StorageError> {
        let file = file.clone();
        let body = self.shared.look(move |shelf| shelf.body(&file)).await?;
        Ok(tokio::fs::File::from_std(body))
    }

    /// The file at `path` together with its body, as of one moment.
    pub async fn get_with_body(
        &self,
        environment: &str,
        path: &FilePath,
    ) -> Result<Option<(StoredFile, tokio::fs::File)>, StorageError> {
        let (environment, path) = (environment.to_owned(), path.clone());
        let found = self.shared.look(move |shelf| match shelf.get(&environment, &path)? {
            Some(file) => shelf.body(&file).map(|body| Some((file, body))),
            None => Ok(None),
        });
        Ok(found.await?.map(|(file, body)| (file, tokio::fs::File::from_std(body))))
    }

    /// Removes the file at `path` and returns whether there was one.
    pub async fn remove(&self, environment: &str, path: &FilePath) -> Result<bool, StorageError> {
        let (environment, path) = (environment.to_owned(), path.clone());
        self.shared.change(move |shelf| shelf.remove(&environment, &path)).await
    }

    /// Stores the file at `from` also at `to`, with its content type and owner, and removes the one at `from` if
    /// `remove_original`. Without `overwrite`, a file at `to` refuses it: [`StorageError::Exists`]. No file at `from`:
    /// [`StorageError::Missing`]. A file copied onto itself with `overwrite` stays as it is, also with
    /// `remove_original`.
    pub async fn copy(
        &self,
        environment: &str,
        from: &FilePath,
        to: &FilePath,
        overwrite: bool,
        remove_original: bool,
    ) -> Result<StoredFile, StorageError> {
        let (environment, from, to) = (environment.to_owned(), from.clone(), to.clone());
        let change = move |shelf: &mut Shelf| {
            let original = shelf.get(&environment, &from)?.ok_or(StorageError::Missing)?;
            let copy = shelf.copy(&original, &to, overwrite, upload::now_ms())?;
            if remove_original && from != to {
                shelf.remove(&environment, &from)?;
            }
            Ok(copy)
        };
        self.shared.change(change).await
    }

    /// Every file of `environment`, sorted by path; none for an environment that never held one.
    pub async fn list(&self, environment: &str) -> Result<Vec<StoredFile>, StorageError> {
        let environment = environment.to_owned();
        self.shared.look(move |shelf| Ok(shelf.list(&environment)?)).await
    }

    /// Signs `text` with the key of this folder: HMAC-SHA256 in base64url. It verifies in later runs too.
    pub fn sign(&self, text: &str) -> String {
        self.shared.signer.sign(text)
    }

    /// Whether `signature` is what [`Storage::sign`] returns for `text`; compared in constant time.
    pub fn verify(&self, text: &str, signature: &str) -> bool {
        self.shared.signer.verify(text, signature)
    }
}

/// What the handles of one folder share.
struct Shared {
    incoming: PathBuf,
    /// Held only by the blocking threads of `look` and `change`, for the length of a few file system calls.
    shelf: RwLock<Shelf>,
    signer: Signer,
}

impl Shared {
    fn open(folder: &Path) -> io::Result<Shared> {
        fs::create_dir_all(folder)?;
        let incoming = folder.join("incoming");
        upload::sweep(&incoming)?;
        let catalogue = Catalogue::open(folder.join("catalogue"), incoming.clone())?;
        let shelf = Shelf::open(catalogue, Bodies::open(folder.join("bodies"))?, folder.join("notes"))?;
        let signer = Signer::open(folder, &incoming)?;
        Ok(Shared { incoming, shelf: RwLock::new(shelf), signer })
    }

    async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Shelf) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let shared = Arc::clone(self);
        // The truth is on disk and always consistent, so a panic under the lock spoils nothing.
        blocking(move || look(&shared.shelf.read().unwrap_or_else(PoisonError::into_inner))).await
    }

    async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Shelf) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let shared = Arc::clone(self);
        blocking(move || change(&mut shared.shelf.write().unwrap_or_else(PoisonError::into_inner))).await
    }
}

/// The one door to blocking file system calls. What went in runs to its end, whatever becomes of the caller.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
