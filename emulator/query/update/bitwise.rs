//! Bitwise Update Operator: `$bit` with `and`, `or` and `xor`, in the order they are written.

use document::{Bson, ValueRef, to_shell_field};

use super::modifier::{Modifier, Outcome, Place, set_to};
use crate::QueryError;

/// One step of a `$bit`.
#[derive(Debug, Clone, Copy)]
pub(super) struct BitOperation {
    combine: fn(i64, i64) -> i64,
    operand: Integer,
}

/// An integer with its width; a step with a long makes a long.
#[derive(Debug, Clone, Copy)]
enum Integer {
    Int(i32),
    Long(i64),
}

impl Integer {
    fn of(value: &Bson) -> Option<Integer> {
        match value {
            Bson::Int32(number) => Some(Integer::Int(*number)),
            Bson::Int64(number) => Some(Integer::Long(*number)),
            _ => None,
        }
    }

    fn wide(self) -> i64 {
        match self {
            Integer::Int(number) => number.into(),
            Integer::Long(number) => number,
        }
    }

    fn to_bson(self) -> Bson {
        match self {
            Integer::Int(number) => Bson::Int32(number),
            Integer::Long(number) => Bson::Int64(number),
        }
    }

    fn combined(self, operation: &BitOperation) -> Integer {
        let result = (operation.combine)(self.wide(), operation.operand.wide());
        match (self, operation.operand, i32::try_from(result)) {
            (Integer::Int(_), Integer::Int(_), Ok(narrow)) => Integer::Int(narrow),
            _ => Integer::Long(result),
        }
    }
}

pub(super) fn parse_bit(_path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    let Bson::Document(steps) = argument else {
        let found = ValueRef::from(argument).type_name();
        return Err(QueryError::bad_update(format!(
            "The $bit modifier is not compatible with a {found}. \
             You must pass in an embedded document: {{$bit: {{field: {{and/or/xor: #}}}}"
        )));
    };
    if steps.is_empty() {
        return Err(QueryError::bad_update(
            "You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}",
        ));
    }
    steps.iter().map(|(name, operand)| parse_step(name, operand)).collect::<Result<_, _>>().map(Modifier::Bits)
}

fn parse_step(name: &str, operand: &Bson) -> Result<BitOperation, QueryError> {
    let shown = || to_shell_field(name, operand.into());
    let combine: fn(i64, i64) -> i64 = match name {
        "and" => |left, right| left & right,
        "or" => |left, right| left | right,
        "xor" => |left, right| left ^ right,
        _ => {
            return Err(QueryError::bad_update(format!(
                "The $bit modifier only supports 'and', 'or', and 'xor', not '{name}' which is an unknown operator: {}",
                shown()
            )));
        }
    };
    let operand_value = Integer::of(operand).ok_or_else(|| {
        let found = ValueRef::from(operand).type_name();
        QueryError::bad_update(format!(
            "The $bit modifier field must be an Integer(32/64 bit); a '{found}' is not supported here: {}",
            shown()
        ))
    })?;
    Ok(BitOperation { combine, operand: operand_value })
}

pub(super) fn change(value: &Bson, operations: &[BitOperation], place: &Place<'_>) -> Result<Outcome, QueryError> {
    let Some(integer) = Integer::of(value) else {
        return Err(QueryError::write_failed(format!(
            "Cannot apply $bit to a value of non-integral type.{} has the field {} of non-integer type {}",
            place.id(),
            place.name(),
            ValueRef::from(value).type_name()
        )));
    };
    Ok(set_to(value, operations.iter().fold(integer, Integer::combined).to_bson()))
}

/// A missing field counts as 0.
pub(super) fn create(operations: &[BitOperation]) -> Bson {
    operations.iter().fold(Integer::Int(0), Integer::combined).to_bson()
}
