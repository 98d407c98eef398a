//! A document on its way through a pipeline: bytes as they are stored, until a stage changes it.

use document::{Document, DocumentRef, RawDocumentBuf};

use super::memory;
use crate::QueryError;

/// A document on its way.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// As it is stored.
    Stored(RawDocumentBuf),
    /// As a stage made it; not too large.
    Made(Document),
}

impl Item {
    /// A document that a stage made, if it is not too large.
    pub(super) fn made(document: Document) -> Result<Item, QueryError> {
        memory::checked_size(&document)?;
        Ok(Item::Made(document))
    }

    pub(super) fn view(&self) -> DocumentRef<'_> {
        match self {
            Item::Stored(bytes) => DocumentRef::Raw(bytes),
            Item::Made(document) => DocumentRef::Decoded(document),
        }
    }

    pub(super) fn into_document(self) -> Document {
        match self {
            Item::Stored(bytes) => DocumentRef::Raw(&bytes).to_document(),
            Item::Made(document) => document,
        }
    }

    pub(super) fn into_raw(self) -> Result<RawDocumentBuf, QueryError> {
        match self {
            Item::Stored(bytes) => Ok(bytes),
            Item::Made(document) => {
                memory::checked_size(&document)?;
                RawDocumentBuf::try_from(&document).map_err(|error| QueryError::bad_query(error.to_string()))
            }
        }
    }

    /// How many bytes it takes, about.
    pub(super) fn size(&self) -> Result<usize, QueryError> {
        match self {
            Item::Stored(bytes) => Ok(bytes.as_bytes().len()),
            Item::Made(document) => memory::checked_size(document),
        }
    }
}
