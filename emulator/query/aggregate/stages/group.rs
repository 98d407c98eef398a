//! `$group`: one document for each value of an expression, in the order in which the values were first seen.

use std::collections::HashMap;

use document::{Bson, Document, ValueRef, encode_key};

use super::computed::is_flag;
use super::{Context, Flow, Parser, Stage, lazily};
use crate::QueryError;
use crate::aggregate::accumulators::{Accumulation, Accumulator};
use crate::aggregate::expressions::{Expression, Scope};
use crate::aggregate::item::Item;
use crate::aggregate::library::Library;
use crate::aggregate::memory::{self, Budget};

const EXCEEDED: &str =
    "Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in.";

/// By what documents are grouped, and what is made of each group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    id: Expression,
    accumulations: Vec<Accumulation>,
}

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(fields) = specification else {
        return Err(QueryError::bad_query("a group's fields must be specified in an object"));
    };
    let (mut id, mut accumulations) = (None, Vec::new());
    for (name, value) in fields {
        if name == "_id" {
            id = Some(parse_id(parser, value)?);
        } else {
            accumulations.push(parser.accumulation(name, value)?);
        }
    }
    let id = id.ok_or_else(|| QueryError::bad_query("a group specification must include an _id"))?;
    Ok(vec![Stage::Group(Group { id, accumulations })])
}

fn parse_id(parser: &mut Parser, id: &Bson) -> Result<Expression, QueryError> {
    if let Bson::Document(fields) = id
        && !fields.keys().next().is_some_and(|name| name.starts_with('$'))
        && fields.values().any(is_flag)
    {
        return Err(QueryError::bad_query("$group does not support inclusion-style expressions"));
    }
    parser.expression(id)
}

impl Group {
    pub(super) fn run<'a, L: Library>(
        &'a self,
        input: Flow<'a, L::Error>,
        context: Context<'a, L>,
    ) -> Flow<'a, L::Error> {
        lazily(move || {
            let mut groups = Groups::new(&self.accumulations);
            for item in input {
                let item = item?;
                let scope = context.at(item.view());
                let id = self.id.evaluate(&scope)?.unwrap_or(Bson::Null);
                groups.add(id, &scope)?;
            }
            Ok(groups.into_flow())
        })
    }
}

/// Groups as they grow.
pub(super) struct Groups<'a> {
    accumulations: &'a [Accumulation],
    /// Where the group of a value is, by the value's key.
    places: HashMap<Box<[u8]>, usize>,
    groups: Vec<(Bson, Accumulated)>,
    budget: Budget,
}

impl<'a> Groups<'a> {
    pub(super) fn new(accumulations: &'a [Accumulation]) -> Groups<'a> {
        Groups { accumulations, places: HashMap::new(), groups: Vec::new(), budget: Budget::of_stage(EXCEEDED) }
    }

    /// Puts the document that `scope` is at into the group of `id`.
    pub(super) fn add(&mut self, id: Bson, scope: &Scope<'_>) -> Result<(), QueryError> {
        let mut key = Vec::new();
        encode_key(ValueRef::from(&id), &mut key);
        let place = match self.places.get(key.as_slice()) {
            Some(place) => *place,
            None => self.begin(id, key)?,
        };
        let Some((_, accumulated)) = self.groups.get_mut(place) else { return Ok(()) };
        self.budget.take(accumulated.add(self.accumulations, scope)?)
    }

    fn begin(&mut self, id: Bson, key: Vec<u8>) -> Result<usize, QueryError> {
        let place = self.groups.len();
        let fixed = (self.accumulations.len() + 1) * size_of::<Accumulator>();
        self.budget.take(key.len() + memory::size(&id)? + fixed)?;
        self.places.insert(key.into(), place);
        self.groups.push((id, Accumulated::new(self.accumulations)));
        Ok(place)
    }

    /// A document for each group.
    pub(super) fn into_flow<E: From<QueryError> + 'a>(self) -> Flow<'a, E> {
        let accumulations = self.accumulations;
        let documents = self.groups.into_iter().map(move |(id, accumulated)| accumulated.into_item(accumulations, id));
        Box::new(documents.map(|item| item.map_err(E::from)))
    }
}

/// What the accumulators of one group know, in the order of their fields.
pub(super) struct Accumulated {
    accumulators: Vec<Accumulator>,
}

impl Accumulated {
    pub(super) fn new(accumulations: &[Accumulation]) -> Accumulated {
        Accumulated { accumulators: accumulations.iter().map(|accumulation| (accumulation.begin)()).collect() }
    }

    /// Takes a document in; says how many more bytes are kept.
    pub(super) fn add(&mut self, accumulations: &[Accumulation], scope: &Scope<'_>) -> Result<usize, QueryError> {
        accumulations
            .iter()
            .zip(&mut self.accumulators)
            .try_fold(0, |bytes, (accumulation, accumulator)| Ok(bytes + accumulation.add(accumulator, scope)?))
    }

    /// The document of the group.
    pub(super) fn into_item(self, accumulations: &[Accumulation], id: Bson) -> Result<Item, QueryError> {
        let mut document = Document::from_iter([("_id".to_owned(), id)]);
        for (accumulation, accumulator) in accumulations.iter().zip(self.accumulators) {
            document.insert(&*accumulation.name, accumulator.result());
        }
        Item::made(document)
    }
}
