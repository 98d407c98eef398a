//! The writer: one thread that carries out jobs in order, writes many of them out at once, makes them visible, and only
//! then answers those who wait. What a job does is `write.rs`'s; what is done in a transaction, `transaction/`'s.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::draft::{Draft, Obstacle};
use crate::group::Group;
use crate::read::View;
use crate::store::{Catalogue, EntryKey, Snapshots};
use crate::transaction::{self, PlainWrite, Step, TimeChange, TransactionKey, Transactions};
use crate::watch::Inbox;
use crate::{Commit, DatabaseError, Durability, Sequence, StoreOptions};

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
    /// A job that changes a whole namespace: nobody can want the outcome of what is open there.
    Whole {
        namespace: Arc<str>,
        job: Job,
    },
    Transaction {
        key: TransactionKey,
        step: Step,
    },
    Time {
        change: TimeChange,
        reply: Reply<()>,
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

/// Drafts a commit, or is told why it cannot. After [`Outcome::Wait`] it is to be called again.
pub(crate) type Job = Box<dyn FnMut(Result<&mut Draft<'_>, DatabaseError>) -> Outcome + Send>;

/// What becomes of the draft, and how the caller is answered once what was drafted so far is durable.
pub(crate) enum Outcome {
    Finish(Answer),
    Drop(Answer),
    /// Nothing, and nobody is answered, until the entry is held no longer.
    Wait(EntryKey),
}

pub(crate) type Answer = Box<dyn FnOnce(Result<(), DatabaseError>) + Send>;
pub(crate) type Reply<T> = oneshot::Sender<Result<T, DatabaseError>>;

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
        options: StoreOptions,
    ) -> Result<Writer, DatabaseError> {
        let (messages, receiver) = channel();
        let desk = Desk {
            group,
            published,
            durability: options.durability,
            transactions: Transactions::new(options),
            subscribers: Vec::new(),
            unflushed_since: None,
            tidying: true,
        };
        let thread = std::thread::Builder::new()
            .name("database-writer".to_owned())
            .spawn(move || desk.run(&receiver))
            .map_err(|error| DatabaseError::Storage(error.to_string()))?;
        Ok(Writer { messages, thread: Mutex::new(Some(thread)) })
    }

    /// Carries out `work` in its turn, as one commit: all it writes or, if it fails or panics, nothing.
    /// Returns when the commit is as durable as promised and visible. While a transaction holds what it writes, the work is put
    /// aside, and begun again later.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        namespace: Arc<str>,
        work: impl FnMut(&mut Draft<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.send(|reply| Message::Job { namespace, job: job(reply, work) }).await
    }

    /// The same, after it has ended the transactions that are open in the namespace.
    pub(crate) async fn run_whole<T: Send + 'static>(
        &self,
        namespace: Arc<str>,
        work: impl FnMut(&mut Draft<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.send(|reply| Message::Whole { namespace, job: job(reply, work) }).await
    }

    /// Carries out `work` in its turn as a part of a transaction's commit.
    pub(crate) async fn run_inside<T: Send + 'static>(
        &self,
        key: TransactionKey,
        work: impl FnMut(&mut Draft<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.step(key, |reply| Step::Write(job(reply, work))).await
    }

    /// Takes a step of a transaction in its turn.
    pub(crate) async fn step<T>(
        &self,
        key: TransactionKey,
        step: impl FnOnce(Reply<T>) -> Step,
    ) -> Result<T, DatabaseError> {
        self.send(|reply| Message::Transaction { key, step: step(reply) }).await
    }

    /// Changes the time in which transactions live. Returns when those whose time is over by that have ended, and the work
    /// that waited for them is done.
    pub(crate) async fn change_time(&self, change: TimeChange) -> Result<(), DatabaseError> {
        self.send(|reply| Message::Time { change, reply }).await
    }

    async fn send<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, DatabaseError> {
        let (reply, result) = oneshot::channel();
        self.messages.send(message(reply)).map_err(|_| DatabaseError::Closed)?;
        result.await.map_err(|_| DatabaseError::Closed)?
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

/// The job of doing `work` and replying with its result.
fn job<T: Send + 'static>(
    reply: Reply<T>,
    mut work: impl FnMut(&mut Draft<'_>) -> Result<T, DatabaseError> + Send + 'static,
) -> Job {
    let mut reply = Some(reply);
    Box::new(move |draft| {
        let result = draft.and_then(|draft| {
            let result = guarded(|| work(draft));
            match draft.obstacle() {
                None => result.map(Ok),
                Some(Obstacle::Held(entry)) => Ok(Err(entry)),
                Some(Obstacle::Failure(error)) => Err(error),
            }
        });
        match result {
            Ok(Ok(value)) => Outcome::Finish(answer(reply.take(), Ok(value))),
            Ok(Err(held)) => Outcome::Wait(held),
            Err(error) => Outcome::Drop(answer(reply.take(), Err(error))),
        }
    })
}

/// Gives a job up.
pub(crate) fn refuse(mut job: Job, error: DatabaseError) -> Answer {
    match job(Err(error)) {
        Outcome::Finish(answer) | Outcome::Drop(answer) => answer,
        Outcome::Wait(_) => Box::new(drop),
    }
}

/// Replies with the result, or if it was not to be durable, why.
pub(crate) fn answer<T: Send + 'static>(
    reply: impl Into<Option<Reply<T>>>,
    result: Result<T, DatabaseError>,
) -> Answer {
    let reply = reply.into();
    Box::new(move |durable| {
        let result = result.and_then(|value| durable.map(|()| value));
        let _ = reply.map(|reply| reply.send(result)); // the caller may be gone
    })
}

/// What the thread has before it.
struct Desk {
    group: Group,
    published: Arc<Published>,
    durability: Durability,
    transactions: Transactions,
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
                    if self.serve(Some(first), messages) {
                        return self.finish();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.rest();
                    if self.transactions.next_deadline().is_some_and(|due| due <= Instant::now()) {
                        self.serve(None, messages);
                    }
                }
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
        let transactions = self.transactions.next_deadline().map(|due| due.saturating_duration_since(Instant::now()));
        garbage.into_iter().chain(flush).chain(transactions).min()
    }

    /// Ends what has come to its time, and carries out this message and those that wait behind it. Returns whether one of them
    /// was to close.
    fn serve(&mut self, first: Option<Message>, messages: &Receiver<Message>) -> bool {
        let (mut answers, mut subscribers, mut closing) = (self.expire(), Vec::new(), false);
        let mut next = first;
        while let Some(message) = next.take() {
            match message {
                Message::Job { namespace, job } => {
                    answers.extend(self.draft(PlainWrite { namespace, job, deadline: None }))
                }
                Message::Whole { namespace, job } => answers.extend(self.draft_whole(namespace, job)),
                Message::Transaction { key, step } => answers.extend(self.transact(&key, step)),
                Message::Time { change, reply } => answers.extend(self.change_time(change, reply)),
                Message::Subscribe { inbox, answer } => subscribers.push((answer, self.subscribe(inbox))),
                Message::Close => {
                    closing = true;
                    answers.extend(self.abort_transactions());
                }
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

    /// Carries out a job. `None` if it was parked.
    fn draft(&mut self, mut write: PlainWrite) -> Option<Answer> {
        let (locks, observed) = (&mut self.transactions.locks, !self.subscribers.is_empty());
        let mut draft = Draft::new(&mut self.group, locks, write.namespace.clone(), observed);
        match (write.job)(Ok(&mut draft)) {
            Outcome::Finish(answer) => {
                if let Err(error) = guarded(|| draft.finish()) {
                    self.group.fail(error); // a part of it may have joined the group
                }
                Some(answer)
            }
            Outcome::Drop(answer) => Some(answer),
            Outcome::Wait(held) => {
                self.transactions.park(held, write);
                None
            }
        }
    }

    /// Carries out a job in a namespace whose transactions end, after the jobs that waited for these.
    fn draft_whole(&mut self, namespace: Arc<str>, job: Job) -> Vec<Answer> {
        self.transactions.abort_in(&namespace);
        let mut answers = self.resume();
        answers.extend(self.draft(PlainWrite { namespace, job, deadline: None }));
        answers
    }

    /// Takes a step of a transaction, then carries out the jobs that waited for it to end.
    fn transact(&mut self, key: &TransactionKey, step: Step) -> Vec<Answer> {
        let context = transaction::Context {
            group: &mut self.group,
            snapshots: &self.published.snapshots,
            observed: !self.subscribers.is_empty(),
        };
        let answer = self.transactions.take(key, step, context);
        std::iter::once(answer).chain(self.resume()).collect()
    }

    fn abort_transactions(&mut self) -> Vec<Answer> {
        self.transactions.abort_all();
        self.resume()
    }

    fn change_time(&mut self, change: TimeChange, reply: Reply<()>) -> Vec<Answer> {
        self.transactions.change_time(change);
        let mut answers = self.expire();
        answers.push(answer(reply, Ok(())));
        answers
    }

    fn expire(&mut self) -> Vec<Answer> {
        let mut answers = self.transactions.expire(Instant::now());
        answers.extend(self.resume());
        answers
    }

    /// Carries out the parked jobs that need wait no longer.
    fn resume(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for (held, write) in self.transactions.take_parked() {
            if self.transactions.locks.is_held(&held) {
                self.transactions.park(held, write);
            } else {
                answers.extend(self.draft(write));
            }
        }
        answers
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
        Arc::new(View { engine, snapshot, catalogue, own: None })
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
            Durability::Process => self.group.engine().keep()?,
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
        match self.durability {
            Durability::Process => self.group.engine().keep(),
            Durability::Power | Durability::Interval(_) | Durability::None => Ok(()),
        }
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
