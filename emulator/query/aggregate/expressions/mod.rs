//! Expressions: what a document, and the variables in scope, make of them (semantics §4.3), meaning MongoDB 4.0.
//! `operators.rs` is the table of operators, each family has its file; `parse.rs` reads, `node.rs` evaluates.
//!
//! ## Differences from the cloud
//! - Operators of newer engines that users send are served; [`Expression::newer_operators`] names them.
//! - `$meta` is refused by name, as no search gives a score. So is binding `CURRENT`.
//! - An error in a constant part shows when a document is evaluated, not before.
//! - A value in between may take about 64 MB, and hold 100 levels; `$dateFromString` without a format reads ISO 8601
//!   and common spellings of dates only.

mod accumulators;
mod arithmetic;
mod array;
mod boolean;
mod comparison;
mod conditional;
mod convert;
mod date;
mod date_format;
mod date_text;
mod decimal;
mod limits;
mod node;
mod object;
mod operators;
mod parse;
mod path;
mod regex;
mod set;
mod string;
mod time_zone;
mod value;
mod variables;

#[cfg(test)]
mod laws;

use std::rc::Rc;

use document::{Bson, DocumentRef};

use crate::QueryError;
use node::{Environment, Node};
use parse::Parser;

pub(crate) use accumulators::{Deviation, Sum};
#[cfg(test)]
pub(crate) use operators::names as operator_names;
pub(crate) use path::check_field_name;
pub(crate) use value::{is_true, show};
pub(crate) use variables::check_name as check_variable_name;

/// An expression, read once and evaluated for each document.
#[derive(Debug, Clone)]
pub struct Expression {
    node: Node,
    newer: Vec<&'static str>,
}

/// The names of the variables that an expression may use beside `ROOT`, `CURRENT` and `REMOVE`.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<Box<str>>,
}

/// What an expression sees: a document, and variables with their values, which may be missing.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    root: DocumentRef<'a>,
    variables: Option<Rc<Variable>>,
}

#[derive(Debug)]
struct Variable {
    name: Box<str>,
    value: Option<Bson>,
    outer: Option<Rc<Variable>>,
}

impl Names {
    /// These names and one more.
    #[must_use]
    pub fn with(&self, name: &str) -> Names {
        let mut names = self.names.clone();
        names.push(name.into());
        Names { names }
    }

    fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|known| **known == *name)
    }
}

impl<'a> Scope<'a> {
    /// A document and no variable.
    pub fn of(root: DocumentRef<'a>) -> Scope<'a> {
        Scope { root, variables: None }
    }

    /// The document.
    pub fn root(&self) -> DocumentRef<'a> {
        self.root
    }

    /// The same with one more variable, which hides another of that name.
    #[must_use]
    pub fn with(&self, name: &str, value: Option<Bson>) -> Scope<'a> {
        let variable = Variable { name: name.into(), value, outer: self.variables.clone() };
        Scope { root: self.root, variables: Some(Rc::new(variable)) }
    }

    /// The same variables and another document.
    #[must_use]
    pub fn at<'b>(&self, root: DocumentRef<'b>) -> Scope<'b> {
        Scope { root, variables: self.variables.clone() }
    }
}

impl Expression {
    /// Reads an expression that may use the variables `names`.
    pub fn parse(expression: &Bson, names: &Names) -> Result<Expression, QueryError> {
        let mut parser = Parser::new(names.clone());
        let node = parser.expression(expression)?;
        Ok(Expression { node, newer: parser.newer() })
    }

    /// Its value for a document; `None` is missing.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Option<Bson>, QueryError> {
        Ok(self.node.evaluate(&Environment::of(scope))?.into_bson())
    }

    /// Whether its value for a document counts as true: all but false, zero, null and missing.
    pub fn is_true(&self, scope: &Scope<'_>) -> Result<bool, QueryError> {
        Ok(self.node.evaluate(&Environment::of(scope))?.is_true())
    }

    /// The value, where it is the same for every document.
    pub fn constant(&self) -> Option<&Bson> {
        self.node.constant()
    }

    /// The operators in it that MongoDB 4.0 does not have, each once: the cloud would answer `Unrecognized expression`.
    pub fn newer_operators(&self) -> &[&'static str] {
        &self.newer
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{Bson, DateTime, Document, decode_value_text};

    use super::{Expression, Names, Scope};

    #[test]
    fn newer_operators_are_named_once() {
        let newer = |text: &str| parse(text, &Names::default()).newer_operators().join(" ");
        assert_eq!(newer(r#"{"$add": [{"$round": "$a"}, {"$round": ["$b", 1]}, {"$first": "$c"}]}"#), "$round $first");
        assert_eq!(newer(r#"{"$trunc": "$a"}"#), "");
        assert_eq!(newer(r#"{"$trunc": ["$a", 1]}"#), "$trunc");
        assert_eq!(newer(r#"{"$ifNull": ["$a", "$b", 1]}"#), "$ifNull");
    }

    #[test]
    fn variables_of_the_scope() {
        let document = Document::new();
        let scope = Scope::of((&document).into()).with("order", Some(value(r#"{"item": {"name": "a"}}"#)));
        let names = Names::default().with("order");
        let found = |text: &str, scope: &Scope<'_>| parse(text, &names).evaluate(scope).unwrap();
        assert_eq!(found(r#""$$order.item.name""#, &scope), Some("a".into()));
        assert_eq!(found(r#""$$order""#, &scope.with("order", None)), None);
        assert_eq!(found(r#"{"$let": {"vars": {"order": 1}, "in": "$$order"}}"#, &scope), Some(Bson::Int32(1)));
    }

    #[test]
    fn constants_are_folded() {
        let constant = |text: &str| parse(text, &Names::default()).constant().cloned();
        assert_eq!(constant(r#"{"$add": [1, {"$multiply": [2, 3]}]}"#), Some(Bson::Int32(7)));
        assert_eq!(constant(r#"["a", {"b": {"$literal": "$c"}}]"#), Some(value(r#"["a", {"b": "$c"}]"#)));
        assert_eq!(constant(r#"{"$add": [1, "$a"]}"#), None);
        assert_eq!(constant(r#"{"$divide": [1, 0]}"#), None);
    }

    #[test]
    fn levels_are_limited() {
        let deep = (0..1_000).fold(Bson::Int32(1), |inner, _| Bson::Array(vec![inner]));
        assert!(Expression::parse(&deep, &Names::default()).is_err());
    }

    #[test]
    fn the_deepest_expressions_evaluate() {
        let document = Document::from_iter([("a".to_owned(), Bson::Int32(1))]);
        let forms = [
            (r#"{"$add": [1, "inner"]}"#, 98),
            (r#"{"$cond": ["$a", "inner", null]}"#, 98),
            (r#"{"$let": {"vars": {"v": "$a"}, "in": "inner"}}"#, 98),
            (r#"{"$reduce": {"input": [1, 2], "initialValue": "$a", "in": "inner"}}"#, 8),
        ];
        for (form, rounds) in forms {
            let deep = (0..rounds).fold(Bson::from("$a"), |inner, _| filled(&value(form), &inner));
            let deepest = Expression::parse(&deep, &Names::default()).unwrap();
            assert!(deepest.evaluate(&Scope::of((&document).into())).is_ok(), "{form}");
        }
    }

    /// `form` with `inner` where it says so.
    fn filled(form: &Bson, inner: &Bson) -> Bson {
        match form {
            Bson::String(text) if text == "inner" => inner.clone(),
            Bson::Array(array) => array.iter().map(|element| filled(element, inner)).collect::<Vec<_>>().into(),
            Bson::Document(fields) => {
                Bson::Document(fields.iter().map(|(name, value)| (name.clone(), filled(value, inner))).collect())
            }
            other => other.clone(),
        }
    }

    fn parse(text: &str, names: &Names) -> Expression {
        Expression::parse(&value(text), names).unwrap()
    }

    fn value(text: &str) -> Bson {
        decode_value_text(text, DateTime::from_millis(0)).unwrap()
    }
}
