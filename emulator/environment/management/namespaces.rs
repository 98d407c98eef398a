//! Forks and snapshots.

use super::{NameParams, NoParams};
use crate::cloud::Environment;
use crate::error::ActionError;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForkParams {
    /// Something random without one.
    name: Option<String>,
}

impl Environment {
    pub(super) async fn make_fork(&self, ForkParams { name }: ForkParams) -> Result<Value, ActionError> {
        Ok(json!({ "env": self.fork(name.as_deref()).await? }))
    }

    pub(super) async fn drop_this(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        self.drop_fork().await?;
        Ok(json!({}))
    }

    pub(super) fn list_forks(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        Ok(json!({ "forks": self.forks() }))
    }

    pub(super) async fn take_snapshot(&self, NameParams { name }: NameParams) -> Result<Value, ActionError> {
        self.snapshot(&name).await?;
        Ok(json!({}))
    }

    pub(super) async fn restore_snapshot(&self, NameParams { name }: NameParams) -> Result<Value, ActionError> {
        self.restore(&name).await?;
        Ok(json!({}))
    }

    pub(super) fn list_snapshots(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        Ok(json!({ "snapshots": self.snapshots() }))
    }

    pub(super) async fn forget_snapshot(&self, NameParams { name }: NameParams) -> Result<Value, ActionError> {
        self.remove_snapshot(&name).await?;
        Ok(json!({}))
    }
}
