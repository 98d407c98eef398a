//! The words of a rule's expression: names, numbers, texts, templates, regular expressions and signs.

use std::ops::Range;
use std::str::Chars;

use document::Bson;

use super::text::Mistake;

/// How deep templates may stand in templates, and brackets in brackets.
pub(super) const DEPTH_MAX: usize = 48;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'a> {
    Name(&'a str),
    Number(Bson),
    Text(String),
    Template(Vec<Piece<'a>>),
    Regex { pattern: &'a str, flags: &'a str },
    Sign(&'static str),
}

/// A part of a template string.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece<'a> {
    Text(String, Range<usize>),
    /// What stands between `${` and `}`, and where that `}` is.
    Tokens(Vec<Token<'a>>, usize),
}

/// Longer ones first, so that the first that fits is the one meant.
const SIGNS: &[&str] =
    &["===", "!==", "==", "!=", ">=", "<=", "&&", "||", ">", "<", "!", "(", ")", "[", "]", ",", ".", "+", "-"];

/// Takes an expression apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, Mistake> {
    Lexer { text, at: 0 }.run(0)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Reads up to the end, or within a template up to the `}` that ends the expression, which is left.
    fn run(&mut self, depth: usize) -> Result<Vec<Token<'a>>, Mistake> {
        let mut tokens = Vec::new();
        loop {
            self.skip(char::is_whitespace);
            match self.peek() {
                None => return Ok(tokens),
                Some('}') if depth > 0 => return Ok(tokens),
                Some(first) => tokens.push(self.token(first, depth)?),
            }
        }
    }

    fn token(&mut self, first: char, depth: usize) -> Result<Token<'a>, Mistake> {
        let start = self.at;
        let kind = match first {
            '\'' | '"' => self.quoted(first)?,
            '`' => self.template(depth)?,
            '/' => self.regex()?,
            '0'..='9' => self.number()?,
            first if is_name_start(first) => TokenKind::Name(self.take(is_name_part)),
            _ => self.sign()?,
        };
        Ok(Token { kind, span: start..self.at })
    }

    fn quoted(&mut self, quote: char) -> Result<TokenKind<'a>, Mistake> {
        let start = self.at;
        self.advance();
        let mut value = String::new();
        loop {
            match self.advance() {
                None | Some('\n') => return Err(Mistake::new(start, format!("this text has no closing {quote}"))),
                Some(end) if end == quote => return Ok(TokenKind::Text(value)),
                Some('\\') => value.extend(self.escaped(start)?),
                Some(character) => value.push(character),
            }
        }
    }

    fn template(&mut self, depth: usize) -> Result<TokenKind<'a>, Mistake> {
        let start = self.at;
        if depth >= DEPTH_MAX {
            return Err(Mistake::new(start, format!("templates are nested more than {DEPTH_MAX} deep")));
        }
        self.advance();
        let mut pieces = Vec::new();
        let (mut text, mut text_start) = (String::new(), self.at);
        loop {
            let here = self.at;
            match self.advance() {
                None => return Err(Mistake::new(start, "this template has no closing `")),
                Some('\\') => text.extend(self.escaped(start)?),
                Some('`') => {
                    pieces.push(Piece::Text(text, text_start..here));
                    return Ok(TokenKind::Template(pieces));
                }
                Some('$') if self.peek() == Some('{') => {
                    self.advance();
                    pieces.push(Piece::Text(std::mem::take(&mut text), text_start..here));
                    let tokens = self.run(depth + 1)?;
                    pieces.push(Piece::Tokens(tokens, self.at));
                    if self.advance() != Some('}') {
                        return Err(Mistake::new(here, "this ${ has no closing }"));
                    }
                    text_start = self.at;
                }
                Some(character) => text.push(character),
            }
        }
    }

    /// What a backslash and the character after it stand for; nothing for a line's continuation.
    fn escaped(&mut self, start: usize) -> Result<Option<char>, Mistake> {
        let here = self.at;
        Ok(Some(match self.advance() {
            None => return Err(Mistake::new(start, "this text has no end")),
            Some('\n') => return Ok(None),
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('v') => '\u{b}',
            Some('0') => '\0',
            Some('x') => self.code(here, 2)?,
            Some('u') => self.code(here, 4)?,
            Some(itself) => itself,
        }))
    }

    fn code(&mut self, here: usize, digits: usize) -> Result<char, Mistake> {
        let text = self.text.get(self.at..self.at + digits).unwrap_or_default();
        self.at += text.len();
        let code = u32::from_str_radix(text, 16).ok().and_then(char::from_u32);
        code.ok_or_else(|| Mistake::new(here, format!("{digits} hexadecimal digits of a character are needed here")))
    }

    fn regex(&mut self) -> Result<TokenKind<'a>, Mistake> {
        let start = self.at;
        self.advance();
        let mut in_class = false;
        loop {
            let here = self.at;
            match self.advance() {
                None | Some('\n') => return Err(Mistake::new(start, "this regular expression has no closing /")),
                Some('\\') => drop(self.advance()),
                Some('[') => in_class = true,
                Some(']') => in_class = false,
                Some('/') if !in_class => {
                    let pattern = self.text.get(start + 1..here).unwrap_or_default();
                    return Ok(TokenKind::Regex { pattern, flags: self.take(is_name_part) });
                }
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Result<TokenKind<'a>, Mistake> {
        let start = self.at;
        self.take(|character| character.is_alphanumeric() || character == '.');
        if self.before().is_some_and(|last| matches!(last, 'e' | 'E')) && matches!(self.peek(), Some('+' | '-')) {
            self.advance();
            self.take(|character| character.is_ascii_digit());
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let malformed = || Mistake::new(start, format!("`{text}` is no number"));
        if !text.chars().all(|character| character.is_ascii_digit() || matches!(character, '.' | 'e' | 'E' | '+' | '-'))
        {
            return Err(malformed());
        }
        let integer = text.parse::<i64>().ok();
        let integer = integer.map(|number| i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32));
        let number = integer.or_else(|| text.parse::<f64>().ok().map(Bson::Double));
        number.map(TokenKind::Number).ok_or_else(malformed)
    }

    fn sign(&mut self) -> Result<TokenKind<'a>, Mistake> {
        let rest = self.rest();
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            return Ok(TokenKind::Sign(sign));
        }
        let message = match rest.chars().next() {
            Some('?' | ':') => "the rule language has no `? :`: write it with && and ||".to_owned(),
            Some('=') => "compare with `==`: rules set nothing".to_owned(),
            Some('&') => "write `&&`".to_owned(),
            Some('|') => "write `||`".to_owned(),
            Some('{' | '}') => "the rule language has no objects".to_owned(),
            Some(other) => format!("the rule language has no `{other}`"),
            None => "the expression ends too early".to_owned(),
        };
        Err(Mistake::new(self.at, message))
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        self.skip(belongs);
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip(&mut self, belongs: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&belongs) {
            self.advance();
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn before(&self) -> Option<char> {
        self.text.get(..self.at).map(str::chars).as_mut().and_then(Chars::next_back)
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }
}

fn is_name_start(character: char) -> bool {
    character.is_alphabetic() || matches!(character, '_' | '$')
}

fn is_name_part(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}
