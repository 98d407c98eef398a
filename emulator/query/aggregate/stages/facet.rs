//! `$facet`: several pipelines over the same documents, their results side by side in one document.
//!
//! ## Differences from the cloud
//! - Its input is kept until all pipelines have run, and may have 100 MB.

use document::{Bson, Document};

use super::parser::type_name;
use super::{Context, Flow, Parser, Stage, Stages, lazily};
use crate::QueryError;
use crate::aggregate::expressions::check_field_name;
use crate::aggregate::item::Item;
use crate::aggregate::library::Library;
use crate::aggregate::memory::{self, Budget};

const EXCEEDED: &str = "Exceeded memory limit for $facet: it keeps its input, of which there are more than 100 MB";

/// The pipelines by name.
#[derive(Debug, Clone)]
pub(super) struct Facet {
    facets: Vec<(Box<str>, Stages)>,
}

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let facets = match specification {
        Bson::Document(facets) if !facets.is_empty() => facets,
        _ => return Err(QueryError::bad_query("the $facet specification must be a non-empty object")),
    };
    let facets = facets.iter().map(|(name, pipeline)| parse_facet(parser, name, pipeline));
    Ok(vec![Stage::Facet(Facet { facets: facets.collect::<Result<_, _>>()? })])
}

fn parse_facet(parser: &mut Parser, name: &str, pipeline: &Bson) -> Result<(Box<str>, Stages), QueryError> {
    check_field_name(name)?;
    let Bson::Array(pipeline) = pipeline else {
        let found = type_name(pipeline);
        return Err(QueryError::bad_query(format!("arguments to $facet must be arrays, {name} is type {found}")));
    };
    if let Some(other) = pipeline.iter().find(|stage| !matches!(stage, Bson::Document(_))) {
        let found = type_name(other);
        return Err(QueryError::bad_query(format!(
            "elements of arrays in $facet spec must be non-empty objects, {name} argument contained an element of type {found}"
        )));
    }
    if pipeline.is_empty() {
        return Err(QueryError::bad_query("sub-pipeline in $facet stage cannot be empty"));
    }
    Ok((name.into(), parser.facet(pipeline)?))
}

impl Facet {
    pub(super) fn collections(&self) -> impl Iterator<Item = &str> {
        self.facets.iter().flat_map(|(_, stages)| stages.collections())
    }

    pub(super) fn run<'a, L: Library>(
        &'a self,
        input: Flow<'a, L::Error>,
        context: Context<'a, L>,
    ) -> Flow<'a, L::Error> {
        lazily(move || {
            let mut budget = Budget::of_stage(EXCEEDED);
            let mut items = Vec::new();
            for item in input {
                let item = item?;
                budget.take(item.size()?)?;
                items.push(item);
            }
            let mut results = Document::new();
            for (name, stages) in &self.facets {
                results.insert(&**name, Bson::Array(collect(stages, &items, &context)?));
            }
            Ok(Box::new(std::iter::once(Ok(Item::made(results)?))) as Flow<'a, L::Error>)
        })
    }
}

fn collect<L: Library>(stages: &Stages, items: &[Item], context: &Context<'_, L>) -> Result<Vec<Bson>, L::Error> {
    let input: Flow<'_, L::Error> = Box::new(items.iter().cloned().map(Ok));
    let mut budget = memory::Budget::of_document();
    let mut results = Vec::new();
    for item in stages.run(input, context) {
        let item = item?;
        budget.take(item.size()?)?;
        results.push(Bson::Document(item.into_document()));
    }
    Ok(results)
}
