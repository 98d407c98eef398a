//! Arithmetic operators. Types widen as MongoDB does it: int to long where it does not fit, long to double, decimal over all.

use dec::Rounding;
use document::{Bson, DateTime, Number, ValueRef};

use super::accumulators::Sum;
use super::decimal;
use super::node::{Arguments, Node};
use super::parse::Parser;
use super::value::{Outcome, Value, double_text};
use crate::QueryError;

use Number::{Decimal128, Double, Int32, Int64};

pub(super) fn abs(arguments: Arguments<'_>) -> Outcome<'_> {
    numeric(arguments, |operator, number| match number {
        Int32(number) => Ok(narrowed(i64::from(number).abs())),
        Int64(number) => match number.checked_abs() {
            Some(number) => Ok(Bson::Int64(number)),
            None => error(format!("can't take {operator} of long long min")),
        },
        Double(number) => Ok(number.abs().into()),
        Decimal128(_) => Ok(decimal::to_bson(decimal::apply(number, |context, number| context.abs(number)))),
    })
}

pub(super) fn add(arguments: Arguments<'_>) -> Outcome<'_> {
    let mut sum = Sum::default();
    let mut has_date = false;
    for value in &arguments.values {
        match value.view() {
            None | Some(ValueRef::Null | ValueRef::Undefined) => return Ok(Value::NULL),
            Some(ValueRef::DateTime(_)) if has_date => {
                return error("only one date allowed in an $add expression".to_owned());
            }
            Some(ValueRef::DateTime(date)) => {
                has_date = true;
                sum.add_integer(date.timestamp_millis());
            }
            Some(other) => match other.as_number() {
                Some(number) => sum.add(number),
                None => return error(format!("$add only supports numeric or date types, not {}", other.type_name())),
            },
        }
    }
    if !has_date {
        return Ok(sum.total().into());
    }
    match sum.as_milliseconds() {
        Some(milliseconds) => Ok(DateTime::from_millis(milliseconds).into()),
        None => error("date overflow in $add".to_owned()),
    }
}

pub(super) fn subtract(arguments: Arguments<'_>) -> Outcome<'_> {
    let [left, right] = arguments.take();
    let (Some(from), Some(what)) = (left.view(), right.view()) else { return Ok(Value::NULL) };
    if left.is_nullish() || right.is_nullish() {
        return Ok(Value::NULL);
    }
    match (from, what, from.as_number(), what.as_number()) {
        (_, _, Some(left), Some(right)) => Ok(difference(left, right).into()),
        (ValueRef::DateTime(left), ValueRef::DateTime(right), ..) => {
            match left.timestamp_millis().checked_sub(right.timestamp_millis()) {
                Some(milliseconds) => Ok(milliseconds.into()),
                None => error("date overflow in $subtract".to_owned()),
            }
        }
        (ValueRef::DateTime(date), _, _, Some(number)) => match milliseconds_before(date, number) {
            Some(date) => Ok(date.into()),
            None => error("date overflow in $subtract".to_owned()),
        },
        (ValueRef::DateTime(_), other, ..) => error(format!("cant $subtract a {} from a Date", other.type_name())),
        _ => error(format!("cant $subtract a{} from a {}", right.type_name(), left.type_name())),
    }
}

fn milliseconds_before(date: DateTime, number: Number) -> Option<DateTime> {
    let milliseconds = number.as_i64().or_else(|| Double(number.as_f64().trunc()).as_i64())?;
    date.timestamp_millis().checked_sub(milliseconds).map(DateTime::from_millis)
}

fn difference(left: Number, right: Number) -> Bson {
    match (left, right) {
        (Decimal128(_), _) | (_, Decimal128(_)) => {
            decimal::to_bson(decimal::combine(left, right, |context, left, right| context.sub(left, right)))
        }
        _ => combine(left, right, i64::checked_sub, |left, right| left - right),
    }
}

pub(super) fn multiply(arguments: Arguments<'_>) -> Outcome<'_> {
    let mut product = Bson::Int32(1);
    let of_ints = arguments.values.iter().all(|value| matches!(value.number(), Some(Int32(_))));
    for value in &arguments.values {
        if value.is_nullish() {
            return Ok(Value::NULL);
        }
        let (Some(left), Some(right)) = (ValueRef::from(&product).as_number(), value.number()) else {
            return error(format!("$multiply only supports numeric types, not {}", value.type_name()));
        };
        product = match (left, right) {
            (Decimal128(_), _) | (_, Decimal128(_)) => {
                decimal::to_bson(decimal::combine(left, right, |context, left, right| context.mul(left, right)))
            }
            _ => combine(left, right, i64::checked_mul, |left, right| left * right),
        };
    }
    Ok(match product {
        Bson::Int64(product) if of_ints => narrowed(product).into(),
        product => product.into(),
    })
}

/// Integers by `of_integers`, as doubles where it fails. No operand is a decimal.
fn combine(
    left: Number,
    right: Number,
    of_integers: fn(i64, i64) -> Option<i64>,
    of_doubles: fn(f64, f64) -> f64,
) -> Bson {
    let integers = (integer(left), integer(right));
    match (integers, left, right) {
        ((Some(one), Some(other)), Int32(_), Int32(_)) => of_integers(one, other).map(narrowed),
        ((Some(one), Some(other)), ..) => of_integers(one, other).map(Bson::Int64),
        _ => None,
    }
    .unwrap_or_else(|| Bson::Double(of_doubles(left.as_f64(), right.as_f64())))
}

/// The number if its type is int or long.
fn integer(number: Number) -> Option<i64> {
    match number {
        Int32(number) => Some(number.into()),
        Int64(number) => Some(number),
        Double(_) | Decimal128(_) => None,
    }
}

/// A result of ints: an int if it fits.
fn narrowed(result: i64) -> Bson {
    i32::try_from(result).map_or(Bson::Int64(result), Bson::Int32)
}

pub(super) fn divide(arguments: Arguments<'_>) -> Outcome<'_> {
    let Some((left, right)) = pair(arguments)? else { return Ok(Value::NULL) };
    if right.as_f64() == 0.0 && !matches!(right, Decimal128(_)) || is_zero_decimal(right) {
        return error("can't $divide by zero".to_owned());
    }
    Ok(match (left, right) {
        (Decimal128(_), _) | (_, Decimal128(_)) => {
            decimal::to_bson(decimal::combine(left, right, |context, left, right| context.div(left, right))).into()
        }
        _ => (left.as_f64() / right.as_f64()).into(),
    })
}

/// The sign is the dividend's. A divisor that is a whole double leaves ints ints.
pub(super) fn r#mod(arguments: Arguments<'_>) -> Outcome<'_> {
    let Some((left, right)) = pair(arguments)? else { return Ok(Value::NULL) };
    if right.as_f64() == 0.0 && !matches!(right, Decimal128(_)) || is_zero_decimal(right) {
        return error("can't $mod by zero".to_owned());
    }
    Ok(match (left, right, integer(left), right.as_i64()) {
        (Decimal128(_), ..) | (_, Decimal128(_), ..) => {
            decimal::to_bson(decimal::combine(left, right, |context, left, right| context.rem(left, right))).into()
        }
        (Int64(_), _, Some(dividend), Some(divisor)) | (_, Int64(_), Some(dividend), Some(divisor)) => {
            dividend.checked_rem(divisor).unwrap_or(0).into()
        }
        (_, _, Some(dividend), Some(divisor)) if i32::try_from(divisor).is_ok() => {
            narrowed(dividend.checked_rem(divisor).unwrap_or(0)).into()
        }
        _ => (left.as_f64() % right.as_f64()).into(),
    })
}

fn is_zero_decimal(number: Number) -> bool {
    matches!(number, Decimal128(_)) && decimal::of(number).is_zero()
}

/// The two numbers of `$divide` and `$mod`; `None` where one is null.
fn pair(arguments: Arguments<'_>) -> Result<Option<(Number, Number)>, QueryError> {
    let operator = arguments.operator;
    let [left, right] = arguments.take();
    match (left.number(), right.number()) {
        (Some(left), Some(right)) => Ok(Some((left, right))),
        _ if left.is_nullish() || right.is_nullish() => Ok(None),
        _ => {
            error(format!("{operator} only supports numeric types, not {} and {}", left.type_name(), right.type_name()))
        }
    }
}

pub(super) fn ceil(arguments: Arguments<'_>) -> Outcome<'_> {
    whole(arguments, f64::ceil, Rounding::Ceiling)
}

pub(super) fn floor(arguments: Arguments<'_>) -> Outcome<'_> {
    whole(arguments, f64::floor, Rounding::Floor)
}

fn whole(arguments: Arguments<'_>, of_doubles: fn(f64) -> f64, rounding: Rounding) -> Outcome<'_> {
    let [value] = take_numeric(arguments)?;
    Ok(match value.number() {
        Some(Double(number)) => of_doubles(number).into(),
        Some(number @ Decimal128(_)) => decimal::to_bson(decimal::to_places(decimal::of(number), 0, rounding)).into(),
        Some(Int32(_) | Int64(_)) => value,
        None => Value::NULL,
    })
}

/// One argument in MongoDB 4.0; the places are a newer engine's.
pub(super) fn parse_trunc(parser: &mut Parser, operator: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let arguments = parser.arguments(argument)?;
    match arguments.len() {
        1 => {}
        2 => parser.note_newer(operator),
        count => return error(format!("Expression {operator} takes exactly 1 arguments. {count} were passed in.")),
    }
    Ok(Node::Call(operator, trunc, arguments))
}

fn trunc(arguments: Arguments<'_>) -> Outcome<'_> {
    rounded(arguments, Rounding::Down)
}

pub(super) fn round(arguments: Arguments<'_>) -> Outcome<'_> {
    rounded(arguments, Rounding::HalfEven)
}

const PLACES_LEAST: i64 = -20;
const PLACES_MOST: i64 = 100;

fn rounded(arguments: Arguments<'_>, rounding: Rounding) -> Outcome<'_> {
    let operator = arguments.operator;
    let [value, places] = take_numeric(arguments)?;
    if value.is_nullish() || (!places.is_absent() && places.is_nullish()) {
        return Ok(Value::NULL);
    }
    let places = if places.is_absent() { 0 } else { rounding_places(operator, &places)? };
    Ok(match value.number() {
        Some(number @ (Int32(_) | Int64(_))) if places < 0 => round_integer(number, places, rounding)?.into(),
        Some(Int32(_) | Int64(_)) => value,
        Some(Double(number)) => round_double(number, places, rounding).into(),
        Some(number @ Decimal128(_)) => {
            decimal::to_bson(decimal::to_places(decimal::of(number), places, rounding)).into()
        }
        None => Value::NULL,
    })
}

fn rounding_places(operator: &str, places: &Value<'_>) -> Result<i32, QueryError> {
    let Some(number) = places.number().and_then(Number::as_i64) else {
        return error(format!("precision argument to  {operator} must be a integral value"));
    };
    match i32::try_from(number) {
        Ok(places) if (PLACES_LEAST..=PLACES_MOST).contains(&number) => Ok(places),
        _ => error(format!("cannot apply {operator} with precision value {number} value must be in [-20, 100]")),
    }
}

fn round_integer(number: Number, places: i32, rounding: Rounding) -> Result<Bson, QueryError> {
    let rounded = decimal::to_bson(decimal::to_places(decimal::of(number), places, rounding));
    match (ValueRef::from(&rounded).as_number().and_then(Number::as_i64), number) {
        (Some(rounded), Int32(_)) => Ok(narrowed(rounded)),
        (Some(rounded), _) => Ok(Bson::Int64(rounded)),
        (None, _) => error("invalid conversion from Decimal128 result in $round".to_owned()),
    }
}

/// By the digits of the double itself, all of them.
fn round_double(number: f64, places: i32, rounding: Rounding) -> f64 {
    if places == 0 || !number.is_finite() {
        return if rounding == Rounding::Down { number.trunc() } else { number.round_ties_even() };
    }
    let exact = decimal::parse(&format!("{number:.33e}"));
    decimal::to_places(exact, places, rounding).to_string().parse().unwrap_or(number)
}

pub(super) fn exp(arguments: Arguments<'_>) -> Outcome<'_> {
    numeric(arguments, |_, number| match number {
        Decimal128(_) => Ok(decimal::to_bson(decimal::apply(number, |context, number| context.exp(number)))),
        _ => Ok(number.as_f64().exp().into()),
    })
}

pub(super) fn ln(arguments: Arguments<'_>) -> Outcome<'_> {
    numeric(arguments, |operator, number| {
        check_positive(number, &format!("{operator}'s argument must be a positive number, but is "))?;
        Ok(match number {
            Decimal128(_) => decimal::to_bson(decimal::apply(number, |context, number| context.ln(number))),
            _ => number.as_f64().ln().into(),
        })
    })
}

pub(super) fn log10(arguments: Arguments<'_>) -> Outcome<'_> {
    numeric(arguments, |operator, number| {
        check_positive(number, &format!("{operator}'s argument must be a positive number, but is "))?;
        Ok(match number {
            Decimal128(_) => decimal::to_bson(decimal::apply(number, |context, number| context.log10(number))),
            _ => number.as_f64().log10().into(),
        })
    })
}

pub(super) fn log(arguments: Arguments<'_>) -> Outcome<'_> {
    let [argument, base] = arguments.take();
    if argument.is_nullish() || base.is_nullish() {
        return Ok(Value::NULL);
    }
    let Some(number) = argument.number() else {
        return error(format!("$log's argument must be numeric, not {}", argument.type_name()));
    };
    let Some(base_number) = base.number() else {
        return error(format!("$log's base must be numeric, not {}", base.type_name()));
    };
    check_positive(number, "$log's argument must be a positive number, but is ")?;
    let base_text = "$log's base must be a positive number not equal to 1, but is ";
    check_positive(base_number, base_text)?;
    if base_number.as_f64() == 1.0 {
        return error(format!("{base_text}{}", base.show()));
    }
    Ok(match (number, base_number) {
        (Decimal128(_), _) | (_, Decimal128(_)) => {
            let mut logarithm = decimal::apply(number, |context, number| context.ln(number));
            let divisor = decimal::apply(base_number, |context, base| context.ln(base));
            decimal::context().div(&mut logarithm, &divisor);
            decimal::to_bson(logarithm).into()
        }
        _ => (number.as_f64().ln() / base_number.as_f64().ln()).into(),
    })
}

/// Whether a number is above zero or NaN.
fn check_positive(number: Number, text: &str) -> Result<(), QueryError> {
    if number.is_nan() || number.compare(Int32(0)).is_gt() {
        return Ok(());
    }
    error(format!("{text}{}", Value::from(number.to_bson()).show()))
}

pub(super) fn sqrt(arguments: Arguments<'_>) -> Outcome<'_> {
    numeric(arguments, |operator, number| {
        if !number.is_nan() && number.compare(Int32(0)).is_lt() {
            return error(format!("{operator}'s argument must be greater than or equal to 0"));
        }
        Ok(match number {
            Decimal128(_) => decimal::to_bson(decimal::apply(number, |context, number| context.sqrt(number))),
            _ => number.as_f64().sqrt().into(),
        })
    })
}

pub(super) fn pow(arguments: Arguments<'_>) -> Outcome<'_> {
    let [base, exponent] = arguments.take();
    if base.is_nullish() || exponent.is_nullish() {
        return Ok(Value::NULL);
    }
    let Some(base_number) = base.number() else {
        return error(format!("$pow's base must be numeric, not {}", base.type_name()));
    };
    let Some(exponent_number) = exponent.number() else {
        return error(format!("$pow's exponent must be numeric, not {}", exponent.type_name()));
    };
    if base_number.compare(Int32(0)).is_eq() && !exponent_number.is_nan() && exponent_number.compare(Int32(0)).is_lt() {
        return error("$pow cannot take a base of 0 and a negative exponent".to_owned());
    }
    Ok(power(base_number, exponent_number).into())
}

fn power(base: Number, exponent: Number) -> Bson {
    if matches!(base, Decimal128(_)) || matches!(exponent, Decimal128(_)) {
        return decimal::to_bson(decimal::combine(base, exponent, |context, base, exponent| {
            context.pow(base, exponent)
        }));
    }
    let exact = integer(base).zip(integer(exponent)).and_then(|(base, exponent)| integer_power(base, exponent));
    match (exact, base, exponent) {
        (Some(power), Int32(_), Int32(_)) => narrowed(power),
        (Some(power), ..) => Bson::Int64(power),
        (None, ..) => Bson::Double(base.as_f64().powf(exponent.as_f64())),
    }
}

/// The power where it is a 64-bit integer.
fn integer_power(base: i64, exponent: i64) -> Option<i64> {
    match (base, exponent) {
        (1, _) => Some(1),
        (-1, exponent) => Some(if exponent % 2 == 0 { 1 } else { -1 }),
        (0, 0) => Some(1),
        (0, _) => Some(0),
        (base, exponent) => base.checked_pow(u32::try_from(exponent).ok()?),
    }
}

/// An operator of one number; null of null.
fn numeric<'a>(arguments: Arguments<'a>, operation: fn(&str, Number) -> Result<Bson, QueryError>) -> Outcome<'a> {
    let operator = arguments.operator;
    let [value] = take_numeric(arguments)?;
    match value.number() {
        Some(number) => operation(operator, number).map(Value::Owned),
        None => Ok(Value::NULL),
    }
}

/// The arguments, of which the first is a number or null.
fn take_numeric<const COUNT: usize>(arguments: Arguments<'_>) -> Result<[Value<'_>; COUNT], QueryError> {
    if let Some(first) = arguments.values.first()
        && first.number().is_none()
        && !first.is_nullish()
    {
        return Err(arguments.error(&format!(" only supports numeric types, not {}", first.type_name())));
    }
    Ok(arguments.take())
}

/// A number as text.
pub(super) fn number_text(number: Number) -> String {
    match number {
        Int32(number) => number.to_string(),
        Int64(number) => number.to_string(),
        Double(number) => double_text(number),
        Decimal128(number) => number.to_string(),
    }
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
