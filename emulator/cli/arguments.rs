//! The command line, as `--help` teaches it. What a flag leaves out comes from its environment variable, then from
//! `emulator.toml`, then from the defaults in `settings.rs`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use std::path::PathBuf;

/// A local emulator for mini-program cloud development (WeChat cloud, CloudBase): database, files and cloud functions behind
/// the official SDKs, offline, without an account.
#[derive(Debug, Parser)]
#[command(name = "emulator", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a cloud on this machine and serve it until Ctrl-C
    Start(StartArguments),
    /// Call a cloud function and print its result, what it logged and how long it took
    Call(CallArguments),
    /// What a function worker is started with; not for people
    #[command(hide = true)]
    FunctionWorker,
}

/// What says which cloud is meant; the same for every command.
#[derive(Debug, Default, Args)]
pub(crate) struct CloudArguments {
    /// The mini-program project: the folder with project.config.json, whose `appid` and `cloudfunctionRoot` are used
    ///
    /// Default: the nearest folder with a project.config.json, from here upwards; without one, this folder, and the cloud has no functions.
    #[arg(long, value_name = "DIR", env = "EMULATOR_PROJECT")]
    pub(crate) project: Option<PathBuf>,

    /// Serve this environment only; requests that name another get the cloud's error
    ///
    /// Default: any environment is created at its first use, and requests that name none mean `cloud1`.
    #[arg(long = "env", value_name = "ID", env = "EMULATOR_ENV")]
    pub(crate) environment: Option<String>,

    /// How the log is written, to standard error
    ///
    /// Default: text.
    #[arg(long, value_name = "FORMAT", env = "EMULATOR_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    #[command(flatten)]
    pub(crate) cloud: CloudArguments,

    /// Where the data is kept
    ///
    /// Default: `.emulator` in the project. It is kept out of git.
    #[arg(long, value_name = "DIR", env = "EMULATOR_DATA")]
    pub(crate) data: Option<PathBuf>,

    /// The port to listen on, on 127.0.0.1 only
    ///
    /// Default: the first free one of 7357 to 7366.
    #[arg(long, value_name = "N", env = "EMULATOR_PORT")]
    pub(crate) port: Option<u16>,

    /// Keep the data in a temporary folder that is removed at the end, whatever --data says
    #[arg(long, env = "EMULATOR_EPHEMERAL")]
    pub(crate) ephemeral: bool,

    /// Fill an empty cloud from this folder: `database/NAME.jsonl` and `storage/`
    ///
    /// A cloud that has data already is left as it is, and the output says so.
    #[arg(long, value_name = "DIR", env = "EMULATOR_FIXTURES")]
    pub(crate) fixtures: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    /// The function's name
    pub(crate) name: String,

    /// The data it is called with: JSON, or @FILE to read it from a file
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) data: String,

    /// Call as this mini-program user: the OPENID that the function sees
    #[arg(long = "as", value_name = "OPENID")]
    pub(crate) openid: Option<String>,

    /// Where the cloud's data is kept, as `start --data`
    ///
    /// An emulator that runs on it is asked; when none does, this command opens the folder itself.
    #[arg(long, value_name = "DIR", env = "EMULATOR_DATA")]
    pub(crate) data_folder: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) cloud: CloudArguments,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line, for programs.
    Json,
}

const AFTER_HELP: &str = "\
Examples:
  emulator start                             in a mini-program project: its functions, and the data kept in .emulator
  emulator start --ephemeral --fixtures DIR  for a test: a cloud with known data, gone afterwards
  emulator call addTodo --data '{\"title\":\"milk\"}' --as alice

Flags come first, then environment variables (EMULATOR_PORT, EMULATOR_ENV, ...), then emulator.toml in the project.";
