//! How a store is opened: what an answered write survives, and how much memory the page cache may take.

use std::time::Duration;

/// Settings of [`crate::Store::open`].
#[derive(Debug, Clone, PartialEq)]
pub struct StoreOptions {
    /// What an answered write survives.
    pub durability: Durability,
    /// Size of the page cache in bytes.
    pub cache_bytes: u64,
}

impl Default for StoreOptions {
    /// Survives `kill -9`; 64 MB of cache.
    fn default() -> StoreOptions {
        StoreOptions { durability: Durability::Process, cache_bytes: 64 * 1024 * 1024 }
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
