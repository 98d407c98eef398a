//! `emulator completion SHELL`: what teaches a shell the commands and flags, with their help in the language chosen.

use crate::help;
use crate::language::Language;
use clap_complete::Shell;
use std::io::Write;
use std::process::ExitCode;

/// What the shell knows the program by.
const PROGRAM: &str = "emulator";

/// Prints the script for `shell`.
pub(crate) fn run(shell: Shell, language: Language) -> ExitCode {
    match std::io::stdout().write_all(&script(shell, language)) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read has read enough.
        Err(_) => ExitCode::FAILURE,
    }
}

fn script(shell: Shell, language: Language) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::command(language), PROGRAM, &mut script);
    script
}
