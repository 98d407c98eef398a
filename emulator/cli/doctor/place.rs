//! What is looked at: the project, its settings and its data folder, each as far as it can be made out. A broken file is a finding,
//! never an end.

use crate::arguments::DoctorArguments;
use crate::project::{Project, ProjectError};
use crate::settings::{self, Settings, SettingsError};
use std::path::{Path, PathBuf};

/// What is looked at.
pub(super) struct Place {
    /// The project's folder, which is there.
    pub(super) folder: PathBuf,
    pub(super) project: Result<Project, ProjectError>,
    /// The folder that was asked for by name; `None`: the project around the current folder.
    pub(super) named: Option<PathBuf>,
    /// `Err` where project.config.json or emulator.toml cannot be used.
    pub(super) settings: Result<Settings, SettingsError>,
    /// Where the data is kept, or would be.
    pub(super) data: PathBuf,
    /// The port that a start would insist on.
    pub(super) port: Option<u16>,
}

impl Place {
    pub(super) fn of(arguments: &DoctorArguments) -> Result<Place, ProjectError> {
        let (cloud, data) = (&arguments.place.cloud, arguments.place.data.as_deref());
        let folder = Project::folder(cloud.project.as_deref())?;
        let settings = Settings::settle(cloud);
        let path = match &settings {
            Ok(settings) => settings.data_path(data),
            Err(_) => data.map_or_else(|| folder.join(settings::DATA_FOLDER), Path::to_path_buf),
        };
        let port = match &settings {
            Ok(settings) => settings.port(arguments.port),
            Err(_) => arguments.port,
        };
        let data = std::path::absolute(&path).unwrap_or(path);
        Ok(Place { project: Project::find(Some(&folder)), named: cloud.project.clone(), folder, settings, data, port })
    }

    /// The folder of the functions, if there is one.
    pub(super) fn functions(&self) -> Option<&Path> {
        self.project.as_ref().ok()?.functions.as_deref()
    }

    /// The folder of the mini program's pages; the project's own where it does not say.
    pub(super) fn pages(&self) -> &Path {
        self.project.as_ref().map_or(&self.folder, |project| &project.pages)
    }
}
