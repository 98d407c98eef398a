//! What a cloud is opened with. Flags, environment variables and files are the command line's business; these are their outcome.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a cloud is opened with.
#[derive(Clone, Debug)]
pub struct CloudSettings {
    /// The port the doors listen on; every address the cloud hands out names it.
    pub port: u16,
    /// The only environment served. `None`: each is created at its first use.
    pub environment: Option<String>,
    /// The mini program's appid, in file ids and `getWXContext()`.
    pub appid: String,
    /// The folder whose sub-folders are cloud functions.
    pub functions: Option<PathBuf>,
    /// What the developer set for single functions, by name.
    pub function_settings: BTreeMap<String, FunctionSettings>,
    /// How to start this binary as a function worker.
    pub worker: WorkerCommand,
    /// A folder that fills an empty cloud.
    pub fixtures: Option<PathBuf>,
    /// How long a user's access token holds; the cloud's two hours where `None`. For tests of what expires.
    pub access_token_life: Option<Duration>,
}

/// What the developer set for one function; the cloud's defaults where `None` (semantics FN-33).
#[derive(Clone, Debug, Default)]
pub struct FunctionSettings {
    /// The longest a call may take.
    pub timeout: Option<Duration>,
    /// The most memory a worker may use.
    pub memory_bytes: Option<u64>,
    /// Environment variables added to the platform's own.
    pub environment_variables: BTreeMap<String, String>,
}

/// A command that starts this binary as a function worker.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// The environment that requests without a name, fixtures and `emulator call` mean when `--env` names none.
pub(crate) const ENVIRONMENT_DEFAULT: &str = "cloud1";
