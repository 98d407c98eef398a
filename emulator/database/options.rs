//! How a store is opened: what an answered write survives, how much memory the page cache may take, how long transactions live.

use std::time::Duration;

/// Settings of [`crate::Store::open`].
#[derive(Debug, Clone, PartialEq)]
pub struct StoreOptions {
    /// What an answered write survives.
    pub durability: Durability,
    /// Size of the page cache in bytes.
    pub cache_bytes: u64,
    /// How long after its beginning a transaction ends by itself (semantics DB-5.08), in the time of [`crate::Store::change_time`].
    pub transaction_life: Duration,
    /// How long a plain write waits for a transaction that holds its document (semantics DB-5.06; the time is ours), in
    /// the machine's time.
    pub parking_patience: Duration,
}

impl Default for StoreOptions {
    /// Survives `kill -9`; up to 512 MB of cache, as much as the data needs; transactions live 30 s, and plain writes wait 5 s for them.
    fn default() -> StoreOptions {
        StoreOptions {
            durability: Durability::Process,
            cache_bytes: 512 * 1024 * 1024,
            transaction_life: Duration::from_secs(30),
            parking_patience: Duration::from_secs(5),
        }
    }
}

/// When a write is answered, and so what an answered write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// After it was handed to the operating system: survives `kill -9`, not a power cut.
    Process,
    /// After the files were synced as well: survives a power cut as far as the disk is honest.
    Power,
    /// At once; written out this often. A crash loses at most that much, and never half a commit.
    Interval(Duration),
    /// At once; written out when the store is closed.
    None,
}
