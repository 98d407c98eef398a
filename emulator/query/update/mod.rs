//! Updates (being written).
use crate::QueryError;
use document::Document;
/// A change to documents.
#[derive(Debug, Clone)]
pub struct Update;
/// What an update changed.
#[derive(Debug, Default, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct FieldChanges { pub updated: Document, pub removed: Vec<String> }
#[allow(missing_docs)]
impl FieldChanges { pub fn is_empty(&self) -> bool { self.updated.is_empty() && self.removed.is_empty() } }
#[allow(missing_docs, unused_variables)]
impl Update {
    pub fn parse(update: &Document) -> Result<Update, QueryError> { Err(QueryError::unsupported("yet")) }
    pub fn replacement(document: Document) -> Result<Update, QueryError> { Ok(Update) }
    pub fn apply(&self, document: &mut Document, position: Option<usize>) -> Result<FieldChanges, QueryError> { Ok(FieldChanges::default()) }
    /// As `apply`, for a document an upsert creates: `$setOnInsert` takes effect and `_id` may be given.
    pub fn apply_insert(&self, document: &mut Document) -> Result<(), QueryError> { Ok(()) }
    pub fn is_replacement(&self) -> bool { false }
}
