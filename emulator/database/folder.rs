//! One data folder, opened: the store that all its namespaces live in.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::group::Group;
use crate::read::View;
use crate::store::Engine;
use crate::watch::Watching;
use crate::writer::{Published, Writer};
use crate::{Database, DatabaseError, StoreOptions, namespaces};

/// How long closing waits for the readers that are still running.
const READERS_PATIENCE: Duration = Duration::from_secs(10);
const READERS_PAUSE: Duration = Duration::from_millis(1);

/// One data folder. A cheap handle: clones share the folder.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

/// What the handles of a data folder share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `None` from the moment the store is closed.
    engine: RwLock<Option<Arc<Engine>>>,
    pub(crate) published: Arc<Published>,
    pub(crate) writer: Writer,
    pub(crate) watching: Watching,
    /// Held by the one who makes or drops an index.
    pub(crate) indexing: Arc<tokio::sync::Mutex<()>>,
}

impl Store {
    /// Opens `folder`, making it if it is missing. [`DatabaseError::InUse`] if another process has it open.
    /// Blocks for as long as reading the folder's log takes: a few milliseconds, or tenths of a second for a million documents.
    pub fn open(folder: &Path, options: StoreOptions) -> Result<Store, DatabaseError> {
        let group = Group::new(Engine::open(folder, &options)?);
        let engine = RwLock::new(Some(group.engine().clone()));
        let published = Arc::new(Published::new(group.state().sequence, group.catalogue().clone()));
        let writer = Writer::start(group, published.clone(), options)?;
        let (watching, indexing) = (Watching::default(), Arc::default());
        Ok(Store { shared: Arc::new(Shared { engine, published, writer, watching, indexing }) })
    }

    /// The collections of one namespace. A namespace comes to be with its first collection; until then it is empty.
    /// [`DatabaseError::BadNamespace`] if the name contains a NUL character.
    pub fn database(&self, namespace: &str) -> Result<Database, DatabaseError> {
        self.shared.engine()?;
        namespaces::check(namespace)?;
        Ok(Database::new(self.shared.clone(), namespace.into()))
    }

    /// The namespaces that have collections, and the forks, sorted.
    pub fn namespaces(&self) -> Vec<String> {
        let catalogue = self.shared.published.catalogue();
        catalogue.namespaces_after("").filter(|name| namespaces::is_plain(name)).map(str::to_owned).collect()
    }

    /// Carries out the writes that are waiting, writes everything out and gives the folder back.
    /// Every watch ends, and every later call fails with [`DatabaseError::Closed`]; closing again is no error.
    pub async fn close(&self) -> Result<(), DatabaseError> {
        let Some(engine) = self.shared.take_engine() else { return Ok(()) };
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || {
            let closed = shared.writer.close();
            release(engine);
            closed
        })
        .await
        .unwrap_or_else(|error| Err(DatabaseError::Internal(error.to_string())))
    }
}

impl Shared {
    /// The store as it is now, for as long as the view is kept.
    pub(crate) fn view(&self) -> Result<View, DatabaseError> {
        let (engine, snapshot) = (self.engine()?, self.published.snapshots.open());
        Ok(View { engine, snapshot, catalogue: self.published.catalogue(), own: None }) // no older than the snapshot
    }

    /// How many versions there are of everything.
    #[cfg(test)]
    pub(crate) fn versions(&self) -> usize {
        self.engine().map_or(0, |engine| engine.versions())
    }

    /// How many keys there are in the tree.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> usize {
        self.engine().map_or(0, |engine| engine.keys())
    }

    fn engine(&self) -> Result<Arc<Engine>, DatabaseError> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(DatabaseError::Closed)
    }

    fn take_engine(&self) -> Option<Arc<Engine>> {
        self.engine.write().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Lets go of the folder, once the readers have: whoever opens it next finds it unlocked.
fn release(mut engine: Arc<Engine>) {
    let mut waited = Duration::ZERO;
    while waited < READERS_PATIENCE {
        match Arc::try_unwrap(engine) {
            Ok(engine) => return drop(engine),
            Err(shared) => engine = shared,
        }
        std::thread::sleep(READERS_PAUSE);
        waited += READERS_PAUSE;
    }
}
