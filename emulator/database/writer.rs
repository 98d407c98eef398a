//! The writer: one thread that carries out jobs in order, writes many of them out at once, makes them visible, and only
//! then answers those who wait. What a job does is `write.rs`'s.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::draft::Draft;
use crate::group::Group;
use crate::read::View;
use crate::store::{Catalogue, Snapshots};
use crate::watch::Inbox;
use crate::{Commit, DatabaseError, Durability, Sequence};

/// How many jobs are answered with one flush at most.
const GROUP_JOBS_MAX: usize = 1_000;

/// How long the thread waits for a job before it tidies up, when it knows of something, and when it must look again.
const PAUSE_BEFORE_TIDYING: Duration = Duration::from_millis(20);
const PAUSE_WHILE_READERS_HOLD: Duration = Duration::from_millis(250);

/// What readers may see: the writer puts it there.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) snapshots: Snapshots,
    catalogue: RwLock<Arc<Catalogue>>,
}

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Writer {
    messages: Sender<Message>,
    /// Taken by the one who closes.
    thread: Mutex<Option<JoinHandle<Result<(), DatabaseError>>>>,
}

enum Message {
    Job {
        namespace: Arc<str>,
        job: Job,
    },
    Subscribe {
        inbox: Arc<Inbox>,
        /// Is given the store as it is where the subscription begins.
        answer: oneshot::Sender<Arc<View>>,
    },
    Close,
    #[cfg(test)]
    Break(DatabaseError),
}

/// Drafts a commit. Says whether it is to be finished, and how the caller is answered once it is durable.
type Job = Box<dyn FnOnce(&mut Draft<'_>) -> (Decision, Answer) + Send>;
type Answer = Box<dyn FnOnce(Result<(), DatabaseError>) + Send>;

enum Decision {
    Finish,
    Drop,
}

impl Published {
    pub(crate) fn new(sequence: Sequence, catalogue: Arc<Catalogue>) -> Published {
        Published { snapshots: Snapshots::new(sequence), catalogue: RwLock::new(catalogue) }
    }

    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, sequence: Sequence, catalogue: &Arc<Catalogue>) {
        *self.catalogue.write().unwrap_or_else(PoisonError::into_inner) = catalogue.clone();
        self.snapshots.publish(sequence);
    }
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(
        group: Group,
        published: Arc<Published>,
        durability: Durability,
    ) -> Result<Writer, DatabaseError> {
        let (messages, receiver) = channel();
        let desk = Desk { group, published, durability, subscribers: Vec::new(), unflushed_since: None, tidying: true };
        let thread = std::thread::Builder::new()
            .name("database-writer".to_owned())
            .spawn(move || desk.run(&receiver))
            .map_err(|error| DatabaseError::Storage(error.to_string()))?;
        Ok(Writer { messages, thread: Mutex::new(Some(thread)) })
    }

    /// Carries out `work` in its turn, as one commit: all it writes or, if it fails or panics, nothing.
    /// Returns when the commit is as durable as promised and visible.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        namespace: Arc<str>,
        work: impl FnOnce(&mut Draft<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |draft| match guarded(|| work(draft)) {
            Ok(value) => (Decision::Finish, Box::new(move |durable| drop(sender.send(durable.map(|()| value))))),
            Err(error) => (Decision::Drop, Box::new(move |_| drop(sender.send(Err(error))))),
        });
        self.messages.send(Message::Job { namespace, job }).map_err(|_| DatabaseError::Closed)?;
        receiver.await.map_err(|_| DatabaseError::Closed)?
    }

    /// Puts every commit from now on into `inbox`, until that is closed; returns the store as it is before them. Until
    /// somebody subscribes, nothing is recorded of what a commit changes.
    pub(crate) async fn subscribe(&self, inbox: Arc<Inbox>) -> Result<Arc<View>, DatabaseError> {
        let (answer, view) = oneshot::channel();
        self.messages.send(Message::Subscribe { inbox, answer }).map_err(|_| DatabaseError::Closed)?;
        view.await.map_err(|_| DatabaseError::Closed)
    }

    /// Lets the writer believe that writing failed.
    #[cfg(test)]
    pub(crate) fn break_with(&self, error: DatabaseError) {
        let _ = self.messages.send(Message::Break(error));
    }

    /// Carries out the jobs that are waiting and ends the thread, which may take a while: blocks.
    /// Only the first call does anything.
    pub(crate) fn close(&self) -> Result<(), DatabaseError> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        // If the thread is gone already, joining it tells why.
        let _ = self.messages.send(Message::Close);
        thread.join().unwrap_or_else(|_| Err(DatabaseError::Internal("the writer ended by a panic".to_owned())))
    }
}

/// The result of `work`, a panic in it being an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, DatabaseError>) -> Result<T, DatabaseError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(DatabaseError::Internal(text.unwrap_or_else(|| "a panic".to_owned())))
    })
}

/// What the thread has before it.
struct Desk {
    group: Group,
    published: Arc<Published>,
    durability: Durability,
    /// Those who want to know what commits change; gone once they no longer listen.
    subscribers: Vec<Subscriber>,
    /// When the oldest commit was written that is not flushed yet. For [`Durability::Interval`] alone.
    unflushed_since: Option<Instant>,
    /// Whether the last look found garbage that can be collected at once.
    tidying: bool,
}

/// Someone who wants to know of the commits after `start`.
struct Subscriber {
    start: Sequence,
    inbox: Arc<Inbox>,
}

impl Subscriber {
    /// Tells of a commit. Returns whether there is still someone listening.
    fn tell(&self, commit: &Arc<Commit>, view: &Arc<View>) -> bool {
        commit.sequence <= self.start || self.inbox.tell(commit.clone(), view.clone())
    }
}

impl Drop for Subscriber {
    /// No commit will ever come again.
    fn drop(&mut self) {
        self.inbox.close();
    }
}

impl Desk {
    fn run(mut self, messages: &Receiver<Message>) -> Result<(), DatabaseError> {
        loop {
            match self.receive(messages) {
                Ok(first) => {
                    if self.serve(first, messages) {
                        return self.finish();
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.rest(),
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
        }
    }

    fn receive(&self, messages: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match self.patience() {
            Some(patience) => messages.recv_timeout(patience),
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// How long to wait before something must be done unasked.
    fn patience(&self) -> Option<Duration> {
        let garbage = self.group.has_garbage().then_some(if self.tidying {
            PAUSE_BEFORE_TIDYING
        } else {
            PAUSE_WHILE_READERS_HOLD
        });
        let flush = self.flush_due().map(|due| due.saturating_duration_since(Instant::now()));
        garbage.into_iter().chain(flush).min()
    }

    /// Carries out this message and those that wait behind it. Returns whether one of them was to close.
    fn serve(&mut self, first: Message, messages: &Receiver<Message>) -> bool {
        let (mut answers, mut subscribers, mut closing) = (Vec::new(), Vec::new(), false);
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Job { namespace, job } => answers.push(self.draft(namespace, job)),
                Message::Subscribe { inbox, answer } => subscribers.push((answer, self.subscribe(inbox))),
                Message::Close => closing = true,
                #[cfg(test)]
                Message::Break(error) => self.group.fail(error),
            }
            if !closing && answers.len() < GROUP_JOBS_MAX {
                next = messages.try_recv().ok();
            }
        }
        let outcome = self.complete();
        if outcome.is_ok() {
            subscribers.into_iter().for_each(|(answer, start)| drop(answer.send(self.view(start))));
        }
        answers.into_iter().for_each(|answer| answer(outcome.clone()));
        closing
    }

    fn draft(&mut self, namespace: Arc<str>, job: Job) -> Answer {
        let mut draft = self.group.draft(namespace, !self.subscribers.is_empty());
        let (decision, answer) = job(&mut draft);
        let finished = match decision {
            Decision::Finish => guarded(|| draft.finish()),
            Decision::Drop => Ok(()),
        };
        if let Err(error) = finished {
            self.group.fail(error); // a part of it may have joined the group
        }
        answer
    }

    /// Adds someone who wants to know of the commits after those drafted so far. Returns the last of these.
    fn subscribe(&mut self, inbox: Arc<Inbox>) -> Sequence {
        let start = self.group.state().sequence;
        self.subscribers.push(Subscriber { start, inbox });
        start
    }

    /// The store as it was after a commit of the group just published.
    fn view(&self, sequence: Sequence) -> Arc<View> {
        let snapshot = self.published.snapshots.open_at(sequence);
        let (engine, catalogue) = (self.group.engine().clone(), self.group.catalogue().clone());
        Arc::new(View { engine, snapshot, catalogue })
    }

    /// Makes what was drafted durable and visible.
    fn complete(&mut self) -> Result<(), DatabaseError> {
        let completed = guarded(|| self.write_out());
        match &completed {
            Ok(()) => self.publish(),
            Err(error) => self.group.fail(error.clone()),
        }
        completed
    }

    fn write_out(&mut self) -> Result<(), DatabaseError> {
        if !self.group.has_drafts() {
            return self.group.apply(); // which tells if it failed earlier
        }
        self.group.collect_along(self.published.snapshots.horizon())?;
        self.group.apply()?;
        match self.durability {
            Durability::Process => self.group.engine().flush()?,
            Durability::Power => self.group.engine().sync()?,
            Durability::Interval(_) => {
                self.unflushed_since.get_or_insert_with(Instant::now);
                self.flush_if_due()?;
            }
            Durability::None => {}
        }
        Ok(())
    }

    fn publish(&mut self) {
        self.published.publish(self.group.state().sequence, self.group.catalogue());
        self.group.published();
        for commit in self.group.take_commits() {
            let view = self.view(commit.sequence);
            self.subscribers.retain(|subscriber| subscriber.tell(&commit, &view));
        }
        self.tidying = true;
    }

    /// What is done while nobody asks for anything.
    fn rest(&mut self) {
        if let Err(error) = guarded(|| self.tidy()) {
            tracing::error!(%error, "the store cannot be tidied up; it refuses writes from now on");
            self.group.fail(error);
        }
        self.subscribers.retain(|subscriber| !subscriber.inbox.is_closed());
    }

    fn tidy(&mut self) -> Result<(), DatabaseError> {
        self.flush_if_due()?;
        self.tidying = self.group.collect_idle(self.published.snapshots.horizon())?;
        Ok(())
    }

    fn flush_if_due(&mut self) -> Result<(), DatabaseError> {
        if self.flush_due().is_some_and(|due| due <= Instant::now()) {
            self.unflushed_since = None;
            self.group.engine().flush()?;
        }
        Ok(())
    }

    fn flush_due(&self) -> Option<Instant> {
        match self.durability {
            Durability::Interval(interval) => self.unflushed_since?.checked_add(interval),
            Durability::Process | Durability::Power | Durability::None => None,
        }
    }

    fn finish(mut self) -> Result<(), DatabaseError> {
        guarded(|| {
            self.group.finish(self.published.snapshots.horizon())?;
            match self.durability {
                Durability::Power => self.group.engine().sync(),
                Durability::Process | Durability::Interval(_) | Durability::None => self.group.engine().flush(),
            }
        })
    }
}
