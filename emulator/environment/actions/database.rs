//! The database actions of dialect B (protocol §2.4): params to request, reply to JSON.

use super::params::{Params, decode};
use crate::cloud::{Environment, Reply};
use crate::error::ActionError;
use database::{CollectionName, FindRequest, RemoveRequest, UpdateReply, UpdateRequest};
use document::{Bson, DateTime, Dialect, Document, DocumentRef, RawDocumentBuf, ValueRef};
use query::{Filter, Projection, Sort, Update};
use serde_json::{Value, json};
use uuid::Uuid;

/// How many documents a query answers when it does not say, and at most (semantics UNC-02).
const LIMIT_DEFAULT: u64 = 100;
const LIMIT_MAX: u64 = 1000;

pub(crate) async fn add_collection(environment: &Environment, params: Params) -> Result<Reply, ActionError> {
    environment.database.create_collection(&collection(&params)?).await?;
    Ok(Reply::Data(json!({})))
}

pub(crate) async fn insert(environment: &Environment, params: Params) -> Result<Reply, ActionError> {
    refuse_transaction(&params)?;
    let collection = collection(&params)?;
    let now = environment.shared.clock.now();
    let texts = params.array("data")?;
    let documents: Vec<Document> = texts.iter().map(|text| new_document(text, now)).collect::<Result<_, _>>()?;
    if documents.is_empty() {
        return Err(ActionError::invalid_param("data must hold at least one document"));
    }
    let ids = environment.database.insert(&collection, documents).await?;
    let ids: Vec<Value> = ids.iter().map(plain).collect();
    Ok(Reply::Data(json!({ "insertedIds": ids })))
}

pub(crate) async fn get(environment: &Environment, params: Params) -> Result<Reply, ActionError> {
    refuse_transaction(&params)?;
    let now = environment.shared.clock.now();
    let limit = limit(&params)?;
    let skip = skip(&params)?;
    let request = FindRequest {
        collection: collection(&params)?,
        filter: optional_filter(&params, now)?.unwrap_or_else(Filter::all),
        sort: params.optional_parsed("order", now, Sort::parse)?,
        skip,
        limit: Some(limit),
        projection: params.optional_parsed("projection", now, Projection::parse)?,
    };
    let documents = environment.database.find(request).await?;
    let list: Vec<Value> = documents.iter().map(text_of).collect();
    Ok(Reply::Data(json!({ "list": list, "offset": skip, "limit": limit })))
}

pub(crate) async fn count(environment: &Environment, params: Params) -> Result<Reply, ActionError> {
    refuse_transaction(&params)?;
    let filter = optional_filter(&params, environment.shared.clock.now())?.unwrap_or_else(Filter::all);
    let total = environment.database.count(&collection(&params)?, filter).await?;
    Ok(Reply::Data(json!({ "total": total })))
}

pub(crate) async fn modify(environment: &Environment, params: Params) -> Result<Reply, ActionError> {
    let now = environment.shared.clock.now();
    let data = params.document("data", now)?;
    let update = if params.flag("merge")? { Update::parse(&data)? } else { replacement(&params, data)? };
    let upsert = params.flag("upsert")?.then(new_id);
    let request = update_request(&params, now, update, upsert, false)?;
    let UpdateReply { matched, upserted, .. } = environment.database.update(request).await?;
    let upserted = upserted.as_ref().map(plain);
    Ok(Reply::Data(json!({ "updated": matched, "upsert_id": upserted })))
}

pub(crate) async fn modify_and_return(environment: &Environment, params: Params) -> Result<Reply, ActionError> {
    let now = environment.shared.clock.now();
    let update = Update::parse(&params.document("data", now)?)?;
    let request = update_request(&params, now, update, None, true)?;
    let reply = environment.database.update(request).await?;
    let document = reply.document.as_ref().map(|document| text_from(document.into()));
    Ok(Reply::Data(json!({ "updated": reply.matched, "doc": document })))
}

pub(crate) async fn remove(environment: &Environment, params: Params) -> Result<Reply, ActionError> {
    refuse_transaction(&params)?;
    let request = RemoveRequest {
        collection: collection(&params)?,
        filter: required_filter(&params, environment.shared.clock.now())?,
        multi: params.flag("multi")?,
    };
    let deleted = environment.database.remove(request).await?;
    Ok(Reply::Data(json!({ "deleted": deleted })))
}

fn update_request(
    params: &Params,
    now: DateTime,
    update: Update,
    upsert: Option<Bson>,
    return_document: bool,
) -> Result<UpdateRequest, ActionError> {
    refuse_transaction(params)?;
    Ok(UpdateRequest {
        collection: collection(params)?,
        filter: required_filter(params, now)?,
        update,
        multi: !return_document && params.flag("multi")?,
        upsert,
        return_document,
    })
}

/// `set()`: the whole document is replaced, one document only.
fn replacement(params: &Params, data: Document) -> Result<Update, ActionError> {
    if params.flag("multi")? {
        return Err(ActionError::invalid_param(
            "a replacement (merge: false) changes one document, multi: true is not allowed",
        ));
    }
    Ok(Update::replacement(data)?)
}

fn collection(params: &Params) -> Result<CollectionName, ActionError> {
    let name = params.text("collectionName")?;
    CollectionName::parse(name).map_err(ActionError::from)
}

fn optional_filter(params: &Params, now: DateTime) -> Result<Option<Filter>, ActionError> {
    params.optional_parsed("query", now, Filter::parse)
}

/// Updates and removals must say which documents they mean; `{}` says all of them (semantics UNC-07).
fn required_filter(params: &Params, now: DateTime) -> Result<Filter, ActionError> {
    optional_filter(params, now)?.ok_or_else(|| {
        ActionError::invalid_param("query is missing: use where({}) to mean every document of the collection")
    })
}

fn limit(params: &Params) -> Result<u64, ActionError> {
    let limit = params.optional_integer("limit")?.unwrap_or(0).unsigned_abs();
    Ok(if limit == 0 { LIMIT_DEFAULT } else { limit.min(LIMIT_MAX) })
}

fn skip(params: &Params) -> Result<u64, ActionError> {
    let skip = params.optional_integer("offset")?.unwrap_or(0);
    u64::try_from(skip).map_err(|_| ActionError::param_type("offset", "a whole number that is not negative"))
}

fn refuse_transaction(params: &Params) -> Result<(), ActionError> {
    if params.has("transactionId") { Err(ActionError::unsupported("transactions (transactionId)")) } else { Ok(()) }
}

/// A document about to be created, with an id of the cloud's making when it brings none (semantics DB-1.40).
fn new_document(text: &Value, now: DateTime) -> Result<Document, ActionError> {
    let text = text.as_str().ok_or_else(|| ActionError::param_type("data", "an array of strings, each a document"))?;
    let given = decode("data", text, now)?;
    if let Some(key) = given.keys().find(|key| key.starts_with('$')) {
        return Err(ActionError::write_failed(format!("Document can't have $ prefixed field names: {key}")));
    }
    match given.get("_id") {
        Some(Bson::Array(_)) => Err(ActionError::write_failed("The '_id' value cannot be of type array")),
        Some(Bson::RegularExpression(_)) => Err(ActionError::write_failed("The '_id' value cannot be of type regex")),
        Some(Bson::Undefined) => Err(ActionError::write_failed("The '_id' value cannot be of type undefined")),
        Some(_) => Ok(given),
        None => Ok(with_id(given)),
    }
}

fn with_id(given: Document) -> Document {
    let mut document = Document::new();
    document.insert("_id", new_id());
    document.extend(given);
    document
}

/// 32 hexadecimal digits, as the cloud makes them (semantics DB-1.40).
fn new_id() -> Bson {
    Bson::String(Uuid::new_v4().simple().to_string())
}

fn plain(id: &Bson) -> Value {
    document::encode_value(ValueRef::from(id), Dialect::A)
}

fn text_of(document: &RawDocumentBuf) -> Value {
    text_from(DocumentRef::Raw(document))
}

fn text_from(document: DocumentRef<'_>) -> Value {
    let mut text = String::new();
    document::encode_text(document, Dialect::B, &mut text);
    Value::String(text)
}
