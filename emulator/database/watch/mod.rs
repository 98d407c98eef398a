//! Watches: a query kept open. It yields the documents it finds, then for each commit that changes its result the
//! difference, in commit order. The work is done on one thread of its own (`hub.rs`), never on the writer's.
//! Knows nothing of sockets and of what a client is told: that is `environment`'s.

mod hub;
mod inbox;
mod index;
mod live;
mod window;

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use document::RawDocumentBuf;
use query::{FieldChanges, Filter, Sort};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::folder::Shared;
use crate::{CollectionName, DatabaseError};

pub(crate) use inbox::Inbox;

use hub::Hub;
use inbox::{Join, Message};
use live::{Question, WatchId};

/// The most documents a watch may find (semantics DB-6.03).
pub const WATCHED_MAX: usize = 5_000;

/// How many commits a watch may be behind before it is told the difference at once instead of each of them.
const QUEUE: usize = 256;

/// A query to be kept open.
pub struct WatchRequest {
    /// Where.
    pub collection: CollectionName,
    /// Which.
    pub filter: Filter,
    /// In which order; `None` is insertion order, which also breaks ties. It decides who is within the limit.
    pub sort: Option<Sort>,
    /// How many of them; `None` is all, at most [`WATCHED_MAX`].
    pub limit: Option<usize>,
}

/// A query kept open. Dropping it ends it.
#[derive(Debug)]
pub struct Watch {
    initial: Vec<Arc<RawDocumentBuf>>,
    events: mpsc::Receiver<Arc<WatchEvents>>,
    /// Filled before the last sender of `events` goes, when there is a reason to tell.
    ending: Arc<OnceLock<WatchError>>,
    /// Told when the watch is dropped.
    inbox: Arc<Inbox>,
    id: WatchId,
}

/// What one commit changed in the result of a watch; or several, for a watch that was behind. Never empty; what leaves the
/// result stands first. Watches of one query share it.
#[derive(Debug)]
pub struct WatchEvents {
    events: Vec<WatchEvent>,
    texts: OnceLock<Box<[String]>>,
}

/// What happened to one document of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchEvent {
    /// What happens to the result.
    pub queue: QueueType,
    /// Why.
    pub data: DataType,
    /// Names the document for as long as it exists: one created later with the same `_id` has another.
    pub record: u64,
    /// The document after the change; of one that was removed, the last that was known.
    pub document: Arc<RawDocumentBuf>,
    /// Which fields became different; for [`DataType::Update`], unless the watch was behind.
    pub changes: Option<FieldChanges>,
}

/// What happens to the result of a watch (semantics DB-6.05).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueType {
    /// A document comes in.
    Enqueue,
    /// A document leaves.
    Dequeue,
    /// A document stays and is different.
    Update,
}

/// Why (semantics DB-6.05). To a watch that was behind a document that came is `Add`, one that changed `Replace`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// The document was created.
    Add,
    /// Another document's change moved it over the edge of the limit.
    Limit,
    /// The document was removed.
    Remove,
    /// The document was replaced.
    Replace,
    /// Fields of the document were changed.
    Update,
}

/// Why a watch cannot begin, or ended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WatchError {
    /// Too many documents match. The cloud's text is not known (semantics UNC-26).
    #[error("exceed max watch doc count {WATCHED_MAX}: watch fewer documents, by a narrower where() or a limit()")]
    TooMany,
    /// The query failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl Watch {
    /// The documents at the beginning, in order. They are given once.
    pub fn take_initial(&mut self) -> Vec<Arc<RawDocumentBuf>> {
        std::mem::take(&mut self.initial)
    }

    /// What changed next. Nothing comes after an error.
    pub async fn next(&mut self) -> Result<Arc<WatchEvents>, WatchError> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`Watch::next`], for those who wait for several things.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Arc<WatchEvents>, WatchError>> {
        self.events.poll_recv(context).map(|received| {
            received.ok_or_else(|| self.ending.get().cloned().unwrap_or(WatchError::Database(DatabaseError::Closed)))
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.inbox.leave(self.id);
    }
}

impl WatchEvents {
    /// These events, of which there is at least one.
    pub fn new(events: Vec<WatchEvent>) -> Arc<WatchEvents> {
        Arc::new(WatchEvents { events, texts: OnceLock::new() })
    }

    /// What happened, the documents that leave first.
    pub fn events(&self) -> &[WatchEvent] {
        &self.events
    }

    /// A text for each event, made by the first who asks and kept for all others: everybody brings the same `write`.
    pub fn texts(&self, write: impl FnMut(&WatchEvent) -> String) -> &[String] {
        self.texts.get_or_init(|| self.events.iter().map(write).collect())
    }
}

/// The way to the thread that watches. The thread runs while there are watches.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    inbox: Mutex<Option<Arc<Inbox>>>,
}

impl Watching {
    /// Begins a watch.
    pub(crate) async fn watch(
        &self,
        shared: &Shared,
        namespace: Arc<str>,
        request: WatchRequest,
    ) -> Result<Watch, WatchError> {
        let question = Question::new(namespace, request);
        let (answer, joined) = oneshot::channel();
        self.ask(shared, Join { question, answer }).await?;
        joined.await.unwrap_or(Err(WatchError::Database(DatabaseError::Closed)))
    }

    async fn ask(&self, shared: &Shared, join: Join) -> Result<(), DatabaseError> {
        let mut current = self.inbox.lock().await;
        let mut message = Message::Join(Box::new(join));
        if let Some(inbox) = current.as_ref() {
            match inbox.ask(message) {
                Ok(()) => return Ok(()),
                Err(refused) => message = refused, // the thread has ended, or is about to
            }
        }
        *current = Some(start(shared, message).await?);
        Ok(())
    }
}

/// Starts the thread, with `first` in its inbox: one that finds commits alone ends at once.
async fn start(shared: &Shared, first: Message) -> Result<Arc<Inbox>, DatabaseError> {
    let inbox = Arc::new(Inbox::default());
    inbox.ask(first).map_err(|_| DatabaseError::Closed)?;
    let view = shared.writer.subscribe(inbox.clone()).await?;
    let hub = Hub::new(inbox.clone(), view, Handle::current());
    std::thread::Builder::new()
        .name("database-watches".to_owned())
        .spawn(move || hub.run())
        .map_err(|error| DatabaseError::Storage(error.to_string()))?;
    Ok(inbox)
}
