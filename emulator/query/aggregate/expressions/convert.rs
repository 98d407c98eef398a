//! Type operators: `$convert`, the `$to…` that stand for it, `$type`, and `$isNumber` of newer engines.

use document::{Bson, DateTime, Number, ObjectId, ValueRef};

use super::node::{Arguments, Node};
use super::parse::{Parser, member, object_of};
use super::value::{Outcome, Value, is_true};
use super::{date_text, decimal, string};
use crate::QueryError;
use crate::filter::TYPES;

use Number::{Decimal128, Double, Int32, Int64};

pub(super) fn parse_convert(parser: &mut Parser, operator: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, "$convert expects an object of named arguments but found: {type}")?;
    let names = ["input", "to", "onError", "onNull"];
    let arguments = parser.named(object, &names, "$convert found an unknown argument: ")?;
    member(object, "input", "Missing 'input' parameter to $convert")?;
    member(object, "to", "Missing 'to' parameter to $convert")?;
    Ok(Node::Call(operator, convert, arguments))
}

fn convert(arguments: Arguments<'_>) -> Outcome<'_> {
    let [input, target, on_error, on_null] = arguments.take();
    let target = if target.is_nullish() { None } else { Some(target_name(&target)?) };
    if input.is_nullish() {
        return Ok(if on_null.is_absent() { Value::NULL } else { on_null });
    }
    let Some(target) = target else { return Ok(Value::NULL) };
    match converted(&input, target) {
        Ok(value) => Ok(value.into()),
        Err(_) if !on_error.is_absent() => Ok(on_error),
        Err(reason) => Err(reason),
    }
}

fn target_name(target: &Value<'_>) -> Result<&'static str, QueryError> {
    if let Some(name) = target.text() {
        // `$type` can say so.
        if name == "missing" {
            return Ok("missing");
        }
        let found = TYPES.iter().find(|(known, _)| *known == name).map(|(name, _)| *name);
        return found.ok_or_else(|| QueryError::bad_query(format!("Unknown type name: {name}")));
    }
    let Some(number) = target.number() else {
        return error(format!("$convert's 'to' argument must be a string or number, but is {}", target.type_name()));
    };
    let Some(code) = number.as_i64() else {
        return error("In $convert, numeric 'to' argument is not an integer".to_owned());
    };
    match TYPES.iter().find(|(_, number)| *number == code) {
        Some((name, _)) => Ok(name),
        None => error(format!("In $convert, numeric value for 'to' does not correspond to a BSON type: {code}")),
    }
}

/// Reads the `$to…` of one argument.
pub(super) fn parse_shorthand(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
) -> Result<Node, QueryError> {
    let arguments = parser.arguments(argument)?;
    match arguments.len() {
        1 => Ok(Node::Call(operator, shorthand, arguments)),
        count => error(format!("{operator} requires a single argument, got {count}")),
    }
}

fn shorthand(arguments: Arguments<'_>) -> Outcome<'_> {
    let target = match arguments.operator {
        "$toBool" => "bool",
        "$toDate" => "date",
        "$toDecimal" => "decimal",
        "$toDouble" => "double",
        "$toInt" => "int",
        "$toLong" => "long",
        "$toObjectId" => "objectId",
        _ => "string",
    };
    let [input] = arguments.take();
    if input.is_nullish() {
        return Ok(Value::NULL);
    }
    converted(&input, target).map(Value::Owned)
}

fn converted(input: &Value<'_>, target: &'static str) -> Result<Bson, QueryError> {
    let Some(value) = input.view() else { return Ok(Bson::Null) };
    let converted = match target {
        "bool" => to_bool_value(value),
        "date" => to_date_value(value)?,
        "decimal" => to_decimal_value(value)?,
        "double" => to_double_value(value)?,
        "int" => to_integer_value(value, |number| i32::try_from(number).ok().map(Bson::Int32))?,
        "long" => to_integer_value(value, |number| Some(Bson::Int64(number)))?,
        "objectId" => to_object_id_value(value)?,
        "string" => string::text_of_scalar(value).map(Bson::String),
        _ => None,
    };
    let from = value.type_name();
    converted.ok_or_else(|| failed(format!("Unsupported conversion from {from} to {target} in $convert"), None))
}

/// Numbers and false may be false; every other value is true, also the empty text.
fn to_bool_value(value: ValueRef<'_>) -> Option<Bson> {
    Some(is_true(value).into())
}

fn to_date_value(value: ValueRef<'_>) -> Result<Option<Bson>, QueryError> {
    Ok(Some(match value {
        ValueRef::DateTime(date) => date.into(),
        ValueRef::ObjectId(id) => id.timestamp().into(),
        ValueRef::String(text) => match date_text::parse(text, None) {
            Ok(date) => date.into(),
            Err(reason) => return Err(failed(reason, None)),
        },
        ValueRef::Int64(milliseconds) => DateTime::from_millis(milliseconds).into(),
        ValueRef::Double(_) | ValueRef::Decimal128(_) => {
            match to_integer_value(value, |number| Some(Bson::Int64(number)))? {
                Some(Bson::Int64(milliseconds)) => DateTime::from_millis(milliseconds).into(),
                _ => return Ok(None),
            }
        }
        _ => return Ok(None),
    }))
}

fn to_decimal_value(value: ValueRef<'_>) -> Result<Option<Bson>, QueryError> {
    Ok(Some(match value {
        ValueRef::Boolean(flag) => decimal::to_bson(decimal::of(Int32(flag.into()))),
        ValueRef::DateTime(date) => decimal::to_bson(decimal::of(Int64(date.timestamp_millis()))),
        ValueRef::String(text) => parsed(text, parse_decimal)?,
        other => return Ok(other.as_number().map(|number| decimal::to_bson(decimal::of(number)))),
    }))
}

fn to_double_value(value: ValueRef<'_>) -> Result<Option<Bson>, QueryError> {
    Ok(Some(match value {
        ValueRef::Boolean(flag) => f64::from(u8::from(flag)).into(),
        ValueRef::DateTime(date) => (date.timestamp_millis() as f64).into(),
        ValueRef::String(text) => parsed(text, parse_double)?,
        ValueRef::Decimal128(number) => {
            let double = Decimal128(number).as_f64();
            if double.is_infinite() && !decimal::of(Decimal128(number)).is_infinite() {
                return Err(overflow(value));
            }
            double.into()
        }
        other => return Ok(other.as_number().map(|number| number.as_f64().into())),
    }))
}

/// Fractions are cut off. `fit` makes the value, if it fits.
fn to_integer_value(value: ValueRef<'_>, fit: fn(i64) -> Option<Bson>) -> Result<Option<Bson>, QueryError> {
    let fitting = |number: Option<i64>| number.and_then(fit).ok_or_else(|| overflow(value)).map(Some);
    match value {
        ValueRef::Boolean(flag) => fitting(Some(flag.into())),
        ValueRef::DateTime(date) if fit(i64::MAX).is_some() => fitting(Some(date.timestamp_millis())),
        ValueRef::String(text) => parsed(text, |text| parse_integer(text, fit)).map(Some),
        other => match other.as_number() {
            None => Ok(None),
            Some(number) if number.is_nan() => {
                Err(failed("Attempt to convert NaN value to integer type in $convert".to_owned(), None))
            }
            Some(number) if is_infinite(number) => {
                Err(failed("Attempt to convert infinity value to integer type in $convert".to_owned(), None))
            }
            Some(number) => fitting(cut(number)),
        },
    }
}

fn is_infinite(number: Number) -> bool {
    match number {
        Double(number) => number.is_infinite(),
        Decimal128(_) => decimal::of(number).is_infinite(),
        Int32(_) | Int64(_) => false,
    }
}

/// The number without its fraction; `None` beyond 64 bits.
fn cut(number: Number) -> Option<i64> {
    match number {
        Double(number) => Double(number.trunc()).as_i64(),
        Decimal128(_) => {
            let whole = decimal::to_bson(decimal::to_places(decimal::of(number), 0, dec::Rounding::Down));
            ValueRef::from(&whole).as_number()?.as_i64()
        }
        number => number.as_i64(),
    }
}

fn to_object_id_value(value: ValueRef<'_>) -> Result<Option<Bson>, QueryError> {
    match value {
        ValueRef::ObjectId(id) => Ok(Some(id.into())),
        ValueRef::String(text) => match ObjectId::parse_str(text) {
            Ok(id) => Ok(Some(id.into())),
            Err(_) => {
                Err(failed(format!("Failed to parse objectId '{text}' in $convert"), Some(object_id_mistake(text))))
            }
        },
        _ => Ok(None),
    }
}

fn object_id_mistake(text: &str) -> String {
    match text.chars().find(|next| !next.is_ascii_hexdigit()) {
        Some(invalid) if text.len() == 24 => {
            format!("Invalid character found in hex string: '{invalid}'")
        }
        _ => format!("Invalid string length for parsing to OID, expected 24 but found {}", text.len()),
    }
}

/// A number that the whole text spells. `read` gives MongoDB's reason against it.
fn parsed(text: &str, read: impl Fn(&str) -> Result<Bson, String>) -> Result<Bson, QueryError> {
    if text.starts_with("0x") {
        return Err(failed("Illegal hexadecimal input in $convert".to_owned(), Some(text.to_owned())));
    }
    let number = if text.is_empty() { Err("Empty string".to_owned()) } else { read(text) };
    number.map_err(|reason| failed(format!("Failed to parse number '{text}' in $convert"), Some(reason)))
}

fn parse_integer(text: &str, fit: fn(i64) -> Option<Bson>) -> Result<Bson, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return Err("No digits".to_owned());
    }
    if let Some(bad) = digits.chars().find(|next| !next.is_ascii_digit()) {
        return Err(format!("Bad digit \"{bad}\" while parsing {text}"));
    }
    let beyond = if text.starts_with('-') { "Underflow" } else { "Overflow" };
    text.parse().ok().and_then(fit).ok_or_else(|| beyond.to_owned())
}

fn parse_double(text: &str) -> Result<Bson, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_infinite() && text.contains(|next: char| next.is_ascii_digit()) => {
            Err("Out of range".to_owned())
        }
        Ok(number) => Ok(number.into()),
        Err(_) if text.starts_with(char::is_whitespace) => Err("Leading whitespace".to_owned()),
        Err(_) => Err("Did not consume whole number.".to_owned()),
    }
}

fn parse_decimal(text: &str) -> Result<Bson, String> {
    let number = text.parse().map(Bson::Decimal128);
    number.map_err(|_| "Failed to parse string to decimal".to_owned())
}

/// MongoDB names the number, unless it is a long.
fn overflow(value: ValueRef<'_>) -> QueryError {
    let shown = if matches!(value, ValueRef::Int64(_)) { String::new() } else { Value::Borrowed(value).show() };
    failed("Conversion would overflow target type in $convert".to_owned(), Some(shown))
}

fn failed(what: String, why: Option<String>) -> QueryError {
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    QueryError::bad_query(format!("{what} with no onError value{why}"))
}

pub(super) fn r#type(arguments: Arguments<'_>) -> Outcome<'_> {
    let [value] = arguments.take();
    Ok(value.type_name().into())
}

/// As newer engines have it.
pub(super) fn is_number(arguments: Arguments<'_>) -> Outcome<'_> {
    let [value] = arguments.take();
    Ok(value.number().is_some().into())
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
