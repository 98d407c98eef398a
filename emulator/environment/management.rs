//! What the developer asks of the emulator itself, where the cloud has its console: users, permissions, collections, seeding
//! and emptying, the clock, and any action in an administrator's name. The door is `/_emulator/*`; every command takes and
//! gives JSON.

use crate::access::{self, Mode, Permission, Problem, Target};
use crate::accounts::Address;
use crate::actions;
use crate::caller::{Caller, Door};
use crate::calls::EndedCall;
use crate::cloud::{Cloud, Environment, Reply};
use crate::error::ActionError;
use crate::indexes::IndexLine;
use crate::register::Entry;
use crate::seed::{self, SeedError, Seeded};
use database::FindRequest;
use document::Document;
use query::{Filter, Sort};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateParams {
    collection: String,
    mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainParams {
    collection: String,
    #[serde(default)]
    query: Map<String, Value>,
    #[serde(default)]
    order: Option<Map<String, Value>>,
    limit: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexParams {
    collection: String,
    keys: Map<String, Value>,
    #[serde(default)]
    unique: bool,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexNameParams {
    collection: String,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectionParams {
    collection: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeParams {
    /// The files' mode is meant without one.
    collection: Option<String>,
    mode: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesParams {
    /// As JSON or as a text of JSON, which keeps its comments, and its lines for messages.
    rules: Value,
    /// Whose rules they are. Without it and `service`, those of everything that they name.
    collection: Option<String>,
    service: Option<Service>,
}

/// What has rules and is no collection.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Service {
    Files,
    Functions,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForkParams {
    /// Something random without one.
    name: Option<String>,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUserParams {
    name: String,
    openid: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
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
            Command::Calls => {
                let NoParams {} = read(params)?;
                let calls = self.shared.calls.of(&self.name);
                Ok(json!({ "calls": calls.iter().map(EndedCall::to_json).collect::<Vec<_>>() }))
            }
            Command::Cancel => {
                let JobParams { job } = read(params)?;
                self.shared.jobs.cancel(&job);
                Ok(json!({}))
            }
            Command::Clock => self.shared.turn_clock(read(params)?).await,
            Command::Collections => {
                let NoParams {} = read(params)?;
                self.list_collections().await
            }
            Command::Create => self.create(read(params)?).await,
            Command::Drop => {
                let NoParams {} = read(params)?;
                self.drop_fork().await?;
                Ok(json!({}))
            }
            Command::Explain => self.explain(read(params)?).await,
            Command::Export => Ok(self.export(read(params)?).await?),
            Command::ExportCollection => Ok(self.export_collection(read(params)?).await?),
            Command::Fork => {
                let ForkParams { name } = read(params)?;
                Ok(json!({ "env": self.fork(name.as_deref()).await? }))
            }
            Command::Forks => {
                let NoParams {} = read(params)?;
                Ok(json!({ "forks": self.forks() }))
            }
            Command::Import => Ok(self.import(read(params)?).await?),
            Command::IndexesCreate => self.create_index(read(params)?).await,
            Command::IndexesDrop => self.drop_index(read(params)?).await,
            Command::IndexesList => self.list_indexes(&read(params)?),
            Command::Mode => self.set_mode(read(params)?).await,
            Command::Outbox => {
                let NoParams {} = read(params)?;
                Ok(self.outbox())
            }
            Command::Progress => {
                let JobParams { job } = read(params)?;
                Ok(self.shared.jobs.report(&job))
            }
            Command::Reset => {
                let NoParams {} = read(params)?;
                seed::reset(self).await.map_err(refused)?;
                Ok(json!({}))
            }
            Command::Restore => {
                let NameParams { name } = read(params)?;
                self.restore(&name).await?;
                Ok(json!({}))
            }
            Command::RulesSet => self.set_rules(read(params)?).await,
            Command::RulesShow => {
                let NoParams {} = read(params)?;
                Ok(json!({ "rules": access::join(&self.register.entries().rules()) }))
            }
            Command::Seed => self.seed(read(params)?).await,
            Command::Snapshot => {
                let NameParams { name } = read(params)?;
                self.snapshot(&name).await?;
                Ok(json!({}))
            }
            Command::SnapshotsList => {
                let NoParams {} = read(params)?;
                Ok(json!({ "snapshots": self.snapshots() }))
            }
            Command::SnapshotsRemove => {
                let NameParams { name } = read(params)?;
                self.remove_snapshot(&name).await?;
                Ok(json!({}))
            }
            Command::UsersAdd => self.add_user(read(params)?).await,
            Command::UsersList => {
                let NoParams {} = read(params)?;
                Ok(self.list_users())
            }
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

    async fn list_collections(&self) -> Result<Value, ActionError> {
        let entries = self.register.entries();
        let mut list = Vec::new();
        for name in self.collections() {
            let documents = self.database.count(&name, Filter::all()).await?;
            let mode = entries.of_collection(name.as_str()).name();
            list.push(json!({ "name": name.as_str(), "documents": documents, "mode": mode }));
        }
        Ok(json!({ "collections": list, "filesMode": entries.of_files().name() }))
    }

    async fn create(&self, CreateParams { collection, mode }: CreateParams) -> Result<Value, ActionError> {
        let name = access::collection(&collection)?;
        let mode = mode.as_deref().map(Mode::parse).transpose()?;
        self.database.create_collection(&name).await?;
        if let Some(mode) = mode {
            self.register.put(Entry::Collection(collection, Permission::Mode(mode))).await?;
        }
        Ok(json!({}))
    }

    /// How a query of a collection is answered; it is run for that.
    async fn explain(&self, params: ExplainParams) -> Result<Value, ActionError> {
        let collection = access::collection(&params.collection)?;
        let filter = Filter::parse(&self.document("query", params.query)?)?;
        let order = params.order.map(|order| self.document("order", order)).transpose()?;
        let sort = order.map(|order| Sort::parse(&order)).transpose()?;
        let request = FindRequest { collection, filter, sort, skip: 0, limit: params.limit, projection: None };
        let explanation = self.database.explain(request).await?;
        Ok(json!({
            "index": explanation.index,
            "keysExamined": explanation.keys_examined,
            "documentsExamined": explanation.documents_examined,
            "returned": explanation.returned,
            "sortedInMemory": explanation.sorted_in_memory,
            "advice": explanation.advice,
        }))
    }

    fn document(&self, name: &str, json: Map<String, Value>) -> Result<Document, ActionError> {
        let decoded = document::decode_document(&Value::Object(json), self.shared.clock.now());
        decoded.map_err(|error| ActionError::invalid_param(format!("{name}: {error}")))
    }

    async fn create_index(&self, params: IndexParams) -> Result<Value, ActionError> {
        let IndexParams { collection, keys, unique, name } = params;
        let definition = IndexLine { keys, unique, name }.definition()?;
        let name = definition.name.clone();
        self.database.create_index(&access::collection(&collection)?, definition).await?;
        Ok(json!({ "name": name }))
    }

    async fn drop_index(&self, IndexNameParams { collection, name }: IndexNameParams) -> Result<Value, ActionError> {
        self.database.drop_index(&access::collection(&collection)?, &name).await?;
        Ok(json!({}))
    }

    fn list_indexes(&self, CollectionParams { collection }: &CollectionParams) -> Result<Value, ActionError> {
        let indexes = self.database.indexes(&access::collection(collection)?)?;
        let lines = indexes.iter().map(IndexLine::of).collect::<Vec<_>>();
        Ok(json!({ "indexes": lines }))
    }

    async fn set_mode(&self, ModeParams { collection, mode }: ModeParams) -> Result<Value, ActionError> {
        let mode = Mode::parse(&mode)?;
        let entry = match collection {
            Some(name) => Entry::Collection(access::collection(&name)?.to_string(), Permission::Mode(mode)),
            None => Entry::Files(Permission::Mode(mode)),
        };
        self.register.put(entry).await?;
        Ok(json!({}))
    }

    /// Every mistake in the rules is found before any are set.
    async fn set_rules(&self, params: RulesParams) -> Result<Value, ActionError> {
        let RulesParams { rules, collection, service } = params;
        let text = match rules {
            Value::String(text) => text,
            rules => rules.to_string(),
        };
        let rules = match (collection, service) {
            (Some(name), None) => vec![(Target::Collection(name), text)],
            (None, Some(Service::Files)) => vec![(Target::Files, text)],
            (None, Some(Service::Functions)) => vec![(Target::Functions, text)],
            (None, None) => access::split(&text).map_err(|problems| mistaken(&problems))?,
            (Some(_), Some(_)) => {
                return Err(ActionError::invalid_param("rules are a collection's or a service's, not both"));
            }
        };
        let mut entries = Vec::new();
        for (target, text) in rules {
            if let Target::Collection(name) = &target {
                access::collection(name)?;
            }
            entries.push(Entry::of_rules(target, &text).map_err(|problems| mistaken(&problems))?);
        }
        for entry in entries {
            self.register.put(entry).await?;
        }
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

    fn list_users(&self) -> Value {
        let entries = self.register.entries();
        let default = entries.default_user();
        let known = if entries.users().is_empty() { std::slice::from_ref(&default) } else { entries.users() };
        let users: Vec<Value> = known
            .iter()
            .map(|user| json!({ "name": user.name, "openid": user.openid, "default": *user == default }))
            .collect();
        json!({ "users": users })
    }

    async fn add_user(&self, params: NewUserParams) -> Result<Value, ActionError> {
        let NewUserParams { name, openid, email, phone, password } = params;
        let email = email.as_deref().map(Address::email).transpose()?;
        let phone = phone.as_deref().map(Address::phone).transpose()?;
        let addresses = [email, phone].into_iter().flatten();
        let user = self.new_account(Some(&name), openid.as_deref(), addresses, password.as_deref()).await?;
        Ok(json!({ "name": user.name, "openid": user.openid }))
    }

    async fn remove_user(&self, NameParams { name }: NameParams) -> Result<Value, ActionError> {
        if self.register.remove_user(&name).await? { Ok(json!({})) } else { Err(self.no_such_user(&name)) }
    }

    async fn use_user(&self, NameParams { name }: NameParams) -> Result<Value, ActionError> {
        let entries = self.register.entries();
        let user = entries.user(&name).ok_or_else(|| self.no_such_user(&name))?;
        self.register.put(Entry::DefaultUser(name)).await?;
        Ok(json!({ "name": user.name, "openid": user.openid }))
    }

    fn no_such_user(&self, name: &str) -> ActionError {
        let entries = self.register.entries();
        let names: Vec<&str> = entries.users().iter().map(|user| user.name.as_str()).collect();
        let known = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        ActionError::invalid_param(format!(
            "there is no user `{name}` in the environment `{}`: it knows {known}",
            self.name
        ))
    }
}

fn read<T: DeserializeOwned>(params: Map<String, Value>) -> Result<T, ActionError> {
    serde_json::from_value(Value::Object(params)).map_err(|error| ActionError::invalid_param(error.to_string()))
}

/// A line for each problem.
fn mistaken(problems: &[Problem]) -> ActionError {
    ActionError::invalid_param(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
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
