//! `emulator exec -- COMMAND`: a cloud for as long as a command runs. The command finds it by environment variables, and its exit
//! status is the emulator's.

use crate::arguments::ExecArguments;
use crate::language::text;
use crate::logging;
use crate::port::{self, PortError};
use crate::program;
use crate::settings::{Settings, SettingsError};
use crate::signals::{Signal, Signals};
use crate::variables;
use environment::{Cloud, DataFolderError, OpenError, Seeded};
use gateway::Reach;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{ExitCode, ExitStatus};
use tokio::process::{Child, Command};

/// Lets the system choose a port, so that emulators side by side do not meet.
const PORT_ANY: u16 = 0;
/// What a shell answers for a command it does not find.
const STATUS_NOT_FOUND: u8 = 127;
/// What a shell adds to the number of the signal that ended a command.
const STATUS_SIGNAL: i32 = 128;

/// Why the command could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecError {
    #[error("{}", text!("exec-no-command"))]
    NoCommand,
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{}", text!("signals-failed", reason = .0.to_string()))]
    Signals(std::io::Error),
    #[error("{}", text!("exec-failed", program = .program.to_string_lossy(), reason = .source.to_string()))]
    Run { program: OsString, source: std::io::Error },
}

/// Starts a cloud, runs the command, and ends both.
pub(crate) async fn run(arguments: ExecArguments) -> Result<ExitCode, ExecError> {
    let settings = Settings::settle(&arguments.cloud)?;
    logging::start(settings.log_format());
    let folder = settings.data_folder(arguments.data.as_deref(), arguments.ephemeral)?;
    let gateway = port::listen(Some(PORT_ANY), Reach::Loopback).await?;
    gateway.let_in(settings.origins(&[])?);
    let fixtures = settings.fixtures(arguments.fixtures);
    let mut signals = Signals::listen().map_err(ExecError::Signals)?;
    let project = settings.project.folder.clone();
    let data = folder.path().to_path_buf();
    let cloud = Cloud::open(settings.cloud(gateway.port(), fixtures)?, folder).await?;
    if let Some(Seeded::HadData) = cloud.seed().await? {
        tracing::info!("{}", text!("exec-fixtures-unused"));
    }
    gateway.open(cloud.clone());
    let mut variables = variables::of_servers(gateway.port(), cloud.default_name());
    variables.extend(variables::of_commands(&cloud, &project, &data));
    let ended = run_command(&arguments.command, variables, &mut signals).await;
    gateway.close().await;
    cloud.close().await?;
    ended
}

async fn run_command(
    command: &[OsString],
    variables: Vec<(&'static str, OsString)>,
    signals: &mut Signals,
) -> Result<ExitCode, ExecError> {
    let (name, arguments) = command.split_first().ok_or(ExecError::NoCommand)?;
    let mut command = Command::new(program::find(name));
    command.args(arguments).envs(variables).kill_on_drop(true);
    match command.spawn() {
        Ok(child) => Ok(exit_code(wait(child, signals).await.map_err(|source| failed(name, source))?)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tracing::error!("{}", text!("exec-not-found", program = name.to_string_lossy()));
            Ok(ExitCode::from(STATUS_NOT_FOUND))
        }
        Err(error) => Err(failed(name, error)),
    }
}

fn failed(program: &OsString, source: std::io::Error) -> ExecError {
    ExecError::Run { program: program.clone(), source }
}

/// Waits for the end of the command, which has Ctrl-C from the terminal as this process has; a request to end is passed on, and
/// a second one of either ends it at once.
async fn wait(mut child: Child, signals: &mut Signals) -> std::io::Result<ExitStatus> {
    let mut asked = false;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => match signal {
                _ if std::mem::replace(&mut asked, true) => child.start_kill()?,
                Signal::Interrupt => {}
                Signal::Terminate => terminate(&mut child)?,
            },
        }
    }
}

#[cfg(unix)]
fn terminate(child: &mut Child) -> std::io::Result<()> {
    match child.id() {
        Some(pid) => std::process::Command::new("kill").args(["-TERM", &pid.to_string()]).status().map(drop),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn terminate(child: &mut Child) -> std::io::Result<()> {
    child.start_kill()
}

/// The same status, as far as a process can answer it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| signal_of(status).map(|signal| STATUS_SIGNAL + signal)).unwrap_or(1);
    // A status of zero alone means that all went well: a larger number must not become one.
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}
