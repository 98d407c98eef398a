//! Indexes as people write them, in the `indexes.json` of fixtures and in commands: `{"keys": {"list": 1, "at": -1}}`.

use crate::error::ActionError;
use database::IndexDefinition;
use document::{DateTime, ValueRef};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An index of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexLine {
    /// The fields, the weightiest first: 1, -1 or `"2dsphere"`.
    pub(crate) keys: Map<String, Value>,
    /// Whether no two documents may share a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unique: bool,
    /// Made from the fields without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

impl IndexLine {
    /// What the database makes of it.
    pub(crate) fn definition(self) -> Result<IndexDefinition, ActionError> {
        let keys = document::decode_document(&Value::Object(self.keys), DateTime::from_millis(0));
        let keys = keys.map_err(|error| ActionError::invalid_param(format!("keys: {error}")))?;
        Ok(IndexDefinition::parse(&keys, self.name.as_deref(), self.unique)?)
    }

    /// How it is written.
    pub(crate) fn of(definition: &IndexDefinition) -> IndexLine {
        let plain = |value| document::encode_value(ValueRef::from(value), document::Dialect::A);
        IndexLine {
            keys: definition.to_keys().iter().map(|(path, kind)| (path.clone(), plain(kind))).collect(),
            unique: definition.unique,
            name: Some(definition.name.clone()),
        }
    }
}
