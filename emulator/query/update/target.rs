//! Where an update writes: paths with indexes, `$` and `$[]`, what they find, and writing there (semantics DB-3.08, DB-3.09,
//! DB-3.25). What is written is decided in `fields.rs` and `array.rs`.

use std::cmp::Ordering;

use document::{Bson, Document, FieldPath, PathError, to_shell_field, to_shell_text};

use crate::QueryError;
use crate::filter::Segment;

/// How far beyond an array's end an update may write; the gap is filled with nulls.
const PADDING_MAX: usize = 1_500_000;

/// The path of an update.
#[derive(Debug, Clone)]
pub(super) struct TargetPath {
    text: Box<str>,
    segments: Vec<Segment>,
    /// Whether `$` or `$[]` is among the segments.
    dynamic: bool,
}

/// What a concrete path leads to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lookup<'a> {
    /// A value.
    Found(&'a Bson),
    /// Nothing yet; the first `existing` segments are there, and the next could be made.
    Missing { existing: usize },
    /// Nothing, and nothing can be there: the first `existing` segments lead to `element`, which cannot hold the next.
    Blocked { existing: usize, element: &'a Bson },
}

impl TargetPath {
    /// Reads a path. `$` and `$[]` stand for array elements and cannot come first; `$[name]` needs array filters, which the
    /// cloud's protocol cannot carry.
    pub(super) fn parse(text: &str) -> Result<TargetPath, QueryError> {
        let path = FieldPath::parse(text).map_err(|error| bad_path(text, &error))?;
        let segments: Vec<Segment> = path.segments().iter().map(|name| Segment::parse(name)).collect();
        let positional = segments.iter().filter(|segment| is_positional(segment)).count();
        let all = segments.iter().filter(|segment| is_all(segment)).count();
        if let Some(segment) = segments.iter().find(|segment| names_filter(segment)) {
            return Err(no_array_filter(text, segment));
        }
        match segments.first() {
            Some(first) if is_positional(first) => Err(QueryError::bad_update(format!(
                "Cannot have positional (i.e. '$') element in the first position in path '{text}'"
            ))),
            Some(first) if is_all(first) => Err(QueryError::bad_update(format!(
                "Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '{text}'"
            ))),
            _ if positional > 1 => {
                Err(QueryError::bad_update(format!("Too many positional (i.e. '$') elements found in path '{text}'")))
            }
            _ => Ok(TargetPath { text: text.into(), segments, dynamic: positional + all > 0 }),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn is_dynamic(&self) -> bool {
        self.dynamic
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The path with `$` replaced by the index of the element that the query matched.
    pub(super) fn at_position(&self, position: Option<usize>) -> Result<TargetPath, QueryError> {
        if !self.segments.iter().any(is_positional) {
            return Ok(self.clone());
        }
        let position = position.ok_or_else(|| {
            QueryError::write_failed("The positional operator did not find the match needed from the query.")
        })?;
        let placed = |segment: &Segment| if is_positional(segment) { index_segment(position) } else { segment.clone() };
        let segments: Vec<Segment> = self.segments.iter().map(placed).collect();
        let dynamic = segments.iter().any(is_all);
        Ok(TargetPath { text: dotted(&segments).into(), segments, dynamic })
    }

    /// The concrete paths that `$[]` stands for in `document`, in order.
    pub(super) fn expand(&self, document: &Document) -> Result<Vec<Vec<Segment>>, QueryError> {
        let mut paths = vec![Vec::new()];
        for segment in &self.segments {
            if !is_all(segment) {
                paths.iter_mut().for_each(|path| path.push(segment.clone()));
                continue;
            }
            let mut longer = Vec::new();
            for path in &paths {
                for index in 0..array_length(document, path)? {
                    longer.push(path.iter().cloned().chain([index_segment(index)]).collect());
                }
            }
            paths = longer;
        }
        Ok(paths)
    }
}

/// The path of which `left` and `right` cannot both be updated, if there is one: one leads into the other, or one names an
/// element where the other means all.
pub(super) fn conflict(left: &[Segment], right: &[Segment]) -> Option<String> {
    let common = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    match (left.get(common), right.get(common)) {
        (Some(left_next), Some(right_next)) if !is_all(left_next) && !is_all(right_next) => None,
        _ => Some(dotted(left.get(..common).unwrap_or_default())),
    }
}

/// The order in which operators take effect: segment by segment, as text.
pub(super) fn order(left: &TargetPath, right: &TargetPath) -> Ordering {
    left.segments.iter().map(|segment| &segment.name).cmp(right.segments.iter().map(|segment| &segment.name))
}

/// A concrete path as text.
pub(super) fn dotted(segments: &[Segment]) -> String {
    segments.iter().map(|segment| &*segment.name).collect::<Vec<_>>().join(".")
}

/// Follows a concrete path.
pub(super) fn look_up<'a>(document: &'a Document, segments: &[Segment]) -> Lookup<'a> {
    let Some((first, rest)) = segments.split_first() else { return Lookup::Missing { existing: 0 } };
    let Some(mut value) = document.get(&first.name) else { return Lookup::Missing { existing: 0 } };
    for (existing, segment) in (1..).zip(rest) {
        let next = match (value, segment.index) {
            (Bson::Document(document), _) => document.get(&segment.name),
            (Bson::Array(array), Some(index)) => array.get(index),
            (element, _) => return Lookup::Blocked { existing, element },
        };
        match next {
            Some(next) => value = next,
            None => return Lookup::Missing { existing },
        }
    }
    Lookup::Found(value)
}

/// Fails where nothing can be created at `segments`, which [`look_up`] found to be `Missing` or `Blocked`.
pub(super) fn check_creatable(document: &Document, segments: &[Segment], found: Lookup<'_>) -> Result<(), QueryError> {
    match found {
        Lookup::Found(_) => Ok(()),
        Lookup::Blocked { existing, element } => {
            let name = |index: usize| segments.get(index).map_or("", |segment| &*segment.name);
            let holder = to_shell_field(name(existing.saturating_sub(1)), element.into());
            Err(QueryError::write_failed(format!("Cannot create field '{}' in element {holder}", name(existing))))
        }
        Lookup::Missing { existing } => {
            let (present, missing) = segments.split_at_checked(existing).unwrap_or_default();
            let is_array_index = match look_up(document, present) {
                Lookup::Found(Bson::Array(array)) => Some(array.len()),
                _ => None,
            };
            check_padding(is_array_index, missing.first())?;
            match missing.iter().find(|segment| segment.name.starts_with('$')) {
                Some(segment) => Err(dollar_field(&segment.name, &dotted(segments))),
                None => Ok(()),
            }
        }
    }
}

/// Fails where `segments` leads through a value that cannot hold what comes next: for operators that create nothing.
pub(super) fn check_traversable(segments: &[Segment], found: Lookup<'_>) -> Result<(), QueryError> {
    let Lookup::Blocked { existing, element } = found else { return Ok(()) };
    let name = |index: usize| segments.get(index).map_or("", |segment| &*segment.name);
    let holder = to_shell_field(name(existing.saturating_sub(1)), element.into());
    Err(QueryError::write_failed(format!(
        "Cannot use the part ({}) of ({}) to traverse the element ({holder})",
        name(existing),
        dotted(segments)
    )))
}

/// Sets the value at a concrete path, making embedded documents on the way and filling gaps in arrays with nulls.
/// Where the path is blocked, nothing happens: [`check_creatable`] says so before.
pub(super) fn put(document: &mut Document, segments: &[Segment], value: Bson) {
    let Some((first, rest)) = segments.split_first() else { return };
    if rest.is_empty() {
        document.insert(&*first.name, value);
        return;
    }
    match document.get_mut(&first.name) {
        Some(below) => put_below(below, rest, value),
        None => {
            document.insert(&*first.name, nested(rest, value));
        }
    }
}

/// Takes away the value at a concrete path; an array element becomes null (semantics DB-3.03).
pub(super) fn remove(document: &mut Document, segments: &[Segment]) {
    let Some((last, parents)) = segments.split_last() else { return };
    if parents.is_empty() {
        document.remove(&last.name);
        return;
    }
    match find_mut(document, parents) {
        Some(Bson::Document(parent)) => {
            parent.remove(&last.name);
        }
        Some(Bson::Array(array)) => {
            if let Some(element) = last.index.and_then(|index| array.get_mut(index)) {
                *element = Bson::Null;
            }
        }
        _ => {}
    }
}

/// The value at a concrete path, to be changed in place.
pub(super) fn find_mut<'a>(document: &'a mut Document, segments: &[Segment]) -> Option<&'a mut Bson> {
    let (first, rest) = segments.split_first()?;
    rest.iter().try_fold(document.get_mut(&first.name)?, |value, segment| match value {
        Bson::Document(document) => document.get_mut(&segment.name),
        Bson::Array(array) => array.get_mut(segment.index?),
        _ => None,
    })
}

/// The array on the way to a concrete path, by the name of its field, if there is one.
pub(super) fn array_on_the_way<'a>(document: &Document, segments: &'a [Segment]) -> Option<&'a str> {
    (1..segments.len()).find_map(|length| {
        let parent = segments.get(..length)?;
        match look_up(document, parent) {
            Lookup::Found(Bson::Array(_)) => parent.last().map(|segment| &*segment.name),
            _ => None,
        }
    })
}

/// A field that may not be stored, since its name is an operator's (semantics DB-3.26).
pub(super) fn dollar_field(name: &str, path: &str) -> QueryError {
    QueryError::write_failed(format!("The dollar ($) prefixed field '{name}' in '{path}' is not valid for storage."))
}

fn put_below(holder: &mut Bson, segments: &[Segment], value: Bson) {
    match (holder, segments.split_first()) {
        (Bson::Document(document), Some(_)) => put(document, segments, value),
        (Bson::Array(array), Some((Segment { index: Some(index), .. }, rest))) => {
            put_in_array(array, *index, rest, value);
        }
        _ => {}
    }
}

fn put_in_array(array: &mut Vec<Bson>, index: usize, rest: &[Segment], value: Bson) {
    match array.get_mut(index) {
        Some(element) if rest.is_empty() => *element = value,
        Some(element) => put_below(element, rest, value),
        None => {
            array.resize(index, Bson::Null);
            array.push(nested(rest, value));
        }
    }
}

/// `value` within embedded documents, one for each segment.
fn nested(segments: &[Segment], value: Bson) -> Bson {
    segments.iter().rev().fold(value, |value, segment| {
        let mut document = Document::new();
        document.insert(&*segment.name, value);
        Bson::Document(document)
    })
}

fn check_padding(array_length: Option<usize>, next: Option<&Segment>) -> Result<(), QueryError> {
    match (array_length, next.and_then(|segment| segment.index)) {
        (Some(length), Some(index)) if index.saturating_sub(length) > PADDING_MAX => {
            Err(QueryError::write_failed(format!("can't backfill more than {PADDING_MAX} elements")))
        }
        _ => Ok(()),
    }
}

fn array_length(document: &Document, path: &[Segment]) -> Result<usize, QueryError> {
    match look_up(document, path) {
        Lookup::Found(Bson::Array(array)) => Ok(array.len()),
        Lookup::Found(value) => {
            let name = path.last().map_or("", |segment| &*segment.name);
            let text = to_shell_text(value.into());
            Err(QueryError::write_failed(format!("Cannot apply array updates to non-array element {name}: {text}")))
        }
        Lookup::Missing { .. } | Lookup::Blocked { .. } => Err(QueryError::write_failed(format!(
            "The path '{}' must exist in the document in order to apply array updates.",
            dotted(path)
        ))),
    }
}

fn index_segment(index: usize) -> Segment {
    Segment { name: index.to_string().into(), index: Some(index) }
}

fn is_positional(segment: &Segment) -> bool {
    *segment.name == *"$"
}

fn is_all(segment: &Segment) -> bool {
    *segment.name == *"$[]"
}

fn names_filter(segment: &Segment) -> bool {
    segment.name.starts_with("$[") && segment.name.ends_with(']') && !is_all(segment)
}

fn no_array_filter(text: &str, segment: &Segment) -> QueryError {
    let identifier = segment.name.trim_start_matches("$[").trim_end_matches(']');
    let unsupported = QueryError::unsupported("$[identifier] with arrayFilters");
    let message =
        format!("No array filter found for identifier '{identifier}' in path '{text}': {}", unsupported.message);
    QueryError { message, ..unsupported }
}

fn bad_path(text: &str, error: &PathError) -> QueryError {
    QueryError::bad_update(match error {
        PathError::EmptySegment(_) if text.is_empty() => "An empty update path is not valid.".to_owned(),
        PathError::EmptySegment(_) => {
            format!("The update path '{text}' contains an empty field name, which is not allowed.")
        }
        PathError::Nul(_) | PathError::TooDeep(_) => error.to_string(),
    })
}
