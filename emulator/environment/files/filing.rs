//! Turns: of an environment and everything that was forked from it, one change of files, or of a whole environment, goes on at a
//! time, so that no body loses its last name unseen. Bodies never cross from one such family to another.

use crate::forks;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// A turn for each family, by the name of its first environment.
#[derive(Debug, Default)]
pub(crate) struct Filing {
    families: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Filing {
    /// Waits until it is the turn of whoever changes `environment`; it is theirs for as long as what is returned lives.
    pub(crate) async fn of(&self, environment: &str) -> OwnedMutexGuard<()> {
        let turn = {
            // The map is whole after every operation, so a panic elsewhere cannot have left it half changed.
            let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
            families.entry(forks::first_origin(environment).to_owned()).or_default().clone()
        };
        turn.lock_owned().await
    }
}
