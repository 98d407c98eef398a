//! Paths in stages: how they are spelled, and what they set and find in a document. Unlike the paths of filters they pass through no array.

use document::limits::NESTING_MAX;
use document::{Bson, Document, DocumentRef, ValueRef};

use super::expressions::check_field_name;
use crate::QueryError;

/// A dotted path that names a field of documents.
#[derive(Debug, Clone)]
pub(super) struct Path {
    segments: Vec<Box<str>>,
}

impl Path {
    /// Reads a path without `$` in front.
    pub(super) fn parse(text: &str) -> Result<Path, QueryError> {
        if text.is_empty() {
            return Err(QueryError::bad_query("FieldPath cannot be constructed with empty string"));
        }
        if text.ends_with('.') {
            return Err(QueryError::bad_query("FieldPath must not end with a '.'."));
        }
        let segments: Vec<Box<str>> = text.split('.').map(Box::from).collect();
        if segments.len() > NESTING_MAX {
            return Err(QueryError::bad_query("FieldPath is too long"));
        }
        segments.iter().try_for_each(|segment| check_field_name(segment))?;
        Ok(Path { segments })
    }

    pub(super) fn segments(&self) -> &[Box<str>] {
        &self.segments
    }

    /// What is there, where only documents are on the way.
    pub(super) fn find<'a>(&self, document: DocumentRef<'a>) -> Option<ValueRef<'a>> {
        let (first, rest) = self.segments.split_first()?;
        rest.iter().try_fold(document.get(first)?, |value, segment| value.as_document()?.get(segment))
    }

    /// Puts a value there. What is no document on the way becomes one.
    pub(super) fn set(&self, document: &mut Document, value: Bson) {
        set(document, &self.segments, value);
    }

    /// Removes what is there, where only documents are on the way.
    pub(super) fn remove(&self, document: &mut Document) {
        remove(document, &self.segments);
    }
}

fn set(document: &mut Document, segments: &[Box<str>], value: Bson) {
    let Some((first, rest)) = segments.split_first() else { return };
    if rest.is_empty() {
        document.insert(&**first, value);
        return;
    }
    let below = document.entry(&**first).or_insert(Bson::Null);
    if !matches!(below, Bson::Document(_)) {
        *below = Bson::Document(Document::new());
    }
    if let Bson::Document(below) = below {
        set(below, rest, value);
    }
}

fn remove(document: &mut Document, segments: &[Box<str>]) {
    match segments {
        [] => {}
        [name] => drop(document.remove(name)),
        [name, rest @ ..] => {
            if let Some(Bson::Document(below)) = document.get_mut(name) {
                remove(below, rest);
            }
        }
    }
}
