//! Fixtures: a folder that is a whole small environment, read into an empty one. `database/NAME.jsonl` are collections as JSON
//! Lines (semantics DB-10.01), everything under `storage/` is a stored file. All of it is read and checked before anything is
//! written, and the database is written in one commit.

use crate::cloud::Environment;
use database::{CollectionName, DatabaseError};
use document::{Bson, DateTime, Document};
use std::path::{Path, PathBuf};
use storage::{FilePath, StorageError};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

const CHUNK_BYTES: usize = 64 << 10;

/// What fixtures did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeded {
    /// They filled an empty environment.
    Filled {
        /// Collections created.
        collections: usize,
        /// Documents inserted.
        documents: usize,
        /// Files stored.
        files: usize,
    },
    /// The environment had data, so nothing was changed.
    HadData,
}

/// A mistake in a fixture folder, with its place.
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
    #[error("{} is no fixture folder: it has neither `database/` with NAME.jsonl files nor `storage/`", .0.display())]
    NotFixtures(PathBuf),
    /// A line is not a document.
    #[error("{}:{line}: {reason}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it, naming the field.
        reason: String,
    },
    /// A file's name cannot be a collection's, or a stored file's.
    #[error("{}: {reason}", .path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The database refused it.
    #[error("the fixtures cannot be stored: {0}")]
    Database(#[from] DatabaseError),
    /// The file storage refused it.
    #[error("the fixtures cannot be stored: {0}")]
    Storage(#[from] StorageError),
}

type Collections = Vec<(CollectionName, Vec<Document>)>;

/// Fills `environment` from `folder` when it is empty; changes nothing when it is not.
pub(crate) async fn fill(environment: &Environment, folder: &Path) -> Result<Seeded, SeedError> {
    if has_data(environment).await? {
        return Ok(Seeded::HadData);
    }
    let (database, stored) = (folder.join("database"), folder.join("storage"));
    if !database.is_dir() && !stored.is_dir() {
        return Err(SeedError::NotFixtures(folder.to_path_buf()));
    }
    let collections = read_collections(&database, environment.shared.clock.now())?;
    let files = list_files(&stored)?;
    // Files first: the commit of the documents is what makes the environment count as filled.
    for (source, path) in &files {
        store_file(environment, source, path).await?;
    }
    let documents = collections.iter().map(|(_, documents)| documents.len()).sum();
    let filled = Seeded::Filled { collections: collections.len(), documents, files: files.len() };
    environment.database.seed(collections).await?;
    Ok(filled)
}

async fn has_data(environment: &Environment) -> Result<bool, SeedError> {
    let has_files = async || environment.shared.storage.list(&environment.name).await.map(|files| !files.is_empty());
    Ok(!environment.database.collections().is_empty() || has_files().await?)
}

fn read_collections(folder: &Path, now: DateTime) -> Result<Collections, SeedError> {
    let mut collections = Vec::new();
    for path in entries(folder)? {
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            collections.push((collection_name(&path)?, read_documents(&path, now)?));
        }
    }
    Ok(collections)
}

fn collection_name(path: &Path) -> Result<CollectionName, SeedError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    CollectionName::parse(&stem)
        .map_err(|error| SeedError::Name { path: path.to_path_buf(), reason: error.to_string() })
}

fn read_documents(path: &Path, now: DateTime) -> Result<Vec<Document>, SeedError> {
    let text = std::fs::read_to_string(path).map_err(|source| SeedError::Io { path: path.to_path_buf(), source })?;
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| read_line(path, index + 1, line, now)).collect()
}

fn read_line(path: &Path, line: usize, text: &str, now: DateTime) -> Result<Document, SeedError> {
    let failed = |reason: String| SeedError::Line { path: path.to_path_buf(), line, reason };
    let mut document = document::decode_text(text, now).map_err(|error| failed(error.to_string()))?;
    if let Some(key) = document.keys().find(|key| key.starts_with('$')) {
        return Err(failed(format!("the field `{key}` begins with `$`, which no document's field may")));
    }
    if !document.contains_key("_id") {
        document.insert("_id", Bson::String(Uuid::new_v4().simple().to_string()));
    }
    Ok(document)
}

/// Every file below `folder`, with the path it is to be stored under.
fn list_files(folder: &Path) -> Result<Vec<(PathBuf, FilePath)>, SeedError> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for path in entries(&folder)? {
            let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
            if path.is_dir() {
                folders.push((path, format!("{name}/")));
            } else {
                let stored = FilePath::parse(&name);
                let stored =
                    stored.map_err(|error| SeedError::Name { path: path.clone(), reason: error.to_string() })?;
                files.push((path, stored));
            }
        }
    }
    Ok(files)
}

/// What `folder` holds, sorted; nothing when it is missing.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, SeedError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |source| SeedError::Io { path: folder.to_path_buf(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

async fn store_file(environment: &Environment, source: &Path, path: &FilePath) -> Result<(), SeedError> {
    let failed = |error| SeedError::Io { path: source.to_path_buf(), source: error };
    let mut file = tokio::fs::File::open(source).await.map_err(failed)?;
    let mut upload = environment.shared.storage.receive().await?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = file.read(&mut chunk).await.map_err(failed)?;
        let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        upload.write(bytes).await?;
    }
    upload.finish(&environment.name, path, None, None).await?;
    Ok(())
}
