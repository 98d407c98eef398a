//! Conditional operators: `$cond`, `$ifNull`, `$switch`. Only the chosen branch is evaluated.

use document::{Bson, Document, ValueRef};

use super::node::{Environment, Node};
use super::parse::{Parser, member, object_of, only_members};
use super::value::{Outcome, Value};
use crate::QueryError;

/// `$switch`, and `$cond`, which is one with a single branch.
#[derive(Debug, Clone)]
pub(super) struct Switch {
    branches: Vec<(Node, Node)>,
    otherwise: Option<Node>,
}

/// The first that is not null, else the last.
#[derive(Debug, Clone)]
pub(super) struct IfNull {
    choices: Vec<Node>,
    last: Box<Node>,
}

pub(super) fn parse_cond(parser: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let parts = match argument {
        Bson::Document(object) => cond_members(object)?,
        Bson::Array(parts) => parts.iter().collect(),
        single => vec![single],
    };
    let &[condition, then, otherwise] = parts.as_slice() else {
        let count = parts.len();
        return Err(QueryError::bad_query(format!(
            "Expression $cond takes exactly 3 arguments. {count} were passed in."
        )));
    };
    let branches = vec![(parser.expression(condition)?, parser.expression(then)?)];
    let otherwise = Some(parser.expression(otherwise)?);
    Ok(Node::Switch(Box::new(Switch { branches, otherwise })))
}

fn cond_members(object: &Document) -> Result<Vec<&Bson>, QueryError> {
    const MEMBERS: [&str; 3] = ["if", "then", "else"];
    only_members(object, &MEMBERS, "Unrecognized parameter to $cond: ")?;
    MEMBERS.iter().map(|name| member(object, name, &format!("Missing '{name}' parameter to $cond"))).collect()
}

/// Two arguments in MongoDB 4.0; any more are a newer engine's.
pub(super) fn parse_if_null(parser: &mut Parser, name: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let mut choices = parser.arguments(argument)?;
    let count = choices.len();
    if count > 2 {
        parser.note_newer(name);
    }
    match choices.pop() {
        Some(last) if count >= 2 => Ok(Node::IfNull(IfNull { choices, last: Box::new(last) })),
        _ => {
            Err(QueryError::bad_query(format!("Expression $ifNull takes exactly 2 arguments. {count} were passed in.")))
        }
    }
}

pub(super) fn parse_switch(parser: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, "$switch requires an object as an argument, found: {type}")?;
    only_members(object, &["branches", "default"], "$switch found an unknown argument: ")?;
    let branches = match object.get("branches") {
        Some(Bson::Array(branches)) if !branches.is_empty() => branches,
        Some(Bson::Array(_)) | None => return Err(QueryError::bad_query("$switch requires at least one branch.")),
        Some(other) => {
            let found = ValueRef::from(other).type_name();
            return Err(QueryError::bad_query(format!("$switch expected an array for 'branches', found: {found}")));
        }
    };
    let branches = branches.iter().map(|branch| parse_branch(parser, branch)).collect::<Result<_, _>>()?;
    let otherwise = object.get("default").map(|value| parser.expression(value)).transpose()?;
    Ok(Node::Switch(Box::new(Switch { branches, otherwise })))
}

fn parse_branch(parser: &mut Parser, branch: &Bson) -> Result<(Node, Node), QueryError> {
    let branch = object_of(branch, "$switch expected each branch to be an object, found: {type}")?;
    only_members(branch, &["case", "then"], "$switch found an unknown argument to a branch: ")?;
    let case = member(branch, "case", "$switch requires each branch have a 'case' expression")?;
    let then = member(branch, "then", "$switch requires each branch have a 'then' expression.")?;
    Ok((parser.expression(case)?, parser.expression(then)?))
}

impl Switch {
    pub(super) fn evaluate<'a>(&'a self, environment: &Environment<'a>) -> Outcome<'a> {
        for (case, then) in &self.branches {
            if case.evaluate(environment)?.is_true() {
                return then.evaluate(environment);
            }
        }
        match &self.otherwise {
            Some(otherwise) => otherwise.evaluate(environment),
            None => Err(QueryError::bad_query(
                "$switch could not find a matching branch for an input, and no default was specified.",
            )),
        }
    }
}

impl IfNull {
    pub(super) fn evaluate<'a>(&'a self, environment: &Environment<'a>) -> Outcome<'a> {
        for choice in &self.choices {
            let value: Value<'a> = choice.evaluate(environment)?;
            if !value.is_nullish() {
                return Ok(value);
            }
        }
        self.last.evaluate(environment)
    }
}
