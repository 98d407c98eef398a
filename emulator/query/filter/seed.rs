//! What a filter says outright about fields: the candidates for a path, and the fields of an upserted document.

use document::limits::NESTING_MAX;
use document::{Bson, Document};

use super::Node;
use super::predicate::Predicate;
use super::walk::Segment;
use crate::QueryError;

/// See [`super::Filter::equality`].
pub(super) fn equality(node: &Node, path: &str) -> Option<Vec<Bson>> {
    match node {
        Node::All(nodes) => nodes.iter().find_map(|node| equality(node, path)),
        Node::Field(field, predicate) if field.as_str() == path => candidates(predicate),
        Node::Field(..) | Node::Any(_) | Node::None(_) | Node::Expression(_) => None,
    }
}

/// See [`super::Filter::equality_paths`].
pub(super) fn equality_paths<'a>(node: &'a Node, paths: &mut Vec<&'a str>) {
    match node {
        Node::All(nodes) => nodes.iter().for_each(|node| equality_paths(node, paths)),
        Node::Field(field, predicate) => {
            if !paths.contains(&field.as_str()) && candidates(predicate).is_some() {
                paths.push(field.as_str());
            }
        }
        Node::Any(_) | Node::None(_) | Node::Expression(_) => {}
    }
}

fn candidates(predicate: &Predicate) -> Option<Vec<Bson>> {
    let candidates: Vec<Bson> = match predicate {
        Predicate::All(parts) => return parts.iter().find_map(candidates),
        Predicate::Compare(comparison) => vec![comparison.equality()?.clone()],
        Predicate::In(candidates) => candidates.values()?.to_vec(),
        _ => return None,
    };
    let certain =
        |value: &Bson| !matches!(value, Bson::Null | Bson::Undefined | Bson::Array(_) | Bson::RegularExpression(_));
    candidates.iter().all(certain).then_some(candidates)
}

/// See [`super::Filter::upsert_fields`].
pub(super) fn upsert_fields(root: &Node) -> Result<Document, QueryError> {
    let mut equalities = Vec::new();
    collect_equalities(root, &mut equalities);
    let mut document = Document::new();
    for (index, (path, value)) in equalities.iter().enumerate() {
        if path.len() > NESTING_MAX {
            return Err(QueryError::bad_query(format!("a path of the query has more than {NESTING_MAX} segments")));
        }
        let earlier = equalities.iter().take(index).find(|(other, _)| overlap(other, path));
        if let Some((other, _)) = earlier {
            return Err(twice(other, path));
        }
        insert(&mut document, path, value);
    }
    Ok(document)
}

type Equality<'a> = (&'a [Segment], &'a Bson);

fn collect_equalities<'a>(node: &'a Node, equalities: &mut Vec<Equality<'a>>) {
    match node {
        Node::All(nodes) => nodes.iter().for_each(|node| collect_equalities(node, equalities)),
        Node::Any(nodes) => {
            if let [only] = nodes.as_slice() {
                collect_equalities(only, equalities);
            }
        }
        Node::None(_) | Node::Expression(_) => {}
        Node::Field(path, predicate) => collect_values(path.segments(), predicate, equalities),
    }
}

fn collect_values<'a>(path: &'a [Segment], predicate: &'a Predicate, equalities: &mut Vec<Equality<'a>>) {
    match predicate {
        Predicate::All(parts) => parts.iter().for_each(|part| collect_values(path, part, equalities)),
        Predicate::Compare(comparison) => equalities.extend(comparison.equality().map(|value| (path, value))),
        _ => {}
    }
}

fn overlap(left: &[Segment], right: &[Segment]) -> bool {
    left.starts_with(right) || right.starts_with(left)
}

fn twice(earlier: &[Segment], later: &[Segment]) -> QueryError {
    let shorter = if earlier.len() < later.len() { earlier } else { later };
    let text = |path: &[Segment]| path.iter().map(|segment| &*segment.name).collect::<Vec<_>>().join(".");
    QueryError::bad_query(match earlier.len() == later.len() {
        true => format!("cannot infer query fields to set, path '{}' is matched twice", text(later)),
        false => format!(
            "cannot infer query fields to set, both paths '{}' and '{}' are matched",
            text(shorter),
            text(if earlier.len() < later.len() { later } else { earlier }),
        ),
    })
}

/// Sets `path` below `document`, with embedded documents on the way.
fn insert(document: &mut Document, path: &[Segment], value: &Bson) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        document.insert(&*first.name, value.clone());
        return;
    }
    let below = document.entry(&*first.name).or_insert(Bson::Document(Document::new()));
    if let Bson::Document(below) = below {
        insert(below, rest, value);
    }
}
