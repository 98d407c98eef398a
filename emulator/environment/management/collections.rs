//! Collections, their indexes, and who may do what with them and with everything else: the commands that the cloud's console
//! has pages for.

use super::NoParams;
use crate::access::{self, Mode, Permission, Problem, Target};
use crate::cloud::Environment;
use crate::error::ActionError;
use crate::indexes::IndexLine;
use crate::register::Entry;
use database::FindRequest;
use document::Document;
use query::{Filter, Sort};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateParams {
    collection: String,
    mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainParams {
    collection: String,
    #[serde(default)]
    query: Map<String, Value>,
    #[serde(default)]
    order: Option<Map<String, Value>>,
    limit: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndexParams {
    collection: String,
    keys: Map<String, Value>,
    #[serde(default)]
    unique: bool,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndexNameParams {
    collection: String,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectionParams {
    collection: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModeParams {
    /// The files' mode is meant without one.
    collection: Option<String>,
    mode: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesParams {
    /// As JSON or as a text of JSON, which keeps its comments, and its lines for messages.
    rules: Value,
    /// Whose rules they are. Without it and `service`, those of everything that they name.
    collection: Option<String>,
    service: Option<Service>,
}

/// What has rules and is no collection.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Service {
    Files,
    Functions,
}

impl Environment {
    pub(super) async fn list_collections(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        let entries = self.register.entries();
        let mut list = Vec::new();
        for name in self.collections() {
            let documents = self.database.count(&name, Filter::all()).await?;
            let mode = entries.of_collection(name.as_str()).name();
            list.push(json!({ "name": name.as_str(), "documents": documents, "mode": mode }));
        }
        Ok(json!({ "collections": list, "filesMode": entries.of_files().name() }))
    }

    pub(super) async fn create(&self, CreateParams { collection, mode }: CreateParams) -> Result<Value, ActionError> {
        let name = access::collection(&collection)?;
        let mode = mode.as_deref().map(Mode::parse).transpose()?;
        self.database.create_collection(&name).await?;
        if let Some(mode) = mode {
            self.register.put(Entry::Collection(collection, Permission::Mode(mode))).await?;
        }
        Ok(json!({}))
    }

    /// How a query of a collection is answered; it is run for that.
    pub(super) async fn explain(&self, params: ExplainParams) -> Result<Value, ActionError> {
        let collection = access::collection(&params.collection)?;
        let filter = Filter::parse(&self.document("query", params.query)?)?;
        let order = params.order.map(|order| self.document("order", order)).transpose()?;
        let sort = order.map(|order| Sort::parse(&order)).transpose()?;
        let request = FindRequest { collection, filter, sort, skip: 0, limit: params.limit, projection: None };
        let explanation = self.database.explain(request).await?;
        Ok(json!({
            "index": explanation.index,
            "keysExamined": explanation.keys_examined,
            "documentsExamined": explanation.documents_examined,
            "returned": explanation.returned,
            "sortedInMemory": explanation.sorted_in_memory,
            "advice": explanation.advice,
        }))
    }

    fn document(&self, name: &str, json: Map<String, Value>) -> Result<Document, ActionError> {
        let decoded = document::decode_document(&Value::Object(json), self.shared.clock.now());
        decoded.map_err(|error| ActionError::invalid_param(format!("{name}: {error}")))
    }

    pub(super) async fn create_index(&self, params: IndexParams) -> Result<Value, ActionError> {
        let IndexParams { collection, keys, unique, name } = params;
        let definition = IndexLine { keys, unique, name }.definition()?;
        let name = definition.name.clone();
        self.database.create_index(&access::collection(&collection)?, definition).await?;
        Ok(json!({ "name": name }))
    }

    pub(super) async fn drop_index(
        &self,
        IndexNameParams { collection, name }: IndexNameParams,
    ) -> Result<Value, ActionError> {
        self.database.drop_index(&access::collection(&collection)?, &name).await?;
        Ok(json!({}))
    }

    pub(super) fn list_indexes(
        &self,
        CollectionParams { collection }: &CollectionParams,
    ) -> Result<Value, ActionError> {
        let indexes = self.database.indexes(&access::collection(collection)?)?;
        let lines = indexes.iter().map(IndexLine::of).collect::<Vec<_>>();
        Ok(json!({ "indexes": lines }))
    }

    pub(super) async fn set_mode(&self, ModeParams { collection, mode }: ModeParams) -> Result<Value, ActionError> {
        let mode = Mode::parse(&mode)?;
        let entry = match collection {
            Some(name) => Entry::Collection(access::collection(&name)?.to_string(), Permission::Mode(mode)),
            None => Entry::Files(Permission::Mode(mode)),
        };
        self.register.put(entry).await?;
        Ok(json!({}))
    }

    /// Every mistake in the rules is found before any are set.
    pub(super) async fn set_rules(&self, params: RulesParams) -> Result<Value, ActionError> {
        let RulesParams { rules, collection, service } = params;
        let text = match rules {
            Value::String(text) => text,
            rules => rules.to_string(),
        };
        let rules = match (collection, service) {
            (Some(name), None) => vec![(Target::Collection(name), text)],
            (None, Some(Service::Files)) => vec![(Target::Files, text)],
            (None, Some(Service::Functions)) => vec![(Target::Functions, text)],
            (None, None) => access::split(&text).map_err(|problems| mistaken(&problems))?,
            (Some(_), Some(_)) => {
                return Err(ActionError::invalid_param("rules are a collection's or a service's, not both"));
            }
        };
        let mut entries = Vec::new();
        for (target, text) in rules {
            if let Target::Collection(name) = &target {
                access::collection(name)?;
            }
            entries.push(Entry::of_rules(target, &text).map_err(|problems| mistaken(&problems))?);
        }
        for entry in entries {
            self.register.put(entry).await?;
        }
        Ok(json!({}))
    }

    pub(super) fn show_rules(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        Ok(json!({ "rules": access::join(&self.register.entries().rules()) }))
    }
}

/// A line for each problem.
fn mistaken(problems: &[Problem]) -> ActionError {
    ActionError::invalid_param(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
}
