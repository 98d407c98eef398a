//! `$addFields`, and `$set`, its name since MongoDB 4.2: fields that are computed are added to all others.

use document::Bson;

use super::computed::Fields;
use super::parser::type_name;
use super::{Context, Parser, Stage, specification};
use crate::QueryError;
use crate::aggregate::item::Item;

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    parse_as("$addFields", parser, specification)
}

pub(super) fn parse_set(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    parse_as("$set", parser, specification)
}

fn parse_as(stage: &str, parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(specification) = specification else {
        let found = type_name(specification);
        return Err(QueryError::bad_query(format!("{stage} specification stage must be an object, got {found}")));
    };
    specification::check(specification)
        .and_then(|()| Fields::parse_computed(parser, specification))
        .map(|fields| vec![Stage::AddFields(fields)])
        .map_err(|error| specification::invalid(stage, error))
}

pub(super) fn run<L>(fields: &Fields, item: Item, context: &Context<'_, L>) -> Result<Item, QueryError> {
    let mut document = item.view().to_document();
    fields.compute(&mut document, &context.at(item.view()))?;
    Item::made(document)
}
