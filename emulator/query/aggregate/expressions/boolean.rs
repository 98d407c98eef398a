//! Boolean operators: `$and`, `$or`, `$not`.

use document::Bson;

use super::node::{Arguments, Environment, Node};
use super::parse::Parser;
use super::value::Outcome;
use crate::QueryError;

/// Conditions evaluated until one decides.
#[derive(Debug, Clone)]
pub(super) struct Junction {
    conditions: Vec<Node>,
    /// Which truth decides: false for `$and`, true for `$or`. The other is the value where nothing decides.
    decisive: bool,
}

pub(super) fn parse_and(parser: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    Ok(Node::Junction(Junction { conditions: parser.arguments(argument)?, decisive: false }))
}

pub(super) fn parse_or(parser: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    Ok(Node::Junction(Junction { conditions: parser.arguments(argument)?, decisive: true }))
}

pub(super) fn not(arguments: Arguments<'_>) -> Outcome<'_> {
    let [condition] = arguments.take();
    Ok((!condition.is_true()).into())
}

impl Junction {
    pub(super) fn evaluate<'a>(&'a self, environment: &Environment<'a>) -> Outcome<'a> {
        for condition in &self.conditions {
            if condition.evaluate(environment)?.is_true() == self.decisive {
                return Ok(self.decisive.into());
            }
        }
        Ok((!self.decisive).into())
    }
}
