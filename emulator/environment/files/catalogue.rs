//! Which files an environment has: a document for each, with the name of its body, in a collection of the emulator's own among
//! the environment's. So a fork, a snapshot and an export have files and documents of one moment, and a seed commits both
//! together. What becomes of bodies that lose their names is `unnamed.rs`'s.

use crate::cloud::Environment;
use crate::error::ActionError;
use database::{CollectionName, DatabaseError, FindRequest, Frozen, RefillRequest, RemoveRequest};
use document::{Bson, DateTime, Document, RawDocumentBuf};
use query::Filter;
use storage::{BodyName, EarlierFile, FilePath, NewBody, Received, StorageError};

/// The collection that keeps the catalogue. No collection of the cloud's begins with an underscore.
pub(crate) const COLLECTION: &str = "_files";

/// A file that is stored, as it was when it was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredFile {
    /// Its path within its environment.
    pub(crate) path: FilePath,
    /// The length of its body in bytes.
    pub(crate) size: u64,
    /// As given at upload, or guessed from the path.
    pub(crate) content_type: String,
    /// The body's hash in lower-case hexadecimal, with the quotes of an HTTP `ETag`.
    pub(crate) etag: String,
    /// The openid of who uploaded it; `None` for a server (semantics ST-10).
    pub(crate) owner: Option<String>,
    /// When it came to this path, in milliseconds since 1970.
    pub(crate) modified_ms: i64,
    /// Its body.
    pub(crate) body: BodyName,
    /// The environment that the body was stored in: only that one, its forks and their snapshots can name it.
    pub(crate) born: String,
}

/// What is said of a file when it is stored.
#[derive(Clone, Debug)]
pub(crate) struct NewFile {
    pub(crate) path: FilePath,
    /// Guessed from the path when `None` or empty.
    pub(crate) content_type: Option<String>,
    /// The openid of who uploads; `None` for a server.
    pub(crate) owner: Option<String>,
    /// When it was stored; `None` for now.
    pub(crate) modified_ms: Option<i64>,
}

impl Environment {
    /// The file at `path`, `None` when there is none.
    pub(crate) async fn file(&self, path: &FilePath) -> Result<Option<StoredFile>, ActionError> {
        let found = self.find_files(Filter::parse(&at(path))?, Some(1)).await?;
        Ok(found.into_iter().next())
    }

    /// Every file, sorted by path.
    pub(crate) async fn files(&self) -> Result<Vec<StoredFile>, DatabaseError> {
        let mut files = self.find_files(Filter::all(), None).await?;
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }

    /// Every file that a snapshot remembers; none where there is no such snapshot.
    pub(crate) async fn files_of_snapshot(&self, snapshot: &str) -> Result<Vec<StoredFile>, DatabaseError> {
        let frozen = self.shared.store.frozen()?;
        let name = Frozen::snapshot_name(&self.name, snapshot);
        let work = move || {
            let Ok(documents) = frozen.documents(&name, &own_collection()?) else { return Ok(Vec::new()) };
            documents.filter_map(|document| document.map(|document| StoredFile::read(&document)).transpose()).collect()
        };
        let found = tokio::task::spawn_blocking(work).await;
        found.unwrap_or_else(|error| Err(DatabaseError::Internal(error.to_string())))
    }

    /// The file at `path` together with its body, as of one moment.
    pub(crate) async fn file_with_body(
        &self,
        path: &FilePath,
    ) -> Result<Option<(StoredFile, tokio::fs::File)>, ActionError> {
        let mut missed: Option<BodyName> = None;
        while let Some(file) = self.file(path).await? {
            match self.shared.storage.open_body(&file.body).await {
                Ok(body) => return Ok(Some((file, body))),
                // Replaced or removed since it was looked up: what is there now?
                Err(StorageError::Missing) if missed.as_ref() != Some(&file.body) => missed = Some(file.body),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Makes a body the content of a path, atomically and in place of what was there. Once called, it runs to its end even if
    /// the returned future is dropped.
    pub(crate) async fn put_file(
        &self,
        new: NewFile,
        body: NewBody,
        received: Received,
    ) -> Result<StoredFile, ActionError> {
        let environment = self.clone();
        uninterrupted(async move {
            let _filing = environment.shared.filing.of(&environment.name).await;
            let file = environment.stored_file(new, &body, received);
            environment.enter(file, body, None).await
        })
        .await
    }

    /// What a new file will be, once it is entered.
    pub(crate) fn stored_file(&self, new: NewFile, body: &NewBody, received: Received) -> StoredFile {
        let content_type = new.content_type.filter(|given| !given.is_empty());
        StoredFile {
            content_type: content_type.unwrap_or_else(|| new.path.content_type()),
            path: new.path,
            size: received.size,
            etag: received.etag,
            owner: new.owner,
            modified_ms: new.modified_ms.unwrap_or_else(|| self.shared.clock.now_ms()),
            body: body.name().clone(),
            born: self.name.to_string(),
        }
    }

    /// Removes the file at `path` and returns whether there was one.
    pub(crate) async fn remove_file(&self, path: &FilePath) -> Result<bool, ActionError> {
        let (environment, path) = (self.clone(), path.clone());
        uninterrupted(async move {
            let _filing = environment.shared.filing.of(&environment.name).await;
            let Some(file) = environment.file(&path).await? else { return Ok(false) };
            let request = RefillRequest { removals: vec![removal(&path)?], ..RefillRequest::default() };
            environment.database.refill(request).await?;
            environment.shared.unnamed.consider(vec![file]);
            Ok(true)
        })
        .await
    }

    /// Stores the file at `from` also at `to`, with its content type and owner, and removes the one at `from` if
    /// `remove_original`. Without `overwrite`, a file at `to` refuses it: [`StorageError::Exists`]. No file at `from`:
    /// [`StorageError::Missing`]. A file copied onto itself stays as it is.
    pub(crate) async fn copy_file(
        &self,
        from: &FilePath,
        to: &FilePath,
        overwrite: bool,
        remove_original: bool,
    ) -> Result<StoredFile, ActionError> {
        let (environment, from, to) = (self.clone(), from.clone(), to.clone());
        uninterrupted(async move {
            let _filing = environment.shared.filing.of(&environment.name).await;
            let original = environment.file(&from).await?.ok_or(StorageError::Missing)?;
            if !overwrite && environment.file(&to).await?.is_some() {
                return Err(StorageError::Exists.into());
            }
            if from == to {
                return Ok(original);
            }
            let body = environment.shared.storage.duplicate(&original.body).await?;
            let modified_ms = environment.shared.clock.now_ms();
            let (name, born) = (body.name().clone(), environment.name.to_string());
            let copy = StoredFile { path: to, modified_ms, body: name, born, ..original.clone() };
            environment.enter(copy, body, remove_original.then_some(original)).await
        })
        .await
    }

    /// Enters a file in place of what its path held, and removes another one in the same commit. For whoever is filing.
    async fn enter(
        &self,
        file: StoredFile,
        body: NewBody,
        removed: Option<StoredFile>,
    ) -> Result<StoredFile, ActionError> {
        let replaced = self.file(&file.path).await?;
        let request = RefillRequest {
            removals: removed.iter().map(|file| removal(&file.path)).collect::<Result<_, _>>()?,
            collections: vec![(own_collection()?, vec![file.document()])],
            replaces: true,
            ..RefillRequest::default()
        };
        // Before the commit: whatever becomes of who waits for it, a body that has a name stays.
        body.keep();
        match self.database.refill(request).await {
            Ok(_) => self.shared.unnamed.consider(replaced.into_iter().chain(removed).collect()),
            Err(error) => return Err(self.unentered(vec![file], error).into()),
        }
        Ok(file)
    }

    /// After a commit that failed with `error`: the bodies go, where it is certain that it did not happen all the same.
    pub(crate) fn unentered(&self, files: Vec<StoredFile>, error: DatabaseError) -> DatabaseError {
        match &error {
            DatabaseError::Closed
            | DatabaseError::Corrupt(_)
            | DatabaseError::Internal(_)
            | DatabaseError::Storage(_) => {}
            _ => self.shared.unnamed.consider(files),
        }
        error
    }

    async fn find_files(&self, filter: Filter, limit: Option<u64>) -> Result<Vec<StoredFile>, DatabaseError> {
        let collection = own_collection()?;
        let request = FindRequest { collection, filter, sort: None, skip: 0, limit, projection: None };
        match self.database.find(request).await {
            Ok(documents) => Ok(documents.iter().filter_map(StoredFile::read).collect()),
            Err(DatabaseError::CollectionMissing(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

impl StoredFile {
    /// The form it is kept in.
    pub(crate) fn document(&self) -> Document {
        let text = |text: &str| Bson::String(text.to_owned());
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
        let fields = [
            ("_id", text(self.path.as_str())),
            ("size", Bson::Int64(size)),
            ("type", text(&self.content_type)),
            ("etag", text(&self.etag)),
            ("modified", Bson::DateTime(DateTime::from_millis(self.modified_ms))),
            ("body", text(&self.body.to_string())),
            ("born", text(&self.born)),
        ];
        let owner = self.owner.as_deref().map(|owner| ("owner", text(owner)));
        fields.into_iter().chain(owner).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// `None` for what this version does not know.
    pub(crate) fn read(document: &RawDocumentBuf) -> Option<StoredFile> {
        let text = |name: &str| document.get_str(name).ok().map(str::to_owned);
        Some(StoredFile {
            path: FilePath::parse(document.get_str("_id").ok()?).ok()?,
            size: u64::try_from(document.get_i64("size").ok()?).ok()?,
            content_type: text("type")?,
            etag: text("etag")?,
            owner: text("owner"),
            modified_ms: document.get_datetime("modified").ok()?.timestamp_millis(),
            body: StoredFile::body_of(document)?,
            born: text("born")?,
        })
    }

    /// The body alone, which another version may know more of.
    pub(crate) fn body_of(document: &RawDocumentBuf) -> Option<BodyName> {
        BodyName::parse(document.get_str("body").ok()?)
    }

    /// As an emulator of before issue 6 kept it.
    pub(crate) fn of_earlier(file: EarlierFile) -> StoredFile {
        StoredFile {
            path: file.path,
            size: file.size,
            content_type: file.content_type,
            etag: file.etag,
            owner: file.owner,
            modified_ms: file.modified_ms,
            body: file.body,
            born: file.environment,
        }
    }
}

/// The name of the collection that keeps a catalogue.
pub(crate) fn own_collection() -> Result<CollectionName, DatabaseError> {
    CollectionName::parse(COLLECTION)
}

fn removal(path: &FilePath) -> Result<RemoveRequest, DatabaseError> {
    let filter = Filter::parse(&at(path))?;
    Ok(RemoveRequest { collection: own_collection()?, filter, multi: false })
}

fn at(path: &FilePath) -> Document {
    Document::from_iter([("_id".to_owned(), Bson::String(path.as_str().to_owned()))])
}

/// Runs `work` to its end, also if nobody waits for it any more: between a commit and what belongs to it nothing may be left out.
pub(crate) async fn uninterrupted<T: Send + 'static, E: From<DatabaseError> + Send + 'static>(
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E> {
    let ended = tokio::spawn(work).await;
    ended.unwrap_or_else(|error| Err(E::from(DatabaseError::Internal(error.to_string()))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let file = StoredFile {
            path: FilePath::parse("目录/a.txt").unwrap(),
            size: 5,
            content_type: "text/plain".into(),
            etag: "\"e\"".into(),
            owner: Some("alice".into()),
            modified_ms: -1,
            body: BodyName::parse("0123456789abcdef0123456789abcdef").unwrap(),
            born: "cloud1".into(),
        };
        for file in [StoredFile { owner: None, ..file.clone() }, file] {
            let document = RawDocumentBuf::try_from(&file.document()).unwrap();
            assert_eq!(StoredFile::read(&document), Some(file));
        }
        assert_eq!(StoredFile::read(&RawDocumentBuf::new()), None);
    }
}
