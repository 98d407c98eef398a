//! Logical Query Operators: `$and $or $nor $not`, and the query document itself, which is an "and" of its fields
//! (semantics §2.3, DB-2.27). What a single field asks is in `predicate.rs`.

use document::{Bson, Document};

use super::predicate::{self, Operand, Predicate};
use super::walk::Path;
use super::{Node, evaluation, expression};
use crate::QueryError;
use crate::aggregate::Names;

type ParseBranches = fn(Vec<Node>) -> Node;

const OPERATORS: &[(&str, ParseBranches)] = &[("$and", Node::All), ("$nor", Node::None), ("$or", Node::Any)];

const OPERATORS_UNSUPPORTED: &[&str] = &["$jsonSchema", "$sampleRate", "$text", "$where"];

/// Reads a query document: every field and every logical operator in it must hold. `names` are the variables that `$expr`
/// may use; without them it may not stand here.
pub(super) fn parse_conjunction(query: &Document, names: Option<&Names>) -> Result<Node, QueryError> {
    let mut nodes = Vec::with_capacity(query.len());
    for (name, condition) in query {
        if !name.starts_with('$') {
            nodes.push(Node::Field(Path::parse(name), predicate::parse(name, condition)?));
        } else if name != "$comment" {
            nodes.push(parse_logical(name, condition, names)?);
        }
    }
    match (nodes.pop(), nodes.is_empty()) {
        (Some(only), true) => Ok(only),
        (last, _) => {
            nodes.extend(last);
            Ok(Node::All(nodes))
        }
    }
}

fn parse_logical(name: &str, condition: &Bson, names: Option<&Names>) -> Result<Node, QueryError> {
    if name == "$expr" {
        return expression::parse(condition, names);
    }
    if let Some((_, combine)) = OPERATORS.iter().find(|(operator, _)| *operator == name) {
        return parse_branches(condition, names).map(combine);
    }
    if OPERATORS_UNSUPPORTED.binary_search(&name).is_ok() {
        return Err(QueryError::unsupported(name));
    }
    Err(QueryError::bad_query(format!("unknown top level operator: {name}")))
}

fn parse_branches(condition: &Bson, names: Option<&Names>) -> Result<Vec<Node>, QueryError> {
    let branches = match condition {
        Bson::Array(branches) if !branches.is_empty() => branches,
        _ => return Err(QueryError::bad_query("$and/$or/$nor must be a nonempty array")),
    };
    branches.iter().map(|branch| parse_branch(branch, names)).collect()
}

fn parse_branch(branch: &Bson, names: Option<&Names>) -> Result<Node, QueryError> {
    match branch {
        Bson::Document(query) => parse_conjunction(query, names),
        _ => Err(QueryError::bad_query("$or/$and/$nor entries need to be full objects")),
    }
}

/// `$not` of operators or of a regular expression (UNC-08).
pub(super) fn parse_not(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    match operand.argument {
        Bson::RegularExpression(_) => Ok(Predicate::Not(vec![evaluation::parse_regex_value(operand.argument)?])),
        Bson::Document(operators) if operators.is_empty() => Err(QueryError::bad_query("$not cannot be empty")),
        Bson::Document(operators) => Ok(Predicate::Not(predicate::parse_operators(operand.path, operators)?)),
        _ => Err(QueryError::bad_query("$not needs a regex or a document")),
    }
}

#[cfg(test)]
mod tests {
    use super::{OPERATORS, OPERATORS_UNSUPPORTED};

    #[test]
    fn tables_are_sorted() {
        assert!(OPERATORS.is_sorted_by_key(|(name, _)| name));
        assert!(OPERATORS_UNSUPPORTED.is_sorted());
    }
}
