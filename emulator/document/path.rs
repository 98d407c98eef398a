//! Dotted paths such as `a.b.0`. Only their spelling: what a path finds in a document is `query`'s matter.

use std::fmt;

use crate::limits::NESTING_MAX;

/// A dotted path: one to 100 segments, none empty, none with a NUL.
///
/// A `$` is allowed, for positional operators; who forbids it says so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath {
    text: String,
    segments: Vec<String>,
}

/// Why a text is no path. Each variant holds the whole text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Two dots in a row, a dot at either end, or no text at all (semantics DB-3.26).
    #[error("The path '{0}' contains an empty field name, which is not allowed.")]
    EmptySegment(String),
    /// A NUL, which no field name can hold.
    #[error("The path '{0}' contains a NUL character, which is not allowed.")]
    Nul(String),
    /// More segments than a document may have levels.
    #[error("The path '{0}' has more than {NESTING_MAX} segments.")]
    TooDeep(String),
}

impl FieldPath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<FieldPath, PathError> {
        if text.contains('\0') {
            return Err(PathError::Nul(text.to_owned()));
        }
        let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        if segments.iter().any(String::is_empty) {
            return Err(PathError::EmptySegment(text.to_owned()));
        }
        if segments.len() > NESTING_MAX {
            return Err(PathError::TooDeep(text.to_owned()));
        }
        Ok(FieldPath { text: text.to_owned(), segments })
    }

    /// The segments, outermost first; never empty.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first segment: the field of the document itself.
    pub fn first(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// Whether `other` is this path or leads into what this path names: `a.b` is a prefix of `a.b` and `a.b.c`, not of `a.bc`.
    pub fn is_prefix_of(&self, other: &FieldPath) -> bool {
        other.segments.starts_with(&self.segments)
    }

    /// Whether one of the two is a prefix of the other, so that changing one changes the other.
    pub fn overlaps(&self, other: &FieldPath) -> bool {
        self.is_prefix_of(other) || other.is_prefix_of(self)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let path = FieldPath::parse(text).unwrap();
        assert_eq!(path.segments(), expected);
        assert_eq!((path.as_str(), path.first()), (text, expected[0]));
    }

    fn check_relation(left: &str, right: &str, is_prefix: bool, overlaps: bool) {
        let (left, right) = (FieldPath::parse(left).unwrap(), FieldPath::parse(right).unwrap());
        assert_eq!((left.is_prefix_of(&right), left.overlaps(&right)), (is_prefix, overlaps), "{left} {right}");
        assert_eq!(right.overlaps(&left), overlaps, "{left} {right}");
    }

    #[test]
    fn segments() {
        check("a", &["a"]);
        check("a.b.0", &["a", "b", "0"]);
        check("arr.$[].x", &["arr", "$[]", "x"]);
        check("名字.姓", &["名字", "姓"]);
    }

    #[test]
    fn refused() {
        for text in ["", ".", ".a", "a.", "a..b"] {
            assert_eq!(FieldPath::parse(text), Err(PathError::EmptySegment(text.to_owned())));
        }
        assert_eq!(FieldPath::parse("a\0"), Err(PathError::Nul("a\0".to_owned())));
        assert!(FieldPath::parse(&["a"; NESTING_MAX].join(".")).is_ok());
        assert!(matches!(FieldPath::parse(&["a"; NESTING_MAX + 1].join(".")), Err(PathError::TooDeep(_))));
    }

    #[test]
    fn prefixes() {
        check_relation("a", "a", true, true);
        check_relation("a", "a.b", true, true);
        check_relation("a.b", "a", false, true);
        check_relation("a.b", "a.bc", false, false);
        check_relation("a.b", "b", false, false);
    }
}
