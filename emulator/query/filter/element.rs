//! Element Query Operators: `$exists` and `$type`.

use document::{Bson, ValueRef};

use super::predicate::{Operand, Predicate};
use crate::QueryError;

/// The types a `$type` asks for, as a set of bits over [`TYPES`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Types {
    bits: u32,
}

/// BSON's types: the name `ValueRef::type_name` gives and the number of the wire format.
pub(crate) const TYPES: &[(&str, i64)] = &[
    ("double", 1),
    ("string", 2),
    ("object", 3),
    ("array", 4),
    ("binData", 5),
    ("undefined", 6),
    ("objectId", 7),
    ("bool", 8),
    ("date", 9),
    ("null", 10),
    ("regex", 11),
    ("dbPointer", 12),
    ("javascript", 13),
    ("symbol", 14),
    ("javascriptWithScope", 15),
    ("int", 16),
    ("timestamp", 17),
    ("long", 18),
    ("decimal", 19),
    ("minKey", -1),
    ("maxKey", 127),
];

/// What `$type: "number"` stands for.
const NUMBERS: &[&str] = &["double", "int", "long", "decimal"];

impl Types {
    /// Whether `value` is of one of the types.
    pub(super) fn contains(self, value: ValueRef<'_>) -> bool {
        bit_of(|(name, _)| *name == value.type_name()).is_some_and(|bit| self.bits & bit != 0)
    }

    fn parse(argument: &Bson) -> Result<Types, QueryError> {
        match argument {
            Bson::Array(types) if types.is_empty() => Err(QueryError::bad_query("$type must match at least one type")),
            Bson::Array(types) => {
                types.iter().try_fold(Types { bits: 0 }, |all, one| Ok(Types { bits: all.bits | type_bits(one)? }))
            }
            one => Ok(Types { bits: type_bits(one)? }),
        }
    }
}

fn type_bits(argument: &Bson) -> Result<u32, QueryError> {
    if let Bson::String(name) = argument {
        if name == "number" {
            return Ok(NUMBERS.iter().filter_map(|number| bit_of(|(name, _)| name == number)).sum());
        }
        return bit_of(|(known, _)| known == name)
            .ok_or_else(|| QueryError::bad_query(format!("Unknown type name alias: {name}")));
    }
    let Some(number) = ValueRef::from(argument).as_number() else {
        return Err(QueryError::bad_query("type must be represented as a number or a string"));
    };
    number
        .as_i64()
        .and_then(|code| bit_of(|(_, known)| *known == code))
        .ok_or_else(|| QueryError::bad_query(format!("Invalid numerical type code: {}", number.as_f64())))
}

fn bit_of(wanted: impl Fn(&(&str, i64)) -> bool) -> Option<u32> {
    TYPES.iter().position(wanted).map(|index| 1 << index)
}

pub(super) fn parse_exists(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    Ok(if is_true(operand.argument) { Predicate::Exists } else { Predicate::Not(vec![Predicate::Exists]) })
}

pub(super) fn parse_type(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    Types::parse(operand.argument).map(Predicate::Type)
}

/// MongoDB's idea of truth: all but false, zero, null and undefined.
fn is_true(value: &Bson) -> bool {
    match value {
        Bson::Boolean(flag) => *flag,
        Bson::Null | Bson::Undefined => false,
        value => ValueRef::from(value).as_number().is_none_or(|number| number.as_f64() != 0.0),
    }
}
