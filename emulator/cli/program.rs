//! Which file a command's name means. Unix finds it by itself; Windows finds `npm.exe` and not the `npm.cmd` that there is.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What Windows tries when PATHEXT does not say.
const ENDINGS_DEFAULT: &str = ".COM;.EXE;.BAT;.CMD";

/// The program to start for `name`: on Windows the file that its command line would start, if there is one.
pub(crate) fn find(name: &OsStr) -> OsString {
    if !cfg!(windows) {
        return name.to_owned();
    }
    let endings = std::env::var("PATHEXT").unwrap_or_else(|_| ENDINGS_DEFAULT.into());
    let folders = std::env::var_os("PATH").unwrap_or_default();
    find_in(name, &folders, &endings).unwrap_or_else(|| name.to_owned())
}

/// The first file called `name` and one of `endings` in the order of `folders`. A name with a folder or an ending is complete.
fn find_in(name: &OsStr, folders: &OsStr, endings: &str) -> Option<OsString> {
    let path = Path::new(name);
    if path.components().count() > 1 || path.extension().is_some() {
        return None;
    }
    for folder in std::env::split_paths(folders) {
        for ending in endings.split(';').filter(|ending| !ending.is_empty()) {
            let mut file = name.to_owned();
            file.push(ending.to_ascii_lowercase());
            let file = folder.join(file);
            if file.is_file() {
                return Some(file.into_os_string());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn npm_is_found_as_windows_has_it() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (folder, file) in [(&first, "npm"), (&second, "npm"), (&second, "npm.cmd"), (&second, "node.exe")] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let folders = std::env::join_paths([first.path(), second.path()]).unwrap();
        let found = |name: &str| find_in(OsStr::new(name), &folders, ENDINGS_DEFAULT);
        assert_eq!(found("npm"), Some(second.path().join("npm.cmd").into_os_string()));
        assert_eq!(found("node"), Some(second.path().join("node.exe").into_os_string()));
        for name in ["nothing", "npm.cmd", "./npm"] {
            assert_eq!(found(name), None, "{name}");
        }
    }
}
