//! Where things stand in a rules document, and what is wrong with it. The document is JSON; comments and a comma after
//! the last member are allowed, as the cloud's own examples have them.

use std::fmt;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// A place in a text, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A mistake in a rules document, or something in it that is hardly meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) place: Place,
    pub(crate) severity: Severity,
    /// What is wrong, and what would be right.
    pub(crate) message: String,
}

/// Whether a problem keeps the rules from being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Error,
    Warning,
}

/// A mistake within an expression, `at` bytes from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) message: String,
}

impl Mistake {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Mistake {
        Mistake { at, message: message.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        write!(formatter, "{}: {severity}{}", self.place, self.message)
    }
}

impl Problem {
    pub(super) fn error(place: Place, message: impl Into<String>) -> Problem {
        Problem { place, severity: Severity::Error, message: message.into() }
    }

    pub(super) fn warning(place: Place, message: impl Into<String>) -> Problem {
        Problem { place, severity: Severity::Warning, message: message.into() }
    }
}

/// A rules document while it is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Source<'a> {
        Source { text }
    }

    /// The object that the document is.
    pub(super) fn object(self) -> Result<Object<'a>, Problem> {
        let options = ParseOptions {
            allow_comments: true,
            allow_trailing_commas: true,
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
        };
        let parsed = parse_to_ast(self.text, &CollectOptions::default(), &options).map_err(|error| {
            Problem::error(self.place(error.range().start), format!("this is not JSON: {}", error.kind()))
        })?;
        match parsed.value {
            Some(Value::Object(object)) => Ok(object),
            _ => Err(Problem::error(self.place(0), "the rules must be a JSON object, as in {\"read\": true}")),
        }
    }

    /// Each member of `object`; a key that stands twice is a problem.
    pub(super) fn members<'o>(
        self,
        object: &'o Object<'a>,
        problems: &mut Vec<Problem>,
    ) -> Vec<(&'o str, &'o ObjectProp<'a>)> {
        let mut members: Vec<(&str, &ObjectProp<'a>)> = Vec::new();
        for member in &object.properties {
            let name = member.name.as_str();
            if members.iter().any(|(earlier, _)| *earlier == name) {
                problems.push(Problem::error(self.place(member.start()), format!("`{name}` stands here twice")));
            } else {
                members.push((name, member));
            }
        }
        members
    }

    /// The place `offset` bytes from the document's beginning.
    pub(super) fn place(self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Place { line: before.matches('\n').count() + 1, column }
    }

    /// What stands under `member`, with nothing but line ends and blanks before it, so that it is where it was.
    pub(super) fn kept_in_place(self, member: &ObjectProp<'_>) -> String {
        let range = member.value.range();
        let Place { line, column } = self.place(range.start);
        let written = self.text.get(range.start..range.end).unwrap_or_default();
        format!("{}{}{written}", "\n".repeat(line - 1), " ".repeat(column - 1))
    }

    /// The place of what stands `offset` bytes within the string literal that begins at `start`, its escapes resolved.
    pub(super) fn place_in_string(self, start: usize, offset: usize) -> Place {
        let mut raw = start + 1;
        let mut decoded = 0;
        while decoded < offset {
            let (raw_bytes, decoded_bytes) = self.character_at(raw);
            raw += raw_bytes;
            decoded += decoded_bytes;
        }
        self.place(raw)
    }

    /// How many bytes the next character of a string literal takes as it is written, and as it is meant.
    fn character_at(self, raw: usize) -> (usize, usize) {
        let rest = self.text.get(raw..).unwrap_or_default();
        let mut characters = rest.chars();
        match (characters.next(), characters.next()) {
            (Some('\\'), Some('u')) => match rest.get(2..6).and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
                Some(0xD800..=0xDBFF) => (12, 4),
                code => (6, code.and_then(char::from_u32).map_or(1, char::len_utf8)),
            },
            (Some('\\'), Some(escaped)) => (1 + escaped.len_utf8(), 1),
            (Some(character), _) => (character.len_utf8(), character.len_utf8()),
            (None, _) => (1, usize::MAX / 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let source = Source::new("{\n  \"读\": \"a\\\"b\\u4e2d\\n|c\"}");
        assert_eq!(source.place(0), Place { line: 1, column: 1 });
        let start = 2 + 2 + "\"读\": ".len();
        assert_eq!(source.place_in_string(start, 0), Place { line: 2, column: 9 });
        assert_eq!(source.place_in_string(start, "a\"b中\n".len()), Place { line: 2, column: 21 });
        assert_eq!(source.place_in_string(start, 1_000).line, 2);
    }
}
