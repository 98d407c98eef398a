//! Paths into documents and variables: `$a.b`, `$$v.a.b`. They map over arrays of documents; a number is a field's
//! name, no index.

use document::{ArrayRef, Bson, DocumentRef, ValueRef};

use super::value::Value;
use crate::QueryError;

/// The segments of a path, none empty.
pub(super) type Segments = Box<[Box<str>]>;

/// Reads what stands behind `$` or `$$name.`.
pub(super) fn parse(path: &str) -> Result<Segments, QueryError> {
    if path.ends_with('.') {
        return Err(QueryError::bad_query("FieldPath must not end with a '.'."));
    }
    path.split('.').map(|name| check_name(name).map(|()| name.into())).collect()
}

/// Whether a field may have this name in an expression.
fn check_name(name: &str) -> Result<(), QueryError> {
    if name.is_empty() {
        return Err(QueryError::bad_query("FieldPath field names may not be empty strings."));
    }
    if name.starts_with('$') {
        return Err(QueryError::bad_query("FieldPath field names may not start with '$'."));
    }
    if name.contains('\0') {
        return Err(QueryError::bad_query("FieldPath field names may not contain '\0'."));
    }
    Ok(())
}

/// The name of a field in an object that an expression makes.
pub(crate) fn check_field_name(name: &str) -> Result<(), QueryError> {
    check_name(name)?;
    if name.contains('.') {
        return Err(QueryError::bad_query("FieldPath field names may not contain '.'."));
    }
    Ok(())
}

/// What the path finds in a document.
pub(super) fn walk_document<'a>(document: DocumentRef<'a>, path: &[Box<str>]) -> Value<'a> {
    let Some((name, rest)) = path.split_first() else { return Value::Borrowed(document.into()) };
    match document.get(name) {
        Some(value) => walk(value, rest),
        None => Value::Missing,
    }
}

/// What the rest of a path finds in a value: of an array, what it finds in the documents of it.
pub(super) fn walk<'a>(value: ValueRef<'a>, path: &[Box<str>]) -> Value<'a> {
    match value {
        _ if path.is_empty() => Value::Borrowed(value),
        ValueRef::Document(document) => walk_document(document, path),
        ValueRef::Array(array) => Value::Owned(Bson::Array(walk_elements(array, path))),
        _ => Value::Missing,
    }
}

fn walk_elements(array: ArrayRef<'_>, path: &[Box<str>]) -> Vec<Bson> {
    array
        .iter()
        .filter_map(ValueRef::as_document)
        .filter_map(|document| walk_document(document, path).into_bson())
        .collect()
}
