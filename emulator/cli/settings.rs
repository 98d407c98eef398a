//! What a command works with, settled once: flags and environment variables (both read by `clap`), then `emulator.toml` in the
//! project, then the defaults.

use crate::arguments::{CloudArguments, LogFormat};
use crate::language::text;
use crate::project::{Project, ProjectError};
use environment::{CloudSettings, DataFolder, DataFolderError, FunctionSettings, WorkerCommand};
use gateway::{BadOrigin, Origin};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const SETTINGS_FILE: &str = "emulator.toml";
pub(crate) const DATA_FOLDER: &str = ".emulator";
/// The first argument of a function worker. It is no command: people are not told of it, nor are their shells.
pub(crate) const WORKER_ARGUMENT: &str = "function-worker";
/// The largest `timeout-seconds`: what the cloud gives at most (semantics DB-8.09).
const TIMEOUT_SECONDS_MAX: u64 = 900;

/// The settings of one run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) project: Project,
    file: File,
    environment: Option<String>,
    log_format: LogFormat,
}

/// Why settings cannot be settled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error("{}", text!("unreadable", path = .path.display().to_string(), reason = .source.to_string()))]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}", .path.display())]
    Parse { path: PathBuf, source: toml::de::Error },
    #[error("{}", timeout_text(.path, .function))]
    Timeout { path: PathBuf, function: String },
    #[error(transparent)]
    Origin(#[from] BadOrigin),
    #[error("{}", text!("program-unknown", reason = .0.to_string()))]
    Program(std::io::Error),
}

/// `emulator.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    port: Option<u16>,
    env: Option<String>,
    data: Option<PathBuf>,
    #[serde(default)]
    ephemeral: bool,
    fixtures: Option<PathBuf>,
    log_format: Option<LogFormat>,
    access_token_seconds: Option<u64>,
    #[serde(default)]
    allowed_origins: Vec<String>,
    #[serde(default)]
    functions: BTreeMap<String, FunctionTable>,
}

/// `[functions.NAME]`: what the cloud's console would say of the function.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct FunctionTable {
    timeout_seconds: Option<u64>,
    memory_mb: Option<u64>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

impl Settings {
    /// Finds the project and settles everything that does not depend on the command.
    pub(crate) fn settle(arguments: &CloudArguments) -> Result<Settings, SettingsError> {
        let project = Project::find(arguments.project.as_deref())?;
        let file = read_file(&project.folder.join(SETTINGS_FILE))?;
        let environment = arguments.environment.clone().or_else(|| file.env.clone());
        let log_format = arguments.log_format.or(file.log_format).unwrap_or_default();
        Ok(Settings { project, file, environment, log_format })
    }

    pub(crate) fn log_format(&self) -> LogFormat {
        self.log_format
    }

    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// The port asked for, if one was.
    pub(crate) fn port(&self, flag: Option<u16>) -> Option<u16> {
        flag.or(self.file.port)
    }

    /// Where the data is kept.
    pub(crate) fn data_path(&self, flag: Option<&Path>) -> PathBuf {
        let from_file = || self.file.data.as_ref().map(|data| self.project.folder.join(data));
        flag.map(Path::to_path_buf).or_else(from_file).unwrap_or_else(|| self.project.folder.join(DATA_FOLDER))
    }

    /// Takes the data folder, or a temporary one.
    pub(crate) fn data_folder(&self, flag: Option<&Path>, ephemeral: bool) -> Result<DataFolder, DataFolderError> {
        // A folder named on the command line is meant more than a setting in the file.
        let ephemeral = ephemeral || (flag.is_none() && self.file.ephemeral);
        if ephemeral { DataFolder::ephemeral() } else { DataFolder::take(&self.data_path(flag)) }
    }

    /// Whose pages are let in beside those of loopback.
    pub(crate) fn origins(&self, flags: &[String]) -> Result<Vec<Origin>, SettingsError> {
        let origins = flags.iter().chain(&self.file.allowed_origins);
        Ok(origins.map(|origin| origin.parse()).collect::<Result<_, BadOrigin>>()?)
    }

    /// The folder that fills an empty cloud, if one was named.
    pub(crate) fn fixtures(&self, flag: Option<PathBuf>) -> Option<PathBuf> {
        flag.or_else(|| self.file.fixtures.as_ref().map(|fixtures| self.project.folder.join(fixtures)))
    }

    /// What the cloud is opened with.
    pub(crate) fn cloud(self, port: u16, fixtures: Option<PathBuf>) -> Result<CloudSettings, SettingsError> {
        let program = std::env::current_exe().map_err(SettingsError::Program)?;
        let path = self.project.folder.join(SETTINGS_FILE);
        let functions = self.file.functions.into_iter();
        let function_settings = functions.map(|(name, table)| Ok((name.clone(), table.settle(&path, name)?)));
        Ok(CloudSettings {
            port,
            environment: self.environment,
            appid: self.project.appid,
            functions: self.project.functions,
            function_settings: function_settings.collect::<Result<_, SettingsError>>()?,
            worker: WorkerCommand { program, arguments: vec![OsString::from(WORKER_ARGUMENT)] },
            fixtures,
            access_token_life: self.file.access_token_seconds.map(Duration::from_secs),
        })
    }
}

impl FunctionTable {
    fn settle(self, path: &Path, function: String) -> Result<FunctionSettings, SettingsError> {
        if self.timeout_seconds.is_some_and(|seconds| !(1..=TIMEOUT_SECONDS_MAX).contains(&seconds)) {
            return Err(SettingsError::Timeout { path: path.to_path_buf(), function });
        }
        Ok(FunctionSettings {
            timeout: self.timeout_seconds.map(Duration::from_secs),
            memory_bytes: self.memory_mb.map(|megabytes| megabytes.saturating_mul(1 << 20)),
            environment_variables: self.variables,
        })
    }
}

fn timeout_text(path: &Path, function: &str) -> String {
    text!("settings-timeout", path = path.display().to_string(), function = function, most = TIMEOUT_SECONDS_MAX)
}

/// Finds every mistake in the settings file at `path`; a missing one has none.
pub(crate) fn check_file(path: &Path) -> Result<(), SettingsError> {
    let file = read_file(path)?;
    file.allowed_origins.iter().try_for_each(|origin| origin.parse::<Origin>().map(drop))?;
    file.functions.into_iter().try_for_each(|(name, table)| table.settle(path, name).map(drop))
}

fn read_file(path: &Path) -> Result<File, SettingsError> {
    if !path.is_file() {
        return Ok(File::default());
    }
    let text =
        std::fs::read_to_string(path).map_err(|source| SettingsError::Read { path: path.to_path_buf(), source })?;
    toml::from_str(&text).map_err(|source| SettingsError::Parse { path: path.to_path_buf(), source })
}
