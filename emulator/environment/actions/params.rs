//! Reading the params of an action: each value by name and type, every mistake an error that names it.

use crate::error::ActionError;
use document::{DateTime, Document};
use query::QueryError;
use serde_json::{Map, Value};

/// The params of one request.
pub(crate) struct Params {
    values: Map<String, Value>,
}

impl Params {
    pub(crate) fn new(values: Map<String, Value>) -> Params {
        Params { values }
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

    /// A document of dialect B that must be there: extended JSON in a string.
    pub(crate) fn document(&self, name: &str, now: DateTime) -> Result<Document, ActionError> {
        self.optional_document(name, now)?.ok_or_else(|| ActionError::param_missing(name))
    }

    /// A document of dialect B that may be missing.
    pub(crate) fn optional_document(&self, name: &str, now: DateTime) -> Result<Option<Document>, ActionError> {
        self.optional_text(name)?.map(|text| decode(name, text, now)).transpose()
    }

    /// A part of a query that may be missing: a document of dialect B, parsed.
    pub(crate) fn optional_parsed<T>(
        &self,
        name: &str,
        now: DateTime,
        parse: impl FnOnce(&Document) -> Result<T, QueryError>,
    ) -> Result<Option<T>, ActionError> {
        Ok(self.optional_document(name, now)?.map(|document| parse(&document)).transpose()?)
    }
}

/// Decodes the document of dialect B that stood under `name`.
pub(crate) fn decode(name: &str, text: &str, now: DateTime) -> Result<Document, ActionError> {
    document::decode_text(text, now).map_err(|error| ActionError::invalid_param(format!("{name}: {error}")))
}
