//! What a pipeline needs from outside: the documents of collections, and random numbers.

use document::RawDocumentBuf;

use crate::QueryError;
use crate::aggregate::Front;

/// Documents as they are read; after the first error there is nothing to be had.
pub type Documents<'a, E> = Box<dyn Iterator<Item = Result<RawDocumentBuf, E>> + 'a>;

/// Where a pipeline reads. Whoever runs pipelines implements it, so that all reads of a run see one moment.
pub trait Library {
    /// What can go wrong in a run: reading, and what the pipeline itself makes of the documents.
    type Error: From<QueryError> + 'static;

    /// The documents of `collection` that `front` asks for, in its order. Where `front` has a [`crate::aggregate::GeoNear`],
    /// the nearest first, each with its distance in it. A missing collection of `$lookup` counts as empty.
    fn documents<'a>(&'a self, collection: &str, front: Front) -> Result<Documents<'a, Self::Error>, Self::Error>;

    /// A random number from 0 to `end`, without `end` itself, which is not 0.
    fn random_below(&self, end: u64) -> u64;
}
