//! Projections (being written).
use crate::QueryError;
use document::{Document, DocumentRef};
/// Which fields a result has.
#[derive(Debug, Clone)]
pub struct Projection;
#[allow(missing_docs, unused_variables)]
impl Projection {
    pub fn parse(projection: &Document) -> Result<Projection, QueryError> { Ok(Projection) }
    pub fn apply(&self, document: DocumentRef<'_>) -> Result<Document, QueryError> { Ok(document.to_document()) }
    pub fn is_identity(&self) -> bool { true }
}
