//! Commands that take long, while they run: how far each is. Asked for by the id that whoever began it chose.

use crate::error::ActionError;
use database::{DatabaseError, Supervisor};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// Documents out of files.
    Reading,
    /// Documents into the database.
    Storing,
    /// Documents and files into a folder.
    Writing,
    /// The end of storing, which cannot be stopped.
    Committing,
}

/// In the order of their numbers.
const STAGES: &[(Stage, &str)] = &[
    (Stage::Reading, "reading"),
    (Stage::Storing, "storing"),
    (Stage::Writing, "writing"),
    (Stage::Committing, "committing"),
];
/// Where it cannot be told how much there is to do.
const TOTAL_UNKNOWN: u64 = u64::MAX;

/// The jobs that run and have an id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs {
    running: Arc<Mutex<HashMap<String, Arc<Progress>>>>,
}

/// A job that runs, until it is dropped: then it is forgotten, and what it began on other threads stops.
#[derive(Debug)]
pub(crate) struct Job {
    progress: Arc<Progress>,
    /// `None`: nobody asks.
    id: Option<String>,
    jobs: Jobs,
}

/// How far a job is. The thread that works counts, others look.
#[derive(Debug)]
pub(crate) struct Progress {
    stage: AtomicU8,
    done: AtomicU64,
    total: AtomicU64,
    dropped: AtomicBool,
}

/// Whoever began the job no longer waits for it, or has stopped it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dropped;

impl Jobs {
    /// Begins a job; refused where one of that id runs.
    pub(crate) fn begin(&self, id: Option<String>) -> Result<Job, ActionError> {
        let progress = Arc::new(Progress {
            stage: AtomicU8::new(Stage::Reading as u8),
            done: AtomicU64::new(0),
            total: AtomicU64::new(TOTAL_UNKNOWN),
            dropped: AtomicBool::new(false),
        });
        if let Some(id) = &id {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if running.contains_key(id) {
                return Err(ActionError::invalid_param(format!("the job `{id}` runs already")));
            }
            running.insert(id.clone(), progress.clone());
        }
        Ok(Job { progress, id, jobs: self.clone() })
    }

    /// Stops the job of that id, before its commit. One that is further, or has ended, is left alone.
    pub(crate) fn cancel(&self, id: &str) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(id).into_iter().for_each(|progress| progress.dropped.store(true, Ordering::Relaxed));
    }

    /// What the command `progress` answers.
    pub(crate) fn report(&self, id: &str) -> Value {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(id).map_or_else(|| json!({}), |progress| progress.report(id))
    }
}

impl Job {
    /// What the threads that work for it count in.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.progress.dropped.store(true, Ordering::Relaxed);
        if let Some(id) = &self.id {
            self.jobs.running.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        }
    }
}

impl Progress {
    /// Begins a stage with so much to do.
    pub(crate) fn begin(&self, stage: Stage, total: Option<u64>) {
        self.total.store(total.unwrap_or(TOTAL_UNKNOWN), Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    /// Says how much is done. An error where nobody waits for it any more.
    pub(crate) fn set(&self, done: u64) -> Result<(), Dropped> {
        self.done.store(done, Ordering::Relaxed);
        if self.dropped.load(Ordering::Relaxed) { Err(Dropped) } else { Ok(()) }
    }

    /// Says that one more is done, as [`Progress::set`].
    pub(crate) fn step(&self) -> Result<(), Dropped> {
        let done = self.done.fetch_add(1, Ordering::Relaxed);
        self.set(done + 1)
    }

    /// How much of the stage is done.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn report(&self, id: &str) -> Value {
        let stage = STAGES.get(usize::from(self.stage.load(Ordering::Relaxed))).map(|(_, name)| *name);
        let total = Some(self.total.load(Ordering::Relaxed)).filter(|total| *total != TOTAL_UNKNOWN);
        json!({ "job": id, "stage": stage, "done": self.done(), "total": total })
    }
}

impl From<Dropped> for ActionError {
    fn from(Dropped: Dropped) -> ActionError {
        DatabaseError::Stopped.into()
    }
}

impl Supervisor for Progress {
    fn goes_on(&self, stored: u64) -> bool {
        self.set(stored).is_ok()
    }

    fn commits(&self) {
        self.total.store(TOTAL_UNKNOWN, Ordering::Relaxed);
        self.stage.store(Stage::Committing as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_job_is_known_while_it_runs() {
        let jobs = Jobs::default();
        let job = jobs.begin(Some("a".to_owned())).unwrap();
        let progress = job.progress();
        progress.begin(Stage::Storing, Some(9));
        progress.step().unwrap();
        assert_eq!(jobs.report("a"), json!({ "job": "a", "stage": "storing", "done": 1, "total": 9 }));
        assert!(jobs.begin(Some("a".to_owned())).is_err());
        drop(job);
        assert_eq!((jobs.report("a"), progress.step()), (json!({}), Err(Dropped)));
    }

    #[test]
    fn stages_stand_in_the_order_of_their_numbers() {
        assert!(STAGES.iter().enumerate().all(|(index, (stage, _))| *stage as usize == index));
    }
}
