//! `$sample`: documents picked at random, each with the same chance, in random order.

use document::Bson;

use super::parser::whole_number;
use super::{Context, Flow, Parser, Stage, lazily, size};
use crate::QueryError;
use crate::aggregate::item::Item;
use crate::aggregate::library::Library;

pub(super) fn parse(_: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(options) = specification else {
        return Err(QueryError::bad_query("the $sample stage specification must be an object"));
    };
    let mut count = None;
    for (name, value) in options {
        if name != "size" {
            return Err(QueryError::bad_query(format!("unrecognized option to $sample: {name}")));
        }
        count = Some(parse_size(value)?);
    }
    count
        .map(|count| vec![Stage::Sample(count)])
        .ok_or_else(|| QueryError::bad_query("$sample stage must specify a size"))
}

fn parse_size(value: &Bson) -> Result<u64, QueryError> {
    let Some(count) = whole_number(value) else {
        return Err(QueryError::bad_query("size argument to $sample must be a number"));
    };
    match u64::try_from(count) {
        Err(_) => Err(QueryError::bad_query("size argument to $sample must not be negative")),
        Ok(0) => Err(QueryError::bad_query("size argument to $sample must be a positive integer")),
        Ok(count) => Ok(count),
    }
}

/// Keeps no more documents than are wanted: the one that comes n-th takes the place of another with the chance wanted/n.
pub(super) fn run<'a, L: Library>(
    count: u64,
    input: Flow<'a, L::Error>,
    context: Context<'a, L>,
) -> Flow<'a, L::Error> {
    lazily(move || {
        let random = |end: usize| size(context.library.random_below(u64::try_from(end).unwrap_or(u64::MAX).max(1)));
        let wanted = size(count);
        let mut picked: Vec<Item> = Vec::new();
        for (seen, item) in input.enumerate() {
            let item = item?;
            if seen < wanted {
                picked.push(item);
            } else if let Some(place) = picked.get_mut(random(seen + 1)) {
                *place = item;
            }
        }
        for last in (1..picked.len()).rev() {
            picked.swap(last, random(last + 1).min(last));
        }
        Ok(Box::new(picked.into_iter().map(Ok)) as Flow<'a, L::Error>)
    })
}
