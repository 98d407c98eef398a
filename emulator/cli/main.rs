//! The binary `emulator`: reads the command line and hands over to the file of the command.

mod arguments;
mod ask;
mod call;
mod client;
mod clock;
mod completion;
mod data;
mod doctor;
mod exchange;
mod exec;
mod fold;
mod handshake;
mod help;
mod init;
mod language;
mod logging;
mod mistake;
mod namespaces;
mod output;
mod port;
mod program;
mod progress;
mod project;
mod reseed;
mod rules;
mod settings;
mod signals;
mod start;
mod users;
mod variables;

use arguments::{Arguments, Command};
use clap::Parser;
use language::{Language, text};
use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

/// How long the last threads have at the end.
const PATIENCE_AT_END: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    // Before anything else is set up: a worker is a process of its own that shares only this file with the emulator.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == settings::WORKER_ARGUMENT) {
        return environment::run_worker();
    }
    let language = Language::choose(std::env::args_os());
    let arguments = match parse(language) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    match arguments.command {
        Command::Start(arguments) => run(start::run(arguments)),
        Command::Exec(arguments) => run(exec::run(arguments)),
        Command::Call(arguments) => run(call::run(arguments)),
        Command::Db { command, place } => run(data::db(command, place)),
        Command::Seed(arguments) => run(data::seed(arguments)),
        Command::Reset(place) => run(data::reset(place)),
        Command::Rules { command, place } => run(rules::run(command, place)),
        Command::Users { command, place } => run(users::run(command, place)),
        Command::Outbox(place) => run(users::outbox(place)),
        Command::Import(arguments) => run(exchange::import(arguments)),
        Command::Export(arguments) => run(exchange::export(arguments)),
        Command::Fork { name, place } => run(namespaces::fork(name, place)),
        Command::Drop { fork, place } => run(namespaces::drop(&fork, place)),
        Command::Forks(place) => run(namespaces::forks(place)),
        Command::Snapshot { name, place } => run(namespaces::snapshot(&name, place)),
        Command::Restore { name, place } => run(namespaces::restore(&name, place)),
        Command::Snapshots { command, place } => run(namespaces::snapshots(command, place)),
        Command::Clock { command, place } => run(clock::run(command, place)),
        Command::Doctor(arguments) => run(doctor::run(arguments)),
        Command::Init(arguments) => run(std::future::ready(init::run(&arguments))),
        Command::Completion { shell } => completion::run(shell, language),
    }
}

/// The command line; else what was shown in its place (help, a mistake) has this exit status. It is in `language`, which takes
/// longer than the reading and is left for then.
fn parse(language: Language) -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| match (language, help::command(language).try_get_matches()) {
        (Language::Chinese, Err(translated)) => show(&translated, mistake::describe(&translated)),
        (Language::Chinese, Ok(_)) | (Language::English, _) => show(&error, None),
    })
}

/// Shows what `clap` has to say in place of a command, or its translation.
#[allow(clippy::print_stderr)]
fn show(error: &clap::Error, translation: Option<String>) -> ExitCode {
    match translation {
        Some(translation) => eprintln!("{translation}"),
        // Nobody is there to be told that it cannot be shown.
        None => drop(error.print()),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

fn run<E: Display>(command: impl Future<Output = Result<ExitCode, E>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(command).map_err(|error| error.to_string());
            // Everything that matters has ended in order by now; what still waits for a disk or a person must not keep the process.
            runtime.shutdown_timeout(PATIENCE_AT_END);
            outcome
        }
        Err(error) => Err(text!("threads-failed", reason = error.to_string())),
    };
    outcome.unwrap_or_else(|message| {
        complain(&message);
        ExitCode::FAILURE
    })
}

/// The last words of a command that failed.
#[allow(clippy::print_stderr)]
fn complain(message: &str) {
    eprintln!("{}", text!("error", message = message));
}
