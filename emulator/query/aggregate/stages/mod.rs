//! Stages: what documents go through, one file for a page of the manual (semantics §4.2). A stage takes documents from the one before
//! it when it is asked for one; only those that must keep all (`$group`, `$sort`, `$bucketAuto`, `$facet`, `$sample`) do.

mod add_fields;
mod bucket;
mod bucket_auto;
mod computed;
mod count;
mod facet;
mod geo_near;
mod granularity;
mod group;
mod limit;
mod list;
mod lookup;
mod matches;
mod parser;
mod project;
mod redact;
mod replace_root;
mod sample;
mod sort;
mod sort_by_count;
mod specification;
mod unset;
mod unwind;

use document::{Bson, DocumentRef};

use super::item::Item;
use super::library::Library;
use super::{Front, Scope};
use crate::{Filter, QueryError};

pub use geo_near::GeoNear;
pub(super) use list::{Page, Stages};
pub(super) use parser::Parser;

type Parse = fn(&mut Parser, &Bson) -> Result<Vec<Stage>, QueryError>;

/// Every stage that is served, by name. Some are others in disguise, as in MongoDB.
const STAGES: &[(&str, Parse)] = &[
    ("$addFields", add_fields::parse),
    ("$bucket", bucket::parse),
    ("$bucketAuto", bucket_auto::parse),
    ("$count", count::parse),
    ("$facet", facet::parse),
    ("$geoNear", geo_near::parse),
    ("$group", group::parse),
    ("$limit", limit::parse_limit),
    ("$lookup", lookup::parse),
    ("$match", matches::parse),
    ("$project", project::parse),
    ("$redact", redact::parse),
    ("$replaceRoot", replace_root::parse),
    ("$replaceWith", replace_root::parse_with),
    ("$sample", sample::parse),
    ("$set", add_fields::parse_set),
    ("$skip", limit::parse_skip),
    ("$sort", sort::parse),
    ("$sortByCount", sort_by_count::parse),
    ("$unset", unset::parse),
    ("$unwind", unwind::parse),
];

/// Stages of MongoDB, of any version, that are not served.
const STAGES_UNSUPPORTED: &[&str] = &[
    "$changeStream",
    "$collStats",
    "$currentOp",
    "$densify",
    "$documents",
    "$fill",
    "$graphLookup",
    "$indexStats",
    "$listLocalSessions",
    "$listSampledQueries",
    "$listSearchIndexes",
    "$listSessions",
    "$merge",
    "$out",
    "$planCacheStats",
    "$rankFusion",
    "$search",
    "$searchMeta",
    "$setWindowFields",
    "$shardedDataDistribution",
    "$unionWith",
    "$vectorSearch",
];

/// The stages of MongoDB 4.2 among those that are served.
const STAGES_NEWER: &[&str] = &["$replaceWith", "$set", "$unset"];

/// A stage, read.
#[derive(Debug, Clone)]
enum Stage {
    AddFields(computed::Fields),
    Bucket(bucket::Bucket),
    BucketAuto(bucket_auto::BucketAuto),
    Count(Box<str>),
    Facet(facet::Facet),
    GeoNear(Box<GeoNear>),
    Group(group::Group),
    Limit(u64),
    Lookup(Box<lookup::Lookup>),
    Match(Filter),
    /// A `$match` that uses variables of a `$lookup` around it.
    MatchWithin(Filter),
    Project(project::Project),
    Redact(redact::Redact),
    ReplaceRoot(replace_root::ReplaceRoot),
    Sample(u64),
    Skip(u64),
    Sort(sort::Order),
    Unwind(unwind::Unwind),
}

/// What runs through a stage.
pub(super) type Flow<'a, E> = Box<dyn Iterator<Item = Result<Item, E>> + 'a>;

/// What stages see beside the documents.
pub(super) struct Context<'a, L> {
    pub(super) library: &'a L,
    /// The variables of a `$lookup` around this pipeline.
    pub(super) scope: Option<Scope<'a>>,
}

impl<L> Clone for Context<'_, L> {
    fn clone(&self) -> Self {
        Context { library: self.library, scope: self.scope.clone() }
    }
}

impl<L> Context<'_, L> {
    /// The scope in which expressions see `document`.
    pub(super) fn at<'d>(&self, document: DocumentRef<'d>) -> Scope<'d> {
        self.scope.as_ref().map_or_else(|| Scope::of(document), |scope| scope.at(document))
    }
}

/// What comes of the documents of `collection` that `front` asks for.
pub(super) fn read<'a, L: Library>(
    library: &'a L,
    collection: &str,
    front: Front,
    stages: &'a Stages,
    context: Context<'a, L>,
) -> Result<Flow<'a, L::Error>, L::Error> {
    let documents = library.documents(collection, front)?;
    Ok(stages.run(Box::new(documents.map(|document| document.map(Item::Stored))), &context))
}

/// The names of the stages, those that are served and those that are refused by name.
#[cfg(test)]
pub(crate) fn names() -> Vec<&'static str> {
    STAGES.iter().map(|(name, _)| *name).chain(STAGES_UNSUPPORTED.iter().copied()).collect()
}

impl Stage {
    /// What comes out when `input` goes in.
    fn run<'a, L: Library>(&'a self, input: Flow<'a, L::Error>, context: Context<'a, L>) -> Flow<'a, L::Error> {
        match self {
            Stage::AddFields(fields) => each(input, move |item| add_fields::run(fields, item, &context)),
            Stage::Bucket(bucket) => bucket.run(input, context),
            Stage::BucketAuto(buckets) => buckets.run(input, context),
            Stage::Count(name) => count::run(name, input),
            Stage::Facet(facet) => facet.run(input, context),
            // It is the collection's work; the front of a pipeline takes it.
            Stage::GeoNear(_) => input,
            Stage::Group(group) => group.run(input, context),
            Stage::Limit(limit) => Box::new(input.take(size(*limit))),
            Stage::Lookup(lookup) => lookup.run(input, context),
            Stage::Match(filter) => matches::run(filter, input),
            Stage::MatchWithin(filter) => matches::run_within(filter, input, context),
            Stage::Project(project) => each(input, move |item| project.apply(item, &context)),
            Stage::Redact(redact) => redact.run(input, context),
            Stage::ReplaceRoot(replace) => each(input, move |item| replace.apply(item, &context)),
            Stage::Sample(count) => sample::run(*count, input, context),
            Stage::Skip(count) => limit::run_skip(*count, input),
            Stage::Sort(order) => order.run(input),
            Stage::Unwind(unwind) => unwind.run(input),
        }
    }
}

/// Each document changed by itself.
fn each<'a, E: From<QueryError> + 'a>(
    input: Flow<'a, E>,
    change: impl Fn(Item) -> Result<Item, QueryError> + 'a,
) -> Flow<'a, E> {
    Box::new(input.map(move |item| Ok(change(item?)?)))
}

/// A flow that is made when its first document is asked for.
fn lazily<'a, E: 'a>(make: impl FnOnce() -> Result<Flow<'a, E>, E> + 'a) -> Flow<'a, E> {
    Box::new(
        std::iter::once_with(make).flat_map(|made| made.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))),
    )
}

/// A number of documents; no collection has more than fit.
fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{STAGES, STAGES_NEWER, STAGES_UNSUPPORTED};

    #[test]
    fn tables_are_sorted() {
        assert!(STAGES.is_sorted_by_key(|(name, _)| name));
        assert!(STAGES_UNSUPPORTED.is_sorted());
        assert!(STAGES_NEWER.is_sorted());
    }
}
