//! Cloud functions: runs users' JavaScript for real, each worker a process of its own.
//! Knows nothing of environments, callers and doors: whoever calls says which function, with which event and variables.

mod files;
mod folder;
mod frames;
mod loader;
mod ops;
mod packed;
mod pool;
mod process;
mod starter;
mod worker;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Where the lines go that a running function prints. The floor above implements it.
pub trait Output: Send + Sync + 'static {
    /// One line (without its line feed) that a call printed; `request_id` is empty for what a worker printed outside any call.
    fn line(&self, function: &str, request_id: &str, level: Level, text: &str);
}

/// How serious a printed line is, after the `console` method that printed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Level {
    /// `console.debug`, `console.trace` of the engine and the like.
    Debug,
    /// `console.log`, `console.info`, `process.stdout`.
    Info,
    /// `console.warn`.
    Warn,
    /// `console.error`, `process.stderr`, and what the engine says when it dies.
    Error,
}

/// What `Date` shows to a call, from its beginning to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CallClock {
    /// The machine's time and this much more.
    Running {
        /// In milliseconds.
        offset_ms: i64,
    },
    /// The same time throughout.
    Frozen {
        /// In milliseconds since 1970.
        at_ms: i64,
    },
}

/// What [`Functions::open`] needs to know.
#[derive(Debug, Clone)]
pub struct FunctionsOptions {
    /// The folder whose sub-folders are the functions; `None`: there are none.
    pub root: Option<PathBuf>,
    /// The program to start as a worker. It must call [`run_worker`] when started with `worker_arguments`.
    pub worker_program: PathBuf,
    /// The arguments that make `worker_program` a worker.
    pub worker_arguments: Vec<OsString>,
    /// How many workers one function may have at a time; further calls wait in order (the project's own setting: 8).
    pub workers_per_function: usize,
    /// Whether a worker is kept booted ahead of need, for any function to take.
    pub spare_worker: bool,
    /// The folder below which each worker's private `/tmp` is made.
    pub temporary: PathBuf,
}

/// One call of one function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The environment it runs in: a worker serves one alone.
    pub environment: String,
    /// The function's name, as it came from outside.
    pub function: String,
    /// The event, JSON text.
    pub event: String,
    /// The SCF context, second argument of `main` (semantics FN-03).
    pub context: serde_json::Value,
    /// What `process.env` holds during this call, besides a base set (semantics FN-31).
    pub environment_variables: BTreeMap<String, String>,
    /// The time that it is told; how long it may take is measured with the machine's.
    pub clock: CallClock,
    /// Names the call in what it prints.
    pub request_id: String,
    /// How long the function may take, loading of its modules included; then its worker is killed.
    pub timeout: Duration,
    /// How much memory the function was promised (semantics FN-33).
    pub memory_bytes: u64,
}

/// A call that returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// What `main` returned, JSON text; `null` for `undefined` (semantics FN-01).
    pub result: String,
    /// From the moment a worker had the call until its answer.
    pub duration: Duration,
    /// The resident memory of the worker after the call, where the platform tells.
    pub memory_bytes: Option<u64>,
}

/// Why a call has no result. Each ends that call alone.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvocationError {
    /// No folder of that name holds a function.
    #[error("there is no such function")]
    NotFound,
    /// The user's code failed; the message as the cloud prints it (semantics FN-11, FN-12, §9.4).
    #[error("{message}")]
    Failed {
        /// `Error: boom\n    at exports.main (/project/functions/name/index.js:3:9)`
        message: String,
    },
    /// The call did not end within its time; its worker was killed.
    #[error("Invoking task timed out after {} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The worker ended before it answered: `process.exit()` or a crash.
    #[error("{code} code exit unexpected")]
    Exited {
        /// The exit code; 128 + the signal's number when a signal ended it.
        code: i32,
    },
    /// The function allocated more than a worker may have.
    #[error("the function ran out of memory")]
    OutOfMemory,
    /// The result's JSON is over 6 MB.
    #[error("the result is too large")]
    ResultTooLarge,
    /// The result cannot be written as JSON.
    #[error("the result cannot be written as JSON")]
    BadResult,
    /// The emulator is ending.
    #[error("the emulator is ending")]
    Closed,
    /// A worker could not be started or broke its side of the protocol.
    #[error("the function's worker failed: {0}")]
    Worker(String),
}

/// Why functions cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    /// The folder of the functions cannot be used.
    #[error("the functions folder `{0}` cannot be read: {1}")]
    Root(PathBuf, std::io::Error),
    /// The folder for private files of workers cannot be made.
    #[error("the folder `{0}` for workers' files cannot be made: {1}")]
    Temporary(PathBuf, std::io::Error),
}

/// The functions of one folder and the workers that run them. A cheap handle; its methods need a tokio runtime around them.
#[derive(Clone)]
pub struct Functions {
    pool: Arc<pool::Pool>,
}

impl Functions {
    /// Makes the handle; starts no worker. A missing root folder counts as empty.
    ///
    /// # Errors
    /// When the folder for private files cannot be made.
    pub fn open(options: FunctionsOptions, output: Arc<dyn Output>) -> Result<Functions, FunctionsError> {
        Ok(Functions { pool: pool::Pool::open(options, output)? })
    }

    /// The functions there are, sorted; read from disk each time.
    pub fn names(&self) -> Vec<String> {
        self.pool.names()
    }

    /// Runs one call to its end, waiting in order for one of the function's workers if need be.
    ///
    /// # Errors
    /// See [`InvocationError`].
    pub async fn invoke(&self, call: Invocation) -> Result<Completion, InvocationError> {
        self.pool.invoke(call).await
    }

    /// Ends every worker and waits for their ends; calls under way and later ones fail with [`InvocationError::Closed`].
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Ends the workers that stand still in an environment that is gone.
    pub async fn end_environment(&self, environment: &str) {
        self.pool.end_environment(environment).await;
    }

    /// Starts booting the spare worker in the background, if the options ask for one and none is there.
    pub fn boot_spare(&self) {
        self.pool.boot_spare();
    }
}

/// The functions in the folder `root`, sorted, as [`Functions::names`] finds them; a missing folder counts as empty.
pub fn names_in(root: &std::path::Path) -> Vec<String> {
    folder::names(root)
}

/// A worker's whole life: what the hidden command of the binary calls. Ends when its input does.
pub fn run_worker() -> ExitCode {
    worker::run()
}
