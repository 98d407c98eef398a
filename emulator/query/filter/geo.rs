//! Geospatial Query Operators: `$geoWithin`, `$geoIntersects`, and `$near` with its kin, which also orders what it finds
//! (semantics §2.5). Geometry is `geo`'s.

use std::sync::Arc;

use document::{Bson, Document, to_shell_text};

use super::Node;
use super::predicate::{Operand, Predicate};
use crate::QueryError;
use crate::geo::{Covering, Near, Region, Relation};

pub(super) fn parse_within(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    parse_region(Relation::Within, operand)
}

pub(super) fn parse_intersects(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    parse_region(Relation::Meets, operand)
}

fn parse_region(relation: Relation, operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    let other = operand.operators.iter().find(|(name, _)| *name != operand.name);
    match other {
        Some((name, value)) => {
            let text = to_shell_text(value.into());
            Err(QueryError::bad_query(format!("can't parse extra field: {name}: {text}")))
        }
        None => Ok(Predicate::Geo(Arc::new(Region::parse(relation, operand.argument, operand.operators)?))),
    }
}

/// The near that a field's condition is: its first operator says so, and the others belong to it.
pub(super) fn parse_near(path: &str, condition: &Bson) -> Result<Option<Node>, QueryError> {
    match condition {
        Bson::Document(operators) if begins_with_near(operators) => {
            Near::parse(path, operators).map(|near| Some(Node::Near(Arc::new(near))))
        }
        _ => Ok(None),
    }
}

fn begins_with_near(operators: &Document) -> bool {
    let first = operators.iter().next();
    first.is_some_and(|(name, value)| {
        matches!(name.as_str(), "$geoNear" | "$near" | "$nearSphere")
            && matches!(value, Bson::Document(_) | Bson::Array(_))
    })
}

/// A near where it cannot be: behind other operators, or below one.
pub(super) fn refuse_near(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    if !begins_with_near(operand.operators) {
        let text = to_shell_text(operand.operators.into());
        return Err(QueryError::bad_query(format!("near must be first in: {text}")));
    }
    Near::parse(operand.path, operand.operators)?;
    Err(misplaced())
}

/// At most one near, and that where every document must meet it (semantics DB-2.45).
pub(super) fn check_near(root: &Node) -> Result<(), QueryError> {
    match (count(root), near(root)) {
        (0, _) | (1, Some(_)) => Ok(()),
        (1, None) => Err(misplaced()),
        _ => Err(QueryError::bad_query("Too many geoNear expressions")),
    }
}

/// No near at all, as in `$elemMatch`.
pub(super) fn check_no_near(node: &Node) -> Result<(), QueryError> {
    if count(node) == 0 { Ok(()) } else { Err(misplaced()) }
}

/// The near that every match must meet.
pub(super) fn near(node: &Node) -> Option<&Near> {
    match node {
        Node::Near(found) => Some(found),
        Node::All(nodes) => nodes.iter().find_map(near),
        Node::Any(nodes) => match nodes.as_slice() {
            [only] => near(only),
            _ => None,
        },
        Node::None(_) | Node::Field(..) | Node::Expression(_) => None,
    }
}

/// What every match must meet at `path` by `$geoWithin` or `$geoIntersects`, as an index finds it.
pub(super) fn covering(node: &Node, path: &str) -> Option<Covering> {
    match node {
        Node::All(nodes) => nodes.iter().find_map(|node| covering(node, path)),
        Node::Field(field, predicate) if field.as_str() == path => region(predicate)?.covering(),
        Node::Field(..) | Node::Any(_) | Node::None(_) | Node::Near(_) | Node::Expression(_) => None,
    }
}

/// The paths that [`covering`] may know something about.
pub(super) fn paths<'a>(node: &'a Node, found: &mut Vec<&'a str>) {
    match node {
        Node::All(nodes) => nodes.iter().for_each(|node| paths(node, found)),
        Node::Field(field, predicate) => {
            if region(predicate).is_some() && !found.contains(&field.as_str()) {
                found.push(field.as_str());
            }
        }
        Node::Any(_) | Node::None(_) | Node::Near(_) | Node::Expression(_) => {}
    }
}

fn region(predicate: &Predicate) -> Option<&Region> {
    match predicate {
        Predicate::Geo(region) => Some(region),
        Predicate::All(parts) => parts.iter().find_map(region),
        _ => None,
    }
}

fn count(node: &Node) -> usize {
    match node {
        Node::Near(_) => 1,
        Node::All(nodes) | Node::Any(nodes) | Node::None(nodes) => nodes.iter().map(count).sum(),
        Node::Field(..) | Node::Expression(_) => 0,
    }
}

fn misplaced() -> QueryError {
    QueryError::bad_query("geoNear must be top-level expr")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{DateTime, decode_text};

    use crate::Filter;

    const WITHIN: &str = r#"{"$geoWithin": {"$centerSphere": [[0, 0], 0.1]}}"#;
    const NEAR: &str = r#"{"$nearSphere": [0, 0]}"#;

    #[test]
    fn what_an_index_can_find() {
        let paths = |text: &str| parse(text).geo_paths().join(" ");
        assert_eq!(
            paths(&format!(r#"{{"a": {WITHIN}, "$and": [{{"b.c": {WITHIN}, "a": {WITHIN}}}], "d": 1}}"#)),
            "a b.c"
        );
        assert_eq!(paths(&format!(r#"{{"$or": [{{"a": {WITHIN}}}], "b": {{"$not": {WITHIN}}}}}"#)), "");
        assert!(parse(&format!(r#"{{"a": {WITHIN}}}"#)).geo_covering("a").is_some());
        assert!(parse(&format!(r#"{{"a": {WITHIN}}}"#)).geo_covering("b").is_none());
        assert!(parse(r#"{"a": {"$geoWithin": {"$box": [[0, 0], [1, 1]]}}}"#).geo_covering("a").is_none());
    }

    #[test]
    fn where_a_near_is() {
        assert_eq!(parse(&format!(r#"{{"$and": [{{"b": 1, "a.b": {NEAR}}}]}}"#)).near().unwrap().path(), "a.b");
        assert!(parse(&format!(r#"{{"a": {WITHIN}}}"#)).check_without_near().is_ok());
        let error = parse(&format!(r#"{{"a": {NEAR}}}"#)).check_without_near().unwrap_err();
        assert_eq!(error.message, "$geoNear, $near, and $nearSphere are not allowed in this context");
    }

    #[test]
    fn a_filter_is_asked_from_any_thread() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&parse(&format!(r#"{{"a": {WITHIN}, "b": {NEAR}}}"#)));
    }

    fn parse(text: &str) -> Filter {
        Filter::parse(&decode_text(text, DateTime::from_millis(0)).unwrap()).unwrap()
    }
}
