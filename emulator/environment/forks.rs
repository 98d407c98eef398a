//! Forks and snapshots of environments. A fork is an environment of its own that begins as another one is: documents, indexes,
//! files, users, permissions and rules; a snapshot is remembered to go back to. Nothing is copied for either.
//!
//! A fork of `cloud1` is called `cloud1--NAME`, and by that name it is known that the file ids of `cloud1` mean, in the fork, the
//! fork's own files, and that a function that runs there means the fork when it says `cloud1`.

use crate::cloud::{Cloud, Environment, is_environment_name};
use crate::error::ActionError;
use crate::files::uninterrupted;
use database::{Database, DatabaseError, Store};
use uuid::Uuid;

/// Stands between the name of an environment and that of a fork of it.
const SEPARATOR: &str = "--";
/// How many digits of a random name a fork gets.
const NAME_DIGITS: usize = 8;
const SNAPSHOT_NAME_LENGTH_MAX: usize = 64;

impl Environment {
    /// Makes a fork called `name`, or something random, and returns the name of the new environment. Takes as long for a million
    /// documents as for one.
    pub(crate) async fn fork(&self, name: Option<&str>) -> Result<String, ActionError> {
        let name = match name {
            Some(name) => format!("{}{SEPARATOR}{}", self.name, check_name(name)?),
            None => format!("{}{SEPARATOR}{}", self.name, random_name()),
        };
        if !is_environment_name(&name) {
            return Err(ActionError::environment_name(&name));
        }
        let (environment, to) = (self.clone(), name.clone());
        uninterrupted(async move {
            let (shared, register) = (&environment.shared, &environment.register);
            let _changing = register.change().await;
            let _filing = shared.filing.of(&environment.name).await;
            environment.check_there()?;
            if shared.store.has_namespace(&to) {
                return Err(ActionError::invalid_param(format!("there is a fork `{to}` already: drop it first")));
            }
            // Before the fork can be asked for anything.
            shared.registers.of(&database(&shared.store, &to)?).publish(register.entries());
            shared.store.fork(&environment.name, &to).await?;
            Ok(to)
        })
        .await
    }

    /// Drops this fork, with its snapshots and whatever of it is in memory. Forks of it stay.
    pub(crate) async fn drop_fork(&self) -> Result<(), ActionError> {
        if !is_fork(&self.name) {
            let message = format!("`{}` is no fork: only forks are dropped; `reset` empties an environment", self.name);
            return Err(ActionError::invalid_param(message));
        }
        let environment = self.clone();
        uninterrupted(async move {
            let (shared, name) = (&environment.shared, &environment.name);
            let _changing = environment.register.change().await;
            let filing = shared.filing.of(name).await;
            let mut files = environment.files().await?;
            for snapshot in shared.store.snapshots(name) {
                files.extend(environment.files_of_snapshot(&snapshot).await?);
            }
            shared.store.drop_namespace(name).await?;
            shared.registers.forget(name);
            shared.calls.forget(name);
            shared.outbox.forget(name);
            shared.unnamed.consider(files);
            drop(filing);
            shared.functions.end_environment(name).await;
            Ok(())
        })
        .await
    }

    /// Refuses what would make a fork anew that was dropped. For whoever is filing.
    fn check_there(&self) -> Result<(), ActionError> {
        let is_there = !is_fork(&self.name) || self.shared.store.has_namespace(&self.name);
        if is_there { Ok(()) } else { Err(ActionError::fork_missing(&self.name)) }
    }

    /// The names of the forks of this environment, and of their forks, sorted.
    pub(crate) fn forks(&self) -> Vec<String> {
        let namespaces = self.shared.store.namespaces().into_iter();
        namespaces.filter(|name| descends(name, &self.name)).collect()
    }

    /// Remembers everything as it is now, in place of an earlier snapshot of that name.
    pub(crate) async fn snapshot(&self, name: &str) -> Result<(), ActionError> {
        check_snapshot_name(name)?;
        let (environment, name) = (self.clone(), name.to_owned());
        uninterrupted(async move {
            let _filing = environment.shared.filing.of(&environment.name).await;
            environment.check_there()?;
            let replaced = environment.files_of_snapshot(&name).await?;
            environment.shared.store.snapshot(&environment.name, &name).await?;
            environment.shared.unnamed.consider(replaced);
            Ok(())
        })
        .await
    }

    /// Makes everything as it was when it was remembered, all at once; watches are told the difference.
    pub(crate) async fn restore(&self, name: &str) -> Result<(), ActionError> {
        let (environment, name) = (self.clone(), name.to_owned());
        uninterrupted(async move {
            let shared = &environment.shared;
            let _changing = environment.register.change().await;
            let _filing = shared.filing.of(&environment.name).await;
            let replaced = environment.files().await?;
            shared.store.restore(&environment.name, &name).await?;
            environment.register.reload().await?;
            shared.unnamed.consider(replaced);
            Ok(())
        })
        .await
    }

    /// The names of the snapshots, sorted.
    pub(crate) fn snapshots(&self) -> Vec<String> {
        self.shared.store.snapshots(&self.name)
    }

    /// Forgets a snapshot.
    pub(crate) async fn remove_snapshot(&self, name: &str) -> Result<(), ActionError> {
        let (environment, name) = (self.clone(), name.to_owned());
        uninterrupted(async move {
            let _filing = environment.shared.filing.of(&environment.name).await;
            let files = environment.files_of_snapshot(&name).await?;
            environment.shared.store.drop_snapshot(&environment.name, &name).await?;
            environment.shared.unnamed.consider(files);
            Ok(())
        })
        .await
    }
}

impl Cloud {
    /// The environment that a request means by `name`. A function that runs in a fork means the fork by the names of what that
    /// was forked from, and by no name; its call is known by `session_token`.
    pub fn environment_of_call(&self, name: &str, session_token: Option<&str>) -> Result<Environment, ActionError> {
        let running = session_token.and_then(|token| self.shared.sessions.environment(token));
        match running {
            Some(running) if name.is_empty() || descends(&running, name) => self.environment(&running),
            Some(_) | None => self.environment(name),
        }
    }
}

/// The collections of the environment `name`. A fork that was dropped is not made anew by what comes too late.
pub(crate) fn database(store: &Store, name: &str) -> Result<Database, DatabaseError> {
    let database = store.database(name)?;
    Ok(if is_fork(name) { database.of_existing() } else { database })
}

/// The name of the environment that one was forked from, or what that was forked from; its own if it is no fork.
pub(crate) fn first_origin(name: &str) -> &str {
    name.split_once(SEPARATOR).map_or(name, |(origin, _)| origin)
}

/// Whether an environment of that name is a fork.
pub(crate) fn is_fork(name: &str) -> bool {
    name.contains(SEPARATOR)
}

/// Whether `name` is that of a fork of `ancestor`, or of a fork of one.
pub(crate) fn descends(name: &str, ancestor: &str) -> bool {
    name.strip_prefix(ancestor).is_some_and(|rest| rest.starts_with(SEPARATOR))
}

/// Whether `name` is `ancestor` or descends from it.
pub(crate) fn is_of_family(name: &str, ancestor: &str) -> bool {
    name == ancestor || descends(name, ancestor)
}

fn random_name() -> String {
    let mut digits = Uuid::new_v4().simple().to_string();
    digits.truncate(NAME_DIGITS);
    digits
}

fn check_name(name: &str) -> Result<&str, ActionError> {
    if is_environment_name(name) && !name.contains(SEPARATOR) && !name.starts_with('-') && !name.ends_with('-') {
        return Ok(name);
    }
    let message = format!("`{name}` is no name for a fork: letters, digits, `_` and single `-` within");
    Err(ActionError::invalid_param(message))
}

fn check_snapshot_name(name: &str) -> Result<(), ActionError> {
    let is_name = (1..=SNAPSHOT_NAME_LENGTH_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if is_name {
        return Ok(());
    }
    let message = format!("`{name}` is no name for a snapshot: 1 to {SNAPSHOT_NAME_LENGTH_MAX} visible characters");
    Err(ActionError::invalid_param(message))
}
