//! Aggregation: stages to a pipeline, results to texts (protocol §2.4, §2.5, semantics DB-4.02 … DB-4.05).

use super::{LIMIT_DEFAULT_USERS, Request, answer};
use crate::access::{self, Deed};
use crate::actions::lint;
use crate::cloud::Reply;
use crate::error::ActionError;
use database::{AggregateRequest, CollectionName};
use document::{Bson, Dialect, Document, RawDocumentBuf};
use query::aggregate::Pipeline;
use serde_json::{Value, json};

impl Request<'_> {
    /// `database.aggregateDocuments`, `database.aggregate`.
    pub(crate) async fn aggregate(self) -> Result<Reply, ActionError> {
        let collection = self.collection()?;
        let stages =
            self.params.array("stages")?.iter().map(|stage| self.stage(stage)).collect::<Result<Vec<_>, _>>()?;
        let pipeline = self.allowed(&collection, Pipeline::parse(&stages)?, &stages).await?;
        self.warn(pipeline.warnings().iter().cloned().collect());
        let request = AggregateRequest { collection, pipeline, seed: rand::random() };
        let documents = self.environment.database.aggregate(request).await?;
        Ok(Reply::Data(json!({ "list": list(&documents, self.params.dialect()) })))
    }

    /// `{stageKey, stageValue}` as `{$key: value}`.
    fn stage(&self, stage: &Value) -> Result<Bson, ActionError> {
        let text = |name: &str| stage.get(name).and_then(Value::as_str);
        let (Some(key), Some(value)) = (text("stageKey"), text("stageValue")) else {
            return Err(ActionError::param_type("stages", "an array of {stageKey, stageValue}, both strings"));
        };
        let mut value = document::decode_value_text(value, self.now)
            .map_err(|error| ActionError::invalid_param(format!("stages: the value of {key}: {error}")))?;
        if let (Bson::Document(matched), "$match") = (&mut value, key) {
            access::fill_in_openid(self.caller, matched);
        }
        self.warn(lint::stage(key, &mut value));
        Ok(Bson::Document(Document::from_iter([(key.to_owned(), value)])))
    }

    /// The pipeline over what the caller may read; a user gets a page of it unless it has a `$limit` of its own. Rules are asked
    /// about the `$match` that it begins with (semantics DB-7.26).
    async fn allowed(
        &self,
        collection: &CollectionName,
        pipeline: Pipeline,
        stages: &[Bson],
    ) -> Result<Pipeline, ActionError> {
        let matched = first_match(stages).unwrap_or_default();
        let readable = self.permitted(collection, matched, Deed::Read).await?;
        let joined = pipeline.collections().into_iter().filter_map(|name| CollectionName::parse(name).ok());
        for name in joined.filter(access::is_own) {
            access::collection(name.as_str())?; // which nobody may read
        }
        if self.caller.is_administrator() {
            return Ok(pipeline);
        }
        if !pipeline.collections().is_empty() {
            return Err(ActionError::unsupported(
                "$lookup asked for by a user: aggregate in a cloud function (UNC-03)",
            ));
        }
        let pipeline = pipeline.narrowed(readable);
        Ok(if pipeline.is_limited() { pipeline } else { pipeline.limited(LIMIT_DEFAULT_USERS) })
    }
}

/// The query of a `$match` that stands first.
fn first_match(stages: &[Bson]) -> Option<Document> {
    stages.first()?.as_document()?.get_document("$match").ok().cloned()
}

/// An array of texts; in dialect A that array is a text itself.
fn list(documents: &[RawDocumentBuf], dialect: Dialect) -> Value {
    let texts: Vec<Value> = documents.iter().map(|document| answer(document, Dialect::B)).collect();
    match dialect {
        Dialect::A => json!(Value::Array(texts).to_string()),
        Dialect::B | Dialect::G => Value::Array(texts),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ::document::{DateTime, decode_text};

    #[test]
    fn results_are_texts() {
        let document = decode_text(r#"{"_id": "x", "n": 1}"#, DateTime::from_millis(0)).unwrap();
        let documents = [RawDocumentBuf::try_from(&document).unwrap()];
        let text = r#"{"_id":"x","n":1}"#;
        assert_eq!(list(&documents, Dialect::B), json!([text]));
        assert_eq!(list(&documents, Dialect::A), json!(json!([text]).to_string()));
        assert_eq!(list(&[], Dialect::A), json!("[]"));
    }
}
