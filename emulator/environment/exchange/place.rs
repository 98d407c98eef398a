//! Where things stand in a text, and what is wrong with them there.

use std::fmt;

/// A place in a text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) line: usize,
    /// In characters; `None` where the whole line is meant.
    pub(super) column: Option<usize>,
}

/// A mistake in a text: `3:14: a comma is missing`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(super) place: Place,
    pub(super) reason: String,
}

impl Place {
    pub(super) fn line(line: usize) -> Place {
        Place { line, column: None }
    }
}

impl Mistake {
    pub(super) fn new(place: Place, reason: impl Into<String>) -> Mistake {
        Mistake { place, reason: reason.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.place.line)?;
        if let Some(column) = self.place.column {
            write!(formatter, ":{column}")?;
        }
        write!(formatter, ": {}", self.reason)
    }
}

/// Counts lines on a walk through a text from front to back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Up to where lines were counted; `line` is the one that stands there.
    counted: usize,
    line: usize,
    line_start: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Lines<'t> {
        Lines { text, counted: 0, line: 1, line_start: 0 }
    }

    /// The line of the byte at `offset`, which is not before the one asked for last.
    pub(super) fn line_at(&mut self, offset: usize) -> usize {
        let passed = self.text.as_bytes().get(self.counted..offset).unwrap_or_default();
        for (index, _) in passed.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            self.line += 1;
            self.line_start = self.counted + index + 1;
        }
        self.counted = self.counted.max(offset);
        self.line
    }

    /// The place of the byte at `offset`, which is not before the one asked for last.
    pub(super) fn place_at(&mut self, offset: usize) -> Place {
        let line = self.line_at(offset);
        let before = self.text.as_bytes().get(self.line_start..offset).unwrap_or_default();
        let column = String::from_utf8_lossy(before).chars().count() + 1;
        Place { line, column: Some(column) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns() {
        let mut lines = Lines::new("ab\n云朵c\n\nd");
        let places = [0, 1, 3, 9, 11, 12].map(|offset| lines.place_at(offset));
        let expected = [(1, 1), (1, 2), (2, 1), (2, 3), (3, 1), (4, 1)];
        assert_eq!(places, expected.map(|(line, column)| Place { line, column: Some(column) }));
    }
}
