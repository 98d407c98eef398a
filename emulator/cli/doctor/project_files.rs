//! project.config.json and emulator.toml: whether they can be read, and whether what they name is there.

use super::commands;
use super::finding::Finding;
use super::place::Place;
use crate::project::{CONFIG_FILE, ProjectError};
use crate::settings::{self, SettingsError};
use serde_json::Value;
use std::path::Path;

/// Where DevTools puts the functions of a new project.
const FUNCTIONS_FOLDER_USUAL: &str = "cloudfunctions";

/// Looks at both files.
pub(super) fn check(place: &Place) -> Vec<Finding> {
    let mut findings = check_config(place);
    findings.extend(check_settings(place));
    if findings.is_empty() {
        findings.push(Finding::ok("project.ready").with("path", place.folder.display()));
    }
    findings
}

fn check_config(place: &Place) -> Vec<Finding> {
    let path = place.folder.join(CONFIG_FILE);
    match &place.project {
        Err(error) => {
            let error = match error {
                ProjectError::Parse { source, .. } => source.to_string(),
                ProjectError::Folder { source, .. } | ProjectError::Read { source, .. } => source.to_string(),
            };
            vec![Finding::fault("project.config-broken").with("path", path.display()).with("error", error)]
        }
        Ok(_) if !path.is_file() => {
            vec![Finding::warning("project.none").with("path", place.folder.display())]
        }
        Ok(_) => judge_config(&place.folder, &read_json(&path)),
    }
}

/// What a config that can be read lacks.
fn judge_config(folder: &Path, config: &Value) -> Vec<Finding> {
    let text = |name: &str| config[name].as_str().filter(|text| !text.is_empty());
    let mut findings = Vec::new();
    if text("appid").is_none() {
        findings.push(Finding::warning("project.no-appid").with("path", folder.join(CONFIG_FILE).display()));
    }
    match text("cloudfunctionRoot").map(|name| (name, folder.join(name))) {
        Some((name, path)) if !path.is_dir() => {
            let finding = Finding::fault("project.functions-missing").with("name", name).with("path", path.display());
            findings.push(finding.with("command", commands::make_folder(&path)));
        }
        None if folder.join(FUNCTIONS_FOLDER_USUAL).is_dir() => {
            findings.push(Finding::warning("project.functions-unnamed").with("name", FUNCTIONS_FOLDER_USUAL));
        }
        Some(_) | None => {}
    }
    findings
}

fn check_settings(place: &Place) -> Vec<Finding> {
    let path = place.folder.join(settings::SETTINGS_FILE);
    if let Err(error) = settings::check_file(&path) {
        let error = match error {
            // The path stands in the finding's own words already.
            SettingsError::Parse { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        let finding = Finding::fault("project.settings-broken").with("path", path.display());
        return vec![finding.with("error", error.trim_end())];
    }
    let fixtures = place.settings.as_ref().ok().and_then(|settings| settings.fixtures(None));
    let missing = fixtures.filter(|fixtures| !fixtures.is_dir()).map(|fixtures| {
        let finding = Finding::fault("project.fixtures-missing").with("path", fixtures.display());
        finding.with("command", commands::make_folder(&fixtures))
    });
    missing.into_iter().collect()
}

/// `null` where there is none, or none that can be read.
pub(super) fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_config_names_must_be_there() {
        check(&json!({"appid": "wx1", "cloudfunctionRoot": "there"}), &[]);
        check(&json!({"appid": "wx1"}), &["project.functions-unnamed"]);
        check(&json!({"appid": "", "cloudfunctionRoot": "there/"}), &["project.no-appid"]);
        check(&json!({"appid": "wx1", "cloudfunctionRoot": "gone"}), &["project.functions-missing"]);
    }

    fn check(config: &Value, expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["there", FUNCTIONS_FOLDER_USUAL] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let ids: Vec<&str> = judge_config(folder.path(), config).iter().map(|finding| finding.id).collect();
        assert_eq!(ids, expected, "{config}");
    }
}
