//! The document database as js-sdk 3.x asks for it, by `/v1/database/*` in dialect G (protocol §6.3): the `nosql.*` actions. Each
//! is an action of `database.rs` in other words.

use super::params::Params;
use super::{carry_out, find};
use crate::caller::Caller;
use crate::cloud::{Environment, Reply};
use crate::error::{ActionError, codes};
use document::Dialect;
use serde_json::{Map, Value, json};

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Aggregate,
    Commit,
    Count,
    CreateCollection,
    Find,
    FindOne,
    Insert,
    Remove,
    Rollback,
    RunCommands,
    StartTransaction,
    Update,
}

/// How every duplicate key is told (semantics §9.4).
const DUPLICATE: &str = "E11000 duplicate key error";

/// Does what `verb` says.
pub(crate) async fn call(
    environment: &Environment,
    caller: &Caller,
    verb: Verb,
    params: Params,
) -> Result<Reply, ActionError> {
    let Some(name) = verb.action() else { return Err(ActionError::unsupported("running commands (/commands)")) };
    let (action, _) = find(name)?;
    let params = Params::new(verb.reword(params.into_values())?, Dialect::G);
    // The action is one of `database.rs`, so this goes no deeper.
    match Box::pin(carry_out(environment, caller, action, params)).await {
        Ok(reply) => verb.answer(body(reply)).map(Reply::Data),
        Err(error) if error.message.contains(DUPLICATE) => {
            Err(ActionError::new(codes::DATABASE_DUPLICATE_WRITE, error.message))
        }
        Err(error) => Err(error),
    }
}

impl Verb {
    /// The action that does it.
    fn action(self) -> Option<&'static str> {
        match self {
            Verb::Aggregate => Some("database.aggregateDocuments"),
            Verb::Commit => Some("database.commitTransaction"),
            Verb::Count => Some("database.calculateDocument"),
            Verb::CreateCollection => Some("database.addCollection"),
            Verb::Find | Verb::FindOne => Some("database.getDocument"),
            Verb::Insert => Some("database.insertDocument"),
            Verb::Remove => Some("database.removeDocument"),
            Verb::Rollback => Some("database.abortTransaction"),
            Verb::RunCommands => None,
            Verb::StartTransaction => Some("database.startTransaction"),
            Verb::Update => Some("database.modifyDocument"),
        }
    }

    /// The params in the words of that action.
    fn reword(self, mut params: Map<String, Value>) -> Result<Map<String, Value>, ActionError> {
        match self {
            Verb::Aggregate => {
                if let Some(pipeline) = params.remove("pipeline") {
                    params.insert("stages".into(), stages(pipeline)?);
                }
            }
            Verb::Find => {
                if let Some(order) = params.remove("order") {
                    params.insert("order".into(), order_document(order)?);
                }
            }
            Verb::FindOne => {
                let id = params.remove("id").unwrap_or_default();
                params.insert("query".into(), id_query(&id));
                params.insert("limit".into(), json!(1));
            }
            Verb::Update => reword_update(&mut params),
            Verb::Commit
            | Verb::Count
            | Verb::CreateCollection
            | Verb::Insert
            | Verb::Remove
            | Verb::Rollback
            | Verb::RunCommands
            | Verb::StartTransaction => {}
        }
        Ok(params)
    }

    /// The body that says what the action answered.
    fn answer(self, mut reply: Value) -> Result<Value, ActionError> {
        match self {
            Verb::Aggregate => {
                for document in reply["list"].as_array_mut().into_iter().flatten() {
                    parse_text(document);
                }
            }
            Verb::FindOne => {
                let found = reply["list"].as_array_mut().and_then(Vec::pop);
                return found.ok_or_else(|| ActionError::new(codes::DOCUMENT_NOT_FOUND, "Document not found"));
            }
            Verb::Update => {
                return Ok(json!({
                    "updated": reply["updated"],
                    "matched": reply["updated"],
                    "upsert_id": reply["upsert_id"],
                }));
            }
            Verb::Commit
            | Verb::Count
            | Verb::CreateCollection
            | Verb::Find
            | Verb::Insert
            | Verb::Remove
            | Verb::Rollback
            | Verb::RunCommands
            | Verb::StartTransaction => {}
        }
        Ok(reply)
    }
}

fn body(reply: Reply) -> Value {
    match reply {
        Reply::Data(data) => data,
        Reply::TopLevel(fields) => Value::Object(fields),
    }
}

/// `[{field, direction}]` as `{field: 1 or -1}`.
fn order_document(order: Value) -> Result<Value, ActionError> {
    let malformed =
        || ActionError::param_type("order", "an array of {field, direction}, with a direction of `asc` or `desc`");
    let Value::Array(fields) = order else { return Err(malformed()) };
    let fields = fields.iter().map(|field| {
        let direction = match field.get("direction").and_then(Value::as_str) {
            Some("asc") => 1,
            Some("desc") => -1,
            Some(_) | None => return Err(malformed()),
        };
        Ok((field.get("field").and_then(Value::as_str).ok_or_else(malformed)?.to_owned(), json!(direction)))
    });
    fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

/// `[{$match: …}]` as `[{stageKey: "$match", stageValue: "…"}]`.
fn stages(pipeline: Value) -> Result<Value, ActionError> {
    let malformed = || ActionError::param_type("pipeline", "an array of stages, each an object with one field");
    let Value::Array(stages) = pipeline else { return Err(malformed()) };
    let stages =
        stages.iter().map(|stage| match stage.as_object().map(|stage| stage.iter().collect::<Vec<_>>()).as_deref() {
            Some([(key, value)]) => Ok(json!({ "stageKey": key, "stageValue": value.to_string() })),
            Some(_) | None => Err(malformed()),
        });
    stages.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// A path says only how an id is written: `5` may be a number too.
fn id_query(id: &Value) -> Value {
    match id.as_str().and_then(|text| text.parse::<i64>().ok()) {
        Some(number) => json!({ "_id": { "$in": [id, number] } }),
        None => json!({ "_id": { "$eq": id } }),
    }
}

/// Unless `replaceMode` says otherwise, data without operators is what to set: `doc.set()` merges at this door (protocol §6.3).
fn reword_update(params: &mut Map<String, Value>) {
    let replaces = params.remove("replaceMode") == Some(Value::Bool(true));
    if replaces {
        return;
    }
    params.insert("merge".into(), json!(true));
    if let Some(Value::Object(data)) = params.get_mut("data")
        && !data.keys().any(|key| key.starts_with('$'))
    {
        let data = std::mem::take(data);
        params.insert("data".into(), json!({ "$set": data }));
    }
}

/// A document that an action answers as a text of extended JSON.
fn parse_text(document: &mut Value) {
    if let Some(parsed) = document.as_str().and_then(|text| serde_json::from_str(text).ok()) {
        *document = parsed;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_verb_is_an_action_by_another_name() {
        let update = |params: Value| Verb::Update.reword(params.as_object().cloned().unwrap()).unwrap();
        let set = update(json!({ "data": { "n": 2 }, "replaceMode": false, "upsert": true }));
        assert_eq!(Value::Object(set), json!({ "data": { "$set": { "n": 2 } }, "upsert": true, "merge": true }));
        let incremented = update(json!({ "data": { "$inc": { "n": 2 } } }));
        assert_eq!(Value::Object(incremented), json!({ "data": { "$inc": { "n": 2 } }, "merge": true }));
        let replaced = update(json!({ "data": { "n": 2 }, "replaceMode": true }));
        assert_eq!(Value::Object(replaced), json!({ "data": { "n": 2 } }));
    }

    #[test]
    fn orders_and_pipelines_are_reworded() {
        let order = json!([{ "field": "b", "direction": "desc" }, { "field": "a", "direction": "asc" }]);
        assert_eq!(order_document(order).unwrap().to_string(), r#"{"b":-1,"a":1}"#);
        for bad in [json!({}), json!([1]), json!([{ "field": "a" }]), json!([{ "field": 1, "direction": "asc" }])] {
            assert!(order_document(bad).is_err());
        }
        let pipeline = stages(json!([{ "$match": { "n": 1 } }])).unwrap();
        assert_eq!(pipeline, json!([{ "stageKey": "$match", "stageValue": "{\"n\":1}" }]));
        for bad in [json!({}), json!([1]), json!([{}]), json!([{ "$a": 1, "$b": 1 }])] {
            assert!(stages(bad).is_err());
        }
    }

    #[test]
    fn a_document_that_is_not_there_is_told() {
        let find = |list: Value| Verb::FindOne.answer(json!({ "list": list })).map_err(|error| error.code);
        assert_eq!(find(json!([{ "_id": "a" }])), Ok(json!({ "_id": "a" })));
        assert_eq!(find(json!([])), Err("DOCUMENT_NOT_FOUND"));
        assert_eq!(id_query(&json!("a")), json!({ "_id": { "$eq": "a" } }));
        assert_eq!(id_query(&json!("5")), json!({ "_id": { "$in": ["5", 5] } }));
    }
}
