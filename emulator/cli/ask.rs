//! How a command reaches the cloud of a data folder: it asks the emulator that runs on it, or opens the folder itself for one
//! question when none does.

use crate::arguments::{CloudArguments, PlaceArguments};
use crate::client::{self, ClientError};
use crate::language::text;
use crate::port::{self, PortError};
use crate::progress;
use crate::settings::{Settings, SettingsError};
use crate::signals::Signals;
use environment::{Cloud, DataFolder, DataFolderError, Holder, OpenError};
use gateway::{Gateway, Reach};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::pin::pin;
use uuid::Uuid;

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
    #[error("{}", text!("not-running", data = .data.display().to_string()))]
    NotRunning { data: PathBuf },
    #[error("{}", text!("signals-failed", reason = .0.to_string()))]
    Signals(std::io::Error),
}

/// Why a path cannot be told to an emulator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PathError {
    #[error("{}", text!("path-unnameable", path = .path.display().to_string(), reason = .source.to_string()))]
    Unnameable { path: PathBuf, source: std::io::Error },
    #[error("{}", text!("path-not-text", path = .0.display().to_string()))]
    NotText(PathBuf),
}

/// The path as the emulator's own process would name it, in JSON.
pub(crate) fn path_text(path: &Path) -> Result<String, PathError> {
    let absolute = std::path::absolute(path);
    let absolute = absolute.map_err(|source| PathError::Unnameable { path: path.to_path_buf(), source })?;
    absolute.into_os_string().into_string().map_err(|name| PathError::NotText(name.into()))
}

impl Asked {
    /// The cloud that `cloud` and `data` mean.
    pub(crate) fn new(cloud: &CloudArguments, data: Option<PathBuf>) -> Result<Asked, AskError> {
        Ok(Asked { settings: Settings::settle(cloud)?, data })
    }

    /// The cloud that `place` means.
    pub(crate) fn at(place: PlaceArguments) -> Result<Asked, AskError> {
        Asked::new(&place.cloud, place.data)
    }

    /// Where its data is kept.
    pub(crate) fn data_path(&self) -> PathBuf {
        self.settings.data_path(self.data.as_deref())
    }

    /// The answer to a command of `/_emulator/*`, in the environment that `params` or else the settings name.
    pub(crate) async fn ask(self, command: &str, mut params: Value) -> Result<Value, AskError> {
        if let Some(params) = params.as_object_mut() {
            self.name_environment(params);
        }
        let reached = self.reach().await?;
        let answer = client::post(reached.holder(), &path(command), &params).await;
        reached.close().await?;
        Ok(answer?)
    }

    /// The same, of an emulator that runs.
    pub(crate) async fn ask_running(self, command: &str, mut params: Value) -> Result<Value, AskError> {
        if let Some(params) = params.as_object_mut() {
            self.name_environment(params);
        }
        let data = self.data_path();
        let holder = DataFolder::holder(&data).ok_or(AskError::NotRunning { data })?;
        Ok(client::post(&holder, &path(command), &params).await?)
    }

    /// The same as `ask`, for a command that may take long and knows `job`: shows how far it has come. `None`: a signal came
    /// first, and nothing was done.
    pub(crate) async fn ask_long(
        self,
        command: &str,
        mut params: Map<String, Value>,
    ) -> Result<Option<Value>, AskError> {
        let mut signals = Signals::listen().map_err(AskError::Signals)?;
        self.name_environment(&mut params);
        let job = Uuid::new_v4().to_string();
        params.insert("job".to_owned(), json!(job));
        let reached = self.reach().await?;
        let answer = follow(reached.holder(), &path(command), &Value::Object(params), &job, &mut signals).await;
        reached.close().await?;
        Ok(answer.transpose()?)
    }

    fn name_environment(&self, params: &mut Map<String, Value>) {
        if let Some(environment) = self.settings.environment() {
            params.entry("env").or_insert_with(|| environment.into());
        }
    }

    async fn reach(self) -> Result<Reached, AskError> {
        match DataFolder::holder(&self.data_path()) {
            Some(holder) => Ok(Reached::Running(holder)),
            None => Reached::open(self.settings, self.data.as_deref()).await,
        }
    }
}

/// A cloud that answers.
enum Reached {
    /// In the emulator that runs on the data folder.
    Running(Holder),
    /// In this process, until closed.
    Alone { gateway: Gateway, cloud: Cloud },
}

impl Reached {
    /// Opens the data folder. The SDK in a function needs the doors, so they are opened too. Nothing is logged: an answer brings
    /// what a function printed.
    async fn open(settings: Settings, data: Option<&Path>) -> Result<Reached, AskError> {
        let folder = settings.data_folder(data, false)?;
        let gateway = port::listen(Some(PORT_ANY), Reach::Loopback).await?;
        let cloud = Cloud::open(settings.cloud(gateway.port(), None)?, folder).await?;
        gateway.open(cloud.clone());
        Ok(Reached::Alone { gateway, cloud })
    }

    fn holder(&self) -> &Holder {
        match self {
            Reached::Running(holder) => holder,
            Reached::Alone { cloud, .. } => cloud.holder(),
        }
    }

    async fn close(self) -> Result<(), AskError> {
        match self {
            Reached::Running(_) => {}
            Reached::Alone { gateway, cloud } => {
                gateway.close().await;
                cloud.close().await?;
            }
        }
        Ok(())
    }
}

fn path(command: &str) -> String {
    format!("/_emulator/{command}")
}

/// Asks, and shows how far the job has come, until it is answered or a signal stops it.
async fn follow(
    holder: &Holder,
    path: &str,
    params: &Value,
    job: &str,
    signals: &mut Signals,
) -> Option<Result<Value, ClientError>> {
    let mut question = pin!(client::post(holder, path, params));
    tokio::select! {
        answer = &mut question => Some(answer),
        never = progress::show(holder, job) => match never {},
        _ = signals.next() => take_back(holder, job, question, signals).await,
    }
}

/// Stops a job. What its question answers all the same, if it was too late to stop it; another signal waits for nothing.
async fn take_back(
    holder: &Holder,
    job: &str,
    question: impl Future<Output = Result<Value, ClientError>>,
    signals: &mut Signals,
) -> Option<Result<Value, ClientError>> {
    let stopped = async {
        // One that has ended meanwhile has answered.
        let _ = client::post(holder, &path("cancel"), &json!({ "job": job })).await;
        question.await
    };
    tokio::select! {
        answer = stopped => answer.ok().map(Ok),
        _ = signals.next() => None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_path_is_told_whole_or_not_at_all() {
        assert_eq!(path_text(Path::new("/a/数据")).unwrap(), "/a/数据");
        assert!(Path::new(&path_text(Path::new("a")).unwrap()).is_absolute());
        let path = Path::new(OsStr::from_bytes(b"/a/\xff"));
        assert!(path_text(path).unwrap_err().to_string().contains("/a/\u{fffd}"));
    }
}
