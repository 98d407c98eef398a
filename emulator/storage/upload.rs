//! A body being received. It rests in a folder of its own until it is whole; only then does it become one of the bodies, and it
//! goes again unless somebody keeps it.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use crate::bodies::BodyName;
use crate::error::StorageError;
use crate::{Shared, blocking};

/// A body that arrives piece by piece. Dropped before [`Upload::finish`], it leaves nothing behind.
pub struct Upload {
    shared: Arc<Shared>,
    // Declared before `received`, so that it is closed before its path is removed, as Windows wants it.
    file: tokio::fs::File,
    received: TempPath,
    hash: Sha256,
    size: u64,
}

/// A whole body that no path names yet. Dropped before [`NewBody::keep`], it is discarded.
pub struct NewBody {
    shared: Arc<Shared>,
    name: BodyName,
    is_kept: bool,
}

/// What is known of a body that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its length in bytes.
    pub size: u64,
    /// Its hash in lower-case hexadecimal, with the quotes of an HTTP `ETag`.
    pub etag: String,
}

impl Upload {
    pub(crate) fn new(shared: Arc<Shared>, received: NamedTempFile) -> Upload {
        let (file, received) = received.into_parts();
        Upload { shared, file: tokio::fs::File::from_std(file), received, hash: Sha256::new(), size: 0 }
    }

    /// Appends `chunk` to the body.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), StorageError> {
        self.file.write_all(chunk).await?;
        self.hash.update(chunk);
        self.size += chunk.len() as u64;
        Ok(())
    }

    /// The body is whole.
    pub async fn finish(self) -> Result<(NewBody, Received), StorageError> {
        let Upload { shared, mut file, received, hash, size } = self;
        file.flush().await?;
        let open_file = file.into_std().await;
        let body = blocking(move || {
            drop(open_file);
            let body = NewBody::named(shared);
            body.shared.bodies.adopt(received, body.name())?;
            Ok(body)
        })
        .await?;
        Ok((body, Received { size, etag: format!("\"{}\"", hex(&hash.finalize())) }))
    }
}

impl NewBody {
    /// A second name for the body `of`.
    pub(crate) fn duplicate(shared: Arc<Shared>, of: &BodyName) -> Result<NewBody, StorageError> {
        let body = NewBody::named(shared);
        body.shared.bodies.duplicate(of, body.name()).map_err(StorageError::of_body)?;
        Ok(body)
    }

    fn named(shared: Arc<Shared>) -> NewBody {
        NewBody { shared, name: BodyName::random(), is_kept: false }
    }

    /// What it is called.
    pub fn name(&self) -> &BodyName {
        &self.name
    }

    /// It is named elsewhere from now on.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for NewBody {
    fn drop(&mut self) {
        if !self.is_kept {
            // One that stays is found when the folder is opened next.
            let _ = self.shared.bodies.discard(&self.name);
        }
    }
}

/// Removes what earlier processes were receiving when they died.
pub(crate) fn sweep(incoming: &Path) -> io::Result<()> {
    fs::create_dir_all(incoming)?;
    for entry in fs::read_dir(incoming)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
