//! Aggregation: a pipeline of stages that documents go through one by one, and the expressions in them (semantics §4),
//! meaning MongoDB 4.0. Pure: documents and random numbers come from a [`Library`] that the caller implements.
//!
//! ## Differences from the cloud
//! - Stages that write, that look at statistics or that walk graphs are refused by name: see `stages/mod.rs`.
//! - `$set`, `$unset` and `$replaceWith` of newer engines are served; [`Pipeline::warnings`] names them.
//! - `$group`, `$sort` and `$bucketAuto` never write to disk: `allowDiskUse` does not exist.

pub mod expressions;

mod accumulators;
mod fields;
mod front;
mod item;
#[cfg(test)]
mod laws;
mod library;
mod memory;
mod stages;
mod text;

use document::{Bson, RawDocumentBuf};

use crate::{Filter, QueryError};
use stages::{Context, Parser, Stages};

pub use expressions::{Expression, Names, Scope};
pub use front::Front;
pub use library::{Documents, Library};
pub use stages::GeoNear;

#[cfg(test)]
pub(crate) use accumulators::names as accumulator_names;
#[cfg(test)]
pub(crate) use stages::names as stage_names;

/// A pipeline, read once and run as often as needed.
#[derive(Debug, Clone)]
pub struct Pipeline {
    front: Front,
    stages: Stages,
    /// What the cloud would refuse and this engine serves.
    warnings: Vec<String>,
}

impl Pipeline {
    /// Reads the stages in order: `[{"$match": {…}}, {"$limit": 1}]`. Every mistake that no document is needed for is found here.
    pub fn parse(stages: &[Bson]) -> Result<Pipeline, QueryError> {
        let mut parser = Parser::default();
        let stages = parser.stages(stages)?;
        Ok(Pipeline::of(stages, parser.into_warnings()))
    }

    fn of(mut stages: Stages, warnings: Vec<String>) -> Pipeline {
        let front = Front::take(&mut stages);
        Pipeline { front, stages, warnings }
    }

    /// What the collection is asked for before the first stage runs.
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// What the pipeline uses that MongoDB 4.0 does not have, a sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The other collections it reads, in the order of their stages, also those of pipelines within.
    pub fn collections(&self) -> Vec<&str> {
        self.stages.collections()
    }

    /// Whether a `$limit` of its own bounds the result, at whatever place it stands (semantics DB-4.02).
    pub fn is_limited(&self) -> bool {
        self.front.limit.is_some() || self.stages.is_limited()
    }

    /// The same with at most `count` results.
    #[must_use]
    pub fn limited(mut self, count: u64) -> Pipeline {
        self.stages.push_limit(count);
        Pipeline { front: self.front.limited_by(&mut self.stages), ..self }
    }

    /// The same over those documents of the collection alone that `filter` matches (semantics DB-4.05).
    #[must_use]
    pub fn narrowed(mut self, filter: Filter) -> Pipeline {
        self.front.filter = filter.and(self.front.filter);
        self
    }

    /// The results, one by one; after the first error there is nothing to be had. What the pipeline reads, it reads from `library`
    /// on the way: `collection` at the beginning, others in `$lookup`.
    pub fn run<'a, L: Library>(
        &'a self,
        collection: &str,
        library: &'a L,
    ) -> Result<Documents<'a, L::Error>, L::Error> {
        let context = Context { library, scope: None };
        let results = stages::read(library, collection, self.front.clone(), &self.stages, context)?;
        Ok(Box::new(results.map(|item| -> Result<RawDocumentBuf, L::Error> { Ok(item?.into_raw()?) })))
    }
}
