//! Fixtures that are watched: when something in their folder changes, they are put in place of everything the cloud holds. A
//! mistake in them is said, and the data stays.

use crate::arguments::PlaceArguments;
use crate::ask::{AskError, Asked, PathError, path_text};
use crate::client::ClientError;
use crate::data::count;
use crate::language::text;
use crate::output::say;
use crate::signals::{Signals, interrupted};
use environment::Cloud;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How long nothing may change before a change counts as whole: editors and version control write in several steps.
const STILLNESS: Duration = Duration::from_millis(200);
/// The fixtures' folder of collections, and what its files end in. Editors leave others beside them.
const COLLECTIONS: &str = "database";
const COLLECTION_EXTENSION: &str = "jsonl";

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    #[error("{}", text!("watch-failed", path = .path.display().to_string(), reason = .source.to_string()))]
    Watch { path: PathBuf, source: notify::Error },
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("{}", text!("signals-failed", reason = .0.to_string()))]
    Signals(std::io::Error),
}

/// A folder of fixtures that is watched for as long as this is there.
pub(crate) struct Watched {
    /// Its absolute path.
    folder: String,
    /// An entry for each change.
    changes: UnboundedReceiver<()>,
    watcher: RecommendedWatcher,
}

impl Watched {
    /// Watches `folder` from now on.
    pub(crate) fn start(folder: &Path) -> Result<Watched, WatchError> {
        let folder = path_text(folder)?;
        let path = PathBuf::from(&folder);
        let (sender, changes) = unbounded_channel();
        // By which name events come depends on the system.
        let names = [Some(path.clone()), path.canonicalize().ok()];
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if is_change(&event, names.iter().flatten()) {
                // Nobody listens any more when the emulator stops.
                let _ = sender.send(());
            }
        });
        let started = watcher.and_then(|mut watcher| {
            watcher.watch(&path, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        match started {
            Ok(watcher) => Ok(Watched { folder, changes, watcher }),
            Err(source) => Err(WatchError::Watch { path, source }),
        }
    }

    /// Resolves when something has changed since it last did, and nothing for a moment.
    async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // The watcher is there for as long as this is, and its end with it.
            std::future::pending().await
        }
        while let Ok(Some(())) = tokio::time::timeout(STILLNESS, self.changes.recv()).await {}
        self.watch_again().await;
    }

    /// Watches the folder that has the name now: the one before may have been replaced by it, as `emulator export` does.
    async fn watch_again(&mut self) {
        // One that is gone is not watched any more.
        let path = Path::new(&self.folder);
        let _ = self.watcher.unwatch(path);
        while self.watcher.watch(path, RecursiveMode::Recursive).is_err() {
            tokio::time::sleep(STILLNESS).await;
        }
    }

    fn request(&self) -> Map<String, Value> {
        Map::from_iter([("folder".to_owned(), json!(self.folder)), ("reset".to_owned(), json!(true))])
    }
}

/// Seeds `cloud` anew at each change, and says so in the log.
pub(crate) async fn follow(cloud: &Cloud, mut watched: Watched) -> Infallible {
    loop {
        watched.changed().await;
        let since = Instant::now();
        match cloud.manage("seed", watched.request()).await {
            Some(Ok(seeded)) => tracing::info!("{}", reseeded_text(&seeded, since)),
            Some(Err(error)) => tracing::error!("{}", text!("reseed-failed", reason = error.message)),
            None => {}
        }
    }
}

/// `emulator seed DIR --watch`: seeds now and at each change, until a signal.
pub(crate) async fn run(folder: &Path, place: &PlaceArguments) -> Result<ExitCode, WatchError> {
    let mut signals = Signals::listen().map_err(WatchError::Signals)?;
    let mut watched = Watched::start(folder)?;
    loop {
        let since = Instant::now();
        match seed(&watched, place).await {
            Ok(Some(seeded)) => say(reseeded_text(&seeded, since)),
            Ok(None) => return Ok(interrupted()),
            Err(AskError::Client(ClientError::Refused { message, .. })) => {
                crate::complain(&text!("reseed-failed", reason = message));
            }
            Err(error) => crate::complain(&error.to_string()),
        }
        tokio::select! {
            () = watched.changed() => {}
            _ = signals.next() => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// Each time anew: an emulator may have been started or stopped meanwhile.
async fn seed(watched: &Watched, place: &PlaceArguments) -> Result<Option<Value>, AskError> {
    Asked::new(&place.cloud, place.data.clone())?.ask_long("seed", watched.request()).await
}

/// Whether fixtures in the folder of one of these names have changed. Reading them, as a seed does itself, is no change; a
/// failure may have hidden one.
fn is_change<'a>(event: &notify::Result<Event>, names: impl Iterator<Item = &'a PathBuf> + Clone) -> bool {
    match event {
        Ok(Event { kind: EventKind::Access(_), .. }) => false,
        Ok(event) if event.need_rescan() || event.paths.is_empty() => true,
        Ok(event) => event.paths.iter().any(|path| {
            let inner = names.clone().find_map(|folder| path.strip_prefix(folder).ok());
            inner.is_none_or(is_of_fixtures)
        }),
        Err(_) => true,
    }
}

/// Whether what is at this path in the folder is a fixture, and no file that an editor or the system keeps beside them.
fn is_of_fixtures(inner: &Path) -> bool {
    let mut names = inner.iter().map(|name| name.to_string_lossy());
    let Some(first) = names.next() else { return true };
    let is_own = |name: &str| name.starts_with(['.', '#']) || name.ends_with('~');
    let is_collection = || inner.extension().is_some_and(|extension| extension == COLLECTION_EXTENSION);
    let is_whole = inner.parent() == Some(Path::new(""));
    environment::FIXTURE_ENTRIES.contains(&&*first)
        && !names.any(|name| is_own(&name))
        && (is_whole || first != COLLECTIONS || is_collection())
}

fn reseeded_text(seeded: &Value, since: Instant) -> String {
    text!(
        "reseeded",
        documents = count(seeded, "documents"),
        collections = count(seeded, "collections"),
        files = count(seeded, "files"),
        users = count(seeded, "users"),
        milliseconds = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[tokio::test]
    async fn many_writes_are_one_change_and_reading_is_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("database")).unwrap();
        let mut watched = Watched::start(folder.path()).unwrap();
        let file = folder.path().join("database/todos.jsonl");
        for round in 0..5 {
            std::fs::write(&file, round.to_string()).unwrap();
            tokio::time::sleep(STILLNESS / 4).await;
        }
        tokio::time::timeout(STILLNESS * 20, watched.changed()).await.unwrap();
        std::fs::read(&file).unwrap();
        assert!(tokio::time::timeout(STILLNESS * 2, watched.changed()).await.is_err());
    }

    #[test]
    fn only_fixtures_count() {
        let folder = PathBuf::from("/project");
        let counts = |path: &str| {
            let event = Event::new(EventKind::Any).add_path(folder.join(path));
            is_change(&Ok(event), [&folder].into_iter())
        };
        for path in ["", "database", "database/todos.jsonl", "storage/a/b.txt", "users.json"] {
            assert!(counts(path), "{path}");
        }
        for path in [
            ".emulator/database/db",
            "data/database/db",
            "app.js",
            "users.json~",
            "database/.todos.jsonl.swp",
            "database/.#todos.jsonl",
            "database/#todos.jsonl#",
            "database/todos.jsonl~",
            "database/4913",
            "storage/.DS_Store",
            "storage/a~",
        ] {
            assert!(!counts(path), "{path}");
        }
        assert!(is_change(&Err(notify::Error::generic("lost")), [&folder].into_iter()));
        let rescan = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        assert!(is_change(&Ok(rescan), [&folder].into_iter()));
    }

    #[tokio::test]
    async fn a_folder_that_is_replaced_is_watched_on() {
        let around = tempfile::tempdir().unwrap();
        let (folder, aside) = (around.path().join("fixtures"), around.path().join("aside"));
        std::fs::create_dir_all(folder.join("database")).unwrap();
        std::fs::create_dir_all(aside.join("database")).unwrap();
        let mut watched = Watched::start(&folder).unwrap();
        std::fs::rename(&folder, around.path().join("old")).unwrap();
        std::fs::rename(&aside, &folder).unwrap();
        tokio::time::timeout(STILLNESS * 50, watched.changed()).await.unwrap();
        std::fs::write(folder.join("database/todos.jsonl"), "{}").unwrap();
        tokio::time::timeout(STILLNESS * 50, watched.changed()).await.unwrap();
    }
}
