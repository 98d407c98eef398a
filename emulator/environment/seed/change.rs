//! A change of everything at once: documents, users, permission modes and files. The database commits the first three in one
//! go; files are not the database's, so they are laid ready under paths of the emulator's own first, and moved to their places
//! after the commit that decides. What is under way is written down in the register's collection, where `recover` finds it: an
//! emulator that was killed before the commit has changed nothing, one killed after it moves the files when it starts again.

use super::SeedError;
use super::fixtures::{File, Fixtures};
use crate::cloud::Environment;
use crate::register;
use database::{CollectionName, DatabaseError, RefillRequest, RemoveRequest};
use document::{Bson, Document};
use query::Filter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use storage::{FilePath, StorageError};
use tokio::io::AsyncReadExt;
use uuid::Uuid;

const CHUNK_BYTES: usize = 64 << 10;
/// Where files wait for the commit.
const WAITING_FOLDER: &str = "~emulator";

/// What is to become of an environment.
pub(super) struct Change<'a> {
    pub(super) environment: &'a Environment,
    /// What it gains.
    pub(super) fixtures: &'a Fixtures,
    /// Whether it loses everything it has.
    pub(super) reset: bool,
}

/// What has to be done with files, as written down while a change is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Errand {
    /// Before the commit, what waits is thrown away; after it, it is moved.
    committed: bool,
    moves: Vec<Move>,
    /// Paths of files that the change removes.
    removals: Vec<FilePath>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Move {
    from: FilePath,
    to: FilePath,
}

impl Change<'_> {
    /// Makes the change, or leaves everything as it is and says why.
    pub(super) async fn carry_out(&self) -> Result<(), SeedError> {
        let register = &self.environment.register;
        let _changing = register.change().await;
        let errand = self.errand().await?;
        let outcome = self.attempt(&errand).await;
        if !errand.is_empty() {
            match outcome {
                Ok(()) => errand.finish(self.environment).await?,
                Err(_) => errand.give_up(self.environment).await?,
            }
            forget(self.environment).await?;
        }
        register.reload().await?;
        outcome
    }

    /// Up to and with the commit.
    async fn attempt(&self, errand: &Errand) -> Result<(), SeedError> {
        if !errand.moves.is_empty() {
            let note = vec![errand.document()?];
            let (removals, collections) = (vec![all_errands()?], vec![(register::own_collection()?, note)]);
            let request = RefillRequest { removals, collections, ..RefillRequest::default() };
            self.environment.database.refill(request).await?;
        }
        for (file, step) in self.fixtures.files.iter().zip(&errand.moves) {
            store(self.environment, file, &step.from).await?;
        }
        self.commit(errand).await
    }

    async fn commit(&self, errand: &Errand) -> Result<(), SeedError> {
        let entries = if self.reset { Default::default() } else { self.environment.register.entries() };
        let gained = self.fixtures.entries(&entries)?;
        let mut own: Vec<Document> = gained.iter().map(register::Entry::document).collect();
        deduplicate(&mut own);
        let mut removals = if self.reset { self.everything()? } else { entries_removed(&own)? };
        removals.push(all_errands()?);
        if !errand.is_empty() {
            own.push(Errand { committed: true, ..errand.clone() }.document()?);
        }
        let collections = if own.is_empty() { Vec::new() } else { vec![(register::own_collection()?, own)] };
        let prepared = self.fixtures.collections.iter().map(|found| (found.name.clone(), found.documents())).collect();
        let indexes = self.fixtures.indexes.clone();
        let request = RefillRequest { removals, indexes, collections, prepared, ..RefillRequest::default() };
        self.environment.database.refill(request).await.map(drop).map_err(|error| self.placed(error))
    }

    /// What will have to be done with files. A file whose path is taken is a mistake, unless the old one goes.
    async fn errand(&self) -> Result<Errand, SeedError> {
        let id = Uuid::new_v4().simple().to_string();
        let moves = self.fixtures.files.iter().enumerate().map(|(number, file)| {
            let from = FilePath::parse(&waiting_path(&id, number, file))?;
            Ok(Move { from, to: file.path.clone() })
        });
        let moves = moves.collect::<Result<Vec<_>, StorageError>>()?;
        let coming: BTreeSet<&FilePath> = self.fixtures.files.iter().map(|file| &file.path).collect();
        let mut removals = Vec::new();
        let needs_list = self.reset || !moves.is_empty();
        let stored = if needs_list { self.list().await? } else { Vec::new() };
        for path in stored {
            let is_coming = coming.contains(&path);
            match (self.reset, is_coming) {
                (true, false) => removals.push(path),
                (false, true) => return Err(self.taken(&path)),
                (true, true) | (false, false) => {}
            }
        }
        Ok(Errand { committed: false, moves, removals })
    }

    async fn list(&self) -> Result<Vec<FilePath>, StorageError> {
        let stored = self.environment.shared.storage.list(&self.environment.name).await?;
        Ok(stored.into_iter().map(|file| file.path).collect())
    }

    fn taken(&self, path: &FilePath) -> SeedError {
        let source = self.fixtures.files.iter().find(|file| file.path == *path).map(|file| file.source.clone());
        let reason = format!("there is a stored file `{path}` already; --reset empties the cloud first");
        SeedError::Name { path: source.unwrap_or_default(), reason }
    }

    fn everything(&self) -> Result<Vec<RemoveRequest>, SeedError> {
        let mut removals: Vec<RemoveRequest> = self.environment.collections().into_iter().map(all_of).collect();
        removals.push(all_of(register::own_collection()?));
        Ok(removals)
    }

    /// The error with the place of the document that it is about.
    fn placed(&self, error: DatabaseError) -> SeedError {
        match &error {
            DatabaseError::DuplicateKey { collection, index, key } => {
                let place = self.fixtures.place_of(collection, index, key, &error);
                place.unwrap_or(SeedError::Database(error))
            }
            _ => SeedError::Database(error),
        }
    }
}

/// Ends what an earlier process left under way in `environment`.
pub(crate) async fn recover(environment: &Environment) -> Result<(), SeedError> {
    for document in environment.register.documents().await? {
        let document = Document::try_from(document).unwrap_or_default();
        if let Some(errand) = Errand::read(&document) {
            if errand.committed {
                errand.finish(environment).await?;
            } else {
                errand.give_up(environment).await?;
            }
            forget(environment).await?;
        }
    }
    Ok(())
}

impl Errand {
    /// After the commit. Whatever is done already is left out, so that it may be called again.
    async fn finish(&self, environment: &Environment) -> Result<(), StorageError> {
        let storage = &environment.shared.storage;
        for path in &self.removals {
            storage.remove(&environment.name, path).await?;
        }
        for Move { from, to } in &self.moves {
            match storage.copy(&environment.name, from, to, true, true).await {
                Ok(_) | Err(StorageError::Missing) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Before the commit: throws away what waits.
    async fn give_up(&self, environment: &Environment) -> Result<(), StorageError> {
        for Move { from, .. } in &self.moves {
            environment.shared.storage.remove(&environment.name, from).await?;
        }
        Ok(())
    }

    fn document(&self) -> Result<Document, SeedError> {
        let plan = serde_json::to_string(self).map_err(|error| DatabaseError::Internal(error.to_string()))?;
        let text = |text: &str| Bson::String(text.to_owned());
        Ok(Document::from_iter([
            ("_id".to_owned(), text(register::ID_ERRAND)),
            ("plan".to_owned(), Bson::String(plan)),
        ]))
    }

    fn read(document: &Document) -> Option<Errand> {
        let is_one = document.get_str("_id").is_ok_and(|id| id == register::ID_ERRAND);
        if is_one { serde_json::from_str(document.get_str("plan").ok()?).ok() } else { None }
    }

    fn is_empty(&self) -> bool {
        self.moves.is_empty() && self.removals.is_empty()
    }
}

async fn forget(environment: &Environment) -> Result<(), SeedError> {
    let request = RefillRequest { removals: vec![all_errands()?], ..RefillRequest::default() };
    environment.database.refill(request).await?;
    Ok(())
}

/// The entry documents that new ones take the place of.
fn entries_removed(own: &[Document]) -> Result<Vec<RemoveRequest>, SeedError> {
    let ids: Vec<Bson> = own.iter().filter_map(|document| document.get("_id").cloned()).collect();
    Ok(vec![of_ids(ids)?])
}

fn all_errands() -> Result<RemoveRequest, SeedError> {
    of_ids(vec![Bson::String(register::ID_ERRAND.to_owned())])
}

fn of_ids(ids: Vec<Bson>) -> Result<RemoveRequest, SeedError> {
    let among = Document::from_iter([("$in".to_owned(), Bson::Array(ids))]);
    let query = Document::from_iter([("_id".to_owned(), Bson::Document(among))]);
    let filter = Filter::parse(&query).map_err(DatabaseError::from)?;
    Ok(RemoveRequest { collection: register::own_collection()?, filter, multi: true })
}

fn all_of(collection: CollectionName) -> RemoveRequest {
    RemoveRequest { collection, filter: Filter::all(), multi: true }
}

/// Of entries about the same thing, the last one counts.
fn deduplicate(documents: &mut Vec<Document>) {
    let ids: Vec<Option<Bson>> = documents.iter().map(|document| document.get("_id").cloned()).collect();
    let mut index = 0;
    documents.retain(|document| {
        index += 1;
        ids.get(index..).is_none_or(|later| !later.contains(&document.get("_id").cloned()))
    });
}

/// Its ending tells the content type.
fn waiting_path(id: &str, number: usize, file: &File) -> String {
    let extension = Path::new(file.path.as_str()).extension().unwrap_or_default().to_string_lossy();
    let extension = if extension.len() > 16 { String::new() } else { extension.into_owned() };
    format!("{WAITING_FOLDER}/{id}/{number}.{extension}")
}

async fn store(environment: &Environment, fixture: &File, path: &FilePath) -> Result<(), SeedError> {
    let source = &fixture.source;
    let failed = |error| SeedError::Io { path: source.clone(), source: error };
    let mut file = tokio::fs::File::open(source).await.map_err(failed)?;
    let mut upload = environment.shared.storage.receive().await?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = file.read(&mut chunk).await.map_err(failed)?;
        let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        upload.write(bytes).await?;
    }
    upload.finish(&environment.name, path, fixture.content_type.as_deref(), fixture.owner.as_deref()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn an_errand_is_read_back() {
        let path = |text: &str| FilePath::parse(text).unwrap();
        let moves = vec![Move { from: path("~emulator/x/0.txt"), to: path("a.txt") }];
        let errand = Errand { committed: true, moves, removals: vec![path("b")] };
        let read = Errand::read(&errand.document().unwrap()).unwrap();
        assert_eq!((read.committed, read.moves.len(), read.removals.len()), (true, 1, 1));
        assert!(Errand::read(&Document::new()).is_none());
    }

    #[test]
    fn the_last_entry_about_a_thing_counts() {
        let entry = |id: &str, n: i32| {
            Document::from_iter([("_id".to_owned(), Bson::String(id.to_owned())), ("n".to_owned(), Bson::Int32(n))])
        };
        let mut entries = vec![entry("a", 1), entry("b", 2), entry("a", 3)];
        deduplicate(&mut entries);
        assert_eq!(entries, [entry("b", 2), entry("a", 3)]);
    }
}
