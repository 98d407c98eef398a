//! The keys under which an index holds a document: one for each array element (semantics DB-8.04), compound keys of several
//! fields. Where the entries rest is `database`'s; which keys a filter can match under is `filter/bounds.rs`'s.
//!
//! A key is made as a sort places documents: keys compare as bytes the way `Sort` orders, field by field.

use document::{ArrayRef, DocumentRef, FieldPath, ValueRef, to_shell_text};

use crate::QueryError;
use crate::filter::{Segment, WalkPath};
use crate::geo::CellKeys;
use crate::sort::Placed;

/// The fields of an index, the weightiest first.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyPattern {
    fields: Vec<KeyField>,
}

/// What an index does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Sorts by it, the least first.
    Ascending,
    /// Sorts by it, the greatest first.
    Descending,
    /// Finds places on the earth by it (semantics DB-2.43).
    Geo2dsphere,
}

#[derive(Debug, Clone, PartialEq)]
struct KeyField {
    walk: WalkPath,
    kind: KeyKind,
}

/// The keys of one document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexKeys {
    /// Sorted, each once. There is at least one, but for a geo index, which leaves out documents without the geo field.
    pub keys: Vec<IndexKey>,
    /// For each field of the index, whether it led through an array.
    pub multikey: Vec<bool>,
}

/// One key of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexKey {
    /// The components, one behind the other. No component is the beginning of another.
    pub bytes: Vec<u8>,
    /// Where each component ends.
    pub ends: Vec<u16>,
}

/// How many bytes a key may have, as in MongoDB 4.0.
const KEY_BYTES_MAX: usize = 1024;

impl KeyPattern {
    /// An index of these fields.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a FieldPath, KeyKind)>) -> KeyPattern {
        let field = |(path, kind): (&FieldPath, KeyKind)| KeyField { walk: WalkPath::parse(path.as_str()), kind };
        KeyPattern { fields: fields.into_iter().map(field).collect() }
    }

    /// The keys of `document`. Fails if two of the fields lead through different arrays, or if a key is too long.
    pub fn keys(&self, document: DocumentRef<'_>) -> Result<IndexKeys, QueryError> {
        let mut found = IndexKeys { keys: Vec::new(), multikey: vec![false; self.fields.len()] };
        self.walk(document, &mut found.multikey, &mut |places| {
            found.keys.push(self.encode(places)?);
            Ok(())
        })?;
        found.keys.sort();
        found.keys.dedup();
        Ok(found)
    }

    /// The key of `document` with these bytes, as MongoDB's shell prints it: `{ : "a", : 1 }`.
    pub fn shell_text(&self, document: DocumentRef<'_>, bytes: &[u8]) -> Result<Option<String>, QueryError> {
        let mut text = None;
        self.walk(document, &mut vec![false; self.fields.len()], &mut |places| {
            if self.encode(places)?.bytes == bytes {
                text = Some(shell_text(places));
            }
            Ok(())
        })?;
        Ok(text)
    }

    fn walk<'a>(
        &'a self,
        document: DocumentRef<'a>,
        multikey: &mut [bool],
        see: &mut impl FnMut(&[Component<'a>]) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let Some(place) = self.fields.iter().position(|field| field.kind == KeyKind::Geo2dsphere) else {
            return expand(Some(document), self.steps(0), multikey, see);
        };
        let path = self.fields.get(place).map_or("", |field| field.walk.as_str());
        for cell in CellKeys::new(path).of(document)? {
            multikey.iter_mut().skip(place).take(1).for_each(|flag| *flag = true);
            expand(Some(document), self.steps(cell), multikey, see)?;
        }
        Ok(())
    }

    /// Where each field begins; `cell` is what a geo field is.
    fn steps<'a>(&'a self, cell: u64) -> Vec<Step<'a>> {
        let step = |field: &'a KeyField| match field.kind {
            KeyKind::Ascending | KeyKind::Descending => Step::Below(field.walk.segments()),
            KeyKind::Geo2dsphere => Step::Found(Component::Cell(cell)),
        };
        self.fields.iter().map(step).collect()
    }

    fn encode(&self, places: &[Component<'_>]) -> Result<IndexKey, QueryError> {
        let mut key = IndexKey { bytes: Vec::new(), ends: Vec::new() };
        for (field, place) in self.fields.iter().zip(places) {
            place.encode(field.kind, &mut key.bytes);
            key.ends.push(u16::try_from(key.bytes.len()).unwrap_or(u16::MAX));
        }
        if key.bytes.len() > KEY_BYTES_MAX {
            let (length, text) = (key.bytes.len(), shell_text(places));
            return Err(QueryError::write_failed(format!(
                "WiredTigerIndex::insert: key too large to index, failing  {length} {text}"
            )));
        }
        Ok(key)
    }
}

/// One component of a key.
#[derive(Debug, Clone, Copy)]
enum Component<'a> {
    Value(Placed<'a>),
    /// A cell of the sphere, by number.
    Cell(u64),
}

impl Component<'_> {
    fn encode(self, kind: KeyKind, key: &mut Vec<u8>) {
        match self {
            Component::Value(place) => place.encode(kind == KeyKind::Descending, key),
            Component::Cell(cell) => key.extend(cell.to_be_bytes()),
        }
    }

    fn shell_text(self) -> String {
        match self {
            Component::Value(place) => to_shell_text(place.value()),
            Component::Cell(cell) => cell.to_string(),
        }
    }
}

/// How far a field's value is found.
#[derive(Clone, Copy)]
enum Step<'a> {
    Found(Component<'a>),
    /// Still to be looked for below the document at hand.
    Below(&'a [Segment]),
    /// At an array: its elements are next. `name` is the field that holds it.
    At {
        array: ArrayRef<'a>,
        name: &'a Segment,
        rest: &'a [Segment],
    },
}

/// Shows `see` every combination of values. All fields that lead through an array must lead through the same one, whose
/// elements are taken one by one.
fn expand<'a>(
    document: Option<DocumentRef<'a>>,
    steps: Vec<Step<'a>>,
    multikey: &mut [bool],
    see: &mut impl FnMut(&[Component<'a>]) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let before: Vec<&[Segment]> = steps.iter().map(Step::segments).collect();
    let steps: Vec<Step<'a>> = steps.into_iter().map(|step| step.down(document)).collect();
    let Some(array) = common_array(&steps, &before)? else {
        let places: Vec<Component<'a>> = steps.iter().map(Step::component).collect();
        return see(&places);
    };
    for (flag, step) in multikey.iter_mut().zip(&steps) {
        *flag |= matches!(step, Step::At { .. });
    }
    let elements: Vec<Option<ValueRef<'a>>> =
        if array.is_empty() { vec![None] } else { array.iter().map(Some).collect() };
    for element in elements {
        let below = element.and_then(ValueRef::as_document);
        expand(below, steps.iter().map(|step| step.into_element(element)).collect(), multikey, see)?;
    }
    Ok(())
}

/// The array that the steps stand at, if any does.
fn common_array<'a>(steps: &[Step<'a>], before: &[&[Segment]]) -> Result<Option<ArrayRef<'a>>, QueryError> {
    let mut common: Option<(ArrayRef<'a>, &Segment, &[Segment])> = None;
    for (step, before) in steps.iter().zip(before) {
        let Step::At { array, name, rest } = step else { continue };
        let taken = before.get(..before.len().saturating_sub(rest.len())).unwrap_or_default();
        match common {
            None => common = Some((*array, name, taken)),
            Some((_, _, first)) if first == taken => {}
            Some((_, first, _)) => {
                let (first, second) = (&first.name, &name.name);
                return Err(QueryError::write_failed(format!("cannot index parallel arrays [{second}] [{first}]")));
            }
        }
    }
    Ok(common.map(|(array, ..)| array))
}

impl<'a> Step<'a> {
    fn segments(&self) -> &'a [Segment] {
        match self {
            Step::Below(segments) => segments,
            Step::Found(_) | Step::At { .. } => &[],
        }
    }

    fn component(&self) -> Component<'a> {
        match self {
            Step::Found(component) => *component,
            Step::Below(_) | Step::At { .. } => Component::Value(Placed::Value(ValueRef::Null)),
        }
    }

    /// Goes down through documents until there is a value or an array.
    fn down(self, document: Option<DocumentRef<'a>>) -> Step<'a> {
        let Step::Below(segments) = self else { return self };
        let (Some(document), Some((name, rest))) = (document, segments.split_first()) else { return MISSING };
        match document.get(&name.name) {
            Some(value) => at_value(value, name, rest),
            None => MISSING,
        }
    }

    /// What the field is in one element of the array that the steps stand at; `None` is the missing element of an empty one.
    fn into_element(self, element: Option<ValueRef<'a>>) -> Step<'a> {
        match (self, element) {
            (Step::At { rest: [], .. }, None) => Step::Found(Component::Value(Placed::EmptyArray)),
            (Step::At { rest: [], .. }, Some(value)) => Step::Found(Component::Value(Placed::of(value))),
            (Step::At { rest, .. }, _) => Step::Below(rest),
            (step, _) => step,
        }
    }
}

const MISSING: Step<'static> = Step::Found(Component::Value(Placed::Value(ValueRef::Null)));

fn at_value<'a>(value: ValueRef<'a>, name: &'a Segment, rest: &'a [Segment]) -> Step<'a> {
    match (value, rest.split_first()) {
        (ValueRef::Array(array), Some((next, after))) => match next.index.and_then(|index| array.get(index)) {
            Some(element) => at_value(element, next, after), // the path names this element
            None => Step::At { array, name, rest },
        },
        (ValueRef::Array(array), None) => Step::At { array, name, rest },
        (value, None) => Step::Found(Component::Value(Placed::of(value))),
        (ValueRef::Document(document), Some((next, after))) => match document.get(&next.name) {
            Some(value) => at_value(value, next, after),
            None => MISSING,
        },
        (_, Some(_)) => MISSING,
    }
}

fn shell_text(places: &[Component<'_>]) -> String {
    let parts: Vec<String> = places.iter().map(|place| format!(": {}", place.shell_text())).collect();
    format!("{{ {} }}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{DateTime, decode_text};

    use super::*;

    #[test]
    fn keys() {
        check(&["a"], r#"{"a": 1}"#, "{ : 1 }");
        check(&["a"], "{}", "{ : null }");
        check(&["a"], r#"{"a": []}"#, "{ : undefined }");
        check(&["a"], r#"{"a": [2, 1, 2]}"#, "{ : 1 } { : 2 }");
        check(&["a"], r#"{"a": [[1, 2], 3]}"#, "{ : 3 } { : [ 1, 2 ] }");
        check(&["a.b"], r#"{"a": {"b": [1, 2]}}"#, "{ : 1 } { : 2 }");
        check(&["a.b"], r#"{"a": [{"b": 1}, {"b": [2, 3]}, 4, {}]}"#, "{ : null } { : 1 } { : 2 } { : 3 }");
        check(&["a.b"], r#"{"a": []}"#, "{ : null }");
        check(&["a.b"], r#"{"a": 5}"#, "{ : null }");
        check(&["a.b"], r#"{"a": [[{"b": 1}]]}"#, "{ : null }");
        check(&["a.1"], r#"{"a": [7, 8]}"#, "{ : 8 }");
        check(&["a", "b"], r#"{"a": [1, 2], "b": "x"}"#, r#"{ : 1, : "x" } { : 2, : "x" }"#);
        check(&["a.b", "a.c"], r#"{"a": [{"b": 1, "c": 2}, {"b": 3}]}"#, "{ : 1, : 2 } { : 3, : null }");
        check(&["a", "a.b"], r#"{"a": [{"b": 1}]}"#, "{ : { b: 1 }, : 1 }");
        check(&["a.b", "a.c"], r#"{"a": [{"b": [1, 2], "c": 3}]}"#, "{ : 1, : 3 } { : 2, : 3 }");
    }

    #[test]
    fn two_arrays() {
        refused(&["a", "b"], r#"{"a": [1], "b": [2]}"#, "cannot index parallel arrays [b] [a]");
        refused(&["x.a", "x.b"], r#"{"x": {"a": [], "b": [2]}}"#, "cannot index parallel arrays [b] [a]");
        refused(&["x.a", "x.b"], r#"{"x": [{"a": [1], "b": [2]}]}"#, "cannot index parallel arrays [b] [a]");
    }

    #[test]
    fn long_keys() {
        let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(1024));
        refused(&["a"], &long, "key too large to index");
    }

    fn check(paths: &[&str], text: &str, expected: &str) {
        let document = decode_text(text, DateTime::from_millis(0)).unwrap();
        let pattern = pattern(paths);
        let found = pattern.keys((&document).into()).unwrap();
        let texts = found.keys.iter().map(|key| pattern.shell_text((&document).into(), &key.bytes).unwrap().unwrap());
        assert_eq!(texts.collect::<Vec<_>>().join(" "), expected, "{paths:?} of {text}");
    }

    fn refused(paths: &[&str], text: &str, expected: &str) {
        let document = decode_text(text, DateTime::from_millis(0)).unwrap();
        let error = pattern(paths).keys((&document).into()).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
    }

    fn pattern(paths: &[&str]) -> KeyPattern {
        let paths: Vec<FieldPath> = paths.iter().map(|path| FieldPath::parse(path).unwrap()).collect();
        KeyPattern::new(paths.iter().map(|path| (path, KeyKind::Ascending)))
    }
}
