//! Bodies that no file has any more. A body that lost one name may have others, in forks and snapshots, so each is looked for in
//! the whole store, as it was at one moment, before it is discarded. That happens in the background; what a process leaves
//! undone, the next one finds when it opens the folder.

use super::catalogue::{self, StoredFile};
use crate::forks;
use database::{CollectionName, DatabaseError, Frozen, Store};
use document::Bson;
use std::collections::HashSet;
use std::sync::Arc;
use storage::{BodyName, Storage};
use tokio::sync::{OwnedRwLockReadGuard, RwLock, mpsc};

/// The way to the background task, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Unnamed {
    sender: mpsc::UnboundedSender<Vec<StoredFile>>,
    /// Held for reading by whoever needs bodies that may have lost their names, for writing while some are discarded.
    reading: Arc<RwLock<()>>,
}

impl Unnamed {
    /// Begins with the bodies that an earlier process may have left without a name: of those that are there now, the ones
    /// that the store does not name.
    pub(crate) fn start(store: Store, storage: Storage) -> Unnamed {
        let (sender, receiver) = mpsc::unbounded_channel();
        let reading = Arc::new(RwLock::new(()));
        // Listed before anybody can begin an upload, whose body has no name until its commit.
        let there = storage.bodies().unwrap_or_default();
        let search = Search { store, storage };
        tokio::spawn(run(search, there, receiver, reading.clone()));
        Unnamed { sender, reading }
    }

    /// Takes note of files that an environment no longer has. Their bodies are discarded unless something else names them.
    pub(crate) fn consider(&self, files: Vec<StoredFile>) {
        if !files.is_empty() {
            // If the task has ended, so has the cloud, and the next one looks for itself.
            let _ = self.sender.send(files);
        }
    }

    /// Keeps every body that is there, for as long as what is returned lives.
    pub(crate) async fn pause(&self) -> OwnedRwLockReadGuard<()> {
        self.reading.clone().read_owned().await
    }
}

async fn run(
    search: Search,
    there: Vec<BodyName>,
    mut receiver: mpsc::UnboundedReceiver<Vec<StoredFile>>,
    reading: Arc<RwLock<()>>,
) {
    if !there.is_empty() {
        discard(&search, &reading, move |search| search.leftovers(there)).await;
    }
    while let Some(mut files) = receiver.recv().await {
        while let Ok(more) = receiver.try_recv() {
            files.extend(more);
        }
        discard(&search, &reading, move |search| search.nameless(files)).await;
    }
}

/// Discards the bodies that `find` finds.
async fn discard(
    search: &Search,
    reading: &RwLock<()>,
    find: impl FnOnce(&Search) -> Result<Vec<BodyName>, DatabaseError> + Send + 'static,
) {
    let _alone = reading.write().await;
    let search = search.clone();
    let work = move || {
        for body in find(&search)? {
            // On Windows a body that somebody reads stays, for the next process to find.
            let _ = search.storage.discard(&body);
        }
        Ok::<(), DatabaseError>(())
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(()) | Err(DatabaseError::Closed)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "bodies of removed files stay until the next start"),
        Err(error) => tracing::warn!(%error, "bodies of removed files stay until the next start"),
    }
}

#[derive(Clone)]
struct Search {
    store: Store,
    storage: Storage,
}

impl Search {
    /// Those of `bodies` that no file has.
    fn leftovers(&self, bodies: Vec<BodyName>) -> Result<Vec<BodyName>, DatabaseError> {
        let (frozen, collection) = (self.store.frozen()?, catalogue::own_collection()?);
        let mut nameless: HashSet<BodyName> = bodies.into_iter().collect();
        for namespace in frozen.namespaces("") {
            let Ok(documents) = frozen.documents(namespace, &collection) else { continue };
            for document in documents {
                // An entry that cannot be read may name any body.
                let Some(body) = StoredFile::body_of(&document?) else { return Ok(Vec::new()) };
                nameless.remove(&body);
            }
        }
        Ok(nameless.into_iter().collect())
    }

    /// The bodies of those of `files` that no environment and no snapshot has.
    fn nameless(&self, files: Vec<StoredFile>) -> Result<Vec<BodyName>, DatabaseError> {
        let (frozen, collection) = (self.store.frozen()?, catalogue::own_collection()?);
        let mut bodies = Vec::new();
        for file in files {
            if !is_named(&frozen, &collection, &file)? {
                bodies.push(file.body);
            }
        }
        Ok(bodies)
    }
}

/// A body has one path, but may have it in everything that was forked from where it was born.
fn is_named(frozen: &Frozen, collection: &CollectionName, file: &StoredFile) -> Result<bool, DatabaseError> {
    let id = Bson::String(file.path.as_str().to_owned());
    let born = file.born.as_str();
    let family = frozen.namespaces(born).take_while(|name| name.starts_with(born));
    for namespace in family.filter(|name| forks::is_of_family(Frozen::plain_name(name), born)) {
        let found = frozen.document(namespace, collection, &id)?;
        if found.is_some_and(|found| StoredFile::body_of(&found).is_none_or(|body| body == file.body)) {
            return Ok(true);
        }
    }
    Ok(false)
}
