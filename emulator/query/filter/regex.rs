//! Regular expressions asked of values: flags, limits, and what they match (semantics DB-2.32). Their spelling is `pcre.rs`'s.

use std::ops::Range;

use document::ValueRef;

use super::bounds::Interval;
use super::pcre;
use crate::QueryError;

/// How often a match may step back before it gives up, so that no pattern can hold the emulator up for long.
const BACKTRACK_LIMIT: usize = 1_000_000;

/// How many instructions a compiled expression may have: calls of groups within groups multiply.
const PROGRAM_SIZE_MAX: usize = 100_000;

/// How long a pattern may be, in bytes, as in MongoDB.
const PATTERN_BYTES_MAX: usize = 32_764;

/// A compiled regular expression.
#[derive(Debug, Clone)]
pub(crate) struct Regex {
    pattern: Box<str>,
    /// The flags that mean something, sorted.
    flags: Box<str>,
    program: fancy_regex::Regex,
}

/// Where in a text an expression was found, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Captures {
    /// All that was found.
    pub(crate) whole: Range<usize>,
    /// Each group, `None` for one that had no part in it.
    pub(crate) groups: Vec<Option<Range<usize>>>,
}

impl Regex {
    /// Compiles `pattern`. Of the options, `i`, `m`, `s` and `x` count; JavaScript's `g`, `u` and `y` are ignored (UNC-10).
    pub(crate) fn new(pattern: &str, options: &str) -> Result<Regex, QueryError> {
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(QueryError::bad_query("Regular expression is too long"));
        }
        if pattern.contains('\0') {
            return Err(QueryError::bad_query("Regular expression cannot contain an embedded null byte"));
        }
        if let Some(unknown) = options.chars().find(|flag| !"gimsuxy".contains(*flag)) {
            return Err(QueryError::bad_query(format!("invalid flag in regex options: {unknown}")));
        }
        let flags = effective_flags(options);
        let program = compile(pattern, &flags)
            .map_err(|reason| QueryError::bad_query(format!("Regular expression is invalid: {reason}")))?;
        Ok(Regex { pattern: pattern.into(), flags: flags.into(), program })
    }

    /// Strings match where the expression is found in them; a stored expression matches where it is the same one.
    pub(super) fn matches(&self, value: ValueRef<'_>) -> Result<bool, QueryError> {
        match value {
            ValueRef::String(text) | ValueRef::Symbol(text) => self.is_found_in(text),
            ValueRef::RegularExpression { pattern, options } => {
                Ok(*self.pattern == *pattern && *self.flags == effective_flags(options))
            }
            _ => Ok(false),
        }
    }

    /// The places where the expression is found in `text`, from the left, at most `count`.
    pub(crate) fn captures(&self, text: &str, count: usize) -> Result<Vec<Captures>, QueryError> {
        let found = self.program.captures_iter(text).take(count);
        let found = found.map(|captures| captures.map(|captures| Captures::of(&captures)));
        found.collect::<Result<_, _>>().map_err(|reason| self.gave_up(&reason))
    }

    /// Where the keys of the values that match lie: the texts with the beginning that is demanded, or all texts, and stored
    /// expressions.
    pub(super) fn intervals(&self) -> Vec<Interval> {
        let expressions = ValueRef::RegularExpression { pattern: "", options: "" };
        vec![Interval::of_prefix(&self.literal_prefix()), Interval::of_type(expressions)]
    }

    /// What every text that matches begins with, as far as it is plain to see: `^abc` demands `abc`.
    fn literal_prefix(&self) -> String {
        let mut prefix = String::new();
        if self.flags.contains(['i', 'm', 'x']) || self.pattern.contains('|') {
            return prefix;
        }
        let Some(rest) = self.pattern.strip_prefix('^') else { return prefix };
        let mut characters = rest.chars();
        while let Some(character) = characters.next() {
            match character {
                '*' | '?' | '{' | '+' => {
                    prefix.pop(); // repeats the last character, perhaps not even once
                    break;
                }
                '\\' => match characters.next() {
                    Some(escaped) if escaped.is_ascii_punctuation() => prefix.push(escaped),
                    Some(_) | None => break,
                },
                '.' | '[' | ']' | '(' | ')' | '^' | '$' | '}' => break,
                character => prefix.push(character),
            }
        }
        prefix
    }

    fn is_found_in(&self, text: &str) -> Result<bool, QueryError> {
        self.program.is_match(text).map_err(|reason| self.gave_up(&reason))
    }

    fn gave_up(&self, reason: &fancy_regex::Error) -> QueryError {
        let pattern = &self.pattern;
        QueryError::bad_query(format!("Regular expression /{pattern}/ gave up on a text: {reason}"))
    }
}

impl Captures {
    fn of(captures: &fancy_regex::Captures<'_, str>) -> Captures {
        let mut groups = captures.iter().map(|group| group.map(|group| group.range()));
        Captures { whole: groups.next().flatten().unwrap_or_default(), groups: groups.collect() }
    }
}

fn effective_flags(options: &str) -> String {
    "imsx".chars().filter(|flag| options.contains(*flag)).collect()
}

fn compile(pattern: &str, flags: &str) -> Result<fancy_regex::Regex, String> {
    let has = |flag| flags.contains(flag);
    let translated = pcre::translate(pattern, has('m'), has('x'))?;
    fancy_regex::RegexBuilder::new(&translated)
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .ignore_whitespace(has('x'))
        .backtrack_limit(BACKTRACK_LIMIT)
        .max_prog_size(PROGRAM_SIZE_MAX)
        .build()
        .map_err(|error| error.to_string())
}
