//! The words of watches (protocol §4.2): what INIT_WATCH asks for, and the events as clients read them. How a watch lives on
//! while its client is away is `watches.rs`'s; sockets and frames are the gateway's.

use super::params::Params;
use crate::access::{self, Deed};
use crate::caller::Caller;
use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use database::{DataType, DatabaseError, QueueType, WatchError, WatchEvent, WatchEvents, WatchRequest};
use document::{Bson, Dialect, Document, DocumentRef, RawDocumentBuf, ValueRef};
use query::{FieldChanges, Sort};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::sync::Arc;

/// The most a `limit()` may say, and the most fields an `orderBy()` may have (semantics DB-6.02).
const LIMIT_MAX: i64 = 200;
const ORDER_FIELDS_MAX: usize = 5;

/// What INIT_WATCH asks for, and its query as it came, with the `{openid}` filled in.
pub(crate) struct Asked {
    pub(crate) request: WatchRequest,
    pub(crate) query: Document,
}

/// Reads what INIT_WATCH asks for, narrowed to what `caller` may read.
pub(crate) async fn request(
    environment: &Environment,
    caller: &Caller,
    mut params: Map<String, Value>,
) -> Result<Asked, ActionError> {
    let now = environment.shared.clock.now();
    let sort = order(params.remove("orderBy"))?.map(|order| Sort::parse(&order)).transpose()?;
    if let Some(Value::String(query)) = params.get_mut("query") {
        unwrap_text(query);
    }
    let params = Params::new(params, Dialect::B);
    let collection = access::collection(params.text("collName")?)?;
    let mut query = params.optional_document("query", now)?.unwrap_or_default();
    access::fill_in_openid(caller, &mut query);
    let filter = access::permitted(environment, caller, &collection, &query, Deed::Read, now).await;
    let filter = filter.map_err(as_watch_told)?;
    Ok(Asked { request: WatchRequest { collection, filter, sort, limit: limit(&params)? }, query })
}

/// A refusal as watches have it (semantics DB-6.11).
pub(crate) fn as_watch_told(error: ActionError) -> ActionError {
    match error.code {
        codes::DATABASE_PERMISSION_DENIED => ActionError { code: codes::COLLECTION_PERMISSION_DENIED, ..error },
        _ => error,
    }
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

/// `events` for a watcher who may not know what has become of the documents that `hidden` names by their place: of these they
/// are told only that they left. The document that remains of each is its `_id`.
pub(crate) fn withhold(events: &WatchEvents, hidden: &[usize]) -> Arc<WatchEvents> {
    let told = events.events().iter().enumerate().map(|(place, event)| match hidden.contains(&place) {
        true => {
            WatchEvent { data: DataType::Update, document: id_alone(&event.document), changes: None, ..event.clone() }
        }
        false => event.clone(),
    });
    let told = WatchEvents::new(told.collect());
    let mut place = 0..;
    // These texts are this watcher's own: `told` is shared with nobody.
    told.texts(|event| match place.next().is_some_and(|place| hidden.contains(&place)) {
        true => text_without_document(event),
        false => event_text(event),
    });
    told
}

fn id_alone(document: &RawDocumentBuf) -> Arc<RawDocumentBuf> {
    let id = document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok()).unwrap_or(Bson::Null);
    Arc::new(RawDocumentBuf::try_from(&Document::from_iter([("_id".to_owned(), id)])).unwrap_or_default())
}

/// An empty `Doc` is allowed to an update that takes a document out (protocol §4.3).
fn text_without_document(event: &WatchEvent) -> String {
    let id = id_text(DocumentRef::from(&*event.document));
    format!(r#""DataType":"{}","QueueType":"{}","DocID":{id},"Doc":"""#, data_type(event.data), queue_type(event.queue))
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
    fn what_is_withheld_is_told_without_its_document() {
        let event = |id: i32, data| WatchEvent {
            queue: QueueType::Dequeue,
            data,
            record: 1,
            document: raw(&format!(r#"{{"_id": {id}, "secret": 7}}"#)),
            changes: Some(FieldChanges { updated: read(r#"{"secret": 7}"#), removed: Vec::new() }),
        };
        let events = WatchEvents::new(vec![event(1, DataType::Update), event(2, DataType::Replace)]);
        let told = withhold(&events, &[1]);
        let mut array = "[".to_owned();
        append_events(3, &told, &mut array);
        let told: Value = serde_json::from_str(&format!("{array}]")).unwrap();
        assert_eq!(told[0]["Doc"], r#"{"_id":1,"secret":7}"#);
        assert_eq!(told[1], json!({"ID": 3, "DataType": "update", "QueueType": "dequeue", "DocID": 2, "Doc": ""}));
        let mut array = "[".to_owned();
        append_events(3, &events, &mut array);
        assert!(array.matches("secret").count() > 2, "the others' events are whole: {array}");
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
