//! Names on disk. Collections and files may be called what no file may be, or what some system takes for another's name.

use std::collections::{HashMap, HashSet};

/// What no name on Windows may contain, and what means something in a path.
const CHARACTERS_RESERVED: &[char] = &['"', '*', '/', ':', '<', '>', '?', '\\', '|'];
/// Devices of Windows, whatever follows a dot.
const NAMES_RESERVED: &[&str] = &["aux", "con", "nul", "prn"];
const DEVICES_NUMBERED: &[&str] = &["com", "lpt"];
const NAME_BYTES_MAX: usize = 200;
const PATH_BYTES_MAX: usize = 240;

/// The names taken in one folder, so that no two are one where capitals do not count.
#[derive(Debug, Default)]
pub(super) struct CollectionFiles {
    taken: HashSet<String>,
}

impl CollectionFiles {
    /// What the file of a collection is called, without its ending: what cannot stand in a name is written as `%2F`.
    pub(super) fn name(&mut self, collection: &str) -> String {
        let plain = escape(collection, |c| c == '%' || c.is_control() || CHARACTERS_RESERVED.contains(&c));
        let is_fit = is_name(&plain) && !self.taken.contains(&plain.to_lowercase());
        let is_odd = |c: char| c.is_uppercase() || !c.is_alphanumeric();
        let mut name = if is_fit { plain } else { escape(collection, is_odd) };
        if is_reserved(&name) || self.taken.contains(&name.to_lowercase()) {
            name = escape(collection, |_| true);
        }
        self.taken.insert(name.to_lowercase());
        name
    }
}

/// The collection whose file is called `name`, without its ending.
pub(crate) fn collection_of_file(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        match (first, behind.get(..2).and_then(from_hexadecimal)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

/// The paths taken under one folder.
#[derive(Debug, Default)]
pub(super) struct FilePaths {
    /// Folders, in small letters, and how they are written.
    folders: HashMap<String, String>,
    files: HashSet<String>,
}

impl FilePaths {
    /// Whether a file can be stored under its own path, beside those that were asked about before; from then on it is.
    pub(super) fn take(&mut self, path: &str) -> bool {
        let lower = path.to_lowercase();
        if !is_path(path) || self.files.contains(&lower) || self.folders.contains_key(&lower) {
            return false;
        }
        let folders: Vec<(String, String)> = path
            .match_indices('/')
            .filter_map(|(end, _)| path.get(..end))
            .map(|f| (f.to_lowercase(), f.to_owned()))
            .collect();
        let is_free = |(lower, written): &(String, String)| {
            !self.files.contains(lower) && self.folders.get(lower).is_none_or(|known| known == written)
        };
        if !folders.iter().all(is_free) {
            return false;
        }
        self.folders.extend(folders);
        self.files.insert(lower);
        true
    }
}

/// Whether a path of a stored file is one on every system.
fn is_path(path: &str) -> bool {
    path.len() <= PATH_BYTES_MAX && path.split('/').all(|name| is_name(name) && !name.contains(CHARACTERS_RESERVED))
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && !name.ends_with(['.', ' '])
        && !name.starts_with('.')
        && !name.chars().any(char::is_control)
        && !is_reserved(name)
}

fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_numbered = |device: &&str| {
        let number = stem.strip_prefix(*device).unwrap_or_default();
        matches!(number, "¹" | "²" | "³") || number.len() == 1 && number.bytes().all(|digit| digit.is_ascii_digit())
    };
    NAMES_RESERVED.contains(&stem.as_str()) || DEVICES_NUMBERED.iter().any(is_numbered)
}

fn escape(name: &str, is_odd: impl Fn(char) -> bool) -> String {
    let mut escaped = String::new();
    for character in name.chars() {
        if is_odd(character) {
            let mut bytes = [0; 4];
            character.encode_utf8(&mut bytes).bytes().for_each(|byte| escaped.push_str(&format!("%{byte:02X}")));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn from_hexadecimal(digits: &[u8]) -> Option<u8> {
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn collections_get_files() {
        let mut files = CollectionFiles::default();
        let mut check = |collection: &str, expected: &str| {
            assert_eq!(files.name(collection), expected);
            assert_eq!(collection_of_file(expected), collection);
        };
        check("todos", "todos");
        check("待办", "待办");
        check("Todos", "%54odos");
        check("a/b", "a%2Fb");
        check("100%", "100%25");
        check("con", "%63%6F%6E");
        check("..", "%2E%2E");
        check("a.", "a%2E");
        check("a-b_c", "a-b_c");
        assert_eq!(collection_of_file("50%-x"), "50%-x");
    }

    #[test]
    fn files_stand_where_they_can() {
        let mut paths = FilePaths::default();
        let mut check = |path: &str, expected: bool| assert_eq!(paths.take(path), expected, "{path}");
        check("a/b.txt", true);
        check("a", false);
        check("a/b.txt/c", false);
        check("A/c.txt", false);
        check("a/B.TXT", false);
        check("a/c.txt", true);
        check("x", true);
        check("x/y", false);
        check("中文/文 件😀.png", true);
        for path in ["dir/", "..", "a/../b", "C:\\x", "con", "com1.txt", "a?b", "a.", "a ", ".hidden", "nul.tar.gz"] {
            check(path, false);
        }
        check(&"x".repeat(300), false);
    }

    proptest! {
        #[test]
        fn names_come_back(names in prop::collection::btree_set("[aA%/.\\-云2]{1,6}", 1..6)) {
            let mut files = CollectionFiles::default();
            for name in names {
                prop_assert_eq!(collection_of_file(&files.name(&name)), name);
            }
        }
    }
}
