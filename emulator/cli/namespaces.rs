//! `emulator fork`, `drop`, `forks`, `snapshot`, `restore` and `snapshots`: environments as a whole, copied and remembered.

use crate::arguments::{PlaceArguments, SnapshotsCommand};
use crate::ask::{AskError, Asked};
use crate::language::text;
use crate::output::say;
use serde_json::{Value, json};
use std::process::ExitCode;

/// `emulator fork [NAME]`: prints the environment that was made.
pub(crate) async fn fork(name: Option<String>, place: PlaceArguments) -> Result<ExitCode, AskError> {
    let params = name.map_or_else(|| json!({}), |name| json!({ "name": name }));
    let made = Asked::at(place)?.ask("fork", params).await?;
    say(made["env"].as_str().unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

/// `emulator drop ENV`.
pub(crate) async fn drop(fork: &str, place: PlaceArguments) -> Result<ExitCode, AskError> {
    Asked::at(place)?.ask("drop", json!({ "env": fork })).await?;
    say(&text!("fork-dropped", fork = fork));
    Ok(ExitCode::SUCCESS)
}

/// `emulator forks`: one a line.
pub(crate) async fn forks(place: PlaceArguments) -> Result<ExitCode, AskError> {
    print_names(&Asked::at(place)?.ask("forks", json!({})).await?["forks"]);
    Ok(ExitCode::SUCCESS)
}

/// `emulator snapshot NAME`.
pub(crate) async fn snapshot(name: &str, place: PlaceArguments) -> Result<ExitCode, AskError> {
    Asked::at(place)?.ask("snapshot", json!({ "name": name })).await?;
    say(&text!("snapshot-taken", name = name));
    Ok(ExitCode::SUCCESS)
}

/// `emulator restore NAME`.
pub(crate) async fn restore(name: &str, place: PlaceArguments) -> Result<ExitCode, AskError> {
    Asked::at(place)?.ask("restore", json!({ "name": name })).await?;
    say(&text!("snapshot-restored", name = name));
    Ok(ExitCode::SUCCESS)
}

/// `emulator snapshots …`.
pub(crate) async fn snapshots(command: Option<SnapshotsCommand>, place: PlaceArguments) -> Result<ExitCode, AskError> {
    let asked = Asked::at(place)?;
    match command.unwrap_or(SnapshotsCommand::List) {
        SnapshotsCommand::List => print_names(&asked.ask("snapshots/list", json!({})).await?["snapshots"]),
        SnapshotsCommand::Remove { name } => {
            asked.ask("snapshots/remove", json!({ "name": name })).await?;
            say(&text!("snapshot-removed", name = name));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_names(names: &Value) {
    names.as_array().into_iter().flatten().filter_map(Value::as_str).for_each(say);
}
