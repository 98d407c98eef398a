//! Field Update Operators: `$inc $mul $min $max $rename`; `$set`, `$setOnInsert` and `$unset` need no more than the table
//! in `modifier.rs` (semantics §3.2).

use std::cmp::Ordering;

use document::{Bson, Document, Number, ValueRef, compare, to_shell_field, to_shell_text};

use super::arithmetic::{self, Failure};
use super::modifier::{Modifier, Outcome, Place, Scope, check_id, id_text, set_to};
use super::target::{self, Lookup, TargetPath};
use super::{FieldChanges, storage};
use crate::QueryError;
use crate::filter::Segment;

pub(super) fn parse_inc(path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    number(argument, path, "Cannot increment with non-numeric argument").map(Modifier::Increment)
}

pub(super) fn parse_mul(path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    number(argument, path, "Cannot multiply with non-numeric argument").map(Modifier::Multiply)
}

fn number(argument: &Bson, path: &str, otherwise: &str) -> Result<Number, QueryError> {
    ValueRef::from(argument)
        .as_number()
        .ok_or_else(|| QueryError::bad_update(format!("{otherwise}: {}", to_shell_field(path, argument.into()))))
}

pub(super) fn increment(value: &Bson, amount: Number, place: &Place<'_>) -> Result<Outcome, QueryError> {
    calculate("$inc", arithmetic::add, value, amount, place)
}

pub(super) fn multiply(value: &Bson, factor: Number, place: &Place<'_>) -> Result<Outcome, QueryError> {
    calculate("$mul", arithmetic::multiply, value, factor, place)
}

/// What `$mul` makes of a missing field: zero of the factor's type.
pub(super) fn zero_like(factor: Number) -> Result<Bson, QueryError> {
    match arithmetic::multiply(Number::Int32(0), factor) {
        Ok(zero) => Ok(zero.to_bson()),
        Err(_) => Err(decimals()),
    }
}

fn calculate(
    operator: &str,
    calculate: fn(Number, Number) -> Result<Number, Failure>,
    value: &Bson,
    operand: Number,
    place: &Place<'_>,
) -> Result<Outcome, QueryError> {
    let Some(number) = ValueRef::from(value).as_number() else {
        return Err(QueryError::write_failed(format!(
            "Cannot apply {operator} to a value of non-numeric type. {{{}}} has the field '{}' of non-numeric type {}",
            place.id(),
            place.name(),
            ValueRef::from(value).type_name()
        )));
    };
    match calculate(number, operand) {
        Ok(result) => Ok(set_to(value, result.to_bson())),
        Err(Failure::Decimal) => Err(decimals()),
        Err(Failure::Overflow) => {
            let shown = to_shell_text(value.into());
            let id = place.id();
            Err(QueryError::write_failed(format!(
                "Failed to apply {operator} operations to current value ((NumberLong){shown}) for document {{{id}}}"
            )))
        }
    }
}

fn decimals() -> QueryError {
    QueryError::unsupported("arithmetic on 128-bit decimals")
}

/// `$min`: the lesser by the order of values, across types.
pub(super) fn least(value: &Bson, bound: &Bson) -> Outcome {
    match compare(bound.into(), value.into()) {
        Ordering::Less => Outcome::Set(bound.clone()),
        Ordering::Equal | Ordering::Greater => Outcome::Unchanged,
    }
}

/// `$max`: the greater by the order of values, across types.
pub(super) fn greatest(value: &Bson, bound: &Bson) -> Outcome {
    match compare(bound.into(), value.into()) {
        Ordering::Greater => Outcome::Set(bound.clone()),
        Ordering::Equal | Ordering::Less => Outcome::Unchanged,
    }
}

pub(super) fn parse_rename(path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    let shown = to_shell_text(argument.into());
    let Bson::String(new_name) = argument else {
        return Err(QueryError::bad_update(format!("The 'to' field for $rename must be a string: {path}: {shown}")));
    };
    let (source, destination) = (TargetPath::parse(path)?, TargetPath::parse(new_name)?);
    let (from, to) = (source.segments(), destination.segments());
    let mistake = if from == to {
        format!("The source and target field for $rename must differ: {path}: {shown}")
    } else if from.starts_with(to) || to.starts_with(from) {
        format!("The source and target field for $rename must not be on the same path: {path}: {shown}")
    } else if source.is_dynamic() {
        format!("The source field for $rename may not be dynamic: {path}")
    } else if destination.is_dynamic() {
        format!("The destination field for $rename may not be dynamic: {new_name}")
    } else {
        return Ok(Modifier::RenameFrom(source));
    };
    Err(QueryError::bad_update(mistake))
}

/// `$rename`: the destination gets the source's value, the source goes. Neither path may lead through an array.
pub(super) fn rename(
    document: &mut Document,
    source: &[Segment],
    destination: &[Segment],
    scope: Scope,
    changes: &mut FieldChanges,
) -> Result<(), QueryError> {
    let found = target::look_up(document, source);
    target::check_traversable(source, found)?;
    let Lookup::Found(value) = found else { return Ok(()) };
    let value = value.clone();
    check_no_array(document, "source", source)?;
    check_no_array(document, "destination", destination)?;
    let replaced = target::look_up(document, destination);
    target::check_creatable(document, destination, replaced)?;
    let unchanged = matches!(replaced, Lookup::Found(replaced) if storage::identical(replaced, &value));
    if !unchanged {
        check_id(document, destination, scope)?;
    }
    check_id_stays(document, source)?;
    if !unchanged {
        changes.updated.insert(target::dotted(destination), value.clone());
        target::put(document, destination, value);
    }
    target::remove(document, source);
    changes.removed.push(target::dotted(source));
    Ok(())
}

fn check_no_array(document: &Document, role: &str, path: &[Segment]) -> Result<(), QueryError> {
    let Some(array) = target::array_on_the_way(document, path) else { return Ok(()) };
    Err(QueryError::write_failed(format!(
        "The {role} field cannot be an array element, '{}' in doc with {} has an array field called '{array}'",
        target::dotted(path),
        id_text(document)
    )))
}

fn check_id_stays(document: &Document, source: &[Segment]) -> Result<(), QueryError> {
    let renames_id = source.first().is_some_and(|first| *first.name == *"_id") && document.contains_key("_id");
    match renames_id {
        false => Ok(()),
        true => Err(QueryError::write_failed(format!(
            "Unsetting the path '{}' using $rename would modify the immutable field '_id'",
            target::dotted(source)
        ))),
    }
}
