//! WeChat DevTools: whether it lets the mini program reach this machine, and whether the mini program asks the emulator.

use super::commands;
use super::finding::Finding;
use super::place::Place;
use super::project_files::read_json;
use crate::init::{APP_FILES, CLIENT, CLIENT_FILE, CLIENT_MARK, PRIVATE_CONFIG_FILE, has_line};
use crate::project::CONFIG_FILE;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Cloud code of a page reads so.
const CLOUD_MARK: &str = "wx.cloud";
/// Folders whose scripts are not the mini program's own, sorted.
const FOREIGN_FOLDERS: &[&str] = &["miniprogram_npm", "node_modules"];
/// A mini program's own scripts are fewer, and shorter: a release has 2 MB a package.
const FILES_MAX: usize = 5_000;
const FILE_BYTES_MAX: u64 = 2 << 20;

/// The mini program's side of the emulator, as it stands in the project.
struct Client<'a> {
    app: &'a Path,
    app_text: String,
    path: PathBuf,
    /// `None`: it is not there.
    text: Option<String>,
    /// Whether the mini program uses `wx.cloud` at all.
    is_needed: bool,
}

/// Looks at a mini program; a project without pages has nothing to look at.
pub(super) fn check(place: &Place) -> Vec<Finding> {
    let app = APP_FILES.iter().map(|name| place.pages().join(name)).find(|path| path.is_file());
    let Some(app) = app else { return Vec::new() };
    let text = std::fs::read_to_string(place.pages().join(CLIENT_FILE)).ok();
    let client = Client {
        app: &app,
        app_text: std::fs::read_to_string(&app).unwrap_or_default(),
        path: place.pages().join(CLIENT_FILE),
        text,
        is_needed: uses_cloud(place.pages(), place.functions()),
    };
    let mut findings: Vec<Finding> = judge_client(&client).into_iter().collect();
    findings.extend(check_url_check(&place.folder));
    if findings.is_empty() {
        let well = if client.text.is_some() { Finding::ok("devtools.ready") } else { Finding::ok("devtools.no-cloud") };
        findings.push(well.with("path", app.display()));
    }
    let init = commands::emulator("init", place.named.as_deref());
    findings.into_iter().map(|finding| finding.with("init", &init)).collect()
}

fn judge_client(client: &Client<'_>) -> Option<Finding> {
    let is_loaded = has_line(&client.app_text);
    let finding = match &client.text {
        None if client.is_needed || is_loaded => Finding::fault("devtools.client-missing"),
        None => return None,
        Some(text) if !text.contains(CLIENT_MARK) => Finding::fault("devtools.client-foreign"),
        Some(_) if !is_loaded => Finding::fault("devtools.line-missing"),
        Some(text) if text != CLIENT => Finding::warning("devtools.client-stale"),
        Some(_) => return None,
    };
    Some(finding.with("path", client.path.display()).with("app", client.app.display()))
}

/// `setting.urlCheck` must be off, and the private file's word counts.
fn check_url_check(folder: &Path) -> Option<Finding> {
    let private = folder.join(PRIVATE_CONFIG_FILE);
    if private.is_file() && !read_json(&private).is_object() {
        return Some(Finding::fault("devtools.private-broken").with("path", private.display()));
    }
    let files = [private, folder.join(CONFIG_FILE)];
    let said = files.iter().find_map(|path| Some((path, url_check(&read_json(path))?)));
    match said {
        Some((_, false)) => None,
        Some((path, true)) => Some(Finding::fault("devtools.url-check").with("path", path.display())),
        None => Some(Finding::fault("devtools.url-check-unset").with("path", files[0].display())),
    }
}

fn url_check(config: &Value) -> Option<bool> {
    config["setting"]["urlCheck"].as_bool()
}

/// Whether a script below `pages` speaks of `wx.cloud`; functions and packages do not count.
fn uses_cloud(pages: &Path, functions: Option<&Path>) -> bool {
    let mut seen = 0;
    let mut folders = vec![pages.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > FILES_MAX {
                return false;
            }
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if is_own_folder(&path) && functions.is_none_or(|functions| !is_same(functions, &path)) {
                    folders.push(path);
                }
            } else if is_own_script(&path) && mentions_cloud(&path) {
                return true;
            }
        }
    }
    false
}

fn is_own_folder(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    !name.starts_with('.') && !FOREIGN_FOLDERS.contains(&name.as_ref())
}

/// The functions' folder may be written `cloudfunctions/` or `./cloudfunctions`.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((std::fs::canonicalize(one), std::fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

fn is_own_script(path: &Path) -> bool {
    let is_script = path.extension().is_some_and(|extension| extension == "js" || extension == "ts");
    is_script && path.file_name().is_some_and(|name| name != CLIENT_FILE)
}

fn mentions_cloud(path: &Path) -> bool {
    let is_short = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() <= FILE_BYTES_MAX);
    is_short && std::fs::read_to_string(path).is_ok_and(|text| text.contains(CLOUD_MARK))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::init::LINE;

    #[test]
    fn the_client_must_be_there_loaded_and_of_today() {
        let stale = format!("// {CLIENT_MARK}");
        let with_line = format!("{LINE}\nApp({{}})");
        for (app, text, is_needed, id) in [
            ("App({})", None, false, None),
            ("App({})", None, true, Some("devtools.client-missing")),
            (with_line.as_str(), None, false, Some("devtools.client-missing")),
            (&with_line, Some("module.exports = 1"), true, Some("devtools.client-foreign")),
            ("App({})", Some(CLIENT), true, Some("devtools.line-missing")),
            (&with_line, Some(stale.as_str()), true, Some("devtools.client-stale")),
            (&with_line, Some(CLIENT), true, None),
        ] {
            let client = Client {
                app: Path::new("app.js"),
                app_text: app.to_owned(),
                path: PathBuf::from(CLIENT_FILE),
                text: text.map(str::to_owned),
                is_needed,
            };
            assert_eq!(judge_client(&client).map(|finding| finding.id), id, "{app}");
        }
    }

    #[test]
    fn the_private_word_on_url_check_counts() {
        let (on, off) = (r#"{"setting": {"urlCheck": true}}"#, r#"{"setting": {"urlCheck": false}}"#);
        for (private, shared, id) in [
            (None, None, Some("devtools.url-check-unset")),
            (None, Some("{}"), Some("devtools.url-check-unset")),
            (None, Some(on), Some("devtools.url-check")),
            (None, Some(off), None),
            (Some(off), Some(on), None),
            (Some(on), Some(off), Some("devtools.url-check")),
            (Some("{}"), Some(off), None),
            (Some("{"), Some(off), Some("devtools.private-broken")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in [(PRIVATE_CONFIG_FILE, private), (CONFIG_FILE, shared)] {
                if let Some(text) = text {
                    std::fs::write(folder.path().join(name), text).unwrap();
                }
            }
            assert_eq!(check_url_check(folder.path()).map(|finding| finding.id), id, "{private:?} {shared:?}");
        }
    }

    #[test]
    fn only_the_mini_programs_own_scripts_count() {
        for (file, uses) in [
            ("pages/a/a.js", true),
            ("app.ts", true),
            ("wx-cloud.js", false),
            ("miniprogram_npm/x/index.js", false),
            ("cloudfunctions/f/index.js", false),
            ("a.wxml", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "const db = wx.cloud.database()").unwrap();
            let functions = folder.path().join("cloudfunctions/");
            assert_eq!(uses_cloud(folder.path(), Some(&functions)), uses, "{file}");
        }
    }
}
