//! The folder of functions: which functions there are, where their code starts, and whether any of it changed.
//! Reads names and stamps only; the code itself is the worker's affair.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A function's name is at most this long.
const NAME_BYTES_MAX: usize = 60;
/// A function with more files than this is watched by the first ones only.
const STAMPS_MAX: usize = 2_000;
/// Files that say how `import` and `require` resolve, besides the function's own.
const RESOLUTION_FILES: &[&str] = &["package.json", "package-lock.json", "node_modules/.package-lock.json"];

/// A function that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionFolder {
    /// Absolute, without symbolic links.
    pub(crate) folder: PathBuf,
    /// The file that exports `main`.
    pub(crate) entry: PathBuf,
}

/// When a file was last changed and how long it is; `None`: it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// What a function's files looked like at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stamps(BTreeMap<PathBuf, Stamp>);

/// The functions below `root`, sorted; none if it cannot be read.
pub(crate) fn names(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| find(root, name).is_some())
        .collect();
    names.sort();
    names
}

/// The function called `name` below `root`, if the name is allowed and a folder of that name has an entry.
pub(crate) fn find(root: &Path, name: &str) -> Option<FunctionFolder> {
    if !is_name(name) {
        return None;
    }
    let folder = fs::canonicalize(root.join(name)).ok()?;
    let entry = ["index.js", "index.mjs"]
        .iter()
        .map(|file| folder.join(file))
        .find(|path| path.is_file())
        .or_else(|| main_of_package(&folder))?;
    Some(FunctionFolder { folder, entry })
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The `main` of the folder's package.json, with or without its extension, if it stays inside the folder.
fn main_of_package(folder: &Path) -> Option<PathBuf> {
    let package: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("package.json")).ok()?).ok()?;
    let main = package.get("main")?.as_str()?;
    let candidates = ["", ".js", ".mjs", ".cjs", "/index.js"];
    let path = candidates.iter().map(|end| folder.join(format!("{main}{end}"))).find(|path| path.is_file())?;
    fs::canonicalize(path).ok().filter(|path| path.starts_with(folder))
}

impl Stamps {
    /// The stamps of everything in the function's folder (not in its `node_modules`), of the files that decide how
    /// packages resolve there and one floor up, and of `loaded`.
    pub(crate) fn take(folder: &Path, loaded: &[PathBuf]) -> Stamps {
        let mut stamps = Stamps::default();
        stamps.add_folder(folder);
        for place in folder.ancestors().take(2) {
            for file in RESOLUTION_FILES {
                stamps.add(place.join(file));
            }
        }
        for path in loaded {
            stamps.add(path.clone());
        }
        stamps
    }

    /// Adds files that turned out to matter.
    pub(crate) fn extend(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        for path in paths {
            if !self.0.contains_key(&path) {
                self.add(path);
            }
        }
    }

    /// Whether everything still looks the same, new files in the function's folder included.
    pub(crate) fn is_current(&self, folder: &Path) -> bool {
        let mut now = Stamps::take(folder, &[]);
        now.extend(self.0.keys().cloned());
        now == *self
    }

    fn add(&mut self, path: PathBuf) {
        let stamp = fs::metadata(&path).ok().and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        self.0.insert(path, stamp);
    }

    fn add_folder(&mut self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            if self.0.len() >= STAMPS_MAX {
                return;
            }
            let (name, path) = (entry.file_name(), entry.path());
            if name == "node_modules" || name.to_string_lossy().starts_with('.') {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.add_folder(&path),
                _ => self.add(path),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn write(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_function_is_a_folder_with_an_entry() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        write(&root, "b/index.js", "");
        write(&root, "a/index.mjs", "");
        write(&root, "c/package.json", r#"{"main": "lib/start"}"#);
        write(&root, "c/lib/start.js", "");
        write(&root, "escaping/package.json", r#"{"main": "../b/index.js"}"#);
        write(&root, "empty/readme.md", "");
        write(&root, "bad.name/index.js", "");
        write(&root, "node_modules/x/index.js", "");
        write(&root, "file.js", "");
        assert_eq!(names(&root), ["a", "b", "c"]);
        assert_eq!(find(&root, "c").unwrap().entry, root.join("c/lib/start.js"));
    }

    #[test]
    fn names_never_leave_the_root() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "outside/index.js", "");
        write(folder.path(), "root/inside/index.js", "");
        let root = folder.path().join("root");
        assert!(find(&root, "inside").is_some());
        for name in ["../outside", "..", ".", "", "inside/../../outside", "/etc", "inside\0", "内", &"x".repeat(61)] {
            assert_eq!(find(&root, name), None, "{name}");
        }
    }

    #[test]
    fn stamps_see_what_changed() {
        let folder = tempfile::tempdir().unwrap();
        let function = folder.path().join("f");
        write(&function, "index.js", "1");
        write(folder.path(), "common.js", "1");
        let mut stamps = Stamps::take(&function, &[]);
        stamps.extend([folder.path().join("common.js")]);
        assert!(stamps.is_current(&function));
        write(&function, "node_modules/x/index.js", "");
        assert!(stamps.is_current(&function));
        for (file, text) in [
            ("f/index.js", "22"),
            ("f/new.json", "{}"),
            ("common.js", "22"),
            ("f/node_modules/.package-lock.json", "{}"),
        ] {
            let before = Stamps::take(&function, &[folder.path().join("common.js")]);
            write(folder.path(), file, text);
            assert!(!before.is_current(&function), "{file}");
        }
    }
}
