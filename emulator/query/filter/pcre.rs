//! Perl-compatible regular expressions, as MongoDB reads them, rewritten for `fancy-regex`: where the two read a spelling
//! differently, the rewritten pattern says what PCRE means. Compiling and matching is `regex.rs`'s.
//!
//! What differs: in PCRE `\w \d \s \b` know ASCII only, `$` also holds before a final newline, `[` and `&&` within a class
//! and `{` without a count are plain characters, `\h` is blank space, any character may be escaped, and JavaScript's
//! `\u4e00` is an error.
//!
//! ## Differences from the cloud
//! - `\C`, `\X` and `\o{..}` are not known; a class under `(?x)` inside the pattern may not hold blanks.

use std::iter::Peekable;
use std::str::Chars;

const WORD: &str = "0-9A-Za-z_";
const DIGIT: &str = "0-9";
const SPACE: &str = r"\x09-\x0D\x20";
const HORIZONTAL_SPACE: &str = r"\x09\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
const VERTICAL_SPACE: &str = r"\x0A-\x0D\x{85}\x{2028}\x{2029}";

/// More characters than any count between braces that means something.
const COUNT_CHARS_MAX: usize = 16;

/// Rewrites `pattern`. `multi_line` and `extended` are the flags `m` and `x`.
pub(super) fn translate(pattern: &str, multi_line: bool, extended: bool) -> Result<String, String> {
    let mut translation = Translation {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 16),
        dollar_ends_text: !multi_line && !sets_multi_line(pattern),
        extended,
    };
    while let Some(next) = translation.rest.next() {
        translation.character(next)?;
    }
    Ok(translation.out)
}

/// Whether a group such as `(?m)` or `(?im:` within the pattern sets the flag `m`.
fn sets_multi_line(pattern: &str) -> bool {
    pattern.split("(?").skip(1).any(|group| group.chars().take_while(char::is_ascii_alphabetic).any(|flag| flag == 'm'))
}

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    dollar_ends_text: bool,
    extended: bool,
}

impl Translation<'_> {
    /// A character outside of classes.
    fn character(&mut self, next: char) -> Result<(), String> {
        match next {
            '\\' => return self.escape(),
            '[' => return self.class(),
            '$' if self.dollar_ends_text => self.out.push_str(r"(?:\n?\z)"),
            '{' => self.brace(),
            '}' | ']' => self.literal(next),
            '#' if self.extended => while self.rest.next().is_some_and(|skipped| skipped != '\n') {},
            '(' => self.group(),
            plain => self.out.push(plain),
        }
        Ok(())
    }

    /// `(`, or a comment `(?#…)`, which is dropped.
    fn group(&mut self) {
        let mut ahead = self.rest.clone();
        if (ahead.next(), ahead.next()) == (Some('?'), Some('#')) {
            while self.rest.next().is_some_and(|skipped| skipped != ')') {}
        } else {
            self.out.push('(');
        }
    }

    /// `{` begins a count only if one follows: `{2}`, `{2,}`, `{2,3}`.
    fn brace(&mut self) {
        let count: String =
            self.rest.clone().take_while(|next| next.is_ascii_digit() || *next == ',').take(COUNT_CHARS_MAX).collect();
        let (low, high) = count.split_once(',').unwrap_or((&count, ""));
        let closed = self.rest.clone().nth(count.len()) == Some('}');
        if !closed || low.is_empty() || high.contains(',') {
            return self.literal('{');
        }
        self.copy_through('{', '}');
    }

    /// An escape outside of classes.
    fn escape(&mut self) -> Result<(), String> {
        let escaped = self.rest.next().ok_or("\\ at end of pattern")?;
        match escaped {
            'b' => self.word_boundary(["!", "="], ["=", "!"]),
            'B' => self.word_boundary(["=", "="], ["!", "!"]),
            'R' => self.out.push_str(&format!(r"(?:\r\n|[{VERTICAL_SPACE}])")),
            'N' if self.rest.peek() != Some(&'{') => self.out.push_str(r"[^\n]"),
            'Z' => self.out.push_str(r"(?=\n?\z)"),
            'A' | 'z' | 'G' | 'K' | '1'..='9' => self.out.extend(['\\', escaped]),
            'p' | 'P' | 'k' | 'g' => self.named(escaped),
            'Q' => self.quoted(),
            _ => match set_of(escaped) {
                Some((negated, set)) => self.out.push_str(&format!("[{}{set}]", if negated { "^" } else { "" })),
                None => return self.escaped_character(escaped),
            },
        }
        Ok(())
    }

    /// `\b` and `\B` by what stands behind and ahead: each pair is one of the two ways, `=` for a word character.
    fn word_boundary(&mut self, one: [&str; 2], other: [&str; 2]) {
        let way = |[behind, ahead]: [&str; 2]| format!("(?<{behind}[{WORD}])(?{ahead}[{WORD}])");
        self.out.push_str(&format!("(?:{}|{})", way(one), way(other)));
    }

    /// An escape with a name behind it, such as `\p{Han}` or `\pL`.
    fn named(&mut self, escaped: char) {
        self.out.extend(['\\', escaped]);
        match self.rest.next_if_eq(&'{') {
            Some(brace) => self.copy_through(brace, '}'),
            None => self.out.extend(self.rest.next()),
        }
    }

    /// Copies `first` and what follows it, as far as `last`.
    fn copy_through(&mut self, first: char, last: char) {
        self.out.push(first);
        for next in self.rest.by_ref() {
            self.out.push(next);
            if next == last {
                break;
            }
        }
    }

    /// `\Q…\E`: characters that mean themselves.
    fn quoted(&mut self) {
        while let Some(next) = self.rest.next() {
            if next == '\\' && self.rest.peek() == Some(&'E') {
                self.rest.next();
                return;
            }
            self.literal(next);
        }
    }

    /// An escape that stands for one character, in a class or outside.
    fn escaped_character(&mut self, escaped: char) -> Result<(), String> {
        let character = match escaped {
            'u' | 'U' | 'l' | 'L' | 'N' => return Err(r"PCRE does not support \L, \l, \N{name}, \U, or \u".to_owned()),
            'C' | 'X' => return Err(format!(r"not supported by the emulator: \{escaped}")),
            'E' => return Ok(()),
            'a' => '\x07',
            'e' => '\x1B',
            'f' => '\x0C',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'x' => self.hexadecimal()?,
            '0' => self.code(2, 8)?,
            'c' => self.rest.next().map(control).ok_or(r"\c at end of pattern")?,
            other => other,
        };
        self.literal(character);
        Ok(())
    }

    /// `\x41` or `\x{4e00}`.
    fn hexadecimal(&mut self) -> Result<char, String> {
        if self.rest.peek() != Some(&'{') {
            return self.code(2, 16);
        }
        self.rest.next();
        let character = self.code(6, 16)?;
        match self.rest.next() {
            Some('}') => Ok(character),
            _ => Err(r"missing terminating } for hexadecimal code".to_owned()),
        }
    }

    /// A character by up to `digits` digits of its code.
    fn code(&mut self, digits: usize, radix: u32) -> Result<char, String> {
        let mut code = 0;
        for _ in 0..digits {
            let Some(digit) = self.rest.peek().and_then(|next| next.to_digit(radix)) else { break };
            self.rest.next();
            code = code * radix + digit;
        }
        char::from_u32(code).ok_or_else(|| "character value in \\x{} or \\o{} is too large".to_owned())
    }

    /// A class, its `[` already taken.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let next = self.rest.next().ok_or("missing terminating ] for character class")?;
            if next == ']' && !first {
                break;
            }
            self.class_item(next)?;
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// A character, a set, or a range of characters within a class.
    fn class_item(&mut self, next: char) -> Result<(), String> {
        if !self.class_atom(next)? || !self.range_follows() {
            return Ok(());
        }
        self.rest.next();
        self.out.push('-');
        let end = self.rest.next().ok_or("missing terminating ] for character class")?;
        self.class_atom(end).map(|_| ())
    }

    /// One character or set of a class; says whether it was a character, with which a range may begin.
    fn class_atom(&mut self, next: char) -> Result<bool, String> {
        match next {
            '[' if self.names_set() => {
                self.copy_through('[', ']');
                Ok(false)
            }
            '\\' => self.class_escape(),
            plain => {
                self.literal(plain);
                Ok(true)
            }
        }
    }

    /// Whether a set such as `:alpha:]` follows the `[` just read.
    fn names_set(&self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next() == Some(':')
            && ahead.find(|next| !next.is_ascii_alphabetic() && *next != '^') == Some(':')
            && ahead.next() == Some(']')
    }

    fn class_escape(&mut self) -> Result<bool, String> {
        let escaped = self.rest.next().ok_or("\\ at end of pattern")?;
        match (escaped, set_of(escaped)) {
            (_, Some((false, set))) => self.out.push_str(set),
            (_, Some((true, set))) => self.out.push_str(&format!("[^{set}]")),
            ('p' | 'P', None) => self.named(escaped),
            ('Q', None) => self.quoted(),
            ('b', None) => {
                self.literal('\x08');
                return Ok(true);
            }
            (_, None) => return self.escaped_character(escaped).map(|()| true),
        }
        Ok(false)
    }

    /// Whether a `-` and a character to end a range come next: before `]` or a set such as `\d`, the `-` is plain.
    fn range_follows(&self) -> bool {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') {
            return false;
        }
        match ahead.next() {
            None | Some(']') => false,
            Some('\\') => {
                ahead.next().is_some_and(|escaped| set_of(escaped).is_none() && !matches!(escaped, 'p' | 'P'))
            }
            Some('[') => ahead.next() != Some(':'),
            Some(_) => true,
        }
    }

    /// A character that means itself, whatever it is.
    fn literal(&mut self, character: char) {
        if character.is_ascii() && !character.is_ascii_alphanumeric() {
            self.out.push_str(&format!("\\x{:02X}", u32::from(character)));
        } else {
            self.out.push(character);
        }
    }
}

/// The set of characters an escape stands for, as a class spells it, and whether all others are meant.
fn set_of(escaped: char) -> Option<(bool, &'static str)> {
    match escaped {
        'w' => Some((false, WORD)),
        'W' => Some((true, WORD)),
        'd' => Some((false, DIGIT)),
        'D' => Some((true, DIGIT)),
        's' => Some((false, SPACE)),
        'S' => Some((true, SPACE)),
        'h' => Some((false, HORIZONTAL_SPACE)),
        'H' => Some((true, HORIZONTAL_SPACE)),
        'v' => Some((false, VERTICAL_SPACE)),
        'V' => Some((true, VERTICAL_SPACE)),
        _ => None,
    }
}

/// The control character of `\cX`.
fn control(letter: char) -> char {
    match u8::try_from(letter) {
        Ok(byte) if byte.is_ascii() => char::from(byte.to_ascii_uppercase() ^ 0x40),
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::ValueRef;
    use proptest::prelude::*;

    use super::super::regex::Regex;

    #[test]
    fn classes_of_pcre_know_ascii_only() {
        check(r"^\w+$", "", "abc_1", true);
        check(r"^\w+$", "", "中文", false);
        check(r"^[\w.-]+@[\w-]+\.\w+$", "", "a.b-c@d-e.com", true);
        check(r"^\d$", "", "٣", false);
        check(r"^[^\W\d]$", "", "a", true);
        check(r"^[^\W\d]$", "", "1", false);
        check(r"^[\S]$", "", "中", true);
        check(r"\bfoo\b", "", "中foo中", true);
        check(r"\bfoo\b", "", "a_foo b", false);
        check(r"\Boo", "", "foo", true);
        check(r"a\hb", "", "a b", true);
    }

    #[test]
    fn a_dollar_holds_before_a_final_newline() {
        check("abc$", "", "abc\n", true);
        check("abc$", "", "abc\n\n", false);
        check("a$", "m", "a\nb", true);
        check("(?m)a$", "", "a\nb", true);
        check("^$", "", "", true);
    }

    #[test]
    fn plain_characters_stay_plain() {
        check(r"[[\]]x", "", "[x", true);
        check("[]a]+", "", "]", true);
        check("[a&&b]", "", "&", true);
        check("[+--]", "", ",", true);
        check("[a~~b]", "", "~", true);
        check("{name}", "", "{name}", true);
        check("a{,3}", "", "a{,3}", true);
        check("a{1,2,3}", "", "a{1,2,3}", true);
        check("^a{2,}$", "", "aaa", true);
        check("[[:x]", "", ":", true);
        check("[[:^alpha:]]", "", "1", true);
        check("^a{2,3}$", "", "aaa", true);
        check(r"\/\-\@\_\<\中\ ", "x", "/-@_<中 ", true);
        check(r"a\Q.*\Eb", "", "a.*b", true);
        check(r"[[:alpha:]]{2}", "", "ab", true);
        check(r"[ #]", "x", "#", true);
        check(r"a b # [comment", "x", "ab", true);
        check(r"a(?# [comment)b", "", "ab", true);
    }

    #[test]
    fn codes_and_controls() {
        check(r"^\x41\x{4e00}\t\e\cA\0$", "", "A一\t\x1B\x01\0", true);
        check(r"[\x{4e00}-\x{9fa5}]", "", "中", true);
        check(r"^.\Z", "", "a\n", true);
        check(r"\p{Han}[\p{Han}\pL]", "", "中a", true);
        check("[\u{4e00}-\u{9fa5}]", "", "文", true);
    }

    #[test]
    fn perl_beyond_plain_regular_expressions() {
        check(r"(a)\1", "", "aa", true);
        check(r"^(?!.*foo)bar", "", "bar", true);
        check(r"(?<=a)b", "", "ab", true);
        check(r"(?i)AB", "", "ab", true);
        check(r"(?<year>\d{4})-\k<year>", "", "2024-2024", true);
        check(r"A+?", "gi", "a", true);
    }

    #[test]
    fn mistakes_are_named() {
        refuse(r"[\u4e00-\u9fa5]", "", r"PCRE does not support \L, \l, \N{name}, \U, or \u");
        refuse("[abc", "", "missing terminating ] for character class");
        refuse("abc\\", "", "\\ at end of pattern");
        refuse("(abc", "", "Regular expression is invalid");
        refuse("abc", "iq", "invalid flag in regex options: q");
    }

    #[test]
    fn a_pattern_that_explodes_gives_up() {
        let regex = Regex::new(r"^(a|a)*\1c$", "").unwrap();
        let text = format!("{}b", "a".repeat(60));
        assert!(regex.matches(ValueRef::String(&text)).is_err());
    }

    proptest! {
        #[test]
        fn any_pattern_is_compiled_or_refused(pattern in r"[\\\[\](){}^$.|?*+:=!<>#ab0,\-\^&~wWdbBpPQEkKRZxmi中 \n]{0,14}", options in "[imsx]{0,2}") {
            if let Ok(regex) = Regex::new(&pattern, &options) {
                let _gives_up = regex.matches(ValueRef::String("ab 中\n0-]")).is_err();
            }
        }

        #[test]
        fn escaped_text_finds_itself(text in r"\PC{0,12}", before in "[ab]{0,2}") {
            let escape = |letter: char| if letter.is_alphanumeric() { letter.to_string() } else { format!("\\{letter}") };
            let pattern: String = text.chars().map(escape).collect();
            for options in ["", "i", "x"] {
                check(&pattern, options, &format!("{before}{text}"), true);
            }
            let class: String = text.chars().map(|letter| format!("[{}]", escape(letter))).collect();
            check(&class, "", &text, true);
        }
    }

    fn check(pattern: &str, options: &str, text: &str, expected: bool) {
        let found = Regex::new(pattern, options).and_then(|regex| regex.matches(ValueRef::String(text)));
        assert_eq!(found, Ok(expected), "/{pattern}/{options} on {text:?}");
    }

    fn refuse(pattern: &str, options: &str, reason: &str) {
        let message = Regex::new(pattern, options).unwrap_err().message;
        assert!(message.contains(reason), "/{pattern}/{options}: {message}");
    }
}
