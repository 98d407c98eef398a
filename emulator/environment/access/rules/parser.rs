//! Reads a rule's expression (semantics DB-7.20, DB-7.21, DB-7.28): operators by their binding powers, every mistake
//! with its place. What the language does not have is refused by its name.

use std::ops::Range;

use document::{Bson, Document};
use query::Filter;

use super::Language;
use super::expression::{Comparison, Expression, Kind, Pattern, Variable};
use super::lexer::{self, DEPTH_MAX, Piece, Token, TokenKind};
use super::text::Mistake;

/// How many characters an expression may have (semantics §7.3).
const CHARACTERS_MAX: usize = 1_024;

/// How often an expression may call `get()` (DB-7.28). Since every call names one document for each alternative of a
/// query, it reads no more documents than that.
const GETS_MAX: usize = 3;

/// How deep calls of `get()` may stand in one another (DB-7.28).
const GET_NESTING_MAX: usize = 2;

/// Reads an expression of `language`, and returns it with how many expressions there are in it.
pub(super) fn parse(text: &str, language: Language) -> Result<(Expression, usize), Mistake> {
    if text.chars().count() > CHARACTERS_MAX {
        return Err(Mistake::new(0, format!("the expression has more than {CHARACTERS_MAX} characters")));
    }
    let tokens = lexer::tokens(text)?;
    let mut count = 0;
    let parser = Parser { tokens: &tokens, position: 0, end: text.len(), language, count: &mut count, depth: 0 };
    let expression = parser.whole()?;
    check_gets(&expression)?;
    Ok((expression, count))
}

fn check_gets(expression: &Expression) -> Result<(), Mistake> {
    let mut calls = Vec::new();
    collect_gets(expression, 1, &mut calls);
    if let Some((span, _)) = calls.iter().find(|(_, nesting)| *nesting > GET_NESTING_MAX) {
        return Err(Mistake::new(span.start, format!("get() may be nested {GET_NESTING_MAX} deep")));
    }
    match calls.get(GETS_MAX) {
        Some((span, _)) => Err(Mistake::new(span.start, format!("an expression may call get() {GETS_MAX} times"))),
        None => Ok(()),
    }
}

fn collect_gets(expression: &Expression, nesting: usize, calls: &mut Vec<(Range<usize>, usize)>) {
    let is_get = matches!(expression.kind, Kind::Get(_));
    if is_get {
        calls.push((expression.span.clone(), nesting));
    }
    for child in expression.children() {
        collect_gets(child, nesting + usize::from(is_get), calls);
    }
}

struct Parser<'t, 'a> {
    tokens: &'t [Token<'a>],
    position: usize,
    /// Where the text ends, in bytes: the place of what is missing there.
    end: usize,
    language: Language,
    count: &'t mut usize,
    depth: usize,
}

/// What stands between two operands.
#[derive(Debug, Clone, Copy)]
enum Infix {
    Any,
    All,
    Compare(Comparison),
    In,
    Join,
}

/// Each with its binding power: the higher binds the tighter.
const INFIXES: &[(&str, u8, Infix)] = &[
    ("||", 1, Infix::Any),
    ("&&", 2, Infix::All),
    ("==", 3, Infix::Compare(Comparison::Equal)),
    ("===", 3, Infix::Compare(Comparison::Equal)),
    ("!=", 3, Infix::Compare(Comparison::NotEqual)),
    ("!==", 3, Infix::Compare(Comparison::NotEqual)),
    ("<", 4, Infix::Compare(Comparison::Less)),
    ("<=", 4, Infix::Compare(Comparison::LessOrEqual)),
    (">", 4, Infix::Compare(Comparison::Greater)),
    (">=", 4, Infix::Compare(Comparison::GreaterOrEqual)),
    ("in", 4, Infix::In),
    ("+", 5, Infix::Join),
];

impl<'t, 'a> Parser<'t, 'a> {
    fn whole(mut self) -> Result<Expression, Mistake> {
        let expression = self.expression(0)?;
        match self.tokens.get(self.position) {
            None => Ok(expression),
            Some(token) => Err(Mistake::new(token.span.start, unexpected(token))),
        }
    }

    /// An expression whose operators bind tighter than `power`.
    fn expression(&mut self, power: u8) -> Result<Expression, Mistake> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Mistake::new(self.here(), format!("the expression is nested more than {DEPTH_MAX} deep")));
        }
        let mut left = self.prefix()?;
        while let Some((infix_power, infix)) = self.infix().filter(|(infix_power, _)| *infix_power > power) {
            self.position += 1;
            let right = self.expression(infix_power)?;
            left = self.combine(infix, left, right);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn infix(&self) -> Option<(u8, Infix)> {
        let word = match &self.tokens.get(self.position)?.kind {
            TokenKind::Sign(sign) => sign,
            TokenKind::Name(name) => *name,
            _ => return None,
        };
        INFIXES.iter().find(|(spelling, ..)| *spelling == word).map(|(_, power, infix)| (*power, *infix))
    }

    /// `left` and `right` joined; what the same operator has joined before grows by `right`.
    fn combine(&mut self, infix: Infix, left: Expression, right: Expression) -> Expression {
        let span = left.span.start..right.span.end;
        let kind = match (infix, left) {
            (Infix::Any, Expression { kind: Kind::Any(parts), .. }) => Kind::Any(followed(parts, right)),
            (Infix::All, Expression { kind: Kind::All(parts), .. }) => Kind::All(followed(parts, right)),
            (Infix::Join, Expression { kind: Kind::Join(parts), .. }) => Kind::Join(followed(parts, right)),
            (Infix::Any, left) => Kind::Any(vec![left, right]),
            (Infix::All, left) => Kind::All(vec![left, right]),
            (Infix::Join, left) => Kind::Join(vec![left, right]),
            (Infix::Compare(comparison), left) => Kind::Compare(comparison, Box::new(left), Box::new(right)),
            (Infix::In, left) => Kind::In(Box::new(left), Box::new(right)),
        };
        self.node(span, kind)
    }

    fn prefix(&mut self) -> Result<Expression, Mistake> {
        let start = self.here();
        let Some(token) = self.next() else { return Err(Mistake::new(start, "a value is missing here")) };
        let kind = match &token.kind {
            TokenKind::Sign("!") => Kind::Not(Box::new(self.expression(6)?)),
            TokenKind::Sign("-") => self.negative(start)?,
            TokenKind::Sign("(") => {
                let inner = self.expression(0)?;
                self.expect(")")?;
                return self.postfix(inner);
            }
            TokenKind::Sign("[") => Kind::Array(self.elements()?),
            TokenKind::Sign(_) => return Err(Mistake::new(start, unexpected(token))),
            TokenKind::Number(number) => Kind::Literal(number.clone()),
            TokenKind::Text(text) => Kind::Literal(Bson::String(text.clone())),
            TokenKind::Template(pieces) => Kind::Join(self.pieces(pieces)?),
            TokenKind::Regex { pattern, flags } => self.test(start, pattern, flags)?,
            TokenKind::Name(name) => self.named(start, name)?,
        };
        let expression = self.node(start..self.before(), kind);
        self.postfix(expression)
    }

    fn negative(&mut self, start: usize) -> Result<Kind, Mistake> {
        let number = match self.next().map(|token| &token.kind) {
            Some(TokenKind::Number(Bson::Int32(number))) => number.checked_neg().map(Bson::Int32),
            Some(TokenKind::Number(Bson::Int64(number))) => number.checked_neg().map(Bson::Int64),
            Some(TokenKind::Number(Bson::Double(number))) => Some(Bson::Double(-number)),
            _ => None,
        };
        number
            .map(Kind::Literal)
            .ok_or_else(|| Mistake::new(start, "`-` stands only before a number: rules do not reckon"))
    }

    fn elements(&mut self) -> Result<Vec<Expression>, Mistake> {
        let mut elements = Vec::new();
        while !self.eat("]") {
            if !elements.is_empty() {
                self.expect(",")?;
            }
            elements.push(self.expression(0)?);
        }
        Ok(elements)
    }

    fn pieces(&mut self, pieces: &[Piece<'a>]) -> Result<Vec<Expression>, Mistake> {
        pieces.iter().map(|piece| self.piece(piece)).collect()
    }

    fn piece(&mut self, piece: &Piece<'a>) -> Result<Expression, Mistake> {
        match piece {
            Piece::Text(text, span) => Ok(self.node(span.clone(), Kind::Literal(Bson::String(text.clone())))),
            Piece::Tokens(tokens, end) => {
                let (language, depth) = (self.language, self.depth);
                Parser { tokens, position: 0, end: *end, language, count: self.count, depth }.whole()
            }
        }
    }

    /// What follows a regular expression: `.test(value)`.
    fn test(&mut self, start: usize, pattern: &str, flags: &str) -> Result<Kind, Mistake> {
        self.expect(".")?;
        match self.next().map(|token| &token.kind) {
            Some(TokenKind::Name("test")) => {}
            _ => return Err(Mistake::new(start, "a regular expression is asked by .test(value)")),
        }
        self.expect("(")?;
        let value = self.expression(0)?;
        self.expect(")")?;
        let condition = Document::from_iter([
            ("$regex".to_owned(), Bson::String(pattern.to_owned())),
            ("$options".to_owned(), Bson::String(flags.to_owned())),
        ]);
        let query = Document::from_iter([(Pattern::FIELD.to_owned(), Bson::Document(condition))]);
        let filter = Filter::parse(&query).map_err(|error| Mistake::new(start, error.to_string()))?;
        Ok(Kind::Test(Pattern { filter }, Box::new(value)))
    }

    fn named(&mut self, start: usize, name: &str) -> Result<Kind, Mistake> {
        match name {
            "true" => return Ok(Kind::Literal(Bson::Boolean(true))),
            "false" => return Ok(Kind::Literal(Bson::Boolean(false))),
            "null" => return Ok(Kind::Literal(Bson::Null)),
            _ => {}
        }
        if !self.language.names().contains(&name) {
            let names = self.language.names().join("`, `");
            return Err(Mistake::new(start, format!("there is no `{name}` here: there are `{names}`")));
        }
        match name {
            "auth" => Ok(Kind::Variable(Variable::Auth)),
            "doc" => Ok(Kind::Variable(Variable::Doc)),
            "now" => Ok(Kind::Variable(Variable::Now)),
            "resource" => Ok(Kind::Variable(Variable::Resource)),
            "request" => self.request(start),
            _ => self.get(),
        }
    }

    fn request(&mut self, start: usize) -> Result<Kind, Mistake> {
        let is_data = self.eat(".") && matches!(self.next().map(|token| &token.kind), Some(TokenKind::Name("data")));
        if is_data {
            Ok(Kind::Variable(Variable::Data))
        } else {
            Err(Mistake::new(start, "of `request` there is only `request.data`"))
        }
    }

    fn get(&mut self) -> Result<Kind, Mistake> {
        self.expect("(")?;
        let reference = self.expression(0)?;
        self.expect(")")?;
        Ok(Kind::Get(Box::new(reference)))
    }

    /// The `.name` and `[index]` that follow an expression.
    fn postfix(&mut self, mut expression: Expression) -> Result<Expression, Mistake> {
        loop {
            let here = self.here();
            let start = expression.span.start;
            let kind = if self.eat(".") {
                let Some(TokenKind::Name(name)) = self.next().map(|token| &token.kind) else {
                    return Err(Mistake::new(here, "a name must follow the `.`"));
                };
                Kind::Member(Box::new(expression), (*name).to_owned())
            } else if self.eat("[") {
                let index = self.expression(0)?;
                self.expect("]")?;
                Kind::Index(Box::new(expression), Box::new(index))
            } else if matches!(self.tokens.get(self.position), Some(token) if token.kind == TokenKind::Sign("(")) {
                let message = "the rule language has no functions but get() and /pattern/.test()";
                return Err(Mistake::new(expression.span.start, message));
            } else {
                return Ok(expression);
            };
            expression = self.node(start..self.before(), kind);
        }
    }

    fn node(&mut self, span: Range<usize>, kind: Kind) -> Expression {
        let number = *self.count;
        *self.count += 1;
        Expression { number, span, kind }
    }

    fn next(&mut self) -> Option<&'t Token<'a>> {
        let token = self.tokens.get(self.position)?;
        self.position += 1;
        Some(token)
    }

    fn eat(&mut self, sign: &'static str) -> bool {
        let found = self.tokens.get(self.position).is_some_and(|token| token.kind == TokenKind::Sign(sign));
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Mistake> {
        let here = self.here();
        if self.eat(sign) { Ok(()) } else { Err(Mistake::new(here, format!("`{sign}` is missing here"))) }
    }

    /// Where the next token begins.
    fn here(&self) -> usize {
        self.tokens.get(self.position).map_or(self.end, |token| token.span.start)
    }

    /// Where the last token ended.
    fn before(&self) -> usize {
        self.position.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(self.end, |token| token.span.end)
    }
}

fn followed(mut parts: Vec<Expression>, next: Expression) -> Vec<Expression> {
    parts.push(next);
    parts
}

fn unexpected(token: &Token<'_>) -> String {
    match &token.kind {
        TokenKind::Name(name) => format!("`{name}` is not expected here"),
        TokenKind::Sign("-") => "the rule language has no `-`: rules do not reckon".to_owned(),
        TokenKind::Sign(sign) => format!("`{sign}` is not expected here"),
        TokenKind::Regex { .. } => "the rule language has no `/`: rules do not reckon".to_owned(),
        TokenKind::Number(_) | TokenKind::Text(_) | TokenKind::Template(_) => "an operator is missing here".to_owned(),
    }
}
