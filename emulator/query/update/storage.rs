//! What may be stored: field names are no operators (semantics DB-3.26). And when two stored values are the very same.

use document::{Bson, Document};

use super::target::dollar_field;
use crate::QueryError;

/// Refuses a value in which a field's name begins with `$`, unless the fields are a DBRef's. `path` leads to the value.
pub(super) fn check_value(value: &Bson, path: &str) -> Result<(), QueryError> {
    match value {
        Bson::Document(document) => check_document(document, path),
        Bson::Array(array) => (0..).zip(array).try_for_each(|(index, element): (usize, _)| match element {
            Bson::Document(_) | Bson::Array(_) => check_value(element, &below(path, &index.to_string())),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

/// [`check_value`] of a document; the path of a whole document is empty.
pub(super) fn check_document(document: &Document, path: &str) -> Result<(), QueryError> {
    let mut previous = "";
    for (name, value) in document {
        if name.starts_with('$') && !is_of_reference(document, name, previous) {
            return Err(dollar_field(name, &below(path, name)));
        }
        if let Bson::Document(_) | Bson::Array(_) = value {
            check_value(value, &below(path, name))?;
        }
        previous = name;
    }
    Ok(())
}

/// A DBRef is `$ref`, then `$id`, then perhaps `$db`.
fn is_of_reference(document: &Document, name: &str, previous: &str) -> bool {
    match name {
        "$ref" => document.contains_key("$id"),
        "$id" => previous == "$ref",
        "$db" => previous == "$id",
        _ => false,
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Whether two values are the very same: of one type, with their fields in one order.
pub(super) fn identical(left: &Bson, right: &Bson) -> bool {
    match (left, right) {
        (Bson::Document(left), Bson::Document(right)) => identical_documents(left, right),
        (Bson::Array(left), Bson::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| identical(left, right))
        }
        (Bson::Double(left), Bson::Double(right)) => left.to_bits() == right.to_bits(),
        (left, right) => left == right,
    }
}

/// [`identical`] of documents.
pub(super) fn identical_documents(left: &Document, right: &Document) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|((left_name, left), (right_name, right))| left_name == right_name && identical(left, right))
}
