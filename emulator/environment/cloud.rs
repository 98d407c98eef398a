//! The cloud of one emulator: opens the services on a data folder and hands out its environments.

use crate::access;
use crate::actions;
use crate::caller::Caller;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::data_folder::{DataFolder, DataFolderError, Holder};
use crate::error::ActionError;
use crate::exchange::Jobs;
use crate::files::{self, Filing, Unnamed};
use crate::forks;
use crate::identity::Sessions;
use crate::invocation::Logs;
use crate::outbox::Outbox;
use crate::register::{Register, Registers};
use crate::seed::{self, SeedError, Seeded};
use crate::settings::{CloudSettings, ENVIRONMENT_DEFAULT};
use crate::tokens::SignedOut;
use crate::watches::Watches;
use database::{CollectionName, Database, DatabaseError, Durability, Store, StoreOptions};
use functions::{Functions, FunctionsError, FunctionsOptions};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use storage::{Storage, StorageError};

const WORKERS_PER_FUNCTION: usize = 8;
/// Room for forks of forks.
const ENVIRONMENT_NAME_LENGTH_MAX: usize = 128;
/// What the token of the network signs.
const NETWORK: &str = "local network";

/// One emulator's cloud: a cheap handle.
#[derive(Clone)]
pub struct Cloud {
    pub(crate) shared: Arc<Shared>,
    reached_at: Option<Arc<str>>,
}

/// One cloud environment: a cheap handle.
#[derive(Clone)]
pub struct Environment {
    pub(crate) name: Arc<str>,
    pub(crate) database: Database,
    pub(crate) register: Arc<Register>,
    pub(crate) shared: Arc<Shared>,
    reached_at: Option<Arc<str>>,
}

/// What an action answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Stands under `data` of the envelope.
    Data(Value),
    /// Stands beside `requestId` (protocol §2.1).
    TopLevel(Map<String, Value>),
}

/// Why a cloud cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be had.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The database in it cannot be opened.
    #[error("the database cannot be opened: {0}")]
    Database(#[from] DatabaseError),
    /// The files in it cannot be opened.
    #[error("the file storage cannot be opened: {0}")]
    Storage(#[from] StorageError),
    /// The functions cannot be prepared.
    #[error("the cloud functions cannot be prepared: {0}")]
    Functions(#[from] FunctionsError),
    /// The fixtures are not what they should be.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The environment's name is not one.
    #[error("`{0}` is no name for an environment: 1 to 128 letters, digits, `_` and single `-`")]
    EnvironmentName(String),
}

pub(crate) struct Shared {
    pub(crate) settings: CloudSettings,
    pub(crate) clock: Clock,
    /// Held while the clock is turned.
    pub(crate) turning_clock: tokio::sync::Mutex<()>,
    pub(crate) storage: Storage,
    pub(crate) functions: Functions,
    pub(crate) sessions: Sessions,
    pub(crate) logs: Arc<Logs>,
    pub(crate) signed_out: SignedOut,
    pub(crate) outbox: Outbox,
    pub(crate) filing: Filing,
    pub(crate) unnamed: Unnamed,
    pub(crate) calls: Calls,
    /// Held while a user is made, so that no two get the same name or address.
    pub(crate) making_user: tokio::sync::Mutex<()>,
    pub(crate) watches: Watches,
    /// What takes long and runs now.
    pub(crate) jobs: Jobs,
    /// One for each environment that was opened, or had users or modes when the cloud was.
    pub(crate) registers: Registers,
    pub(crate) store: Store,
    holder: Holder,
    /// The names used in this run, so that the creation of an environment is said once.
    used: Mutex<BTreeSet<String>>,
    /// Last, so that the folder is free only when everything above has let go of it.
    folder: DataFolder,
}

impl Cloud {
    /// Opens the cloud that rests in `folder`, making an empty one where none is. Starts no function worker.
    pub async fn open(settings: CloudSettings, folder: DataFolder) -> Result<Cloud, OpenError> {
        if let Some(name) =
            settings.environment.as_ref().filter(|name| !is_environment_name(name) || forks::is_fork(name))
        {
            return Err(OpenError::EnvironmentName(name.clone()));
        }
        let holder = folder.announce(settings.port)?;
        let durability = if folder.is_ephemeral() { Durability::None } else { Durability::Process };
        let store =
            Store::open(&folder.path().join("database"), StoreOptions { durability, ..StoreOptions::default() })?;
        let registers = Registers::load(&store).await?;
        let storage = Storage::open(&folder.path().join("files")).await?;
        files::adopt_earlier(&store, &storage).await?;
        let logs = Arc::new(Logs::default());
        let functions = Functions::open(function_options(&settings, &folder), logs.clone())?;
        let shared = Shared {
            settings,
            clock: Clock::default(),
            turning_clock: tokio::sync::Mutex::default(),
            unnamed: Unnamed::start(store.clone(), storage.clone()),
            filing: Filing::default(),
            calls: Calls::default(),
            storage,
            functions,
            sessions: Sessions::default(),
            logs,
            signed_out: SignedOut::default(),
            outbox: Outbox::default(),
            making_user: tokio::sync::Mutex::default(),
            watches: Watches::default(),
            jobs: Jobs::default(),
            registers,
            store,
            holder,
            used: Mutex::default(),
            folder,
        };
        Ok(Cloud { shared: Arc::new(shared), reached_at: None })
    }

    /// Fills the default environment from the fixtures of the settings, if it is empty. `None`: no fixtures were named.
    pub async fn seed(&self) -> Result<Option<Seeded>, OpenError> {
        let Some(folder) = &self.shared.settings.fixtures else { return Ok(None) };
        let environment = self.open_environment(self.default_name())?;
        Ok(Some(seed::fill(&environment, folder).await?))
    }

    /// Boots a function worker ahead of need, in the background, when the project has functions.
    pub fn boot_spare_worker(&self) {
        self.shared.functions.boot_spare();
    }

    /// The environment `name`; the empty name means the default one. Without `--env` it is created at its first use.
    pub fn environment(&self, name: &str) -> Result<Environment, ActionError> {
        let name = if name.is_empty() { self.default_name() } else { name };
        let only = self.shared.settings.environment.as_deref();
        if let Some(only) = only.filter(|only| !forks::is_of_family(name, only)) {
            return Err(ActionError::environment_missing(name, only));
        }
        if !is_environment_name(name) {
            return Err(ActionError::environment_name(name));
        }
        if forks::is_fork(name) && !self.shared.store.has_namespace(name) {
            return Err(ActionError::fork_missing(name));
        }
        Ok(self.open_environment(name)?)
    }

    /// The name that an empty one stands for.
    pub fn default_name(&self) -> &str {
        self.shared.settings.environment.as_deref().unwrap_or(ENVIRONMENT_DEFAULT)
    }

    /// The bearer token of `/_emulator/*`.
    pub fn token(&self) -> &str {
        &self.holder().token
    }

    /// The same cloud, seen by callers who reach it at another address than this machine's own, such as `http://192.168.1.5:7357`.
    pub fn reached_at(&self, address: &str) -> Cloud {
        Cloud { shared: self.shared.clone(), reached_at: Some(address.into()) }
    }

    /// What requests from the local network carry; the same as long as the data folder is.
    pub fn network_token(&self) -> String {
        self.shared.storage.sign(NETWORK)
    }

    /// Whether `token` is [`Cloud::network_token`]; compared in constant time.
    pub fn is_network_token(&self, token: &str) -> bool {
        self.shared.storage.verify(NETWORK, token)
    }

    /// What other commands need to ask this emulator.
    pub fn holder(&self) -> &Holder {
        &self.shared.holder
    }

    /// What `GET /_emulator/hello` answers to anybody: enough for a page to tell whether this emulator is its own.
    pub fn hello(&self) -> Value {
        json!({
            "emulator": true,
            "appid": self.shared.settings.appid,
            "env": self.default_name(),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    /// What `GET /_emulator/status` answers.
    pub fn status(&self) -> Value {
        json!({
            "pid": self.shared.holder.pid,
            "port": self.shared.holder.port,
            "version": env!("CARGO_PKG_VERSION"),
            "appid": self.shared.settings.appid,
            "data": self.shared.folder.path(),
            "ephemeral": self.shared.folder.is_ephemeral(),
            "defaultEnvironment": self.default_name(),
            "environments": self.shared.store.namespaces(),
            "functions": self.shared.functions.names(),
        })
    }

    /// Names of the functions the project has.
    pub fn function_names(&self) -> Vec<String> {
        self.shared.functions.names()
    }

    /// Lets running functions end, flushes, and leaves no worker behind. Later calls fail.
    pub async fn close(&self) -> Result<(), OpenError> {
        self.shared.functions.close().await;
        Ok(self.shared.store.close().await?)
    }

    fn open_environment(&self, name: &str) -> Result<Environment, DatabaseError> {
        self.say_first_use(name);
        let database = forks::database(&self.shared.store, name)?;
        let register = self.shared.registers.of(&database);
        let (shared, reached_at) = (self.shared.clone(), self.reached_at.clone());
        Ok(Environment { name: name.into(), database, register, shared, reached_at })
    }

    fn say_first_use(&self, name: &str) {
        if forks::is_fork(name) {
            return;
        }
        let mut used = self.shared.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.contains(name) {
            return;
        }
        used.insert(name.to_owned());
        if self.shared.settings.environment.is_none()
            && !self.shared.store.namespaces().iter().any(|known| known == name)
        {
            tracing::info!("environment `{name}` created at its first use");
        }
    }
}

impl Environment {
    /// Its name, as SDKs send it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Does what `action` says on behalf of `caller`, an administrator. Every mistake in `params` is an error and changes nothing.
    pub async fn call(&self, caller: &Caller, action: &str, params: Map<String, Value>) -> Result<Reply, ActionError> {
        actions::call(self, caller, action, params).await
    }

    /// The same on behalf of the user that `access_token` proves. Refused without effect where it proves nobody, unless the action
    /// is a way of signing in.
    pub async fn call_as_user(
        &self,
        access_token: Option<&str>,
        action: &str,
        params: Map<String, Value>,
    ) -> Result<Reply, ActionError> {
        actions::call_as_user(self, access_token, action, params).await
    }

    /// The names of its collections, sorted, without the emulator's own.
    pub(crate) fn collections(&self) -> Vec<CollectionName> {
        let collections = self.database.collections().into_iter();
        collections.filter(|name| !access::is_own(name)).collect()
    }

    /// What stands before a path in an address that the emulator hands out to its caller.
    pub(crate) fn base_url(&self) -> String {
        self.reached_at.as_deref().map_or_else(|| self.shared.loopback_url(), str::to_owned)
    }
}

impl Shared {
    /// What stands before a path in an address that is used on this machine.
    pub(crate) fn loopback_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.settings.port)
    }
}

fn function_options(settings: &CloudSettings, folder: &DataFolder) -> FunctionsOptions {
    FunctionsOptions {
        root: settings.functions.clone(),
        worker_program: settings.worker.program.clone(),
        worker_arguments: settings.worker.arguments.clone(),
        workers_per_function: WORKERS_PER_FUNCTION,
        spare_worker: true,
        temporary: folder.path().join("functions"),
    }
}

pub(crate) fn is_environment_name(name: &str) -> bool {
    (1..=ENVIRONMENT_NAME_LENGTH_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
