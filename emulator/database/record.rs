//! A document as it rests in the store, and as it gets there: BSON bytes under a record number.

use document::{Bson, Document, RawDocument, RawDocumentBuf, ValueRef, encode_key};

use crate::DatabaseError;
use crate::store::{Value, Version};

/// The longest key of an `_id`, in bytes, as the cloud's indexes allow it.
const ID_KEY_BYTES_MAX: usize = 1024;

/// A stored document.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its place in insertion order.
    pub(crate) number: u64,
    /// The version that was read.
    pub(crate) version: Version,
}

impl Record {
    /// The document, not decoded.
    pub(crate) fn document(&self) -> Result<&RawDocument, DatabaseError> {
        RawDocument::from_bytes(&*self.version.value).map_err(|error| self.damaged(&error.to_string()))
    }

    /// The document, not decoded, copied out of the page cache.
    pub(crate) fn to_raw(&self) -> Result<RawDocumentBuf, DatabaseError> {
        Ok(self.document()?.to_owned())
    }

    /// The document, decoded.
    pub(crate) fn decode(&self) -> Result<Document, DatabaseError> {
        Document::try_from(self.document()?).map_err(|error| self.damaged(&error.to_string()))
    }

    /// The `_id` of the document.
    pub(crate) fn id(&self) -> Result<ValueRef<'_>, DatabaseError> {
        match self.document()?.get("_id") {
            Ok(Some(id)) => Ok(ValueRef::from(id)),
            Ok(None) => Err(self.damaged("it has no _id")),
            Err(error) => Err(self.damaged(&error.to_string())),
        }
    }

    fn damaged(&self, what: &str) -> DatabaseError {
        DatabaseError::Corrupt(format!("record {}: {what}", self.number))
    }
}

/// The number in an entry that leads to a record.
pub(crate) fn decode_number(value: &Value) -> Result<u64, DatabaseError> {
    let bytes: &[u8] = value;
    bytes
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| DatabaseError::Corrupt("an index entry does not lead to a record".to_owned()))
}

/// A document that may be stored: it has a proper `_id`, in the first place, and is not too large.
#[derive(Debug, Clone)]
pub struct NewDocument {
    pub(crate) id: Bson,
    pub(crate) bytes: RawDocumentBuf,
}

impl NewDocument {
    /// Checks a document and encodes it; [`DatabaseError::BadDocument`] says why it may not be stored.
    pub fn prepare(document: Document) -> Result<NewDocument, DatabaseError> {
        let id = document.get("_id").cloned().ok_or_else(|| bad("the document has no _id"))?;
        check_id(&id)?;
        let bytes = encode(&with_id_first(document, &id))?;
        Ok(NewDocument { id, bytes })
    }

    /// Its `_id`.
    pub fn id(&self) -> &Bson {
        &self.id
    }

    /// The document as it will be stored.
    pub(crate) fn decode(&self) -> Result<Document, DatabaseError> {
        Document::try_from(&self.bytes).map_err(|error| DatabaseError::BadDocument(error.to_string()))
    }
}

/// A document as bytes, if it may be stored.
pub(crate) fn encode(document: &Document) -> Result<RawDocumentBuf, DatabaseError> {
    document::check_limits(document).map_err(|error| DatabaseError::BadDocument(error.to_string()))?;
    RawDocumentBuf::try_from(document).map_err(|error| DatabaseError::BadDocument(error.to_string()))
}

fn check_id(id: &Bson) -> Result<(), DatabaseError> {
    match id {
        Bson::Array(_) => return Err(bad("can't use an array for _id")),
        Bson::RegularExpression(_) => return Err(bad("can't use a regex for _id")),
        Bson::Undefined => return Err(bad("can't use an undefined for _id")),
        Bson::Double(_)
        | Bson::String(_)
        | Bson::Document(_)
        | Bson::Boolean(_)
        | Bson::Null
        | Bson::JavaScriptCode(_)
        | Bson::JavaScriptCodeWithScope(_)
        | Bson::Int32(_)
        | Bson::Int64(_)
        | Bson::Timestamp(_)
        | Bson::Binary(_)
        | Bson::ObjectId(_)
        | Bson::DateTime(_)
        | Bson::Symbol(_)
        | Bson::Decimal128(_)
        | Bson::MaxKey
        | Bson::MinKey
        | Bson::DbPointer(_) => {}
    }
    let mut key = Vec::new();
    encode_key(ValueRef::from(id), &mut key);
    if key.len() > ID_KEY_BYTES_MAX { Err(bad("the _id is too long: 1024 bytes at most")) } else { Ok(()) }
}

fn with_id_first(mut document: Document, id: &Bson) -> Document {
    if document.keys().next().is_some_and(|key| key == "_id") {
        return document;
    }
    document.remove("_id");
    let mut ordered = Document::new();
    ordered.insert("_id", id.clone());
    ordered.extend(document);
    ordered
}

fn bad(message: &str) -> DatabaseError {
    DatabaseError::BadDocument(message.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_id_comes_first_and_the_rest_keeps_its_order() {
        let document = Document::from_iter(
            [("b", 1), ("_id", 2), ("a", 3)].map(|(key, value)| (key.to_owned(), Bson::Int32(value))),
        );
        let new = NewDocument::prepare(document).unwrap();
        let stored = Document::try_from(&new.bytes).unwrap();
        assert_eq!(stored.keys().collect::<Vec<_>>(), ["_id", "b", "a"]);
        assert_eq!(new.id, Bson::Int32(2));
    }

    #[test]
    fn what_an_id_may_be() {
        check(Bson::String("x".repeat(1000)), true);
        check(Bson::String("x".repeat(1024)), false);
        check(Bson::Null, true);
        check(Bson::Array(Vec::new()), false);
        check(Bson::Undefined, false);
    }

    fn check(id: Bson, allowed: bool) {
        let document = Document::from_iter([("_id".to_owned(), id.clone())]);
        assert_eq!(NewDocument::prepare(document).is_ok(), allowed, "{id}");
    }
}
