//! Evaluation Query Operators: `$mod`, `$regex` with `$options` (semantics DB-2.30, DB-2.32). Matching text is `regex.rs`'s.

use document::{Bson, Number, ValueRef};

use super::predicate::{Operand, Predicate};
use super::regex::Regex;
use crate::QueryError;

/// `$mod`: the value, cut to an integer, divided by `divisor` leaves `remainder`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remainder {
    divisor: i64,
    remainder: i64,
}

impl Remainder {
    /// Only finite numbers match. The remainder has the sign of the value.
    pub(super) fn matches(self, value: ValueRef<'_>) -> bool {
        value
            .as_number()
            .and_then(integer_part)
            .is_some_and(|number| number.checked_rem(self.divisor).unwrap_or(0) == self.remainder)
    }
}

/// A number without its fraction; `None` where it is not finite or beyond 64 bits.
fn integer_part(number: Number) -> Option<i64> {
    number.as_i64().or_else(|| Number::Double(number.as_f64().trunc()).as_i64())
}

pub(super) fn parse_mod(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    let Bson::Array(parts) = operand.argument else {
        return Err(QueryError::bad_query("malformed mod, needs to be an array"));
    };
    let (divisor, remainder) = match parts.as_slice() {
        [divisor, remainder] => (divisor, remainder),
        [] | [_] => return Err(QueryError::bad_query("malformed mod, not enough elements")),
        _ => return Err(QueryError::bad_query("malformed mod, too many elements")),
    };
    let divisor = integer(divisor, "malformed mod, divisor not a number")?;
    if divisor == 0 {
        return Err(QueryError::bad_query("divisor cannot be 0"));
    }
    let remainder = integer(remainder, "malformed mod, remainder not a number")?;
    Ok(Predicate::Remainder(Remainder { divisor, remainder }))
}

fn integer(value: &Bson, otherwise: &str) -> Result<i64, QueryError> {
    ValueRef::from(value).as_number().and_then(integer_part).ok_or_else(|| QueryError::bad_query(otherwise))
}

/// `$regex` with text or with an expression; a sibling `$options` goes before the expression's own.
pub(super) fn parse_regex(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    let options = match operand.operators.get("$options") {
        None => None,
        Some(Bson::String(options)) => Some(options.as_str()),
        Some(_) => return Err(QueryError::bad_query("$options has to be a string")),
    };
    match operand.argument {
        Bson::String(pattern) => Regex::new(pattern, options.unwrap_or_default()),
        Bson::RegularExpression(regex) if options.is_some() && !regex.options.as_str().is_empty() => {
            Err(QueryError::bad_query("options set in both $regex and $options"))
        }
        Bson::RegularExpression(regex) => Regex::new(regex.pattern.as_str(), options.unwrap_or(regex.options.as_str())),
        _ => Err(QueryError::bad_query("$regex has to be a string")),
    }
    .map(Predicate::Regex)
}

/// `$options` is read with its `$regex`; alone it is a mistake.
pub(super) fn parse_options(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    match operand.operators.contains_key("$regex") {
        true => Ok(Predicate::All(Vec::new())),
        false => Err(QueryError::bad_query("$options needs a $regex")),
    }
}

/// A regular expression as a value.
pub(super) fn parse_regex_value(value: &Bson) -> Result<Predicate, QueryError> {
    match value {
        Bson::RegularExpression(regex) => {
            Regex::new(regex.pattern.as_str(), regex.options.as_str()).map(Predicate::Regex)
        }
        _ => Err(QueryError::bad_query("$regex has to be a string")),
    }
}
