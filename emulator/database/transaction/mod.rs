//! Transactions: several reads and writes that see one snapshot and become one commit, or nothing (semantics §5).
//! What is open, and what waits for it, is the ledger's, on the writer's thread; the handle is what callers have of it.
//!
//! A transaction writes into a draft that outlives its jobs. Every entry it writes is locked for it until it ends: another
//! transaction that writes there fails at once, a plain write is parked beside the thread and carried out afterwards.
//!
//! ## Differences from the cloud
//! - A commit never conflicts: whatever could, did when it was written. `TransactionBusy` is never said.
//! - A write that leaves a document as it is counts as a write. Nobody measured whether the cloud's does.

mod changes;
mod handle;
mod ledger;
mod locks;
mod overlay;
mod pending;
mod time;

use std::sync::Arc;

pub(crate) use changes::merge;
pub use handle::Transaction;
pub(crate) use ledger::{Context, PlainWrite, Step, Transactions};
pub(crate) use locks::{Inside, Locks};
pub(crate) use overlay::Overlay;
pub(crate) use pending::{OwnWrites, Pending, own_records, own_version};
pub use time::TimeChange;
pub(crate) use time::TransactionTime;

/// Which transaction: ids belong to a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TransactionKey {
    pub(crate) namespace: Arc<str>,
    pub(crate) id: Arc<str>,
}
