//! Keys that are paths: in files of the cloud's console `{"a.b": 1}` says `{"a": {"b": 1}}` (semantics DB-10.02, UNC-38).

use document::limits::NESTING_MAX;
use document::{Bson, DialectError, Document};

/// `document` with the keys that are paths taken apart, at every level; or what is wrong with one of them.
pub(super) fn nested(document: Document) -> Result<Document, String> {
    if !has_paths(&document) {
        return Ok(document);
    }
    let mut whole = Document::new();
    for (key, value) in document {
        put(&mut whole, &key, &segments(&key)?, nested_value(value)?)?;
    }
    Ok(whole)
}

/// The segments of a key, or why it is none.
pub(super) fn segments(key: &str) -> Result<Vec<&str>, String> {
    if !key.contains('.') {
        return Ok(vec![key]);
    }
    let segments: Vec<&str> = key.split('.').collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err(format!(
            "the key `{key}` begins or ends with a dot, or has two in a row: a dot leads to an inner field"
        ));
    }
    if segments.len() > NESTING_MAX {
        return Err(DialectError::TooDeep.to_string());
    }
    match segments.iter().find(|segment| segment.starts_with('$')) {
        Some(segment) => Err(format!("the key `{key}`: the field `{segment}` begins with `$`")),
        None => Ok(segments),
    }
}

/// Puts `value` where `segments` lead, which the key `key` is made of.
pub(super) fn put(document: &mut Document, key: &str, segments: &[&str], value: Bson) -> Result<(), String> {
    let Some((first, rest)) = segments.split_first() else { return Ok(()) };
    if rest.is_empty() {
        return put_value(document, key, first, value);
    }
    if !document.contains_key(*first) {
        document.insert(*first, Document::new());
    }
    match document.get_mut(*first) {
        Some(Bson::Document(inner)) => put(inner, key, rest, value),
        _ => Err(ambiguous(key)),
    }
}

/// Two documents for one key become one: `{"a": {"b": 1}, "a.c": 2}` is no contradiction.
fn put_value(document: &mut Document, key: &str, name: &str, value: Bson) -> Result<(), String> {
    match (document.get_mut(name), value) {
        (None, value) => {
            document.insert(name, value);
            Ok(())
        }
        (Some(Bson::Document(known)), Bson::Document(more)) => {
            more.into_iter().try_for_each(|(inner, value)| put_value(known, &format!("{key}.{inner}"), &inner, value))
        }
        (Some(_), _) => Err(ambiguous(key)),
    }
}

fn ambiguous(key: &str) -> String {
    format!("the key `{key}` is ambiguous: another key gives that field a value too")
}

fn nested_value(value: Bson) -> Result<Bson, String> {
    match value {
        Bson::Document(document) => Ok(Bson::Document(nested(document)?)),
        Bson::Array(array) => Ok(Bson::Array(array.into_iter().map(nested_value).collect::<Result<_, _>>()?)),
        other => Ok(other),
    }
}

fn has_paths(document: &Document) -> bool {
    document.iter().any(|(key, value)| key.contains('.') || value_has_paths(value))
}

fn value_has_paths(value: &Bson) -> bool {
    match value {
        Bson::Document(document) => has_paths(document),
        Bson::Array(array) => array.iter().any(value_has_paths),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use document::DateTime;

    #[test]
    fn dots_nest() {
        check(r#"{"a.b": 1, "c": 2, "a.d.e": 3}"#, r#"{"a": {"b": 1, "d": {"e": 3}}, "c": 2}"#);
        check(r#"{"a": [{"b.c": 1}, [{"d.e": 2}]]}"#, r#"{"a": [{"b": {"c": 1}}, [{"d": {"e": 2}}]]}"#);
        check(r#"{"a": {"b": 1}, "a.c": 2}"#, r#"{"a": {"b": 1, "c": 2}}"#);
        check(r#"{"a.b": {"c": 1}, "a": {"b": {"d": 2}}}"#, r#"{"a": {"b": {"c": 1, "d": 2}}}"#);
        check(r#"{"": 1, "a.0": 2, "$x": 3}"#, r#"{"": 1, "a": {"0": 2}, "$x": 3}"#);
    }

    #[test]
    fn mistakes_name_the_key() {
        refused(r#"{".a": 1}"#, "the key `.a` begins");
        refused(r#"{"a.": 1}"#, "the key `a.` begins");
        refused(r#"{"x": {"a..b": 1}}"#, "the key `a..b` begins");
        refused(r#"{"a.$b": 1}"#, "the key `a.$b`: the field `$b`");
        refused(r#"{"a": {"b": 1}, "a.b": 2}"#, "the key `a.b` is ambiguous");
        refused(r#"{"a": 1, "a.b": 2}"#, "the key `a.b` is ambiguous");
        refused(r#"{"a.b": 1, "a": 2}"#, "the key `a` is ambiguous");
        refused(r#"{"a.b": {"c": 1}, "a": {"b": {"c": 2}}}"#, "the key `a.b.c` is ambiguous");
    }

    fn read(text: &str) -> Document {
        document::decode_text(text, DateTime::MIN).unwrap()
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(nested(read(text)).unwrap(), read(expected), "{text}");
    }

    fn refused(text: &str, expected: &str) {
        let error = nested(read(text)).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}
