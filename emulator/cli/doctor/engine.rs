//! The engine: whether this binary can run a function here, tried with one that does nothing, in a cloud of its own.

use super::finding::Finding;
use crate::arguments::CloudArguments;
use crate::ask::Asked;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// A function that does nothing needs a fraction of this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(10);
const FUNCTION: &str = "nothing";
const RESULT: &str = "well";

/// Calls it.
pub(super) async fn check() -> Vec<Finding> {
    let started = Instant::now();
    let outcome = match tokio::time::timeout(PATIENCE, call()).await {
        Ok(outcome) => outcome,
        Err(_) => return vec![Finding::fault("engine.slow").with("seconds", PATIENCE.as_secs())],
    };
    vec![match outcome {
        Ok(()) => Finding::ok("engine.runs").with("milliseconds", started.elapsed().as_millis()),
        Err(error) => Finding::fault("engine.fails").with("error", error),
    }]
}

async fn call() -> Result<(), String> {
    let folder = tempfile::Builder::new().prefix("emulator-doctor-").tempdir().map_err(|error| error.to_string())?;
    write_project(folder.path()).map_err(|error| error.to_string())?;
    let cloud = CloudArguments { project: Some(folder.path().to_path_buf()), ..CloudArguments::default() };
    let asked = Asked::new(&cloud, Some(folder.path().join("data"))).map_err(|error| error.to_string())?;
    let answer = asked.ask("call", json!({ "function": FUNCTION, "data": {} })).await;
    judge(&answer.map_err(|error| error.to_string())?)
}

fn write_project(folder: &Path) -> std::io::Result<()> {
    let function = folder.join("functions").join(FUNCTION);
    std::fs::create_dir_all(&function)?;
    std::fs::write(folder.join("project.config.json"), json!({ "cloudfunctionRoot": "functions" }).to_string())?;
    std::fs::write(
        folder.join("emulator.toml"),
        format!("[functions.{FUNCTION}]\ntimeout-seconds = {}\n", PATIENCE.as_secs()),
    )?;
    std::fs::write(function.join("index.js"), format!("exports.main = async () => '{RESULT}'\n"))
}

fn judge(answer: &Value) -> Result<(), String> {
    if answer["result"] == RESULT {
        return Ok(());
    }
    let message = answer["error"]["message"].as_str().map(str::to_owned);
    // What the engine says when it dies tells more than the code of the error.
    let logs = answer["logs"].as_array().into_iter().flatten().filter_map(|line| line["text"].as_str());
    Err(message.into_iter().chain(logs.map(str::to_owned)).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_last_words_are_the_error() {
        assert_eq!(judge(&json!({ "result": "well", "logs": [] })), Ok(()));
        let answer =
            json!({ "error": { "message": "it ended" }, "logs": [{ "level": "error", "text": "no such file" }] });
        assert_eq!(judge(&answer), Err("it ended; no such file".to_owned()));
    }
}
