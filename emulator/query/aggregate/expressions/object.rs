//! Literal, object and meta operators: `$literal`, `$mergeObjects`, `$meta`, and those of newer engines that name a field.

use document::{Bson, Document, ValueRef};

use super::node::{Arguments, Node};
use super::parse::{Parser, object_of};
use super::value::{Outcome, Value};
use super::{limits, node};
use crate::QueryError;

pub(super) fn parse_literal(_: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    Ok(Node::Constant(argument.clone()))
}

/// There is no search that could give a score.
pub(super) fn parse_meta(_: &mut Parser, operator: &'static str, _: &Bson) -> Result<Node, QueryError> {
    Err(QueryError::unsupported(operator))
}

/// The fields of all, a later one over an earlier; of a single array, those of its elements.
pub(super) fn merge_objects(arguments: Arguments<'_>) -> Outcome<'_> {
    let mut merged = Document::new();
    let mut room = limits::room();
    let mut values = arguments.values;
    if let [_] = values.as_slice()
        && let Some(only) = values.pop()
    {
        values = only.into_elements().unwrap_or_else(|single| vec![single]);
    }
    for value in values.into_iter().filter(|value| !value.is_nullish()) {
        let Some(fields) = value.document() else {
            let (shown, found) = (value.show(), value.type_name());
            return error(format!("$mergeObjects requires object inputs, but input {shown} is of type {found}"));
        };
        for (name, value) in fields.iter() {
            let value = value.to_bson();
            limits::take_value(&mut room, &value)?;
            merged.insert(name, value);
        }
    }
    Ok(merged.into())
}

/// `$getField: "name"` or `{field, input}`.
pub(super) fn parse_get_field(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
) -> Result<Node, QueryError> {
    const MEMBERS: [&str; 2] = ["field", "input"];
    let arguments = match argument {
        Bson::Document(object) if !object.keys().next().is_some_and(|name| name.starts_with('$')) => {
            parser.named(object, &MEMBERS, "$getField found an unknown argument: ")?
        }
        name => vec![parser.expression(name)?, Node::Field(Box::default())],
    };
    Ok(Node::Call(operator, get_field, arguments))
}

fn get_field(arguments: Arguments<'_>) -> Outcome<'_> {
    let [field, input] = arguments.take();
    let Some(name) = field.text() else {
        let found = field.type_name();
        return error(format!("$getField requires 'field' to evaluate to type String, but got {found}"));
    };
    Ok(match input {
        Value::Borrowed(ValueRef::Document(document)) => document.get(name).map_or(Value::Missing, Value::Borrowed),
        Value::Owned(Bson::Document(mut document)) => document.remove(name).map_or(Value::Missing, Value::Owned),
        other if other.is_nullish() && other.view().is_some() => Value::NULL,
        _ => Value::Missing,
    })
}

/// `$setField: {field, input, value}`; without a value it removes the field.
pub(super) fn parse_set_field(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
) -> Result<Node, QueryError> {
    const MEMBERS: [&str; 3] = ["field", "input", "value"];
    parse_field_change(parser, operator, argument, &MEMBERS)
}

/// `$unsetField: {field, input}`.
pub(super) fn parse_unset_field(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
) -> Result<Node, QueryError> {
    parse_field_change(parser, operator, argument, &["field", "input"])
}

fn parse_field_change(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
    members: &[&str],
) -> Result<Node, QueryError> {
    let object = object_of(argument, &format!("{operator} only supports an object as its argument"))?;
    if let Some(missing) = members.iter().find(|name| !object.contains_key(**name)) {
        return error(format!("{operator} requires '{missing}' to be specified"));
    }
    let arguments = parser.named(object, members, &format!("{operator} found an unknown argument: "))?;
    Ok(Node::Call(operator, change_field, arguments))
}

fn change_field(arguments: node::Arguments<'_>) -> Outcome<'_> {
    let operator = arguments.operator;
    let [field, input, value] = arguments.take();
    let Some(name) = field.text() else {
        return error(format!("{operator} requires 'field' to evaluate to type String, but got {}", field.type_name()));
    };
    if input.is_nullish() {
        return Ok(Value::NULL);
    }
    let found = input.type_name();
    let Some(Bson::Document(mut document)) = input.into_bson() else {
        return error(format!("{operator} requires 'input' to evaluate to type Object, but got {found}"));
    };
    match value.into_bson() {
        Some(value) => drop(document.insert(name, value)),
        None => drop(document.remove(name)),
    }
    Ok(document.into())
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
