//! A body being received. It rests in a folder of its own until it is whole; only then does it get a path.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use crate::Shared;
use crate::bodies::BodyName;
use crate::catalogue::{StoredFile, hex};
use crate::error::StorageError;
use crate::path::FilePath;

/// A body that arrives piece by piece. Dropped before [`Upload::finish`], it leaves nothing behind.
pub struct Upload {
    shared: Arc<Shared>,
    // Declared before `received`, so that it is closed before its path is removed, as Windows wants it.
    file: tokio::fs::File,
    received: TempPath,
    hash: Sha256,
    size: u64,
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

    /// Makes the body the content of `path`, atomically and in place of what was there. `content_type` is guessed from
    /// the path when `None` or empty; `owner` is the openid of who uploads, `None` for a server. Once called, it runs
    /// to its end even if the returned future is dropped.
    pub async fn finish(
        self,
        environment: &str,
        path: &FilePath,
        content_type: Option<&str>,
        owner: Option<&str>,
    ) -> Result<StoredFile, StorageError> {
        let Upload { shared, mut file, received, hash, size } = self;
        file.flush().await?;
        let open_file = file.into_std().await;
        let stored = StoredFile {
            environment: environment.to_owned(),
            path: path.clone(),
            size,
            content_type: content_type_or_guess(content_type, path),
            etag: format!("\"{}\"", hex(&hash.finalize())),
            owner: owner.map(str::to_owned),
            modified_ms: now_ms(),
            body: BodyName::random(),
        };
        shared
            .change(move |shelf| {
                drop(open_file);
                shelf.put(&stored, received)?;
                Ok(stored)
            })
            .await
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

pub(crate) fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

fn content_type_or_guess(given: Option<&str>, path: &FilePath) -> String {
    match given {
        Some(given) if !given.is_empty() => given.to_owned(),
        Some(_) | None => mime_guess::from_path(path.as_str()).first_or_octet_stream().to_string(),
    }
}
