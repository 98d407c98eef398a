//! A mini-program project: finds its folder and reads what `project.config.json` says of it.

use crate::language::text;
use serde::Deserialize;
use std::path::{Path, PathBuf};

pub(crate) const CONFIG_FILE: &str = "project.config.json";
/// What file ids and `getWXContext()` say outside a project.
const APPID_DEFAULT: &str = "wx0000000000000000";

/// The project a command works for.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// The mini program's appid, or one made up outside a project.
    pub(crate) appid: String,
    /// The folder of its cloud functions, if it has one.
    pub(crate) functions: Option<PathBuf>,
    /// The folder of its pages, with app.js.
    pub(crate) pages: PathBuf,
}

/// Why a project cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    #[error("{}", text!("project-unusable", path = .folder.display().to_string(), reason = .source.to_string()))]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error("{}", text!("unreadable", path = .path.display().to_string(), reason = .source.to_string()))]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}", text!("project-foreign", path = .path.display().to_string(), reason = .source.to_string()))]
    Parse { path: PathBuf, source: serde_json::Error },
}

/// The part of `project.config.json` that is used. DevTools writes much more.
#[derive(Debug, Default, Deserialize)]
struct Config {
    appid: Option<String>,
    #[serde(rename = "cloudfunctionRoot")]
    functions: Option<String>,
    #[serde(rename = "miniprogramRoot")]
    pages: Option<String>,
}

impl Project {
    /// The project in `folder`; without one, in the nearest folder upwards that has a project file, else the current folder.
    pub(crate) fn find(folder: Option<&Path>) -> Result<Project, ProjectError> {
        let folder = Project::folder(folder)?;
        let config = read_config(&folder.join(CONFIG_FILE))?;
        let functions = config.functions.filter(|name| !name.is_empty()).map(|name| folder.join(name));
        let appid = config.appid.filter(|appid| !appid.is_empty()).unwrap_or_else(|| APPID_DEFAULT.into());
        let pages =
            config.pages.filter(|name| !name.is_empty()).map_or_else(|| folder.clone(), |name| folder.join(name));
        Ok(Project { folder, appid, functions: functions.filter(|functions| functions.is_dir()), pages })
    }

    /// Its folder alone, whatever is in it: found as [`Project::find`] does.
    pub(crate) fn folder(folder: Option<&Path>) -> Result<PathBuf, ProjectError> {
        match folder {
            Some(folder) => resolve(folder),
            None => Ok(nearest(&resolve(Path::new("."))?)),
        }
    }
}

fn resolve(folder: &Path) -> Result<PathBuf, ProjectError> {
    let failed = |source| ProjectError::Folder { folder: folder.to_path_buf(), source };
    // Asked for its entries, a missing folder and a file both say what is wrong with them.
    std::fs::read_dir(folder).map_err(failed)?;
    std::path::absolute(folder).map_err(failed)
}

fn nearest(start: &Path) -> PathBuf {
    let found = start.ancestors().find(|folder| folder.join(CONFIG_FILE).is_file());
    found.unwrap_or(start).to_path_buf()
}

fn read_config(path: &Path) -> Result<Config, ProjectError> {
    if !path.is_file() {
        return Ok(Config::default());
    }
    let text =
        std::fs::read_to_string(path).map_err(|source| ProjectError::Read { path: path.to_path_buf(), source })?;
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str(text).map_err(|source| ProjectError::Parse { path: path.to_path_buf(), source })
}
