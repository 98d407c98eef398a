//! Sorts (being written).
use crate::QueryError;
use document::{Document, DocumentRef, FieldPath};
use std::cmp::Ordering;
/// An order of documents.
#[derive(Debug, Clone)]
pub struct Sort;
/// A document's place in a sort.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(Vec<u8>);
#[allow(missing_docs, unused_variables)]
impl Sort {
    pub fn parse(sort: &Document) -> Result<Sort, QueryError> { Ok(Sort) }
    pub fn compare(&self, left: DocumentRef<'_>, right: DocumentRef<'_>) -> Ordering { Ordering::Equal }
    pub fn key(&self, document: DocumentRef<'_>) -> SortKey { SortKey(Vec::new()) }
    pub fn fields(&self) -> impl Iterator<Item = (&FieldPath, bool)> { std::iter::empty() }
}
