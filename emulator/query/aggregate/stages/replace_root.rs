//! `$replaceRoot`, and `$replaceWith` of MongoDB 4.2: an embedded or computed document takes the place of the whole.

use document::Bson;

use super::parser::type_name;
use super::{Context, Parser, Stage};
use crate::QueryError;
use crate::aggregate::expressions::{Expression, show};
use crate::aggregate::item::Item;
use crate::aggregate::text;

/// What takes the document's place.
#[derive(Debug, Clone)]
pub(super) struct ReplaceRoot {
    root: Expression,
}

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(options) = specification else {
        let found = type_name(specification);
        return Err(QueryError::bad_query(format!(
            "expected an object as specification for $replaceRoot stage, got {found}"
        )));
    };
    if let Some(name) = options.keys().find(|name| *name != "newRoot") {
        return Err(QueryError::bad_query(format!(
            "unrecognized option to $replaceRoot stage: {name}, only valid option is 'newRoot'."
        )));
    }
    match options.get("newRoot") {
        Some(root) => parse_with(parser, root),
        None => Err(QueryError::bad_query("no newRoot specified for the $replaceRoot stage")),
    }
}

pub(super) fn parse_with(parser: &mut Parser, root: &Bson) -> Result<Vec<Stage>, QueryError> {
    Ok(vec![Stage::ReplaceRoot(ReplaceRoot { root: parser.expression(root)? })])
}

impl ReplaceRoot {
    pub(super) fn apply<L>(&self, item: Item, context: &Context<'_, L>) -> Result<Item, QueryError> {
        match self.root.evaluate(&context.at(item.view()))? {
            Some(Bson::Document(root)) => Item::made(root),
            other => Err(QueryError::bad_query(format!(
                "'newRoot' expression must evaluate to an object, but resulting value was: {}. Type of resulting value: '{}'. \
                 Input document: {}",
                text::of_value(other.as_ref()),
                text::type_name(other.as_ref()),
                show(item.view().into())
            ))),
        }
    }
}
