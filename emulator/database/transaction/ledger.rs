//! The ledger of the writer's thread: transactions that are open, and plain writes that wait for one of them to end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::draft::Draft;
use crate::group::Group;
use crate::read::View;
use crate::store::{EntryKey, Snapshot, Snapshots};
use crate::writer::{Answer, Job, Outcome, Reply, answer, guarded, refuse};
use crate::{DatabaseError, StoreOptions};

use super::{Inside, Locks, Pending, TimeChange, TransactionKey, TransactionTime};

/// What is asked of a transaction.
pub(crate) enum Step {
    Begin(Reply<()>),
    /// What the transaction sees.
    View(Reply<View>),
    Write(Job),
    Commit(Reply<()>),
    Abort(Reply<()>),
}

/// A plain write, carried out or parked.
pub(crate) struct PlainWrite {
    pub(crate) namespace: Arc<str>,
    pub(crate) job: Job,
    /// When it is refused if it is still parked; `None` until it is parked, or for never.
    pub(crate) deadline: Option<Instant>,
}

/// The transactions that are open and the plain writes that are parked.
pub(crate) struct Transactions {
    options: StoreOptions,
    time: TransactionTime,
    open: BTreeMap<TransactionKey, Open>,
    pub(crate) locks: Locks,
    /// In the order in which they came, each with the entry it waits for.
    parked: Vec<(EntryKey, PlainWrite)>,
    /// The number of the next transaction.
    next: u64,
}

/// An open transaction.
struct Open {
    number: u64,
    /// How much time has passed when it ends by itself; `None` for never.
    deadline: Option<Duration>,
    /// `None` until its first read or write, which is what it sees the store at (protocol §2.9).
    snapshot: Option<Snapshot>,
    pending: Pending,
}

/// What a transaction needs of the writer to take a step.
pub(crate) struct Context<'a> {
    pub(crate) group: &'a mut Group,
    pub(crate) snapshots: &'a Snapshots,
    /// Whether anyone wants to know what commits change.
    pub(crate) observed: bool,
}

impl Transactions {
    pub(crate) fn new(options: StoreOptions) -> Transactions {
        let (time, locks) = (TransactionTime::starting(Instant::now()), Locks::default());
        Transactions { options, time, open: BTreeMap::new(), locks, parked: Vec::new(), next: 1 }
    }

    /// Takes a step of a transaction. An error ends the transaction (semantics DB-5.13).
    pub(crate) fn take(&mut self, key: &TransactionKey, step: Step, context: Context<'_>) -> Answer {
        match step {
            Step::Begin(reply) => answer(reply, self.begin(key)),
            Step::View(reply) => {
                let view = self.view(key, context);
                if view.is_err() {
                    self.end(key);
                }
                answer(reply, view)
            }
            Step::Write(job) => self.write(key, job, context),
            Step::Commit(reply) => answer(reply, self.commit(key, context)),
            Step::Abort(reply) => answer(reply, self.end(key).map(drop).ok_or(DatabaseError::TransactionNotExist)),
        }
    }

    /// Puts a plain write aside until `held` is free.
    pub(crate) fn park(&mut self, held: EntryKey, mut write: PlainWrite) {
        write.deadline = write.deadline.or_else(|| Instant::now().checked_add(self.options.parking_patience));
        self.parked.push((held, write));
    }

    /// The plain writes that are parked, each with what it waits for, in the order in which they came. Those that must go on
    /// waiting are to be parked again in that order.
    pub(crate) fn take_parked(&mut self) -> Vec<(EntryKey, PlainWrite)> {
        std::mem::take(&mut self.parked)
    }

    /// Changes the time in which transactions live. What is over by that is for [`Transactions::expire`].
    pub(crate) fn change_time(&mut self, change: TimeChange) {
        self.time.change(change, Instant::now());
    }

    /// Ends the transactions whose time is over. Returns the answers to the plain writes that have waited too long.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Answer> {
        let passed = self.time.passed(now);
        let ended = self.open.extract_if(.., |_, open| open.deadline.is_some_and(|due| due <= passed));
        ended.for_each(|(_, open)| self.locks.release(open.number));
        self.parked
            .extract_if(.., |(held, write)| self.locks.is_held(held) && write.deadline.is_some_and(|due| due <= now))
            .map(|(_, write)| refuse(write.job, DatabaseError::TransactionConflict))
            .collect()
    }

    /// Ends the transactions of a namespace.
    pub(crate) fn abort_in(&mut self, namespace: &str) {
        let ended = self.open.extract_if(.., |key, _| *key.namespace == *namespace);
        ended.for_each(|(_, open)| self.locks.release(open.number));
    }

    /// Ends all transactions.
    pub(crate) fn abort_all(&mut self) {
        self.open.clear();
        self.locks = Locks::default();
    }

    /// When time will be over for the first transaction or parked write.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let parked = self.parked.iter().filter_map(|(_, write)| write.deadline);
        let open = self.open.values().filter_map(|open| self.time.when(open.deadline?));
        open.chain(parked).min()
    }

    fn begin(&mut self, key: &TransactionKey) -> Result<(), DatabaseError> {
        if self.open.contains_key(key) {
            return Err(DatabaseError::Internal(format!("two transactions with the id {}", key.id)));
        }
        let deadline = self.time.passed(Instant::now()).checked_add(self.options.transaction_life);
        let open = Open { number: self.next, deadline, snapshot: None, pending: Pending::default() };
        self.next += 1;
        self.open.insert(key.clone(), open);
        Ok(())
    }

    fn view(&mut self, key: &TransactionKey, context: Context<'_>) -> Result<View, DatabaseError> {
        let open = self.open.get_mut(key).ok_or(DatabaseError::TransactionNotExist)?;
        let sequence = open.inside(context.group, context.snapshots)?.sequence;
        Ok(View {
            engine: context.group.engine().clone(),
            catalogue: context.group.catalogue().clone(),
            snapshot: context.snapshots.open_at(sequence),
            own: Some(open.pending.writes.clone()),
        })
    }

    fn write(&mut self, key: &TransactionKey, mut job: Job, context: Context<'_>) -> Answer {
        let Some(open) = self.open.get_mut(key) else { return refuse(job, DatabaseError::TransactionNotExist) };
        let inside = match open.inside(context.group, context.snapshots) {
            Ok(inside) => inside,
            Err(error) => return refuse(job, error),
        };
        let pending = std::mem::take(&mut open.pending);
        let mut draft = Draft::inside(context.group, &mut self.locks, key.namespace.clone(), inside, pending);
        match job(Ok(&mut draft)) {
            Outcome::Finish(answer) => {
                match guarded(|| draft.into_pending()) {
                    Ok(pending) => open.pending = pending,
                    Err(error) => context.group.fail(error),
                }
                answer
            }
            Outcome::Drop(answer) => {
                self.end(key);
                answer
            }
            Outcome::Wait(_) => {
                self.end(key);
                refuse(job, DatabaseError::TransactionConflict)
            }
        }
    }

    fn commit(&mut self, key: &TransactionKey, context: Context<'_>) -> Result<(), DatabaseError> {
        let open = self.end(key).ok_or(DatabaseError::TransactionNotExist)?;
        let (namespace, locks) = (key.namespace.clone(), &mut self.locks);
        let finished = guarded(|| {
            Draft::of_transaction(context.group, locks, namespace, context.observed, open.pending)?.finish()
        });
        if let Err(error) = &finished {
            context.group.fail(error.clone()); // a part of it may have joined the group
        }
        finished
    }

    /// Ends a transaction, if it is open, and frees what it held.
    fn end(&mut self, key: &TransactionKey) -> Option<Open> {
        let open = self.open.remove(key)?;
        self.locks.release(open.number);
        Some(open)
    }
}

impl Open {
    /// The transaction as its drafts know it. The first time, settles what it sees: all that was drafted so far.
    fn inside(&mut self, group: &mut Group, snapshots: &Snapshots) -> Result<Inside, DatabaseError> {
        let sequence = match &self.snapshot {
            Some(snapshot) => snapshot.sequence(),
            None => {
                guarded(|| group.apply())?;
                self.snapshot.insert(snapshots.open_at(group.state().sequence)).sequence()
            }
        };
        Ok(Inside { number: self.number, sequence })
    }
}
