//! `--fix`: runs `npm install` for the functions that lack packages, after asking whoever sits at the terminal.

use super::function_folders::{Lacking, lacking};
use super::place::Place;
use super::texts;
use crate::program;
use std::ffi::OsStr;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{ExitStatus, Stdio};
use tokio::process::Command;

/// Installs them, each after a yes; with `is_agreed`, and where nobody can be asked, without a question. An installation that fails
/// ends nothing: the checks say what is missing still.
pub(super) async fn missing_packages(place: &Place, is_agreed: bool) -> io::Result<()> {
    for lacking in lacking(place.functions()) {
        if is_agreed || !io::stdin().is_terminal() || agrees(&lacking)? {
            let outcome = install(&lacking).await;
            say_failure(&lacking, outcome);
        }
    }
    Ok(())
}

/// What npm prints goes to standard error: standard output is for the findings.
async fn install(lacking: &Lacking) -> io::Result<ExitStatus> {
    let mut command = Command::new(program::find(OsStr::new("npm")));
    command.args(["install", "--no-audit", "--no-fund"]).current_dir(&lacking.folder);
    command.stdin(Stdio::null()).stdout(io::stderr()).kill_on_drop(true);
    command.status().await
}

fn agrees(lacking: &Lacking) -> io::Result<bool> {
    say(&format!("{} [Y/n] ", about("install-question", lacking)));
    let mut answer = String::new();
    // The end of the input is no yes.
    let is_answer = io::stdin().lock().read_line(&mut answer)? > 0;
    Ok(is_answer && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes" | "是"))
}

fn say_failure(lacking: &Lacking, outcome: io::Result<ExitStatus>) {
    let reason = match outcome {
        Ok(status) if status.success() => return,
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    say(&format!("{}: {reason}\n", about("install-failed", lacking)));
}

fn about(id: &str, lacking: &Lacking) -> String {
    let values = [
        ("function", lacking.function.clone()),
        ("folder", lacking.folder.display().to_string()),
        ("packages", lacking.packages.join(", ")),
    ];
    texts::text(id, &values)
}

fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    // Who cannot be told can still be served.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
