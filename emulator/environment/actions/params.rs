//! Reading the params of an action: each value by name and type, every mistake an error that names it.

use crate::error::ActionError;
use document::{Bson, DateTime, Dialect, DialectError, Document};
use query::QueryError;
use serde_json::{Map, Value};

/// The params of one request.
pub(crate) struct Params {
    values: Map<String, Value>,
    dialect: Dialect,
}

impl Params {
    /// Params whose documents are spelled as `dialect` does.
    pub(crate) fn new(values: Map<String, Value>, dialect: Dialect) -> Params {
        Params { values, dialect }
    }

    /// How the documents in it are spelled, and those of the reply are to be.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What it was made of.
    pub(crate) fn into_values(self) -> Map<String, Value> {
        self.values
    }

    /// The value under `name`; absent when it is missing, `null` or, as the SDKs send missing strings, empty.
    fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    /// Whether something stands under `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A string that must be there.
    pub(crate) fn text(&self, name: &str) -> Result<&str, ActionError> {
        self.optional_text(name)?.ok_or_else(|| ActionError::param_missing(name))
    }

    /// A string that may be missing.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&str>, ActionError> {
        self.get(name).map(|value| value.as_str().ok_or_else(|| ActionError::param_type(name, "a string"))).transpose()
    }

    /// A string that may be missing in an object that may be missing.
    pub(crate) fn text_within(&self, object: &str, name: &str) -> Result<Option<&str>, ActionError> {
        let value = self.get(object).and_then(|object| object.get(name)).filter(|value| !value.is_null());
        value.map(|value| value.as_str().ok_or_else(|| ActionError::param_type(name, "a string"))).transpose()
    }

    /// A whole number that may be missing.
    pub(crate) fn optional_integer(&self, name: &str) -> Result<Option<i64>, ActionError> {
        self.get(name)
            .map(|value| value.as_i64().ok_or_else(|| ActionError::param_type(name, "a whole number")))
            .transpose()
    }

    /// A boolean; missing counts as `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ActionError> {
        let flag =
            self.get(name).map(|value| value.as_bool().ok_or_else(|| ActionError::param_type(name, "a boolean")));
        Ok(flag.transpose()?.unwrap_or(false))
    }

    /// An array that must be there.
    pub(crate) fn array(&self, name: &str) -> Result<&[Value], ActionError> {
        let value = self.get(name).ok_or_else(|| ActionError::param_missing(name))?;
        value.as_array().map(Vec::as_slice).ok_or_else(|| ActionError::param_type(name, "an array"))
    }

    /// Whether an array stands under `name`.
    pub(crate) fn is_array(&self, name: &str) -> bool {
        self.get(name).is_some_and(Value::is_array)
    }

    /// A value of dialect A that may be missing.
    pub(crate) fn optional_value(&self, name: &str, now: DateTime) -> Result<Option<Bson>, ActionError> {
        let value = self.get(name).map(|value| document::decode(value, now));
        value.transpose().map_err(|error| malformed(name, &error))
    }

    /// A document that must be there: JSON in dialect A, a text of extended JSON in dialect B.
    pub(crate) fn document(&self, name: &str, now: DateTime) -> Result<Document, ActionError> {
        self.optional_document(name, now)?.ok_or_else(|| ActionError::param_missing(name))
    }

    /// A document that may be missing.
    pub(crate) fn optional_document(&self, name: &str, now: DateTime) -> Result<Option<Document>, ActionError> {
        self.get(name).map(|value| self.decode(name, value, now)).transpose()
    }

    /// A document that must be there as a text of extended JSON, whatever the dialect.
    pub(crate) fn document_text(&self, name: &str, now: DateTime) -> Result<Document, ActionError> {
        document::decode_text(self.text(name)?, now).map_err(|error| malformed(name, &error))
    }

    /// An array of documents that must be there.
    pub(crate) fn documents(&self, name: &str, now: DateTime) -> Result<Vec<Document>, ActionError> {
        self.array(name)?.iter().map(|value| self.decode(name, value, now)).collect()
    }

    /// A part of a query that may be missing: a document, parsed.
    pub(crate) fn optional_parsed<T>(
        &self,
        name: &str,
        now: DateTime,
        parse: impl FnOnce(&Document) -> Result<T, QueryError>,
    ) -> Result<Option<T>, ActionError> {
        Ok(self.optional_document(name, now)?.map(|document| parse(&document)).transpose()?)
    }

    fn decode(&self, name: &str, value: &Value, now: DateTime) -> Result<Document, ActionError> {
        let decoded = match (self.dialect, value) {
            (Dialect::A | Dialect::G, _) => document::decode_document(value, now),
            (Dialect::B, Value::String(text)) => document::decode_text(text, now),
            (Dialect::B, _) => return Err(ActionError::param_type(name, "extended JSON in a string")),
        };
        decoded.map_err(|error| malformed(name, &error))
    }

    /// An order that may be missing, as a sort's document: in dialect A it is an array of `{field, direction}`.
    pub(crate) fn optional_order(&self, name: &str, now: DateTime) -> Result<Option<Document>, ActionError> {
        match (self.dialect, self.get(name)) {
            (Dialect::A, Some(Value::Array(fields))) => {
                fields.iter().map(|field| order_field(name, field)).collect::<Result<_, _>>().map(Some)
            }
            (Dialect::A | Dialect::B | Dialect::G, _) => self.optional_document(name, now),
        }
    }
}

fn order_field(name: &str, value: &Value) -> Result<(String, Bson), ActionError> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let direction = match text("direction") {
        Some("asc") => Some(1),
        Some("desc") => Some(-1),
        Some(_) | None => None,
    };
    match (text("field"), direction) {
        (Some(field), Some(direction)) => Ok((field.to_owned(), Bson::Int32(direction))),
        _ => Err(ActionError::param_type(name, "an array of {field, direction}, with a direction of `asc` or `desc`")),
    }
}

fn malformed(name: &str, error: &DialectError) -> ActionError {
    ActionError::invalid_param(format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde_json::json;

    #[test]
    fn both_dialects_spell_the_same_document() {
        let (a, b) = (
            json!({"a": 1, "d": {"$date": 5}}),
            json!(r#"{"a":{"$numberInt":"1"},"d":{"$date":{"$numberLong":"5"}}}"#),
        );
        let expected = document::decode_text(r#"{"a": 1, "d": {"$date": 5}}"#, now()).unwrap();
        let read = |value: &Value, dialect| params(json!({ "data": value }), dialect).document("data", now());
        assert_eq!((read(&a, Dialect::A), read(&b, Dialect::B)), (Ok(expected.clone()), Ok(expected)));
        assert!(read(&a, Dialect::B).is_err() && read(&b, Dialect::A).is_err());
        for value in [json!(5), json!([]), json!("[]"), json!("{"), json!(null)] {
            assert!(read(&value, Dialect::A).is_err() && read(&value, Dialect::B).is_err(), "{value}");
        }
    }

    #[test]
    fn both_dialects_spell_the_same_order() {
        let expected = Document::from_iter([("b".to_owned(), Bson::Int32(-1)), ("a".to_owned(), Bson::Int32(1))]);
        let fields = json!([{"field": "b", "direction": "desc"}, {"field": "a", "direction": "asc"}]);
        let read = |value: Value, dialect| params(json!({ "order": value }), dialect).optional_order("order", now());
        assert_eq!(read(fields, Dialect::A), Ok(Some(expected.clone())));
        assert_eq!(read(json!({"b": -1, "a": 1}), Dialect::A), Ok(Some(expected.clone())));
        assert_eq!(read(json!(r#"{"b":{"$numberInt":"-1"},"a":1}"#), Dialect::B), Ok(Some(expected)));
        for order in [json!([1]), json!([{"field": "a"}]), json!([{"field": "a", "direction": "ASC"}])] {
            assert!(read(order.clone(), Dialect::A).is_err(), "{order}");
        }
    }

    fn params(values: Value, dialect: Dialect) -> Params {
        Params::new(values.as_object().cloned().unwrap(), dialect)
    }

    fn now() -> DateTime {
        DateTime::from_millis(0)
    }
}
