//! Fixtures that are watched: when something in their folder changes, they are put in place of everything the cloud holds. A
//! mistake in them is said, and the data stays.

use crate::arguments::PlaceArguments;
use crate::ask::{AskError, Asked};
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

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    #[error("{}", text!("watch-failed", path = .path.display().to_string(), reason = .source.to_string()))]
    Watch { path: PathBuf, source: notify::Error },
    #[error("{}", text!("signals-failed", reason = .0.to_string()))]
    Signals(std::io::Error),
}

/// A folder of fixtures that is watched for as long as this is there.
pub(crate) struct Watched {
    folder: PathBuf,
    /// An entry for each change.
    changes: UnboundedReceiver<()>,
    _watcher: RecommendedWatcher,
}

impl Watched {
    /// Watches `folder`, an absolute path, from now on.
    pub(crate) fn start(folder: PathBuf) -> Result<Watched, WatchError> {
        let (sender, changes) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if is_change(&event) {
                // Nobody listens any more when the emulator stops.
                let _ = sender.send(());
            }
        });
        let started = watcher.and_then(|mut watcher| {
            watcher.watch(&folder, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        match started {
            Ok(watcher) => Ok(Watched { folder, changes, _watcher: watcher }),
            Err(source) => Err(WatchError::Watch { path: folder, source }),
        }
    }

    /// Resolves when something has changed since it last did, and nothing for a moment.
    async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // The watcher is there for as long as this is, and its end with it.
            std::future::pending().await
        }
        while let Ok(Some(())) = tokio::time::timeout(STILLNESS, self.changes.recv()).await {}
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
    let mut watched = Watched::start(folder.to_path_buf())?;
    loop {
        let since = Instant::now();
        match seed(&watched, place).await {
            Ok(Some(seeded)) => say(reseeded_text(&seeded, since)),
            Ok(None) => return Ok(interrupted()),
            Err(error) => crate::complain(&text!("reseed-failed", reason = error.to_string())),
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

/// Reading the files, as a seed does itself, is none. A failure may have hidden one.
fn is_change(event: &notify::Result<Event>) -> bool {
    !matches!(event, Ok(Event { kind: EventKind::Access(_), .. }))
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
        let mut watched = Watched::start(folder.path().to_path_buf()).unwrap();
        let file = folder.path().join("database/todos.jsonl");
        for round in 0..5 {
            std::fs::write(&file, round.to_string()).unwrap();
            tokio::time::sleep(STILLNESS / 4).await;
        }
        tokio::time::timeout(STILLNESS * 20, watched.changed()).await.unwrap();
        std::fs::read(&file).unwrap();
        assert!(tokio::time::timeout(STILLNESS * 2, watched.changed()).await.is_err());
    }
}
