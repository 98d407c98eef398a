//! The values that a condition on a path looks at, without the condition: what an index by values rests on.

use document::{DocumentRef, ValueRef};

use super::walk::{Arrays, Path, walk};

/// A path whose values are wanted.
#[derive(Debug, Clone)]
pub struct Probe {
    path: Path,
}

impl Probe {
    /// Any text is a path, as in filters.
    pub fn new(path: &str) -> Probe {
        Probe { path: Path::parse(path) }
    }

    /// Shows `see` every value that a comparison at the path is made with: of an array each element, then the array itself.
    /// A missing field is not shown.
    pub fn values<'a>(&self, document: DocumentRef<'a>, mut see: impl FnMut(ValueRef<'a>)) {
        let _never_stopped = walk(document.into(), self.path.segments(), Arrays::Elements, &mut |value, _| {
            if let Some(value) = value {
                see(value);
            }
            Ok(false)
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{DateTime, decode_text, to_shell_text};

    use super::*;

    #[test]
    fn values_at_a_path() {
        check("a", r#"{"a": 1}"#, "1");
        check("a", r#"{"a": [1, 2]}"#, "1 2 [ 1, 2 ]");
        check("a.b", r#"{"a": [{"b": 1}, {"b": [2]}, 3]}"#, "1 2 [ 2 ]");
        check("a.1", r#"{"a": [1, 2]}"#, "2");
        check("a", "{}", "");
    }

    fn check(path: &str, text: &str, expected: &str) {
        let document = decode_text(text, DateTime::from_millis(0)).unwrap();
        let mut seen = Vec::new();
        Probe::new(path).values((&document).into(), |value| seen.push(to_shell_text(value)));
        assert_eq!(seen.join(" "), expected, "{path} in {text}");
    }
}
