//! `$limit` and `$skip`.

use document::Bson;

use super::parser::{type_name, whole_number};
use super::{Flow, Parser, Stage, size};
use crate::QueryError;

pub(super) fn parse_limit(_: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Some(limit) = whole_number(specification) else {
        return Err(QueryError::bad_query("the limit must be specified as a number"));
    };
    match u64::try_from(limit) {
        Ok(limit) if limit > 0 => Ok(vec![Stage::Limit(limit)]),
        _ => Err(QueryError::bad_query("the limit must be positive")),
    }
}

pub(super) fn parse_skip(_: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Some(skip) = whole_number(specification) else {
        let found = type_name(specification);
        return Err(QueryError::bad_query(format!("Argument to $skip must be a number not a {found}")));
    };
    match u64::try_from(skip) {
        Ok(skip) => Ok(vec![Stage::Skip(skip)]),
        Err(_) => Err(QueryError::bad_query("Argument to $skip cannot be negative")),
    }
}

/// Leaves out documents, never an error among them.
pub(super) fn run_skip<'a, E: 'a>(count: u64, input: Flow<'a, E>) -> Flow<'a, E> {
    let mut left = size(count);
    Box::new(input.skip_while(move |item| {
        let skipped = item.is_ok() && left > 0;
        left -= usize::from(skipped);
        skipped
    }))
}
