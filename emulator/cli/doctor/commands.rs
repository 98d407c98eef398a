//! Commands to copy: how this system's shell says what a cure needs.

use std::path::Path;

/// `path` as one word of a command.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |character: char| character.is_alphanumeric() || "/\\.:_-+@".contains(character);
    match text.chars().all(is_plain) {
        // A lone backslash is a plain character to Windows alone.
        true if cfg!(windows) || !text.contains('\\') => text,
        _ if cfg!(windows) => format!("\"{text}\""),
        _ => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A command of ours on the project that was named, if one was; else on the one around the current folder.
pub(super) fn emulator(command: &str, project: Option<&Path>) -> String {
    let flag = project.map(|project| format!(" --project {}", quoted(project)));
    format!("emulator {command}{}", flag.unwrap_or_default())
}

/// Ends the process `pid`.
pub(super) fn end_process(pid: u32) -> String {
    if cfg!(windows) { format!("taskkill /PID {pid}") } else { format!("kill {pid}") }
}

/// Tells who listens on `port`, also to an administrator alone.
pub(super) fn who_listens(port: u16) -> String {
    if cfg!(windows) {
        format!("netstat -ano | findstr :{port}")
    } else if cfg!(target_os = "macos") {
        format!("sudo lsof -nP -iTCP:{port} -sTCP:LISTEN")
    } else {
        format!("sudo ss -ltnp 'sport = :{port}'")
    }
}

/// Gives the folder at `path` to this user.
pub(super) fn own(path: &Path) -> String {
    let path = quoted(path);
    if cfg!(windows) {
        format!("icacls {path} /grant %USERNAME%:F /T")
    } else {
        format!("sudo chown -R \"$USER\" {path}")
    }
}

/// Moves what is at `path` out of the way.
pub(super) fn move_away(path: &Path) -> String {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".old");
    let (from, to) = (quoted(path), quoted(Path::new(&aside)));
    if cfg!(windows) { format!("move {from} {to}") } else { format!("mv {from} {to}") }
}

/// Makes the folder at `path`.
pub(super) fn make_folder(path: &Path) -> String {
    let path = quoted(path);
    if cfg!(windows) { format!("mkdir {path}") } else { format!("mkdir -p {path}") }
}

/// Runs `command` in `folder`.
pub(super) fn inside(folder: &Path, command: &str) -> String {
    let folder = quoted(folder);
    if cfg!(windows) { format!("cd /d {folder} && {command}") } else { format!("cd {folder} && {command}") }
}

/// Sets the environment variable `name` in this shell.
pub(super) fn set_variable(name: &str, value: &str) -> String {
    if cfg!(windows) { format!("set {name}={value}") } else { format!("export {name}={value}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_command_means_the_project_that_was_named() {
        assert_eq!(emulator("init", None), "emulator init");
        assert_eq!(emulator("doctor --fix", Some(Path::new("/app"))), "emulator doctor --fix --project /app");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_is_one_word() {
        for (path, word) in [
            ("/home/me/云函数", "/home/me/云函数"),
            ("/home/my files", "'/home/my files'"),
            ("it's", r"'it'\''s'"),
            ("a\\b", r"'a\b'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }
}
