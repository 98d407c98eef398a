//! What the watching thread has to do: commits in order, and what watches ask. Commits are bounded: a thread too far behind
//! is told only that it is, and looks for itself.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::Commit;
use crate::read::View;
use crate::record::Record;

use super::live::{QueryId, Question, WatchId};
use super::{Watch, WatchError};

/// How many changed documents may wait.
const CHANGES_MAX: usize = if cfg!(test) { 1_000 } else { 100_000 };

/// The inbox. Closed by whoever is first: the writer, when there will be no more commits, or the thread, when it has no watch.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    content: Mutex<Content>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Content {
    batch: Batch,
    /// How many changed documents the commits hold, each commit counting as one more.
    changes: usize,
    closed: bool,
}

/// What came since the last look: first the loss, then the commits, then the messages.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Commits were left out; the store as it is after the last of them.
    pub(crate) lost: Option<Arc<View>>,
    pub(crate) commits: VecDeque<Told>,
    pub(super) messages: VecDeque<Message>,
}

/// A commit, and the store as it is after it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) commit: Arc<Commit>,
    pub(crate) view: Arc<View>,
}

/// What is asked of the thread.
#[derive(Debug)]
pub(super) enum Message {
    Join(Box<Join>),
    Leave(WatchId),
    /// The first documents of a query are there.
    Loaded(QueryId, Result<Vec<Record>, WatchError>),
}

/// A watch to begin.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) question: Question,
    pub(super) answer: Answer,
}

/// Where a new watch goes.
pub(super) type Answer = oneshot::Sender<Result<Watch, WatchError>>;

impl Inbox {
    /// Puts a commit in. Returns whether anyone will read it.
    pub(crate) fn tell(&self, commit: Arc<Commit>, view: Arc<View>) -> bool {
        let mut content = self.lock();
        if content.closed {
            return false;
        }
        content.changes += 1 + commit.changes.len();
        if content.changes > CHANGES_MAX {
            content.changes = 0;
            content.batch.commits.clear();
            content.batch.lost = Some(view);
        } else {
            content.batch.commits.push_back(Told { commit, view });
        }
        self.arrived.notify_one();
        true
    }

    /// Puts a message in, or gives it back because nobody will read it.
    pub(super) fn ask(&self, message: Message) -> Result<(), Message> {
        let mut content = self.lock();
        if content.closed {
            return Err(message);
        }
        content.batch.messages.push_back(message);
        self.arrived.notify_one();
        Ok(())
    }

    pub(super) fn leave(&self, watch: WatchId) {
        // A thread that has ended has no watches.
        let _ = self.ask(Message::Leave(watch));
    }

    /// What came since the last look, after waiting for it, at most as long as `patience` says. `None` once it is closed.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Option<Batch> {
        let waiting = |content: &mut Content| !content.closed && content.batch.is_empty();
        let content = self.lock();
        let mut content = match patience {
            None => self.arrived.wait_while(content, waiting).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                self.arrived.wait_timeout_while(content, patience, waiting).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        content.changes = 0;
        let batch = std::mem::take(&mut content.batch);
        (!content.closed).then_some(batch)
    }

    /// Refuses everything from now on, and wakes the thread so that it ends.
    pub(crate) fn close(&self) {
        let mut content = self.lock();
        content.closed = true;
        let rest = std::mem::take(&mut content.batch);
        self.arrived.notify_one();
        drop(content);
        drop(rest); // which may hold watches, and these leave when they are dropped
    }

    /// Closes it unless someone asks something. Returns whether it is closed.
    pub(super) fn close_if_idle(&self) -> bool {
        let mut content = self.lock();
        content.closed |= content.batch.messages.is_empty();
        content.closed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.lost.is_none() && self.commits.is_empty() && self.messages.is_empty()
    }
}
