//! `$match`: the documents that a filter matches. What of it needs no variable of a `$lookup` around it is a stage of its own, so that
//! the collection can answer it.

use document::{Bson, Document};

use super::{Context, Flow, Parser, Stage};
use crate::aggregate::item::Item;
use crate::{Filter, QueryError};

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(query) = specification else {
        return Err(QueryError::bad_query("the match filter must be an expression in an object"));
    };
    if let Ok(filter) = Filter::parse(query) {
        return Ok(vec![Stage::Match(filter)]);
    }
    Filter::parse_with(query, parser.names())?;
    let (free, bound): (Document, Document) =
        query.clone().into_iter().partition(|(name, condition)| Filter::parse(&one(name, condition)).is_ok());
    Ok(vec![Stage::Match(Filter::parse(&free)?), Stage::MatchWithin(Filter::parse_with(&bound, parser.names())?)])
}

fn one(name: &str, condition: &Bson) -> Document {
    Document::from_iter([(name.to_owned(), condition.clone())])
}

pub(super) fn run<'a, E: From<QueryError> + 'a>(filter: &'a Filter, input: Flow<'a, E>) -> Flow<'a, E> {
    keep(input, move |item| filter.matches(item.view()))
}

pub(super) fn run_within<'a, L: 'a, E: From<QueryError> + 'a>(
    filter: &'a Filter,
    input: Flow<'a, E>,
    context: Context<'a, L>,
) -> Flow<'a, E> {
    keep(input, move |item| filter.matches_in(&context.at(item.view())))
}

fn keep<'a, E: From<QueryError> + 'a>(
    input: Flow<'a, E>,
    is_match: impl Fn(&Item) -> Result<bool, QueryError> + 'a,
) -> Flow<'a, E> {
    Box::new(input.filter_map(move |item| {
        let tested = item.and_then(|item| Ok(is_match(&item)?.then_some(item)));
        tested.transpose()
    }))
}
