//! Filters: a query document parsed into a tree of conditions, asked of documents without decoding what is not looked at.
//! Each family of operators has its file; how a path reaches values is in `walk.rs`. Semantics §2, meaning MongoDB 4.0.
//!
//! ## Differences from the cloud
//! - `$jsonSchema`, `$text`, `$where` and the bit tests are refused by name.
//! - Regular expressions run on `fancy-regex`: see `pcre.rs`.

mod array;
mod bounds;
mod comparison;
mod element;
mod evaluation;
mod expression;
mod geo;
mod logical;
mod pcre;
mod predicate;
mod probe;
mod regex;
mod seed;
mod walk;

use std::sync::Arc;

use document::{Bson, Document, DocumentRef, RawDocumentBuf, ValueRef};

use crate::QueryError;
use crate::aggregate::{Expression, Names, Scope};
use crate::geo::{Covering, Near};
use predicate::Predicate;
use walk::Path;

pub use bounds::{Bounds, Condition, Interval};
pub use probe::Probe;

pub(crate) use array::ElementCondition;
pub(crate) use element::TYPES;
pub(crate) use predicate::ValueCondition;
pub(crate) use regex::{Captures, Regex};
pub(crate) use walk::{Arrays, Path as WalkPath, Segment, walk};

/// A condition on documents, parsed once and asked of many.
#[derive(Debug, Clone)]
pub struct Filter {
    root: Node,
    /// What it was made of, as [`Filter::identity`] tells it.
    identity: Arc<[u8]>,
}

impl Filter {
    /// Reads a query document. Every mistake in it is found here; an operator that is known and not there is refused by name.
    pub fn parse(query: &Document) -> Result<Filter, QueryError> {
        Filter::parse_with(query, &Names::default())
    }

    /// The same where `$expr` may use the variables `names`.
    pub fn parse_with(query: &Document, names: &Names) -> Result<Filter, QueryError> {
        let root = logical::parse_conjunction(query, Some(names))?;
        geo::check_near(&root)?;
        Ok(Filter { root, identity: identity(query) })
    }

    /// The filter that every document matches.
    pub fn all() -> Filter {
        Filter { root: Node::All(Vec::new()), identity: identity(&Document::new()) }
    }

    /// The filter that matches where both do.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        let length = self.identity.len().to_be_bytes();
        let identity = [&[IDENTITY_BOTH], &length[..], &self.identity, &other.identity].concat().into();
        Filter { root: Node::All(vec![self.root, other.root]), identity }
    }

    /// Whether `document` matches. Fails only where a regular expression gives up, or an expression of `$expr` fails.
    pub fn matches(&self, document: DocumentRef<'_>) -> Result<bool, QueryError> {
        self.root.matches(ValueRef::Document(document), &mut None)
    }

    /// Whether the document in `scope` matches, where `$expr` sees the scope's variables.
    pub fn matches_in(&self, scope: &Scope<'_>) -> Result<bool, QueryError> {
        expression::matches_in(&self.root, scope)
    }

    /// The operators within `$expr` that MongoDB 4.0 does not have.
    pub fn newer_operators(&self) -> Vec<&'static str> {
        let mut found = Vec::new();
        expression::newer_operators(&self.root, &mut found);
        found
    }

    /// `None` where `document` does not match; else the index of the first array element that matched, which is what the
    /// positional `$` of an update stands for (semantics DB-3.25). Where several conditions name arrays, the last decides;
    /// conditions within `$or`, `$nor` and `$not` give no position.
    pub fn match_position(&self, document: DocumentRef<'_>) -> Result<Option<Option<usize>>, QueryError> {
        let mut position = None;
        let matched = self.root.matches(ValueRef::Document(document), &mut position)?;
        Ok(matched.then_some(position))
    }

    /// The candidates for `path`, where every match must have one of them there: from implicit equality, `$eq` and `$in`, also
    /// within `$and`. `None` where nothing is known, and where a candidate is null (a missing field matches it), an array or
    /// a regular expression. A matching document may also hold an *array* with the candidate in it, which `_id` never is.
    pub fn equality(&self, path: &str) -> Option<Vec<Bson>> {
        seed::equality(&self.root, path)
    }

    /// The paths for which [`Filter::equality`] knows candidates.
    pub fn equality_paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        seed::equality_paths(&self.root, &mut paths);
        paths
    }

    /// The `$near` or `$nearSphere` that every match meets: what the filter finds comes in the order of its distances, unless it
    /// is sorted (semantics DB-2.45).
    pub fn near(&self) -> Option<&Near> {
        geo::near(&self.root)
    }

    /// Fails with MongoDB's text where there is a near: counting and aggregation do not allow it (UNC-12).
    pub fn check_without_near(&self) -> Result<(), QueryError> {
        match self.near() {
            None => Ok(()),
            Some(_) => Err(QueryError::bad_query("$geoNear, $near, and $nearSphere are not allowed in this context")),
        }
    }

    /// Where an index of the cells at `path` has every match: from `$geoWithin` and `$geoIntersects`, also within `$and`. `None`
    /// where nothing is known.
    pub fn geo_covering(&self, path: &str) -> Option<Covering> {
        geo::covering(&self.root, path)
    }

    /// The paths of the geo conditions that [`Filter::geo_covering`] may know about.
    pub fn geo_paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        geo::paths(&self.root, &mut paths);
        paths
    }

    /// Two filters with one identity match the same documents. Filters made of the same queries in the same way have one.
    pub fn identity(&self) -> &Arc<[u8]> {
        &self.identity
    }

    /// The fields that an upsert's new document takes from the filter: its equality conditions, dotted paths nested.
    pub fn upsert_fields(&self) -> Result<Document, QueryError> {
        seed::upsert_fields(&self.root)
    }
}

/// What an identity begins with: how the filter was made.
const IDENTITY_QUERY: u8 = 0;
const IDENTITY_PRINTED: u8 = 1;
const IDENTITY_BOTH: u8 = 2;

fn identity(query: &Document) -> Arc<[u8]> {
    match RawDocumentBuf::try_from(query) {
        Ok(bytes) => [&[IDENTITY_QUERY], bytes.as_bytes()].concat().into(),
        Err(_) => [&[IDENTITY_PRINTED], format!("{query:?}").as_bytes()].concat().into(), // a NUL in a key
    }
}

/// A condition on a whole document.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// Every condition holds; without conditions, always.
    All(Vec<Node>),
    /// One condition holds.
    Any(Vec<Node>),
    /// No condition holds.
    None(Vec<Node>),
    /// The values at a path meet a predicate.
    Field(Path, Predicate),
    /// The document is near a point.
    Near(Arc<Near>),
    /// An expression is true of the document.
    Expression(Box<Expression>),
}

impl Node {
    /// Whether the condition holds for `root`: a document, or an array seen as a document whose fields are its indexes,
    /// as `$elemMatch` sees the arrays within an array. Sets `position` where an array element decided.
    fn matches(&self, root: ValueRef<'_>, position: &mut Option<usize>) -> Result<bool, QueryError> {
        match self {
            Node::All(nodes) => every(nodes, |node| node.matches(root, position)),
            Node::Any(nodes) => some(nodes, |node| node.matches(root, &mut None)),
            Node::None(nodes) => some(nodes, |node| node.matches(root, &mut None)).map(|found| !found),
            Node::Field(path, predicate) => predicate.matches_at(path, root, position),
            Node::Near(near) => Ok(root.as_document().is_some_and(|document| near.matches(document))),
            Node::Expression(expression) => expression::matches(expression, root),
        }
    }
}

/// Whether `test` holds for every item; stops at the first for which it does not.
fn every<T>(items: &[T], mut test: impl FnMut(&T) -> Result<bool, QueryError>) -> Result<bool, QueryError> {
    for item in items {
        if !test(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether `test` holds for an item; stops at the first for which it does.
fn some<T>(items: &[T], mut test: impl FnMut(&T) -> Result<bool, QueryError>) -> Result<bool, QueryError> {
    for item in items {
        if test(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{Bson, DateTime, Document, decode_text};

    use super::{Filter, Names, Scope};

    #[test]
    fn positions() {
        check_position(r#"{"a": 2}"#, r#"{"a": [1, 2, 2]}"#, Some(Some(1)));
        check_position(r#"{"a": [1, 2]}"#, r#"{"a": [1, 2]}"#, Some(None));
        check_position(r#"{"a": 2}"#, r#"{"a": 2}"#, Some(None));
        check_position(r#"{"a": 3}"#, r#"{"a": [1, 2]}"#, None);
        check_position(r#"{"a.b": 4}"#, r#"{"a": [{"b": [1]}, {"b": [3, 4]}]}"#, Some(Some(1)));
        check_position(r#"{"a.1.b": 4}"#, r#"{"a": [{"b": [1]}, {"b": [3, 4]}]}"#, Some(Some(1)));
        check_position(r#"{"a.1.b": 3}"#, r#"{"a": [{"b": [1]}, {"b": [3, 4]}]}"#, Some(Some(0)));
        check_position(r#"{"a": {"$elemMatch": {"b": 3}}}"#, r#"{"a": [{"b": 1}, {"b": 3}]}"#, Some(Some(1)));
        check_position(r#"{"a": 1, "b": 9}"#, r#"{"a": [1], "b": [8, 9]}"#, Some(Some(1)));
        check_position(r#"{"$or": [{"a": 1}]}"#, r#"{"a": [1]}"#, Some(None));
        check_position(r#"{"a": {"$ne": 3}}"#, r#"{"a": [1]}"#, Some(None));
    }

    #[test]
    fn equalities_of_an_id() {
        check_equality(r#"{"_id": "x"}"#, Some(r#"["x"]"#));
        check_equality(r#"{"_id": {"$eq": 5}, "a": 1}"#, Some("[5]"));
        check_equality(r#"{"_id": {"$in": ["y", "x"]}}"#, Some(r#"["x", "y"]"#));
        check_equality(r#"{"$and": [{"a": 1}, {"_id": "x"}]}"#, Some(r#"["x"]"#));
        check_equality(r#"{"_id": {"$gt": 1, "$eq": 5}}"#, Some("[5]"));
        check_equality(r#"{"$or": [{"_id": "x"}]}"#, None);
        check_equality(r#"{"_id": null}"#, None);
        check_equality(r#"{"_id": {"$in": ["x", null]}}"#, None);
        check_equality(r#"{"_id": {"$regex": "x", "$options": ""}}"#, None);
        check_equality(r#"{"_id": {"$ne": "x"}}"#, None);
        check_equality(r#"{"_id.a": "x"}"#, None);
        check_equality("{}", None);
    }

    #[test]
    fn paths_with_equalities() {
        let paths = |filter: &str| parse(filter).equality_paths().join(" ");
        assert_eq!(paths(r#"{"a": 1, "b": {"$in": [1, 2]}, "c": {"$gt": 1}, "$or": [{"d": 1}]}"#), "a b");
        assert_eq!(paths(r#"{"$and": [{"a.b": {"$eq": 1}}, {"a.b": 2, "c": null}]}"#), "a.b");
    }

    #[test]
    fn identities() {
        let (a, b) = (r#"{"a": 1}"#, r#"{"b": 1}"#);
        assert_eq!(parse(a).identity(), parse(a).identity());
        assert_eq!(parse("{}").identity(), Filter::all().identity());
        assert_eq!(parse(a).and(parse(b)).identity(), parse(a).and(parse(b)).identity());
        assert_ne!(parse(a).identity(), parse(b).identity());
        assert_ne!(parse(a).identity(), parse(r#"{"a": 1.0}"#).identity());
        assert_ne!(parse(a).and(parse(b)).identity(), parse(b).and(parse(a)).identity());
    }

    #[test]
    fn both_of_two_filters() {
        let both = parse(r#"{"a": 1}"#).and(parse(r#"{"b": 1}"#)).and(Filter::all());
        assert_eq!(both.matches((&document(r#"{"a": 1, "b": 1}"#)).into()), Ok(true));
        assert_eq!(both.matches((&document(r#"{"a": 1}"#)).into()), Ok(false));
    }

    #[test]
    fn expressions_with_variables() {
        let query = document(r#"{"a": 1, "$or": [{"$expr": {"$eq": ["$b", "$$order.item"]}}]}"#);
        let filter = Filter::parse_with(&query, &Names::default().with("order")).unwrap();
        let found = document(r#"{"a": 1, "b": "x"}"#);
        let scope = Scope::of((&found).into());
        let order = document(r#"{"item": "x"}"#);
        assert_eq!(filter.matches_in(&scope.with("order", Some(order.into()))), Ok(true));
        assert_eq!(filter.matches_in(&scope.with("order", None)), Ok(false));
        assert!(Filter::parse(&query).is_err());
    }

    #[test]
    fn newer_operators_within_expressions() {
        let filter = parse(r#"{"$or": [{"a": 1}, {"$expr": {"$gt": [{"$round": "$a"}, 1]}}]}"#);
        assert_eq!(filter.newer_operators(), ["$round"]);
    }

    #[test]
    fn a_path_too_deep_seeds_nothing() {
        let path = vec!["a"; 100_000].join(".");
        let filter = parse(&format!(r#"{{"{path}": 1}}"#));
        assert_eq!(filter.matches((&document(r#"{"a": {"a": 1}}"#)).into()), Ok(false));
        assert!(filter.upsert_fields().is_err());
    }

    fn check_position(filter: &str, text: &str, expected: Option<Option<usize>>) {
        assert_eq!(parse(filter).match_position((&document(text)).into()), Ok(expected), "{filter} on {text}");
    }

    fn check_equality(filter: &str, expected: Option<&str>) {
        let expected = expected.map(|ids| document(&format!(r#"{{"ids": {ids}}}"#)));
        let found =
            parse(filter).equality("_id").map(|ids| Document::from_iter([("ids".to_owned(), Bson::Array(ids))]));
        assert_eq!(found, expected, "{filter}");
    }

    fn parse(filter: &str) -> Filter {
        Filter::parse(&document(filter)).unwrap()
    }

    fn document(text: &str) -> Document {
        decode_text(text, DateTime::from_millis(0)).unwrap()
    }
}
