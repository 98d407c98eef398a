//! How a command reaches the cloud of a data folder: it asks the emulator that runs on it, or opens the folder itself for one
//! question when none does.

use crate::arguments::CloudArguments;
use crate::client::{self, ClientError};
use crate::port::{self, PortError};
use crate::settings::{Settings, SettingsError};
use environment::{Cloud, DataFolder, DataFolderError, OpenError};
use gateway::Reach;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Lets the system choose a port: nobody but a function that runs meanwhile needs to know it.
const PORT_ANY: u16 = 0;

/// A cloud that may be running or not.
pub(crate) struct Asked {
    settings: Settings,
    data: Option<PathBuf>,
}

/// Why a cloud could not be asked, or what it refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
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

impl Asked {
    /// The cloud that `cloud` and `data` mean.
    pub(crate) fn new(cloud: &CloudArguments, data: Option<PathBuf>) -> Result<Asked, AskError> {
        Ok(Asked { settings: Settings::settle(cloud)?, data })
    }

    /// The answer to a command of `/_emulator/*`, in the environment that the settings name.
    pub(crate) async fn ask(self, command: &str, mut params: Value) -> Result<Value, AskError> {
        if let (Some(params), Some(environment)) = (params.as_object_mut(), self.settings.environment()) {
            params.insert("env".to_owned(), environment.into());
        }
        let path = format!("/_emulator/{command}");
        let holder = DataFolder::holder(&self.settings.data_path(self.data.as_deref()));
        match holder {
            Some(holder) => Ok(client::post(&holder, &path, &params).await?),
            None => ask_alone(self.settings, self.data.as_deref(), &path, &params).await,
        }
    }
}

/// Opens the data folder for one question. The SDK in a function needs the doors, so they are opened too. Nothing is logged: an
/// answer brings what a function printed.
async fn ask_alone(settings: Settings, data: Option<&Path>, path: &str, params: &Value) -> Result<Value, AskError> {
    let folder = settings.data_folder(data, false)?;
    let gateway = port::listen(Some(PORT_ANY), Reach::Loopback).await?;
    let cloud = Cloud::open(settings.cloud(gateway.port(), None)?, folder).await?;
    gateway.open(cloud.clone());
    let holder = cloud.holder().clone();
    let answer = client::post(&holder, path, params).await;
    gateway.close().await;
    cloud.close().await?;
    Ok(answer?)
}
