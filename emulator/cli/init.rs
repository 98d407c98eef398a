//! `emulator init`: lets the mini program of a project use the emulator in DevTools. Writes one file and one line, switches one
//! setting of DevTools, and says so; `--undo` takes all of it back. What it changed of the developer's own is remembered in the
//! data folder.

use crate::arguments::InitArguments;
use crate::language::text;
use crate::output::say;
use crate::settings::{Settings, SettingsError};
use environment::{DataFolder, DataFolderError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `wx.cloud`, answered by the emulator.
pub(crate) const CLIENT: &str = include_str!("../miniprogram/wx-cloud.js");
pub(crate) const CLIENT_FILE: &str = "wx-cloud.js";
/// How the client begins, in any version.
pub(crate) const CLIENT_MARK: &str = "`wx.cloud` of a mini program, answered by the emulator";
/// The line may stay when the file is gone: a release without it starts all the same.
pub(crate) const LINE: &str = "try { require('./wx-cloud.js') } catch (e) {}";
/// The mini program's first file, in either language.
pub(crate) const APP_FILES: &[&str] = &["app.js", "app.ts"];
/// DevTools' settings of this developer alone.
pub(crate) const PRIVATE_CONFIG_FILE: &str = "project.private.config.json";
/// What `--undo` needs to know.
const MEMORY_FILE: &str = "init.json";

/// Why a project could not be set up, or back. Says what to do by hand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    #[error("{}", text!("init-no-app", path = .0.display().to_string()))]
    NoApp(PathBuf),
    #[error("{}", text!("init-foreign-file", path = .0.display().to_string()))]
    ForeignFile(PathBuf),
    #[error("{}", text!("not-json", what = .path.display().to_string(), reason = .source.to_string()))]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("{}", text!("file-not-an-object", path = .0.display().to_string()))]
    NotAnObject(PathBuf),
    #[error("{}", text!("file-unusable", path = .path.display().to_string(), reason = .source.to_string()))]
    File { path: PathBuf, source: std::io::Error },
}

/// What was there before.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    /// The private settings were made by `init`.
    made_private_config: bool,
    /// `setting.urlCheck` in them.
    url_check: Option<Value>,
}

/// The places of one project.
struct Places {
    client: PathBuf,
    app: PathBuf,
    private_config: PathBuf,
    data: PathBuf,
}

/// Sets up, or back, and says what was done.
pub(crate) fn run(arguments: &InitArguments) -> Result<ExitCode, InitError> {
    let settings = Settings::settle(&arguments.cloud)?;
    let places = Places::of(&settings)?;
    let done = if arguments.undo { places.undo()? } else { places.set_up()? };
    for line in done {
        say(line);
    }
    Ok(ExitCode::SUCCESS)
}

impl Places {
    fn of(settings: &Settings) -> Result<Places, InitError> {
        let pages = &settings.project.pages;
        let app = APP_FILES.iter().map(|name| pages.join(name)).find(|path| path.is_file());
        Ok(Places {
            client: pages.join(CLIENT_FILE),
            app: app.ok_or_else(|| InitError::NoApp(pages.clone()))?,
            private_config: settings.project.folder.join(PRIVATE_CONFIG_FILE),
            data: settings.data_path(None),
        })
    }

    /// Everything is read before anything is written, so that a file that does not fit changes nothing.
    fn set_up(&self) -> Result<Vec<String>, InitError> {
        let written = read_if_there(&self.client)?;
        if written.as_ref().is_some_and(|text| !text.contains(CLIENT_MARK)) {
            return Err(InitError::ForeignFile(self.client.clone()));
        }
        let app = read(&self.app)?;
        let config = self.read_private_config()?;
        let mut done = vec![self.write_client(written.as_deref())?];
        done.push(self.add_line(&app)?);
        done.push(self.switch_off_url_check(config)?);
        done.push(text!("init-next"));
        done.push(text!("init-release", file = CLIENT_FILE));
        Ok(done)
    }

    fn write_client(&self, written: Option<&str>) -> Result<String, InitError> {
        let path = shown(&self.client);
        if written == Some(CLIENT) {
            return Ok(text!("init-client-there", path = path));
        }
        write(&self.client, CLIENT)?;
        Ok(match written {
            Some(_) => text!("init-client-updated", path = path),
            None => text!("init-client-written", path = path),
        })
    }

    fn add_line(&self, app: &str) -> Result<String, InitError> {
        let path = shown(&self.app);
        match with_line(app) {
            None => Ok(text!("init-line-there", path = path)),
            Some(text) => {
                write(&self.app, &text)?;
                Ok(text!("init-line-added", path = path, line = LINE))
            }
        }
    }

    fn switch_off_url_check(&self, config: Option<Map<String, Value>>) -> Result<String, InitError> {
        let path = shown(&self.private_config);
        let made_private_config = config.is_none();
        let mut config = config.unwrap_or_default();
        let setting = config.entry("setting").or_insert_with(|| json!({}));
        let Some(setting) = setting.as_object_mut() else {
            return Err(InitError::NotAnObject(self.private_config.clone()));
        };
        let url_check = setting.insert("urlCheck".into(), json!(false));
        if url_check == Some(json!(false)) {
            return Ok(text!("init-check-off", path = path));
        }
        self.remember(&Memory { made_private_config, url_check })?;
        write(&self.private_config, &pretty(&config))?;
        Ok(text!("init-check-switched-off", path = path))
    }

    fn undo(&self) -> Result<Vec<String>, InitError> {
        let written = read_if_there(&self.client)?;
        let app = read(&self.app)?;
        let (config, memory) = (self.read_private_config()?, self.recall()?);
        let mut done = Vec::new();
        if written.is_some_and(|text| text.contains(CLIENT_MARK)) {
            std::fs::remove_file(&self.client).map_err(|source| failed(&self.client, source))?;
            done.push(text!("init-client-removed", path = shown(&self.client)));
        }
        if let Some(text) = without_line(&app) {
            write(&self.app, &text)?;
            done.push(text!("init-line-removed", path = shown(&self.app)));
        }
        if let (Some(config), Some(memory)) = (config, memory) {
            done.push(self.restore_url_check(config, memory)?);
        }
        if done.is_empty() {
            done.push(text!("init-nothing-to-undo"));
        }
        Ok(done)
    }

    fn restore_url_check(&self, mut config: Map<String, Value>, memory: Memory) -> Result<String, InitError> {
        if let Some(setting) = config.get_mut("setting").and_then(Value::as_object_mut) {
            match memory.url_check {
                Some(before) => drop(setting.insert("urlCheck".into(), before)),
                None => drop(setting.shift_remove("urlCheck")),
            }
            if setting.is_empty() {
                config.shift_remove("setting");
            }
        }
        if memory.made_private_config && config.is_empty() {
            std::fs::remove_file(&self.private_config).map_err(|source| failed(&self.private_config, source))?;
        } else {
            write(&self.private_config, &pretty(&config))?;
        }
        self.forget()?;
        Ok(text!("init-check-restored", path = shown(&self.private_config)))
    }

    fn read_private_config(&self) -> Result<Option<Map<String, Value>>, InitError> {
        let path = &self.private_config;
        let Some(text) = read_if_there(path)? else { return Ok(None) };
        match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(Value::Object(config)) => Ok(Some(config)),
            Ok(_) => Err(InitError::NotAnObject(path.clone())),
            Err(source) => Err(InitError::Json { path: path.clone(), source }),
        }
    }

    /// What an earlier run remembered counts: it saw what was there before either.
    fn remember(&self, memory: &Memory) -> Result<(), InitError> {
        if self.recall()?.is_some() {
            return Ok(());
        }
        DataFolder::prepare(&self.data)?;
        let path = self.data.join(MEMORY_FILE);
        write(&path, &serde_json::to_string(memory).map_err(|source| InitError::Json { path: path.clone(), source })?)
    }

    fn recall(&self) -> Result<Option<Memory>, InitError> {
        let text = read_if_there(&self.data.join(MEMORY_FILE))?;
        // One that cannot be read knows nothing.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn forget(&self) -> Result<(), InitError> {
        let path = self.data.join(MEMORY_FILE);
        std::fs::remove_file(&path).map_err(|source| failed(&path, source))
    }
}

/// `text` with the line before everything but a byte order mark and a `'use strict'`; `None` where it has the line.
fn with_line(text: &str) -> Option<String> {
    if has_line(text) {
        return None;
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let bare = text.trim_start_matches('\u{feff}');
    let mark = text.len() - bare.len();
    let first = bare.lines().next().unwrap_or_default();
    let is_directive = matches!(first.trim().trim_end_matches(';'), "'use strict'" | "\"use strict\"");
    let place = if is_directive { mark + bare.find('\n').map_or(bare.len(), |found| found + 1) } else { mark };
    let (before, after) = text.split_at_checked(place)?;
    let gap = if before.is_empty() || before.ends_with(['\n', '\u{feff}']) { "" } else { end };
    Some(format!("{before}{gap}{LINE}{end}{after}"))
}

/// `text` without the line; `None` where it has none.
fn without_line(text: &str) -> Option<String> {
    if !has_line(text) {
        return None;
    }
    let mark = if text.starts_with('\u{feff}') { "\u{feff}" } else { "" };
    let lines = text.trim_start_matches('\u{feff}').split_inclusive('\n');
    let kept: String = lines.filter(|line| line.trim() != LINE).collect();
    Some(format!("{mark}{kept}"))
}

pub(crate) fn has_line(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').lines().any(|line| line.trim() == LINE)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn pretty(config: &Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(config.clone()))
}

fn read(path: &Path) -> Result<String, InitError> {
    std::fs::read_to_string(path).map_err(|source| failed(path, source))
}

fn read_if_there(path: &Path) -> Result<Option<String>, InitError> {
    if path.exists() { read(path).map(Some) } else { Ok(None) }
}

fn write(path: &Path, text: &str) -> Result<(), InitError> {
    std::fs::write(path, text).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: std::io::Error) -> InitError {
    InitError::File { path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_line_comes_first_and_goes_without_a_trace() {
        for (before, after) in [
            ("App({})\n", format!("{LINE}\nApp({{}})\n")),
            ("App({})", format!("{LINE}\nApp({{}})")),
            ("", format!("{LINE}\n")),
            ("// app\r\nApp({})\r\n", format!("{LINE}\r\n// app\r\nApp({{}})\r\n")),
            ("'use strict';\nApp({})\n", format!("'use strict';\n{LINE}\nApp({{}})\n")),
            ("\u{feff}App({})\n", format!("\u{feff}{LINE}\nApp({{}})\n")),
        ] {
            assert_eq!(with_line(before).as_ref(), Some(&after), "{before:?}");
            assert_eq!(with_line(&after), None, "{after:?}");
            assert_eq!(without_line(&after).as_deref(), Some(before), "{after:?}");
            assert_eq!(without_line(before), None, "{before:?}");
        }
    }

    #[test]
    fn a_project_is_set_up_and_back() {
        for config in [None, Some("{\n  \"setting\": {\n    \"urlCheck\": true\n  }\n}\n"), Some("{\n  \"a\": 1\n}\n")]
        {
            let folder = tempfile::tempdir().unwrap();
            let places = places_in(folder.path(), config);
            let before = files_of(folder.path());
            places.set_up().unwrap();
            let config = places.read_private_config().unwrap().unwrap();
            assert_eq!(config["setting"]["urlCheck"], json!(false));
            assert!(read(&places.app).unwrap().starts_with(LINE));
            let once = files_of(folder.path());
            places.set_up().unwrap();
            assert_eq!(files_of(folder.path()), once);
            places.undo().unwrap();
            assert_eq!(files_of(folder.path()), before);
            assert_eq!(places.undo().unwrap(), ["nothing to take back"]);
        }
    }

    #[test]
    fn a_setting_that_was_off_stays_off() {
        let folder = tempfile::tempdir().unwrap();
        let places = places_in(folder.path(), Some("{\"setting\":{\"urlCheck\":false}}"));
        let before = files_of(folder.path());
        places.set_up().unwrap();
        places.undo().unwrap();
        assert_eq!(files_of(folder.path()), before);
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let places = places_in(folder.path(), Some("{\"setting\": 5}"));
        std::fs::write(&places.client, "module.exports = 1").unwrap();
        let before = files_of(folder.path());
        assert!(matches!(places.set_up(), Err(InitError::ForeignFile(_))));
        places.undo().unwrap();
        assert_eq!(files_of(folder.path()), before);
        std::fs::write(&places.private_config, "{").unwrap();
        std::fs::remove_file(&places.client).unwrap();
        assert!(matches!(places.set_up(), Err(InitError::Json { .. })));
        assert!(!places.client.exists());
    }

    fn places_in(folder: &Path, config: Option<&str>) -> Places {
        std::fs::write(folder.join("app.js"), "App({})\n").unwrap();
        if let Some(config) = config {
            std::fs::write(folder.join(PRIVATE_CONFIG_FILE), config).unwrap();
        }
        Places {
            client: folder.join(CLIENT_FILE),
            app: folder.join("app.js"),
            private_config: folder.join(PRIVATE_CONFIG_FILE),
            data: folder.join(".emulator"),
        }
    }

    /// What stands in the folder itself, with its content.
    fn files_of(folder: &Path) -> Vec<(PathBuf, String)> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.filter(|path| path.is_file()).map(|path| (path.clone(), read(&path).unwrap())).collect();
        files.sort();
        files
    }
}
