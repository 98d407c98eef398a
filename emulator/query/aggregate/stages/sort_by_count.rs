//! `$sortByCount`: how often each value occurs, the most frequent first. A `$group` and a `$sort`.

use document::{Bson, Document};

use super::parser::is_expression;
use super::sort::Order;
use super::{Parser, Stage, group};
use crate::QueryError;

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    if !matches!(specification, Bson::String(_) | Bson::Document(_)) {
        return Err(QueryError::bad_query("the sortByCount field must be specified as a string or as an object"));
    }
    if !is_expression(specification) {
        return Err(QueryError::bad_query(
            "the sortByCount field must be defined as a $-prefixed path or an expression inside an object",
        ));
    }
    let one = Bson::Document(Document::from_iter([("$sum".to_owned(), Bson::Int32(1))]));
    let group = Document::from_iter([("_id".to_owned(), specification.clone()), ("count".to_owned(), one)]);
    let mut stages = group::parse(parser, &Bson::Document(group))?;
    stages.push(Stage::Sort(Order::by("count", -1)?));
    Ok(stages)
}
