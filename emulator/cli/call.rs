//! `emulator call NAME`: calls a function in the emulator that runs on the data folder, or in one of its own when none does.

use crate::arguments::CallArguments;
use crate::client::{self, ClientError};
use crate::port::{self, PortError};
use crate::settings::{Settings, SettingsError};
use environment::{Cloud, DataFolder, DataFolderError, OpenError};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// Lets the system choose a port: nobody but the function itself needs to know it.
const PORT_ANY: u16 = 0;

/// Why a function could not be called. That it failed is no such error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("--data is not JSON: {0}")]
    Data(serde_json::Error),
    #[error("--data: {0} cannot be read: {1}")]
    DataFile(String, std::io::Error),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Calls, prints, and fails when the function failed.
pub(crate) async fn run(arguments: CallArguments) -> Result<ExitCode, CallError> {
    let data = read_data(&arguments.data)?;
    let settings = Settings::settle(&arguments.cloud)?;
    let request = json!({
        "function": arguments.name,
        "data": data,
        "openid": arguments.openid,
        "env": settings.environment(),
    });
    let answer = match DataFolder::holder(&settings.data_path(arguments.data_folder.as_deref())) {
        Some(holder) => client::post(&holder, "/_emulator/call", &request).await?,
        None => call_alone(settings, arguments.data_folder.as_deref(), &request).await?,
    };
    Ok(print(&answer))
}

fn read_data(argument: &str) -> Result<Value, CallError> {
    let text = match argument.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|error| CallError::DataFile(path.into(), error))?,
        None => argument.to_owned(),
    };
    serde_json::from_str(&text).map_err(CallError::Data)
}

/// Opens the data folder for this one call. The function's own SDK needs the doors, so they are opened too. Nothing is logged:
/// the answer brings what the function printed.
async fn call_alone(settings: Settings, data: Option<&Path>, request: &Value) -> Result<Value, CallError> {
    let folder = settings.data_folder(data, false)?;
    let gateway = port::listen(Some(PORT_ANY)).await?;
    let cloud = Cloud::open(settings.cloud(gateway.port(), None)?, folder).await?;
    gateway.open(cloud.clone());
    let holder = cloud.holder().clone();
    let answer = client::post(&holder, "/_emulator/call", request).await;
    gateway.close().await;
    cloud.close().await?;
    Ok(answer?)
}

/// The result on standard output, what was logged and how long it took on standard error.
#[allow(clippy::print_stdout, clippy::print_stderr)]
fn print(answer: &Value) -> ExitCode {
    for line in answer["logs"].as_array().into_iter().flatten() {
        let level = line["level"].as_str().unwrap_or_default();
        eprintln!("{level:5} {}", line["text"].as_str().unwrap_or_default());
    }
    let duration = answer["durationMs"].as_f64().unwrap_or_default();
    eprintln!("took {duration:.1} ms, request {}", answer["requestId"].as_str().unwrap_or_default());
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
            println!("{:#}", answer["result"]);
            ExitCode::SUCCESS
        }
    }
}
