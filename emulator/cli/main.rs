//! The binary `emulator`: reads the command line and hands over to the file of the command.

mod arguments;
mod ask;
mod call;
mod client;
mod data;
mod doctor;
mod exec;
mod init;
mod language;
mod logging;
mod port;
mod program;
mod project;
mod rules;
mod settings;
mod signals;
mod start;
mod users;
mod variables;

use arguments::{Arguments, Command};
use clap::Parser;
use std::fmt::Display;
use std::process::ExitCode;

fn main() -> ExitCode {
    language::Language::choose(std::env::args_os());
    match Arguments::parse().command {
        // Before anything else is set up: a worker is a process of its own that shares only this file with the emulator.
        Command::FunctionWorker => environment::run_worker(),
        Command::Start(arguments) => run(start::run(arguments)),
        Command::Exec(arguments) => run(exec::run(arguments)),
        Command::Call(arguments) => run(call::run(arguments)),
        Command::Db { command, place } => run(data::db(command, place)),
        Command::Seed(arguments) => run(data::seed(arguments)),
        Command::Reset(place) => run(data::reset(place)),
        Command::Rules { command, place } => run(rules::run(command, place)),
        Command::Users { command, place } => run(users::run(command, place)),
        Command::Outbox(place) => run(users::outbox(place)),
        Command::Doctor(arguments) => run(doctor::run(arguments)),
        Command::Init(arguments) => run(std::future::ready(init::run(&arguments))),
    }
}

fn run<E: Display>(command: impl Future<Output = Result<ExitCode, E>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match &runtime {
        Ok(runtime) => runtime.block_on(command).map_err(|error| error.to_string()),
        Err(error) => Err(format!("no threads can be started: {error}")),
    };
    outcome.unwrap_or_else(|message| {
        complain(&message);
        ExitCode::FAILURE
    })
}

/// The last words of a command that failed.
#[allow(clippy::print_stderr)]
fn complain(message: &str) {
    eprintln!("error: {message}");
}
