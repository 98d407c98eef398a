//! Variables: `$$name` and paths below it, and `$let`, which binds them.

use document::{Bson, Document};

use super::node::{Binding, Environment, Node};
use super::parse::{Parser, member, object_of, only_members};
use super::value::{Outcome, Value};
use super::{Names, limits, path};
use crate::QueryError;

/// `$let`: an expression that sees variables of its own.
#[derive(Debug, Clone)]
pub(super) struct Let {
    variables: Vec<(Box<str>, Node)>,
    body: Node,
}

/// Reads what stands behind `$$`.
pub(super) fn parse(text: &str, names: &Names) -> Result<Node, QueryError> {
    let (name, below) = text.split_once('.').map_or((text, None), |(name, below)| (name, Some(below)));
    check_characters(name)?;
    let below = below.map_or_else(|| Ok(Box::default()), path::parse)?;
    match name {
        name if names.contains(name) => Ok(Node::Variable(name.into(), below)),
        "ROOT" | "CURRENT" => Ok(Node::Field(below)),
        "REMOVE" => Ok(Node::Missing),
        _ => Err(QueryError::bad_query(format!("Use of undefined variable: {name}"))),
    }
}

/// Whether an expression may bind this name.
pub(crate) fn check_name(name: &str) -> Result<(), QueryError> {
    if name == "CURRENT" {
        return Err(QueryError::unsupported("a variable named CURRENT"));
    }
    check_characters(name)?;
    match name.chars().next() {
        Some(first) if first.is_ascii_lowercase() || !first.is_ascii() => Ok(()),
        _ => Err(invalid_start(name, "user variable name")),
    }
}

fn check_characters(name: &str) -> Result<(), QueryError> {
    let Some(first) = name.chars().next() else {
        return Err(QueryError::bad_query("empty variable names are not allowed"));
    };
    if first.is_ascii() && !first.is_ascii_alphabetic() {
        return Err(invalid_start(name, "variable name"));
    }
    match name.chars().find(|next| next.is_ascii() && !next.is_ascii_alphanumeric() && *next != '_') {
        Some(invalid) => Err(QueryError::bad_query(format!(
            "'{name}' contains an invalid character for a variable name: '{invalid}'"
        ))),
        None => Ok(()),
    }
}

fn invalid_start(name: &str, what: &str) -> QueryError {
    QueryError::bad_query(format!("'{name}' starts with an invalid character for a {what}"))
}

pub(super) fn parse_let(parser: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, "$let only supports an object as its argument")?;
    only_members(object, &["vars", "in"], "Unrecognized parameter to $let: ")?;
    let variables = member(object, "vars", "Missing 'vars' parameter to $let")?;
    let body = member(object, "in", "Missing 'in' parameter to $let")?;
    let variables = object_of(variables, "invalid parameter: expected an object (vars)")?;
    let names: Vec<&str> = variables.keys().map(String::as_str).collect();
    names.iter().try_for_each(|name| check_name(name))?;
    let body = parser.expression_with(&names, body)?;
    Ok(Node::Let(Box::new(Let { variables: parse_bindings(parser, variables)?, body })))
}

/// The values do not see each other.
fn parse_bindings(parser: &mut Parser, variables: &Document) -> Result<Vec<(Box<str>, Node)>, QueryError> {
    variables.iter().map(|(name, value)| Ok((name.as_str().into(), parser.expression(value)?))).collect()
}

impl Let {
    pub(super) fn evaluate<'a>(&'a self, environment: &Environment<'a>) -> Outcome<'a> {
        let value = |(name, node): &'a (Box<str>, Node)| Ok((&**name, limits::checked(node.evaluate(environment)?)?));
        let bound = self.variables.iter().map(value).collect::<Result<Vec<_>, QueryError>>()?;
        evaluate_with(&self.body, &bound, environment)
    }
}

/// What `body` makes of the environment with more variables.
pub(super) fn evaluate_with<'a>(
    body: &Node,
    bound: &[(&str, Value<'_>)],
    environment: &Environment<'_>,
) -> Outcome<'a> {
    let binding = Binding { bound, outer: environment.bindings() };
    let value = body.evaluate(&environment.with(&binding))?;
    Ok(value.into_bson().map_or(Value::Missing, Value::Owned))
}
