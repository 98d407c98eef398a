//! The words of watches (protocol §4.2): what INIT_WATCH asks for, and the events as clients read them. How a watch lives on
//! while its client is away is `watches.rs`'s; sockets and frames are the gateway's.

use super::params::Params;
use crate::access;
use crate::caller::Caller;
use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use database::{CollectionName, DataType, DatabaseError, QueueType, WatchError, WatchEvent, WatchEvents, WatchRequest};
use document::{Bson, Dialect, Document, DocumentRef, RawDocumentBuf, ValueRef};
use query::{FieldChanges, Filter, Sort};
use serde_json::{Map, Value};
use std::fmt::Write;

/// The most a `limit()` may say, and the most fields an `orderBy()` may have (semantics DB-6.02).
const LIMIT_MAX: i64 = 200;
const ORDER_FIELDS_MAX: usize = 5;

/// Reads what INIT_WATCH asks for, narrowed to what `caller` may read.
pub(crate) fn request(
    environment: &Environment,
    caller: &Caller,
    mut params: Map<String, Value>,
) -> Result<WatchRequest, ActionError> {
    let sort = order(params.remove("orderBy"))?.map(|order| Sort::parse(&order)).transpose()?;
    if let Some(Value::String(query)) = params.get_mut("query") {
        unwrap_text(query);
    }
    let params = Params::new(params, Dialect::B);
    let collection = access::collection(params.text("collName")?)?;
    let filter = readable(environment, caller, &collection, filter(environment, caller, &params)?)?;
    Ok(WatchRequest { collection, filter, sort, limit: limit(&params)? })
}

/// `filter`, narrowed to what `caller` may read now.
pub(crate) fn readable(
    environment: &Environment,
    caller: &Caller,
    collection: &CollectionName,
    filter: Filter,
) -> Result<Filter, ActionError> {
    access::read_filter(environment, caller, collection, filter).map_err(|error| match error.code {
        codes::DATABASE_PERMISSION_DENIED => ActionError::new(codes::COLLECTION_PERMISSION_DENIED, error.message),
        _ => error,
    })
}

/// The first documents as the events of INIT_EVENT, a JSON array.
pub(crate) fn initial_events(documents: &[impl AsRef<RawDocumentBuf>]) -> String {
    let events = documents.iter().map(|document| {
        let document = DocumentRef::from(document.as_ref());
        let (id, text) = (id_text(document), document_text(document));
        format!(
            r#"{{"ID":0,"DataType":"init","QueueType":"init","DocID":{id},"Doc":{text},"UpdatedFields":"","RemovedFields":""}}"#
        )
    });
    format!("[{}]", events.collect::<Vec<_>>().join(","))
}

/// Appends the events of one commit to a JSON array that is being written, all with the id `id`.
pub(crate) fn append_events(id: u64, events: &WatchEvents, array: &mut String) {
    for text in events.texts(event_text) {
        let comma = if array.ends_with('[') { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(array, r#"{comma}{{"ID":{id},{text}}}"#);
    }
}

/// Everything of an event but its id. The whole document always (protocol §4.3).
fn event_text(event: &WatchEvent) -> String {
    let document = DocumentRef::from(&*event.document);
    let mut text = format!(
        r#""DataType":"{}","QueueType":"{}","DocID":{},"Doc":{}"#,
        data_type(event.data),
        queue_type(event.queue),
        id_text(document),
        document_text(document),
    );
    if let Some(changes) = &event.changes {
        append_changes(changes, &mut text);
    }
    text
}

/// `removedFields` is written small, or the client fails (protocol §4.3).
fn append_changes(changes: &FieldChanges, text: &mut String) {
    let updated = document_text(DocumentRef::from(&changes.updated));
    let _ = write!(text, r#","UpdatedFields":{updated}"#);
    if !changes.removed.is_empty() {
        let removed = quoted(&Value::from(changes.removed.clone()).to_string());
        let _ = write!(text, r#","removedFields":{removed}"#);
    }
}

fn data_type(data: DataType) -> &'static str {
    match data {
        DataType::Add => "add",
        DataType::Limit => "limit",
        DataType::Remove => "remove",
        DataType::Replace => "replace",
        DataType::Update => "update",
    }
}

fn queue_type(queue: QueueType) -> &'static str {
    match queue {
        QueueType::Enqueue => "enqueue",
        QueueType::Dequeue => "dequeue",
        QueueType::Update => "update",
    }
}

/// The `_id` as JSON. Clients compare it with the document's own.
fn id_text(document: DocumentRef<'_>) -> String {
    let mut text = String::new();
    document::write_value(document.get("_id").unwrap_or(ValueRef::Null), Dialect::A, &mut text);
    text
}

/// A document as JSON in a JSON string.
fn document_text(document: DocumentRef<'_>) -> String {
    let mut text = String::new();
    document::encode_text(document, Dialect::A, &mut text);
    quoted(&text)
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

fn filter(environment: &Environment, caller: &Caller, params: &Params) -> Result<Filter, ActionError> {
    let mut query = params.optional_document("query", environment.shared.clock.now())?.unwrap_or_default();
    access::fill_in_openid(caller, &mut query);
    Ok(Filter::parse(&query)?)
}

/// The older SDKs put the JSON of a query into a JSON string once more (protocol §4.2).
fn unwrap_text(query: &mut String) {
    if query.starts_with('"')
        && let Ok(inner) = serde_json::from_str(query)
    {
        *query = inner;
    }
}

/// `orderBy`: an object of `asc` and `desc`, the weightiest field first.
fn order(fields: Option<Value>) -> Result<Option<Document>, ActionError> {
    let malformed = || ActionError::param_type("orderBy", "an object whose values are \"asc\" or \"desc\"");
    let fields = match fields {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(malformed()),
    };
    if fields.len() > ORDER_FIELDS_MAX {
        return Err(ActionError::invalid_param(format!("a watch takes at most {ORDER_FIELDS_MAX} orderBy fields")));
    }
    let order = fields.iter().map(|(field, direction)| match direction.as_str() {
        Some("asc") => Ok((field.clone(), Bson::Int32(1))),
        Some("desc") => Ok((field.clone(), Bson::Int32(-1))),
        Some(_) | None => Err(malformed()),
    });
    let order = order.collect::<Result<Document, _>>()?;
    Ok((!order.is_empty()).then_some(order))
}

fn limit(params: &Params) -> Result<Option<usize>, ActionError> {
    match params.optional_integer("limit")? {
        None => Ok(None),
        Some(limit @ 1..=LIMIT_MAX) => Ok(usize::try_from(limit).ok()),
        Some(_) => Err(ActionError::param_type("limit", "a whole number from 1 to 200 in a watch")),
    }
}

impl From<WatchError> for ActionError {
    fn from(error: WatchError) -> ActionError {
        match error {
            WatchError::TooMany => ActionError::new(codes::SYS_ERR, error.to_string()),
            WatchError::Database(DatabaseError::Closed) => {
                ActionError::new(codes::SYS_ERR, "the emulator is shutting down")
            }
            WatchError::Database(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use document::{DateTime, decode_text};
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn events_have_their_wire_form() {
        let document = r#"{"_id": "a", "n": 2, "at": {"$date": 5}, "t": "\"q\""}"#;
        let changes = FieldChanges { updated: read(r#"{"n": 2}"#), removed: vec!["x.y".to_owned()] };
        let whole = r#"{"_id":"a","n":2,"at":{"$date":5},"t":"\"q\""}"#;
        check(
            (DataType::Update, QueueType::Update, document, Some(changes)),
            json!({"ID": 7, "DataType": "update", "QueueType": "update", "DocID": "a", "Doc": whole,
                "UpdatedFields": r#"{"n":2}"#, "removedFields": r#"["x.y"]"#}),
        );
        check(
            (DataType::Update, QueueType::Dequeue, document, Some(FieldChanges::default())),
            json!({"ID": 7, "DataType": "update", "QueueType": "dequeue", "DocID": "a", "Doc": whole, "UpdatedFields": "{}"}),
        );
        check(
            (DataType::Limit, QueueType::Enqueue, r#"{"_id": 5}"#, None),
            json!({"ID": 7, "DataType": "limit", "QueueType": "enqueue", "DocID": 5, "Doc": r#"{"_id":5}"#}),
        );
    }

    #[test]
    fn first_documents_have_their_wire_form() {
        let texts = initial_events(&[raw(r#"{"_id": "a"}"#), raw(r#"{"_id": "b"}"#)]);
        let first = json!({"ID": 0, "DataType": "init", "QueueType": "init", "DocID": "a", "Doc": r#"{"_id":"a"}"#,
            "UpdatedFields": "", "RemovedFields": ""});
        assert_eq!(serde_json::from_str::<Value>(&texts).unwrap()[0], first);
        assert_eq!(initial_events(&[] as &[Arc<RawDocumentBuf>]), "[]");
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let order_of = |value: Value| order(Some(value)).map(|order| order.map(|order| order.to_string()));
        assert_eq!(order_of(json!({"b": "desc", "a": "asc"})), Ok(Some(r#"{ "b": -1, "a": 1 }"#.to_owned())));
        assert_eq!((order_of(json!({})), order_of(json!(null))), (Ok(None), Ok(None)));
        for bad in [json!({"a": 1}), json!([]), json!("a"), json!({"a": "x"})] {
            assert!(order_of(bad).is_err());
        }
        let many: Map<String, Value> = (0..6).map(|field| (field.to_string(), json!("asc"))).collect();
        assert!(order_of(Value::Object(many)).is_err());
        for (value, expected) in [(json!(1), Some(Some(1))), (json!(null), Some(None)), (json!(200), Some(Some(200)))] {
            assert_eq!(limit(&Params::new(Map::from_iter([("limit".to_owned(), value)]), Dialect::B)).ok(), expected);
        }
        for bad in [json!(0), json!(-1), json!(201), json!(1.5), json!("1")] {
            assert!(limit(&Params::new(Map::from_iter([("limit".to_owned(), bad)]), Dialect::B)).is_err());
        }
        let mut query = r#""{\"a\":1}""#.to_owned();
        for _ in 0..2 {
            unwrap_text(&mut query);
            assert_eq!(query, r#"{"a":1}"#);
        }
    }

    fn check(event: (DataType, QueueType, &str, Option<FieldChanges>), expected: Value) {
        let (data, queue, document, changes) = event;
        let event = WatchEvent { queue, data, record: 1, document: raw(document), changes };
        let mut array = "[".to_owned();
        append_events(7, &WatchEvents::new(vec![event.clone(), event]), &mut array);
        let events: Value = serde_json::from_str(&format!("{array}]")).unwrap();
        assert_eq!(events, json!([expected, expected]));
    }

    fn raw(text: &str) -> Arc<RawDocumentBuf> {
        Arc::new(RawDocumentBuf::try_from(&read(text)).unwrap())
    }

    fn read(text: &str) -> Document {
        decode_text(text, DateTime::from_millis(0)).unwrap()
    }
}
