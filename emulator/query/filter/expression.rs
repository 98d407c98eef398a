//! Evaluation Query Operator `$expr`: an expression of the aggregation that is true of the whole document (semantics DB-2.33).

use document::{Bson, ValueRef};

use super::{Node, every, some};
use crate::QueryError;
use crate::aggregate::{Expression, Names, Scope};

/// Reads the condition. `names` are the variables it may use; `None` is within `$elemMatch`, where it may not stand.
pub(super) fn parse(argument: &Bson, names: Option<&Names>) -> Result<Node, QueryError> {
    match names {
        Some(names) => Expression::parse(argument, names).map(Box::new).map(Node::Expression),
        None => Err(QueryError::bad_query("$expr can only be applied to the top-level document")),
    }
}

/// Whether the expression is true of a document that has no variables beside it.
pub(super) fn matches(expression: &Expression, root: ValueRef<'_>) -> Result<bool, QueryError> {
    root.as_document().map_or(Ok(false), |document| expression.is_true(&Scope::of(document)))
}

/// Whether a condition holds for the document in `scope`, whose variables its expressions see.
pub(super) fn matches_in(node: &Node, scope: &Scope<'_>) -> Result<bool, QueryError> {
    match node {
        Node::All(nodes) => every(nodes, |node| matches_in(node, scope)),
        Node::Any(nodes) => some(nodes, |node| matches_in(node, scope)),
        Node::None(nodes) => some(nodes, |node| matches_in(node, scope)).map(|found| !found),
        Node::Expression(expression) => expression.is_true(scope),
        Node::Field(..) => node.matches(scope.root().into(), &mut None),
    }
}
