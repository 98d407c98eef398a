//! `emulator call NAME`: calls a function in the emulator that runs on the data folder, or in one of its own when none does.

use crate::arguments::CallArguments;
use crate::ask::{AskError, Asked};
use crate::language::text;
use crate::output::say;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Why a function could not be called. That it failed is no such error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{}", text!("not-json", what = "--data", reason = .0.to_string()))]
    Data(serde_json::Error),
    #[error("{}", text!("call-data-unreadable", path = .0.clone(), reason = .1.to_string()))]
    DataFile(String, std::io::Error),
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// Calls, prints, and fails when the function failed.
pub(crate) async fn run(arguments: CallArguments) -> Result<ExitCode, CallError> {
    let data = read_data(&arguments.data)?;
    let asked = Asked::new(&arguments.cloud, arguments.data_folder)?;
    let request = json!({ "function": arguments.name, "data": data, "openid": arguments.openid });
    Ok(print(&asked.ask("call", request).await?))
}

fn read_data(argument: &str) -> Result<Value, CallError> {
    let text = match argument.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| CallError::DataFile(path.into(), error))?,
        None => argument.to_owned(),
    };
    serde_json::from_str(&text).map_err(CallError::Data)
}

/// The result on standard output, what was logged and how long it took on standard error.
#[allow(clippy::print_stderr)]
fn print(answer: &Value) -> ExitCode {
    for line in answer["logs"].as_array().into_iter().flatten() {
        let level = line["level"].as_str().unwrap_or_default();
        eprintln!("{level:5} {}", line["text"].as_str().unwrap_or_default());
    }
    let duration = answer["durationMs"].as_f64().unwrap_or_default();
    let request = answer["requestId"].as_str().unwrap_or_default();
    eprintln!("{}", text!("call-took", milliseconds = format!("{duration:.1}"), request = request));
    match answer.get("error") {
        Some(error) => {
            eprintln!(
                "{}: {}",
                error["code"].as_str().unwrap_or_default(),
                error["message"].as_str().unwrap_or_default()
            );
            ExitCode::FAILURE
        }
        None => {
            say(format_args!("{:#}", answer["result"]));
            ExitCode::SUCCESS
        }
    }
}
