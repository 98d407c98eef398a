//! The bodies of stored files, in one folder. Which path has which body, who may do what with it and how long a link holds is
//! the environment's; this knows nothing of HTTP.
//!
//! ## On disk
//! - `incoming/`: bodies being received. Whatever lies here at `open` is removed.
//! - `bodies/`: one file per body, under a random name. None is changed once it is here.
//! - `signing-key`: the key of [`Storage::sign`].
//!
//! No name or path from outside becomes a name on disk. A power cut may lose what was stored in its last seconds: nothing
//! here is synced.

mod bodies;
mod earlier;
mod error;
mod file_id;
mod files;
mod path;
mod sign;
#[cfg(test)]
mod tests;
mod upload;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

pub use bodies::BodyName;
pub use earlier::EarlierFile;
pub use error::StorageError;
pub use file_id::FileId;
pub use path::FilePath;
pub use upload::{NewBody, Received, Upload};

use bodies::Bodies;
use earlier::EarlierCatalogue;
use sign::Signer;

/// The bodies of one emulator, all its environments; a cheap handle. One process at a time may hold a folder open.
#[derive(Clone)]
pub struct Storage {
    shared: Arc<Shared>,
}

impl Storage {
    /// Opens `folder`, creating it if need be, and removes what an earlier process left half received.
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

    /// Opens a body. It can be read to its end even if it is discarded meanwhile; if that happened before, the error is
    /// [`StorageError::Missing`].
    pub async fn open_body(&self, name: &BodyName) -> Result<tokio::fs::File, StorageError> {
        let (shared, name) = (Arc::clone(&self.shared), name.clone());
        let body = blocking(move || shared.bodies.read(&name).map_err(StorageError::of_body)).await?;
        Ok(tokio::fs::File::from_std(body))
    }

    /// Gives a body a second name, so that each can be discarded without the other.
    pub async fn duplicate(&self, name: &BodyName) -> Result<NewBody, StorageError> {
        let (shared, name) = (Arc::clone(&self.shared), name.clone());
        blocking(move || NewBody::duplicate(shared, &name)).await
    }

    /// The names of all bodies there are. Blocks.
    pub fn bodies(&self) -> Result<Vec<BodyName>, StorageError> {
        Ok(self.shared.bodies.list()?)
    }

    /// Removes a body, if it is there. One that somebody is reading can be read to its end. Blocks.
    pub fn discard(&self, name: &BodyName) -> Result<(), StorageError> {
        Ok(self.shared.bodies.discard(name)?)
    }

    /// The files that an emulator of before issue 6 stored here with a catalogue of its own, by environment. Blocks.
    pub fn earlier_files(&self) -> Result<Vec<EarlierFile>, StorageError> {
        Ok(self.shared.earlier.read()?)
    }

    /// Forgets that catalogue: its files are known elsewhere now. Blocks.
    pub fn forget_earlier_files(&self) -> Result<(), StorageError> {
        Ok(self.shared.earlier.remove()?)
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
    bodies: Bodies,
    earlier: EarlierCatalogue,
    signer: Signer,
}

impl Shared {
    fn open(folder: &Path) -> io::Result<Shared> {
        fs::create_dir_all(folder)?;
        let incoming = folder.join("incoming");
        upload::sweep(&incoming)?;
        let bodies = Bodies::open(folder.join("bodies"))?;
        let signer = Signer::open(folder, &incoming)?;
        Ok(Shared { incoming, bodies, earlier: EarlierCatalogue::of(folder), signer })
    }
}

/// The one door to blocking file system calls. What went in runs to its end, whatever becomes of the caller.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
