//! The folders of functions: whether each is one, has the packages it asks for, and none that the engine cannot load.

use super::commands;
use super::finding::Finding;
use super::place::Place;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Packed into the emulator for every function.
const PACKED_PACKAGE: &str = "wx-server-sdk";
/// A folder with one of these is meant as a function.
const MARKS: &[&str] = &["config.json", "package.json"];
/// So many files of a `node_modules` are looked at.
const FILES_MAX: usize = 50_000;

/// Packages with native code that do without it where it cannot be loaded, sorted.
const NATIVE_HARMLESS: &[&str] = &["bufferutil", "cpu-features", "fsevents", "msgpackr-extract", "utf-8-validate"];
/// Packages with native code, sorted, and ones in plain JavaScript that do the same.
const NATIVE_REPLACEMENTS: &[(&str, &str)] = &[
    ("bcrypt", "bcryptjs"),
    ("canvas", "pureimage"),
    ("iconv", "iconv-lite"),
    ("leveldown", "memory-level"),
    ("node-sass", "sass"),
    ("sharp", "jimp"),
    ("sqlite3", "sql.js"),
    ("zlib-sync", "pako"),
];

/// A function whose packages are not all installed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lacking {
    pub(super) function: String,
    pub(super) folder: PathBuf,
    /// Sorted.
    pub(super) packages: Vec<String>,
}

/// The part of a package.json that matters.
#[derive(Debug, Default, Deserialize)]
struct Package {
    #[serde(default)]
    dependencies: BTreeMap<String, serde_json::Value>,
}

/// Looks at every folder below that of the functions.
pub(super) fn check(place: &Place) -> Vec<Finding> {
    let fix = commands::emulator("doctor --fix", place.named.as_deref());
    let findings = place.functions().map(check_below).unwrap_or_default();
    findings.into_iter().map(|finding| finding.with("fix", &fix)).collect()
}

fn check_below(root: &Path) -> Vec<Finding> {
    let functions: BTreeSet<String> = environment::function_names(root).into_iter().collect();
    let folders = folders(root);
    let mut findings: Vec<Finding> =
        folders.iter().flat_map(|(name, folder)| check_folder(name, folder, functions.contains(name))).collect();
    if findings.is_empty() && !functions.is_empty() {
        let names: Vec<&str> = functions.iter().map(String::as_str).collect();
        findings.push(Finding::ok("functions.ready").with("number", names.len()).with("names", names.join(", ")));
    }
    findings
}

/// The functions below `root` that lack packages, sorted.
pub(super) fn lacking(root: Option<&Path>) -> Vec<Lacking> {
    let folders = root.map(folders).unwrap_or_default();
    folders.iter().filter_map(|(name, folder)| lacking_in(name, folder, &package_of(folder).ok()?)).collect()
}

/// The folders below `root` by name, sorted; hidden ones and what npm made are none.
fn folders(root: &Path) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, path)| !name.starts_with('.') && name != "node_modules" && path.is_dir())
        .collect()
}

fn check_folder(name: &str, folder: &Path, is_function: bool) -> Vec<Finding> {
    let package = match package_of(folder) {
        Ok(package) => package,
        Err(error) => {
            let finding = Finding::fault("functions.package-broken").with("function", name).with("error", error);
            return vec![finding.with("path", folder.join("package.json").display())];
        }
    };
    if !is_function {
        return judge_no_function(name, folder).into_iter().collect();
    }
    let lacking = lacking_in(name, folder, &package).map(|lacking| {
        let finding = Finding::fault("functions.packages-missing").with("function", name);
        let finding = finding.with("packages", lacking.packages.join(", "));
        finding.with("command", commands::inside(folder, "npm install"))
    });
    let native = native_packages(folder).into_iter().map(|package| judge_native(name, folder, &package));
    lacking.into_iter().chain(native).collect()
}

/// An empty package for a folder that has none.
fn package_of(folder: &Path) -> Result<Package, String> {
    let path = folder.join("package.json");
    if !path.exists() {
        return Ok(Package::default());
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| error.to_string())
}

/// A folder that the emulator does not see as a function; a shared one is meant so.
fn judge_no_function(name: &str, folder: &Path) -> Option<Finding> {
    let has = |file: &&str| folder.join(file).is_file();
    if ["index.js", "index.mjs"].iter().any(&has) {
        return Some(Finding::fault("functions.name").with("function", name).with("path", folder.display()));
    }
    let is_meant = MARKS.iter().any(has);
    is_meant.then(|| {
        let finding = Finding::fault("functions.no-entry").with("function", name);
        finding.with("path", folder.join("index.js").display())
    })
}

fn lacking_in(name: &str, folder: &Path, package: &Package) -> Option<Lacking> {
    let is_there = |package: &str| folder.join("node_modules").join(package).join("package.json").is_file();
    let names = package.dependencies.keys().filter(|package| *package != PACKED_PACKAGE && !is_there(package));
    let packages: Vec<String> = names.cloned().collect();
    let lacking = Lacking { function: name.to_owned(), folder: folder.to_path_buf(), packages };
    (!lacking.packages.is_empty()).then_some(lacking)
}

fn judge_native(name: &str, folder: &Path, package: &str) -> Finding {
    let replacement = NATIVE_REPLACEMENTS.iter().find(|(native, _)| *native == package);
    let (finding, command) = match replacement {
        Some((_, plain)) => (
            Finding::fault("functions.native-replaceable").with("replacement", plain),
            format!("npm uninstall {package} && npm install {plain}"),
        ),
        None => (Finding::fault("functions.native"), format!("npm uninstall {package}")),
    };
    let finding = finding.with("function", name).with("package", package);
    finding.with("command", commands::inside(folder, &command))
}

/// The packages installed for the function in `folder` that bring native code they need.
fn native_packages(folder: &Path) -> BTreeSet<String> {
    let (mut packages, mut seen) = (BTreeSet::new(), 0);
    let mut folders = vec![folder.join("node_modules")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            seen += 1;
            if seen > FILES_MAX {
                return packages;
            }
            let path = entry.path();
            // Links are not followed: they would lead in circles.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "node") {
                packages.extend(package_of_file(&path).filter(|name| !NATIVE_HARMLESS.contains(&name.as_str())));
            }
        }
    }
    packages
}

/// The package that a file below a `node_modules` belongs to: `name` or `@scope/name`.
fn package_of_file(path: &Path) -> Option<String> {
    let parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let start = parts.iter().rposition(|part| part == "node_modules")? + 1;
    let name = parts.get(start)?;
    if name.starts_with('@') { Some(format!("{name}/{}", parts.get(start + 1)?)) } else { Some(name.clone()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(NATIVE_HARMLESS.is_sorted() && NATIVE_REPLACEMENTS.is_sorted());
    }

    #[test]
    fn each_folder_is_judged_by_itself() {
        let json = r#"{"dependencies": {"wx-server-sdk": "latest", "dayjs": "1", "@a/b": "1"}}"#;
        check_files(&[("f/index.js", "")], &["functions.ready"]);
        check_files(
            &[("f/index.js", ""), ("f/package.json", r#"{"dependencies": {"wx-server-sdk": "1"}}"#)],
            &["functions.ready"],
        );
        check_files(&[("f/index.js", ""), ("f/package.json", json)], &["functions.packages-missing"]);
        let installed = &[
            ("f/index.js", ""),
            ("f/package.json", json),
            ("f/node_modules/dayjs/package.json", "{}"),
            ("f/node_modules/@a/b/package.json", "{}"),
        ];
        check_files(installed, &["functions.ready"]);
        check_files(&[("f/index.js", ""), ("f/package.json", "{")], &["functions.package-broken"]);
        check_files(&[("f/package.json", "{}")], &["functions.no-entry"]);
        check_files(&[("common/util.js", ""), (".git/index.js", "")], &[]);
        check_files(&[("my.function/index.js", "")], &["functions.name"]);
        let native =
            &[("f/index.js", ""), ("f/node_modules/bcrypt/lib/b.node", ""), ("f/node_modules/@x/y/y.node", "")];
        check_files(native, &["functions.native", "functions.native-replaceable"]);
        check_files(&[("f/index.js", ""), ("f/node_modules/bufferutil/b.node", "")], &["functions.ready"]);
        check_files(&[], &[]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let root = tree(&[("f/index.js", ""), ("f/package.json", r#"{"dependencies": {"dayjs": "1", "axios": "1"}}"#)]);
        let expected = Lacking {
            function: "f".into(),
            folder: root.path().join("f"),
            packages: vec!["axios".into(), "dayjs".into()],
        };
        assert_eq!(lacking(Some(root.path())), [expected]);
        assert_eq!(lacking(None), []);
    }

    fn check_files(files: &[(&str, &str)], expected: &[&str]) {
        let root = tree(files);
        let ids: Vec<&str> = check_below(root.path()).iter().map(|finding| finding.id).collect();
        assert_eq!(ids, expected, "{files:?}");
    }

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }
}
