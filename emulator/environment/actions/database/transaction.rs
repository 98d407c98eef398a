//! Transactions (protocol §2.4, §2.5, semantics §5). Dialect B names one beside any action; dialect A has actions of its own, whose
//! replies stand at the top level and hold numbers and documents as texts of extended JSON.

use super::{Request, plain, text_of};
use crate::cloud::Reply;
use crate::error::ActionError;
use database::UpdateReply;
use document::{Document, DocumentRef, RawDocumentBuf};
use serde_json::{Map, Value, json};
use uuid::Uuid;

impl Request<'_> {
    /// `database.startTransaction`.
    pub(crate) async fn start_transaction(self) -> Result<Reply, ActionError> {
        let id = Uuid::new_v4().simple().to_string();
        self.environment.database.begin(&id).await?;
        Ok(top_level([("transactionId", json!(id))]))
    }

    /// `database.commitTransaction`.
    pub(crate) async fn commit_transaction(self) -> Result<Reply, ActionError> {
        self.environment.database.transaction(self.transaction_id()?).commit().await?;
        Ok(top_level([]))
    }

    /// `database.abortTransaction`.
    pub(crate) async fn abort_transaction(self) -> Result<Reply, ActionError> {
        self.environment.database.transaction(self.transaction_id()?).abort().await?;
        Ok(top_level([]))
    }

    /// `database.getInTransaction`: one document or `null` where the query names an `_id` and nothing else, an array where it asks
    /// for more.
    pub(crate) async fn get_in_transaction(self) -> Result<Reply, ActionError> {
        self.transaction_id()?;
        let limit = if self.asks_for_one() { 1 } else { self.limit()? };
        let documents = self.session()?.find(self.find_request(self.skip()?, limit).await?).await?;
        let data = if self.asks_for_one() {
            documents.first().map_or_else(|| json!("null"), |document| text_of(document.into()))
        } else {
            json!(array_text(&documents))
        };
        Ok(top_level([("data", data)]))
    }

    /// `database.insertDocInTransaction`.
    pub(crate) async fn insert_in_transaction(self) -> Result<Reply, ActionError> {
        self.transaction_id()?;
        let mut given = self.params.document_text("data", self.now)?;
        if let (None, Some(id)) = (given.get("_id"), self.params.optional_value("_id", self.now)?) {
            given.insert("_id", id);
        }
        let id = self.insert_all(vec![given]).await?.pop();
        Ok(top_level([("_id", json!(id)), ("inserted", json!("1")), ("ok", json!("1"))]))
    }

    /// `database.updateDocInTransaction`: operators, or a whole document in the place of the one that is there or not.
    pub(crate) async fn update_in_transaction(self) -> Result<Reply, ActionError> {
        self.transaction_id()?;
        let collection = self.collection()?;
        let upsert = self.params.flag("upsert")?;
        let data = self.params.document_text("data", self.now)?;
        let update = if data.keys().any(|key| key.starts_with('$')) {
            self.update(&collection, data, upsert)?
        } else {
            self.replacement(&collection, data)?
        };
        let request = self.update_request(collection, update, upsert, false).await?;
        let UpdateReply { matched, upserted, .. } = self.session()?.update(request).await?;
        let mut fields = vec![("updated", number_text(matched))];
        if let Some(id) = upserted {
            fields.push(("upserted", json!(json!([{ "_id": plain(&id) }]).to_string())));
        }
        Ok(top_level(fields))
    }

    /// `database.deleteDocInTransaction`.
    pub(crate) async fn delete_in_transaction(self) -> Result<Reply, ActionError> {
        self.transaction_id()?;
        let deleted = self.remove_all().await?;
        Ok(top_level([("deleted", number_text(deleted))]))
    }

    fn transaction_id(&self) -> Result<&str, ActionError> {
        self.params.text("transactionId")
    }

    /// Whether the query is that of `doc(id).get()`.
    fn asks_for_one(&self) -> bool {
        let query = self.params.optional_document("query", self.now).ok().flatten().unwrap_or_default();
        !self.params.has("limit") && is_id_alone(&query)
    }
}

/// `{_id: {$eq: …}}`.
fn is_id_alone(query: &Document) -> bool {
    let is_equality = |asked: &Document| asked.len() == 1 && asked.contains_key("$eq");
    query.len() == 1 && query.get_document("_id").is_ok_and(is_equality)
}

fn array_text(documents: &[RawDocumentBuf]) -> String {
    let texts = documents.iter().map(|document| {
        let mut text = String::new();
        document::encode_text(DocumentRef::Raw(document), document::Dialect::B, &mut text);
        text
    });
    format!("[{}]", texts.collect::<Vec<_>>().join(","))
}

fn number_text(number: u64) -> Value {
    json!(number.to_string())
}

fn top_level(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Reply {
    Reply::TopLevel(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ::document::{DateTime, decode_text};

    #[test]
    fn a_document_is_asked_for_by_its_id_alone() {
        let is_one = |query: &str| is_id_alone(&decode_text(query, DateTime::from_millis(0)).unwrap());
        assert!(is_one(r#"{"_id": {"$eq": "a"}}"#) && is_one(r#"{"_id": {"$eq": 5}}"#));
        for query in [r#"{"_id": "a"}"#, r#"{"_id": {"$gt": 5}}"#, r#"{"_id": {"$eq": 5}, "n": 1}"#, "{}"] {
            assert!(!is_one(query), "{query}");
        }
    }
}
