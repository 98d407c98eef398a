//! The path of a stored file within its environment: what a name may be. Where a body rests on disk is no concern of
//! a path: see `bodies.rs`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::StorageError;

const PATH_BYTES_MAX: usize = 850;

/// A path such as `dir/a.txt` that semantics ST-08 allows: not empty, at most 850 bytes of UTF-8, without a leading
/// `/`, `//` or a control character. Everything else is a plain name: `..`, `\`, `%2e` and a drive letter mean nothing,
/// and two paths that differ in one byte (also in case) are two files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FilePath(String);

impl FilePath {
    /// Takes `text` as a path, or says which rule of semantics ST-08 it breaks.
    pub fn parse(text: &str) -> Result<FilePath, StorageError> {
        match broken_rule(text) {
            None => Ok(FilePath(text.to_owned())),
            Some(rule) => Err(StorageError::BadPath(format!("{rule}: {text:?}"))),
        }
    }

    /// The content type that its ending tells of.
    pub fn content_type(&self) -> String {
        mime_guess::from_path(&self.0).first_or_octet_stream().to_string()
    }

    /// The path as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for FilePath {
    type Error = StorageError;

    fn try_from(text: String) -> Result<FilePath, StorageError> {
        FilePath::parse(&text)
    }
}

impl From<FilePath> for String {
    fn from(path: FilePath) -> String {
        path.0
    }
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("a path must not be empty")
    } else if text.len() > PATH_BYTES_MAX {
        Some("a path has at most 850 bytes")
    } else if text.starts_with('/') {
        Some("a path must not begin with '/'")
    } else if text.contains("//") {
        Some("a path must not contain '//'")
    } else if text.chars().any(char::is_control) {
        Some("a path must not contain control characters")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, allowed: bool) {
        assert_eq!(FilePath::parse(text).is_ok(), allowed, "{text:?}");
    }

    #[test]
    fn names_are_plain() {
        check("a.txt", true);
        check("dir/a.txt", true);
        check("dir/", true);
        check("..", true);
        check("../../etc/passwd", true);
        check("a/../b", true);
        check("C:\\x", true);
        check("%2e%2e/x", true);
        check("中文/文 件😀.png", true);
        check(" ", true);
        check("a?b#c&d=e", true);
    }

    #[test]
    fn st_08_refuses() {
        check("", false);
        check("/", false);
        check("/a", false);
        check("a//b", false);
        check("a//", false);
        check("a\0b", false);
        check("a\nb", false);
        check("a\u{18}", false);
        check("a\u{1b}", false);
        check("a\u{7f}", false);
        check("a\u{85}", false);
    }

    #[test]
    fn length_is_counted_in_bytes() {
        check(&"a".repeat(850), true);
        check(&"a".repeat(851), false);
        check(&"文".repeat(283), true);
        check(&"文".repeat(284), false);
    }

    #[test]
    fn the_message_names_rule_and_path() {
        let message = FilePath::parse("a//b").map_err(|error| error.to_string());
        assert_eq!(message, Err("bad file path: a path must not contain '//': \"a//b\"".to_owned()));
    }
}
