//! Walks JSON, text or tree alike, and builds the value as it goes. What the `$` objects mean is in `wrappers.rs`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use bson::{Bson, DateTime, Document};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::wrappers::{self, Reading};
use super::{DialectError, files};
use crate::limits::NESTING_MAX;

pub(super) fn from_json(json: &serde_json::Value, now: DateTime) -> Result<Bson, DialectError> {
    let walk = Walk::new(now, Source::Request);
    let outcome = Node::top(&walk).deserialize(json);
    outcome.map_err(|error| walk.into_error(error))
}

/// Where JSON comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// An SDK.
    Request,
    /// A file: what `files.rs` escaped is itself again.
    File,
    /// A file in which no key may stand twice in an object.
    StrictFile,
}

pub(super) fn from_text(text: &str, now: DateTime, source: Source) -> Result<Bson, DialectError> {
    let walk = Walk::new(now, source);
    let mut json = serde_json::Deserializer::from_str(text);
    let outcome = Node::top(&walk).deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    outcome.map_err(|error| walk.into_error(error))
}

/// How many levels of JSON may be open at once: those of the deepest value, and those inside the wrappers at its bottom.
/// Below the 128 at which serde_json gives up with an error of its own.
const OPEN_LEVELS_MAX: usize = NESTING_MAX + 5;

/// One walk over one piece of JSON.
struct Walk {
    now: DateTime,
    source: Source,
    /// `None` until something is wrong that is no matter of syntax. serde's errors carry only text, so ours waits here.
    failure: RefCell<Option<DialectError>>,
    /// Empty until `failure` is set; then the keys and indexes that lead to it, innermost first.
    place: RefCell<Vec<String>>,
}

impl Walk {
    fn new(now: DateTime, source: Source) -> Walk {
        Walk { now, source, failure: RefCell::new(None), place: RefCell::new(Vec::new()) }
    }

    fn fail<E: Error>(&self, failure: DialectError) -> E {
        let error = E::custom(&failure);
        self.failure.replace(Some(failure));
        error
    }

    /// Notes, on the way out of a failed child, under which key or index it stands.
    fn leave<E>(&self, segment: impl fmt::Display, error: E) -> E {
        if self.failure.borrow().is_some() {
            self.place.borrow_mut().push(segment.to_string());
        }
        error
    }

    fn into_error(self, syntax: serde_json::Error) -> DialectError {
        let mut segments = self.place.into_inner();
        segments.reverse();
        let path = if segments.is_empty() { "the top level".to_owned() } else { segments.join(".") };
        match self.failure.into_inner() {
            None => DialectError::Syntax(syntax.to_string()),
            Some(DialectError::Malformed { wrapper, reason, .. }) => {
                DialectError::Malformed { wrapper, reason, place: path }
            }
            Some(DialectError::NulInKey { place: key }) => {
                segments.push(key);
                DialectError::NulInKey { place: segments.join(".") }
            }
            Some(DialectError::RepeatedKey { place: key }) => {
                segments.push(key);
                DialectError::RepeatedKey { place: segments.join(".") }
            }
            Some(failure) => failure,
        }
    }
}

/// One value about to be read.
#[derive(Clone, Copy)]
struct Node<'walk> {
    walk: &'walk Walk,
    /// How many documents and arrays the value would have around it, itself included, were it one of them.
    depth: usize,
    /// How many levels of JSON would be open; more than `depth` inside wrappers.
    open_levels: usize,
}

impl<'walk> Node<'walk> {
    fn top(walk: &'walk Walk) -> Self {
        Node { walk, depth: 1, open_levels: 1 }
    }

    fn child(self) -> Self {
        Node { walk: self.walk, depth: self.depth + 1, open_levels: self.open_levels + 1 }
    }

    /// The value under `key`. A wrapper and the body in it are no levels of the document that they stand in.
    fn field(self, key: &str) -> Self {
        let depth = if wrappers::is_wrapper(key) { self.depth.saturating_sub(1) } else { self.depth + 1 };
        Node { walk: self.walk, depth, open_levels: self.open_levels + 1 }
    }

    fn check_open_levels<E: Error>(self) -> Result<(), E> {
        if self.open_levels > OPEN_LEVELS_MAX { Err(self.walk.fail(DialectError::TooDeep)) } else { Ok(()) }
    }

    fn check_depth<E: Error>(self) -> Result<(), E> {
        if self.depth > NESTING_MAX { Err(self.walk.fail(DialectError::TooDeep)) } else { Ok(()) }
    }

    /// The next field of an object; the value belongs to the key also where it fails.
    fn next_field<'json, A: MapAccess<'json>>(
        self,
        object: &mut A,
    ) -> Result<Option<(Cow<'json, str>, Bson)>, A::Error> {
        let Some(key) = object.next_key_seed(Key)? else { return Ok(None) };
        if key.contains('\0') {
            return Err(self.walk.fail(DialectError::NulInKey { place: key.replace('\0', "\\0") }));
        }
        match object.next_value_seed(self.field(&key)) {
            Ok(value) => Ok(Some((key, value))),
            Err(error) => Err(self.walk.leave(key, error)),
        }
    }

    /// Adds a field. Of a key that stands twice the last value counts, unless that is a mistake.
    fn add<E: Error>(self, document: &mut Document, key: Cow<'_, str>, value: Bson) -> Result<(), E> {
        if self.walk.source == Source::StrictFile && document.contains_key(&*key) {
            return Err(self.walk.fail(DialectError::RepeatedKey { place: key.into_owned() }));
        }
        document.insert(key, value);
        Ok(())
    }

    fn finish_object<E: Error>(self, document: Document) -> Result<Bson, E> {
        self.check_depth()?;
        let is_escaped = |key: &str| files::unescaped(key).is_some();
        if self.walk.source == Source::Request || !document.keys().any(|key| is_escaped(key)) {
            return Ok(Bson::Document(document));
        }
        let original = |key: String| files::unescaped(&key).map(str::to_owned).unwrap_or(key);
        Ok(Bson::Document(document.into_iter().map(|(key, value)| (original(key), value)).collect()))
    }

    fn finish_reading<E: Error>(self, reading: Reading, plain: impl FnOnce() -> Document) -> Result<Bson, E> {
        match reading {
            Reading::Value(value) => Ok(value),
            Reading::Plain => self.finish_object(plain()),
            Reading::Refused(failure) => Err(self.walk.fail(failure)),
        }
    }
}

impl<'json> DeserializeSeed<'json> for Node<'_> {
    type Value = Bson;

    fn deserialize<D: Deserializer<'json>>(self, json: D) -> Result<Bson, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'json> Visitor<'json> for Node<'_> {
    type Value = Bson;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Bson, E> {
        Ok(Bson::Boolean(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Bson, E> {
        Ok(i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Bson, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Ok(Bson::Double(number as f64)),
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<Bson, E> {
        Ok(Bson::Double(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Bson, E> {
        Ok(Bson::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Bson, E> {
        Ok(Bson::String(text))
    }

    fn visit_unit<E>(self) -> Result<Bson, E> {
        Ok(Bson::Null)
    }

    fn visit_seq<A: SeqAccess<'json>>(self, mut array: A) -> Result<Bson, A::Error> {
        self.check_open_levels()?;
        self.check_depth()?;
        let mut values = Vec::new();
        loop {
            match array.next_element_seed(self.child()) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => return Ok(Bson::Array(values)),
                Err(error) => return Err(self.walk.leave(values.len(), error)),
            }
        }
    }

    fn visit_map<A: MapAccess<'json>>(self, mut object: A) -> Result<Bson, A::Error> {
        self.check_open_levels()?;
        let Some((key, value)) = self.next_field(&mut object)? else { return self.finish_object(Document::new()) };
        let Some((second_key, second_value)) = self.next_field(&mut object)? else {
            return match wrappers::read_single(&key, &value, self.walk.now) {
                Reading::Plain => self.finish_object(Document::from_iter([(key.into_owned(), value)])),
                reading => self.finish_reading(reading, Document::new),
            };
        };
        let mut has_dollar = key.starts_with('$') || second_key.starts_with('$');
        let mut document = Document::new();
        self.add(&mut document, key, value)?;
        self.add(&mut document, second_key, second_value)?;
        while let Some((key, value)) = self.next_field(&mut object)? {
            has_dollar |= key.starts_with('$');
            self.add(&mut document, key, value)?;
        }
        if !has_dollar {
            return self.finish_object(document);
        }
        let reading = wrappers::read(&document, self.walk.now);
        self.finish_reading(reading, || document)
    }
}

/// A key, borrowed from the JSON where that has no escapes.
struct Key;

impl<'json> DeserializeSeed<'json> for Key {
    type Value = Cow<'json, str>;

    fn deserialize<D: Deserializer<'json>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'json> Visitor<'json> for Key {
    type Value = Cow<'json, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'json str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
