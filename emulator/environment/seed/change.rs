//! A change of everything at once: documents, users, permission modes and files, in one commit. The bodies of files are laid
//! ready before it; those that nobody names afterwards, because it failed or the emulator was killed, are discarded.

use super::SeedError;
use super::fixtures::Fixtures;
use crate::cloud::Environment;
use crate::exchange::{Dropped, Progress, Stage};
use crate::files::{self, NewFile, StoredFile, uninterrupted};
use crate::register;
use database::{DatabaseError, RefillRequest, RemoveRequest, Supervisor};
use document::{Bson, Document};
use query::Filter;
use std::path::Path;
use std::sync::Arc;
use storage::{NewBody, Received};
use tokio::io::AsyncReadExt;

const CHUNK_BYTES: usize = 64 << 10;

/// What is to become of an environment.
pub(super) struct Change {
    pub(super) environment: Environment,
    /// What it gains.
    pub(super) fixtures: Fixtures,
    /// Whether it loses everything it has.
    pub(super) reset: bool,
    /// Where whoever waits for it sees how far it is; `None`: nobody looks.
    pub(super) progress: Option<Arc<Progress>>,
}

impl Change {
    /// Makes the change, or leaves everything as it is and says why. Dropped before the bodies of all files are there, it has
    /// changed nothing; from then on it goes on to its end, which is an early one if `progress` says that nobody waits.
    pub(super) async fn carry_out(self) -> Result<(), SeedError> {
        let mut bodies = Vec::new();
        for file in &self.fixtures.files {
            bodies.push(receive(&self.environment, &file.source).await?);
        }
        uninterrupted(self.commit(bodies)).await
    }

    async fn commit(self, bodies: Vec<(NewBody, Received)>) -> Result<(), SeedError> {
        let environment = &self.environment;
        let _changing = environment.register.change().await;
        let _filing = environment.shared.filing.of(&environment.name).await;
        let lost = if self.reset { environment.files().await? } else { Vec::new() };
        let (files, bodies): (Vec<StoredFile>, Vec<NewBody>) = self.files(bodies).into_iter().unzip();
        let request = self.request(&files)?;
        // Before the commit: whatever becomes of who waits for it, a body that has a name stays.
        bodies.into_iter().for_each(NewBody::keep);
        let outcome = environment.database.refill(request).await;
        outcome.map_err(|error| self.placed(environment.unentered(files, error)))?;
        environment.shared.unnamed.consider(lost);
        Ok(environment.register.reload().await?)
    }

    /// Everything as one request.
    fn request(&self, files: &[StoredFile]) -> Result<RefillRequest, SeedError> {
        let entries = if self.reset { Default::default() } else { self.environment.register.entries() };
        let gained = self.fixtures.entries(&entries)?;
        let mut own: Vec<Document> = gained.iter().map(register::Entry::document).collect();
        deduplicate(&mut own);
        let removals = if self.reset { Vec::new() } else { entries_removed(&own)? };
        let files: Vec<Document> = files.iter().map(StoredFile::document).collect();
        let supervisor = self.progress.clone().map(|progress| {
            progress.begin(Stage::Storing, Some((own.len() + files.len() + self.fixtures.documents()) as u64));
            progress as Arc<dyn Supervisor>
        });
        let hidden = [(register::own_collection()?, own), (files::own_collection()?, files)];
        let collections = hidden.into_iter().filter(|(_, documents)| !documents.is_empty()).collect();
        let prepared = self.fixtures.collections.iter().map(|found| (found.name.clone(), found.documents())).collect();
        let indexes = self.fixtures.indexes.clone();
        let request =
            RefillRequest { removals, indexes, collections, prepared, supervisor, ..RefillRequest::default() };
        Ok(RefillRequest { emptied: self.reset, ..request })
    }

    fn files(&self, bodies: Vec<(NewBody, Received)>) -> Vec<(StoredFile, NewBody)> {
        let files = self.fixtures.files.iter().zip(bodies);
        let entered = files.map(|(file, (body, received))| {
            let new = NewFile {
                path: file.path.clone(),
                content_type: file.content_type.clone(),
                owner: file.owner.clone(),
                modified_ms: file.modified_ms,
            };
            (self.environment.stored_file(new, &body, received), body)
        });
        entered.collect()
    }

    /// The error with the place of the document or file that it is about.
    fn placed(&self, error: DatabaseError) -> SeedError {
        match &error {
            DatabaseError::DuplicateKey { collection, index, key } => {
                let place = self.fixtures.place_of(collection, index, key, &error);
                place.unwrap_or(SeedError::Database(error))
            }
            DatabaseError::Stopped => Dropped.into(),
            _ => SeedError::Database(error),
        }
    }
}

/// The entry documents that new ones take the place of.
fn entries_removed(own: &[Document]) -> Result<Vec<RemoveRequest>, SeedError> {
    let ids: Vec<Bson> = own.iter().filter_map(|document| document.get("_id").cloned()).collect();
    let among = Document::from_iter([("$in".to_owned(), Bson::Array(ids))]);
    let query = Document::from_iter([("_id".to_owned(), Bson::Document(among))]);
    let filter = Filter::parse(&query).map_err(DatabaseError::from)?;
    Ok(vec![RemoveRequest { collection: register::own_collection()?, filter, multi: true }])
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

async fn receive(environment: &Environment, source: &Path) -> Result<(NewBody, Received), SeedError> {
    let failed = |error| SeedError::Io { path: source.to_path_buf(), source: error };
    let mut file = tokio::fs::File::open(source).await.map_err(failed)?;
    let mut upload = environment.shared.storage.receive().await?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let length = file.read(&mut chunk).await.map_err(failed)?;
        let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        upload.write(bytes).await?;
    }
    Ok(upload.finish().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

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
