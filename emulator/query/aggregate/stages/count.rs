//! `$count`: one document with the number of documents, none where there are none.

use document::{Bson, Document};

use super::{Flow, Parser, Stage, lazily};
use crate::QueryError;
use crate::aggregate::item::Item;

pub(super) fn parse(_: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let mistake = match specification {
        Bson::String(name) if name.is_empty() => "the count field must be a non-empty string",
        Bson::String(name) if name.starts_with('$') => "the count field cannot be a $-prefixed path",
        Bson::String(name) if name.contains('\0') => "the count field cannot contain a null byte",
        Bson::String(name) if name.contains('.') => "the count field cannot contain '.'",
        Bson::String(name) => return Ok(vec![Stage::Count(name.as_str().into())]),
        _ => "the count field must be a non-empty string",
    };
    Err(QueryError::bad_query(mistake))
}

pub(super) fn run<'a, E: 'a>(name: &'a str, mut input: Flow<'a, E>) -> Flow<'a, E> {
    lazily(move || {
        let count = input.try_fold(0_i64, |count, item| item.map(|_| count + 1))?;
        let number = i32::try_from(count).map_or(Bson::Int64(count), Bson::Int32);
        let counted = (count > 0).then(|| Ok(Item::Made(Document::from_iter([(name.to_owned(), number)]))));
        Ok(Box::new(counted.into_iter()) as Flow<'a, E>)
    })
}
