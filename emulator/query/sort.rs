//! Sorts: the order of documents by their fields (semantics DB-1.30, DB-2.23 … DB-2.25). Who sorts keeps ties in place.

use std::cmp::Ordering;

use document::{Bson, Document, DocumentRef, FieldPath, ValueRef, compare, encode_key, encode_key_descending};

use crate::QueryError;
use crate::filter::{Arrays, WalkPath, walk};

/// An order of documents, by one field or several.
#[derive(Debug, Clone)]
pub struct Sort {
    fields: Vec<SortField>,
}

/// A document's place in a sort: keys compare as the documents do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(Box<[u8]>);

impl SortKey {
    /// The key's bytes: those an index on the sort's fields has, where each field has one value.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Debug, Clone)]
struct SortField {
    path: FieldPath,
    walk: WalkPath,
    descending: bool,
}

impl Sort {
    /// Reads `{"a": 1, "b": -1}`; the first field weighs most.
    pub fn parse(sort: &Document) -> Result<Sort, QueryError> {
        sort.iter()
            .map(|(path, direction)| parse_field(path, direction))
            .collect::<Result<_, _>>()
            .map(|fields| Sort { fields })
    }

    /// How `left` stands towards `right`. A missing field counts as null. Of an array, the least element counts when ascending
    /// and the greatest when descending; an empty array stands before null (DB-2.24).
    pub fn compare(&self, left: DocumentRef<'_>, right: DocumentRef<'_>) -> Ordering {
        for field in &self.fields {
            let order = field.value(left).compare(field.value(right));
            if order != Ordering::Equal {
                return if field.descending { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }

    /// The document's place: [`Sort::compare`] of two documents is the order of their keys.
    pub fn key(&self, document: DocumentRef<'_>) -> SortKey {
        let mut key = Vec::new();
        for field in &self.fields {
            field.value(document).encode(field.descending, &mut key);
        }
        SortKey(key.into())
    }

    /// The fields and whether each is descending, the weightiest first.
    pub fn fields(&self) -> impl Iterator<Item = (&FieldPath, bool)> {
        self.fields.iter().map(|field| (&field.path, field.descending))
    }
}

fn parse_field(path: &str, direction: &Bson) -> Result<SortField, QueryError> {
    if let Bson::Document(meta) = direction
        && meta.contains_key("$meta")
    {
        return Err(QueryError::unsupported("$meta"));
    }
    let direction = ValueRef::from(direction).as_number().map(|number| number.as_f64());
    let descending = match direction {
        Some(1.0) => false,
        Some(-1.0) => true,
        _ => return Err(QueryError::bad_query(format!("bad sort specification: '{path}' needs 1 or -1"))),
    };
    let parsed = FieldPath::parse(path).map_err(|error| QueryError::bad_path(&error))?;
    if let Some(segment) = parsed.segments().iter().find(|segment| segment.starts_with('$')) {
        return Err(QueryError::bad_query(format!("bad sort specification: '{segment}' in '{path}' starts with '$'")));
    }
    Ok(SortField { path: parsed, walk: WalkPath::parse(path), descending })
}

impl SortField {
    /// The value by which `document` is placed: of all that the path finds, the least or the greatest.
    fn value<'a>(&self, document: DocumentRef<'a>) -> Placed<'a> {
        let mut chosen: Option<Placed<'a>> = None;
        let mut offer = |candidate: Placed<'a>| {
            let order = chosen.map(|chosen| candidate.compare(chosen));
            if order.is_none_or(|order| order == if self.descending { Ordering::Greater } else { Ordering::Less }) {
                chosen = Some(candidate);
            }
        };
        let _never_stopped = walk(document.into(), self.walk.segments(), Arrays::Keys, &mut |value, _| {
            offer(value.map_or(Placed::Value(ValueRef::Null), Placed::of));
            Ok(false)
        });
        chosen.unwrap_or(Placed::Value(ValueRef::Null))
    }
}

/// What a document is placed by, in a sort or an index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Placed<'a> {
    /// Between MinKey and null.
    EmptyArray,
    Value(ValueRef<'a>),
}

impl<'a> Placed<'a> {
    /// The first byte of every ascending key that is neither MinKey's nor an empty array's.
    pub(crate) const CLASS_OF_VALUES: u8 = 2;

    /// The place of a value that is there; `undefined` stands where empty arrays do.
    pub(crate) fn of(value: ValueRef<'a>) -> Placed<'a> {
        match value {
            ValueRef::Undefined => Placed::EmptyArray,
            value => Placed::Value(value),
        }
    }

    /// The value that stands here.
    pub(crate) fn value(self) -> ValueRef<'a> {
        match self {
            Placed::EmptyArray => ValueRef::Undefined,
            Placed::Value(value) => value,
        }
    }

    fn compare(self, other: Placed<'_>) -> Ordering {
        match (self, other) {
            (Placed::Value(left), Placed::Value(right)) => compare(left, right),
            (left, right) => left.class().cmp(&right.class()),
        }
    }

    /// The first byte of an ascending key.
    fn class(self) -> u8 {
        match self {
            Placed::Value(ValueRef::MinKey) => 0,
            Placed::EmptyArray => 1,
            Placed::Value(_) => Placed::CLASS_OF_VALUES,
        }
    }

    /// Appends the place's key: keys compare as places do, or the other way round.
    pub(crate) fn encode(self, descending: bool, key: &mut Vec<u8>) {
        key.push(if descending { !self.class() } else { self.class() });
        match self {
            Placed::EmptyArray => {}
            Placed::Value(value) if descending => encode_key_descending(value, key),
            Placed::Value(value) => encode_key(value, key),
        }
    }
}
