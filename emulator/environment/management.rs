//! What the developer asks of the emulator itself, where the cloud has its console: users, permissions, collections, seeding
//! and emptying, the clock, and any action in an administrator's name. The door is `/_emulator/*`; every command takes and
//! gives JSON.

use crate::actions;
use crate::caller::{Caller, Door};
use crate::calls::EndedCall;
use crate::cloud::{Cloud, Environment, Reply};
use crate::error::ActionError;
use crate::seed::{self, SeedError, Seeded};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

mod collections;
mod namespaces;
mod users;

/// The commands, beside calling a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Action,
    Calls,
    Cancel,
    Clock,
    Collections,
    Create,
    Drop,
    Explain,
    Export,
    ExportCollection,
    Fork,
    Forks,
    Import,
    IndexesCreate,
    IndexesDrop,
    IndexesList,
    Mode,
    Outbox,
    Progress,
    Reset,
    Restore,
    RulesSet,
    RulesShow,
    Seed,
    Snapshot,
    SnapshotsList,
    SnapshotsRemove,
    UsersAdd,
    UsersList,
    UsersRemove,
    UsersUse,
}

/// Sorted by name.
const COMMANDS: &[(&str, Command)] = &[
    ("action", Command::Action),
    ("calls", Command::Calls),
    ("cancel", Command::Cancel),
    ("clock", Command::Clock),
    ("collections", Command::Collections),
    ("create", Command::Create),
    ("drop", Command::Drop),
    ("explain", Command::Explain),
    ("export", Command::Export),
    ("export/collection", Command::ExportCollection),
    ("fork", Command::Fork),
    ("forks", Command::Forks),
    ("import", Command::Import),
    ("indexes/create", Command::IndexesCreate),
    ("indexes/drop", Command::IndexesDrop),
    ("indexes/list", Command::IndexesList),
    ("mode", Command::Mode),
    ("outbox", Command::Outbox),
    ("progress", Command::Progress),
    ("reset", Command::Reset),
    ("restore", Command::Restore),
    ("rules/set", Command::RulesSet),
    ("rules/show", Command::RulesShow),
    ("seed", Command::Seed),
    ("snapshot", Command::Snapshot),
    ("snapshots/list", Command::SnapshotsList),
    ("snapshots/remove", Command::SnapshotsRemove),
    ("users/add", Command::UsersAdd),
    ("users/list", Command::UsersList),
    ("users/remove", Command::UsersRemove),
    ("users/use", Command::UsersUse),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionParams {
    action: String,
    #[serde(default)]
    params: Map<String, Value>,
}

/// A snapshot or a user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameParams {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParams {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeedParams {
    /// As the emulator's own process sees it.
    folder: PathBuf,
    #[serde(default)]
    reset: bool,
    job: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobParams {
    job: String,
}

impl Cloud {
    /// The names of the commands that `manage` knows, sorted.
    pub fn commands() -> impl Iterator<Item = &'static str> {
        COMMANDS.iter().map(|(name, _)| *name)
    }

    /// Does what the command `name` says; `None`: there is no such command. Beside its own params, each takes `env`: the
    /// environment that is meant, the default one without it. A command that fails has changed nothing.
    pub async fn manage(&self, name: &str, mut params: Map<String, Value>) -> Option<Result<Value, ActionError>> {
        let index = COMMANDS.binary_search_by_key(&name, |(name, _)| name).ok()?;
        let command = COMMANDS.get(index)?.1;
        let environment = match params.remove("env") {
            Some(Value::String(name)) => self.environment(&name),
            Some(Value::Null) | None => self.environment(""),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(ActionError::param_type("env", "a string"))
            }
        };
        Some(match environment {
            Ok(environment) => environment.manage(command, params).await,
            Err(error) => Err(error),
        })
    }
}

impl Environment {
    async fn manage(&self, command: Command, params: Map<String, Value>) -> Result<Value, ActionError> {
        match command {
            Command::Action => self.act(read(params)?).await,
            Command::Calls => self.list_calls(read(params)?),
            Command::Cancel => self.cancel(&read(params)?),
            Command::Clock => self.shared.turn_clock(read(params)?).await,
            Command::Collections => self.list_collections(read(params)?).await,
            Command::Create => self.create(read(params)?).await,
            Command::Drop => self.drop_this(read(params)?).await,
            Command::Explain => self.explain(read(params)?).await,
            Command::Export => Ok(self.export(read(params)?).await?),
            Command::ExportCollection => Ok(self.export_collection(read(params)?).await?),
            Command::Fork => self.make_fork(read(params)?).await,
            Command::Forks => self.list_forks(read(params)?),
            Command::Import => Ok(self.import(read(params)?).await?),
            Command::IndexesCreate => self.create_index(read(params)?).await,
            Command::IndexesDrop => self.drop_index(read(params)?).await,
            Command::IndexesList => self.list_indexes(&read(params)?),
            Command::Mode => self.set_mode(read(params)?).await,
            Command::Outbox => self.list_outbox(read(params)?),
            Command::Progress => self.progress(&read(params)?),
            Command::Reset => self.reset(read(params)?).await,
            Command::Restore => self.restore_snapshot(read(params)?).await,
            Command::RulesSet => self.set_rules(read(params)?).await,
            Command::RulesShow => self.show_rules(read(params)?),
            Command::Seed => self.seed(read(params)?).await,
            Command::Snapshot => self.take_snapshot(read(params)?).await,
            Command::SnapshotsList => self.list_snapshots(read(params)?),
            Command::SnapshotsRemove => self.forget_snapshot(read(params)?).await,
            Command::UsersAdd => self.add_user(read(params)?).await,
            Command::UsersList => self.list_users(read(params)?),
            Command::UsersRemove => self.remove_user(read(params)?).await,
            Command::UsersUse => self.use_user(read(params)?).await,
        }
    }

    /// Any action, as a server SDK would ask for it.
    async fn act(&self, ActionParams { action, params }: ActionParams) -> Result<Value, ActionError> {
        match actions::call(self, &Caller::new(Door::Emulator, None), &action, params).await? {
            Reply::Data(data) => Ok(data),
            Reply::TopLevel(fields) => Ok(Value::Object(fields)),
        }
    }

    fn list_calls(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        let calls = self.shared.calls.of(&self.name);
        Ok(json!({ "calls": calls.iter().map(EndedCall::to_json).collect::<Vec<_>>() }))
    }

    fn cancel(&self, JobParams { job }: &JobParams) -> Result<Value, ActionError> {
        self.shared.jobs.cancel(job);
        Ok(json!({}))
    }

    fn progress(&self, JobParams { job }: &JobParams) -> Result<Value, ActionError> {
        Ok(self.shared.jobs.report(job))
    }

    async fn reset(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        seed::reset(self).await.map_err(refused)?;
        Ok(json!({}))
    }

    async fn seed(&self, SeedParams { folder, reset, job }: SeedParams) -> Result<Value, ActionError> {
        let job = self.shared.jobs.begin(job)?;
        let seeded = seed::seed(self, &folder, reset, &job).await.map_err(refused)?;
        Ok(match seeded {
            Seeded::Filled { collections, documents, files, users } => {
                json!({ "collections": collections, "documents": documents, "files": files, "users": users })
            }
            Seeded::HadData => json!({}),
        })
    }
}

fn read<T: DeserializeOwned>(params: Map<String, Value>) -> Result<T, ActionError> {
    serde_json::from_value(Value::Object(params)).map_err(|error| ActionError::invalid_param(error.to_string()))
}

fn refused(error: SeedError) -> ActionError {
    match error {
        SeedError::Action(error) => error,
        other => ActionError::invalid_param(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sorted() {
        assert!(COMMANDS.is_sorted_by_key(|(name, _)| *name));
    }
}
