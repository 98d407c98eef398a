//! The database actions of dialects A and B (protocol §2.4, §2.5): params to request, reply to JSON. Both dialects name the same
//! things; what differs is how a request spells a value, which `params.rs` reads in either way, and how a reply does.

mod aggregate;
mod session;
mod transaction;

use super::lint::{self, Warnings};
use super::params::Params;
use crate::access::{self, Deed};
use crate::caller::Caller;
use crate::cloud::{Environment, Reply};
use crate::error::ActionError;
use database::{CollectionName, FindRequest, RemoveRequest, UpdateReply, UpdateRequest};
use document::{Bson, DateTime, Dialect, Document, DocumentRef, RawDocumentBuf, ValueRef};
use query::{Filter, Projection, Sort, Update};
use serde_json::{Value, json};
use uuid::Uuid;

/// How many documents a query answers when it does not say (semantics §1.1, UNC-02): to server SDKs, and to users. Their
/// clients always say: our `wx.cloud` 20 at most, which it sees to itself, js-sdk 100.
const LIMIT_DEFAULT_ADMINISTRATORS: u64 = 100;
const LIMIT_DEFAULT_USERS: u64 = 20;
/// How many at most, whoever asks: js-sdk may ask for as many as a server.
const LIMIT_MAX: u64 = 1000;

/// Who asks for what, and when: one request.
pub(crate) struct Request<'a> {
    environment: &'a Environment,
    caller: &'a Caller,
    params: Params,
    now: DateTime,
}

/// An update, and what rules see of a user's as `request.data`.
struct Change {
    update: Update,
    payload: Document,
}

impl<'a> Request<'a> {
    pub(crate) fn new(environment: &'a Environment, caller: &'a Caller, params: Params) -> Request<'a> {
        Request { environment, caller, params, now: environment.shared.clock.now() }
    }

    /// `database.addCollection`.
    pub(crate) async fn add_collection(self) -> Result<Reply, ActionError> {
        access::administrators_only(self.caller, "creating collections")?;
        self.environment.database.create_collection(&self.collection()?).await?;
        Ok(Reply::Data(json!({})))
    }

    /// `database.insertDocument`: several documents.
    pub(crate) async fn insert(self) -> Result<Reply, ActionError> {
        let given = self.params.documents("data", self.now)?;
        let ids = self.insert_all(given).await?;
        Ok(Reply::Data(json!({ "insertedIds": ids })))
    }

    /// `database.addDocument`: one document, whose `_id` may stand beside it, or several.
    pub(crate) async fn add(self) -> Result<Reply, ActionError> {
        if self.params.is_array("data") {
            return self.insert().await;
        }
        let mut given = self.params.document("data", self.now)?;
        if let (None, Some(id)) = (given.get("_id"), self.params.optional_value("_id", self.now)?) {
            given.insert("_id", id);
        }
        let mut ids = self.insert_all(vec![given]).await?;
        Ok(Reply::Data(json!({ "_id": ids.pop() })))
    }

    /// `database.getDocument`, `database.queryDocument`.
    pub(crate) async fn get(self) -> Result<Reply, ActionError> {
        let (limit, skip) = (self.limit()?, self.skip()?);
        let documents = self.session()?.find(self.find_request(skip, limit).await?).await?;
        let list: Vec<Value> = documents.iter().map(|document| answer(document, self.params.dialect())).collect();
        Ok(Reply::Data(json!({ "list": list, "offset": skip, "limit": limit })))
    }

    /// `database.calculateDocument`, `database.countDocument`.
    pub(crate) async fn count(self) -> Result<Reply, ActionError> {
        let collection = self.collection()?;
        let filter = self.read_filter(&collection).await?;
        let total = self.session()?.count(&collection, filter).await?;
        Ok(Reply::Data(json!({ "total": total })))
    }

    /// `database.modifyDocument`, `database.updateDocument`.
    pub(crate) async fn modify(self) -> Result<Reply, ActionError> {
        let collection = self.collection()?;
        let upsert = self.params.flag("upsert")?;
        let data = self.params.document("data", self.now)?;
        let update = if self.params.flag("merge")? {
            self.update(&collection, data, upsert)?
        } else {
            self.replacement(&collection, data)?
        };
        let request = self.update_request(collection, update, upsert, false).await?;
        let UpdateReply { matched, upserted, .. } = self.session()?.update(request).await?;
        let upserted = upserted.as_ref().map(plain);
        // Which of the two names a client reads depends on its dialect and on the call.
        Ok(Reply::Data(json!({ "updated": matched, "upsert_id": upserted, "upserted_id": upserted })))
    }

    /// `database.modifyAndReturnDoc`.
    pub(crate) async fn modify_and_return(self) -> Result<Reply, ActionError> {
        let collection = self.collection()?;
        let update = self.update(&collection, self.params.document("data", self.now)?, false)?;
        let request = self.update_request(collection, update, false, true).await?;
        let reply = self.session()?.update(request).await?;
        let document = reply.document.as_ref().map(|document| text_of(document.into()));
        Ok(Reply::Data(json!({ "updated": reply.matched, "doc": document })))
    }

    /// `database.removeDocument`, `database.deleteDocument`.
    pub(crate) async fn remove(self) -> Result<Reply, ActionError> {
        let deleted = self.remove_all().await?;
        Ok(Reply::Data(json!({ "deleted": deleted })))
    }

    async fn remove_all(&self) -> Result<u64, ActionError> {
        let collection = self.collection()?;
        let filter = self.write_filter(&collection, Deed::Remove).await?;
        let request = RemoveRequest { collection, filter, multi: self.params.flag("multi")? };
        Ok(self.session()?.remove(request).await?)
    }

    async fn insert_all(&self, given: Vec<Document>) -> Result<Vec<Value>, ActionError> {
        let collection = self.collection()?;
        let owner = access::creator(self.environment, self.caller, &collection)?;
        let documents =
            given.into_iter().map(|given| self.new_document(given, owner)).collect::<Result<Vec<_>, _>>()?;
        if documents.is_empty() {
            return Err(ActionError::invalid_param("data must hold at least one document"));
        }
        for document in &documents {
            access::check_created(self.environment, self.caller, &collection, document, self.now).await?;
        }
        self.warn(documents.iter().flat_map(lint::document).collect());
        let ids = self.session()?.insert(&collection, documents).await?;
        Ok(ids.iter().map(plain).collect())
    }

    /// A document about to be created for `owner`, with an id of the cloud's making when it brings none (semantics DB-1.40).
    fn new_document(&self, given: Document, owner: Option<&str>) -> Result<Document, ActionError> {
        if let Some(key) = given.keys().find(|key| key.starts_with('$')) {
            return Err(ActionError::write_failed(format!("Document can't have $ prefixed field names: {key}")));
        }
        let given = self.owned(given, owner)?;
        match given.get("_id") {
            Some(Bson::Array(_)) => Err(bad_id("array")),
            Some(Bson::RegularExpression(_)) => Err(bad_id("regex")),
            Some(Bson::Undefined) => Err(bad_id("undefined")),
            Some(_) => Ok(given),
            None => Ok(with_id(given)),
        }
    }

    /// The whole content of a document of `owner`; without one, of an administrator's making, and taken as it is.
    fn owned(&self, mut given: Document, owner: Option<&str>) -> Result<Document, ActionError> {
        let Some(owner) = owner else { return Ok(given) };
        access::refuse_owner_in_document(&given)?;
        access::fill_in_openid(self.caller, &mut given);
        given.insert(access::OWNER_FIELD, owner);
        Ok(given)
    }

    async fn find_request(&self, skip: u64, limit: u64) -> Result<FindRequest, ActionError> {
        let collection = self.collection()?;
        Ok(FindRequest {
            filter: self.read_filter(&collection).await?,
            collection,
            sort: self.params.optional_order("order", self.now)?.as_ref().map(Sort::parse).transpose()?,
            skip,
            limit: Some(limit),
            projection: self.params.optional_parsed("projection", self.now, Projection::parse)?,
        })
    }

    /// `update()`: an update by operators. What a user's upsert creates is the user's.
    fn update(&self, collection: &CollectionName, mut data: Document, upsert: bool) -> Result<Change, ActionError> {
        self.warn(lint::update(&mut data));
        let owner = access::creator(self.environment, self.caller, collection)?;
        if let Some(owner) = owner {
            access::refuse_owner_in_update(&data)?;
            if upsert {
                set_on_insert(&mut data, owner);
            }
        }
        let update = Update::parse(&data)?;
        Ok(Change { update, payload: owner.map(|_| access::payload(&data)).unwrap_or_default() })
    }

    /// `set()`: the whole document is replaced, one document only.
    fn replacement(&self, collection: &CollectionName, data: Document) -> Result<Change, ActionError> {
        self.warn(lint::document(&data));
        if self.params.flag("multi")? {
            return Err(ActionError::invalid_param(
                "a replacement (merge: false) changes one document, multi: true is not allowed",
            ));
        }
        let owner = access::creator(self.environment, self.caller, collection)?;
        let data = self.owned(data, owner)?;
        let payload = owner.map(|_| data.clone()).unwrap_or_default();
        Ok(Change { update: Update::replacement(data)?, payload })
    }

    async fn update_request(
        &self,
        collection: CollectionName,
        Change { update, payload }: Change,
        upsert: bool,
        return_document: bool,
    ) -> Result<UpdateRequest, ActionError> {
        let deed = if return_document { Deed::UpdateAndRead(&payload) } else { Deed::Update(&payload) };
        let request = UpdateRequest {
            filter: self.write_filter(&collection, deed).await?,
            collection,
            update,
            multi: !return_document && self.params.flag("multi")?,
            upsert: upsert.then(new_id),
            return_document,
        };
        access::check_upsert(self.environment, self.caller, &request, self.now).await?;
        Ok(request)
    }

    fn collection(&self) -> Result<CollectionName, ActionError> {
        access::collection(self.params.text("collectionName")?)
    }

    /// What the request asks for, of what the caller may read. Without a query, everything.
    async fn read_filter(&self, collection: &CollectionName) -> Result<Filter, ActionError> {
        self.permitted(collection, self.query()?.unwrap_or_default(), Deed::Read).await
    }

    /// What the request asks for, of what the caller may write. Updates and removals must say which documents they mean; `{}`
    /// says all of them (semantics UNC-07).
    async fn write_filter(&self, collection: &CollectionName, deed: Deed<'_>) -> Result<Filter, ActionError> {
        let asked = self.query()?.ok_or_else(|| {
            ActionError::invalid_param("query is missing: use where({}) to mean every document of the collection")
        })?;
        self.permitted(collection, asked, deed).await
    }

    async fn permitted(
        &self,
        collection: &CollectionName,
        query: Document,
        deed: Deed<'_>,
    ) -> Result<Filter, ActionError> {
        access::permitted(self.environment, self.caller, collection, &query, deed, self.now).await
    }

    fn query(&self) -> Result<Option<Document>, ActionError> {
        let Some(mut query) = self.params.optional_document("query", self.now)? else { return Ok(None) };
        access::fill_in_openid(self.caller, &mut query);
        self.warn(lint::query(&mut query));
        Ok(Some(query))
    }

    fn limit(&self) -> Result<u64, ActionError> {
        let default = if self.caller.is_administrator() { LIMIT_DEFAULT_ADMINISTRATORS } else { LIMIT_DEFAULT_USERS };
        let limit = self.params.optional_integer("limit")?.unwrap_or(0).unsigned_abs();
        Ok(if limit == 0 { default } else { limit.min(LIMIT_MAX) })
    }

    fn skip(&self) -> Result<u64, ActionError> {
        let skip = self.params.optional_integer("offset")?.unwrap_or(0);
        u64::try_from(skip).map_err(|_| ActionError::param_type("offset", "a whole number that is not negative"))
    }

    fn warn(&self, warnings: Warnings) {
        let collection = self.params.optional_text("collectionName").ok().flatten().unwrap_or_default();
        for warning in warnings {
            tracing::warn!("collection `{collection}`: {warning}");
        }
    }
}

/// Adds `owner` to what the update sets when it creates a document.
fn set_on_insert(update: &mut Document, owner: &str) {
    let owner = Document::from_iter([(access::OWNER_FIELD.to_owned(), Bson::String(owner.to_owned()))]);
    match update.get_mut("$setOnInsert") {
        Some(Bson::Document(fields)) => fields.extend(owner),
        Some(_) => {} // which `Update::parse` refuses
        None => drop(update.insert("$setOnInsert", owner)),
    }
}

fn bad_id(type_name: &str) -> ActionError {
    ActionError::write_failed(format!("The '_id' value cannot be of type {type_name}"))
}

fn with_id(given: Document) -> Document {
    let mut document = Document::new();
    document.insert("_id", new_id());
    document.extend(given);
    document
}

/// 32 hexadecimal digits, as the cloud makes them (semantics DB-1.40).
pub(crate) fn new_id() -> Bson {
    Bson::String(Uuid::new_v4().simple().to_string())
}

fn plain(id: &Bson) -> Value {
    document::encode_value(ValueRef::from(id), Dialect::A)
}

/// A document of a reply: JSON in dialect A, a text of extended JSON in dialect B.
fn answer(document: &RawDocumentBuf, dialect: Dialect) -> Value {
    let document = DocumentRef::Raw(document);
    match dialect {
        Dialect::A | Dialect::G => document::encode_value(ValueRef::Document(document), dialect),
        Dialect::B => text_of(document),
    }
}

fn text_of(document: DocumentRef<'_>) -> Value {
    let mut text = String::new();
    document::encode_text(document, Dialect::B, &mut text);
    Value::String(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use document::decode_text;

    #[test]
    fn what_a_users_upsert_creates_is_the_users() {
        check_upsert(r#"{"$set": {"a": 1}}"#, r#"{"$set": {"a": 1}, "$setOnInsert": {"_openid": "alice"}}"#);
        check_upsert(r#"{"$setOnInsert": {"a": 1}}"#, r#"{"$setOnInsert": {"a": 1, "_openid": "alice"}}"#);
        check_upsert(r#"{"$setOnInsert": 1}"#, r#"{"$setOnInsert": 1}"#);
    }

    fn check_upsert(update: &str, expected: &str) {
        let read = |text: &str| decode_text(text, DateTime::from_millis(0)).unwrap();
        let mut update = read(update);
        set_on_insert(&mut update, "alice");
        assert_eq!(update, read(expected));
    }
}
