//! String operators. Case is ASCII's; places are counted in bytes (`…Bytes`) or in code points (`…CP`).

use document::{Bson, Number, ValueRef};

use super::arithmetic::number_text;
use super::node::{Arguments, Node};
use super::parse::{Parser, member, object_of};
use super::value::{Outcome, Value, date_text};
use super::{limits, value};
use crate::QueryError;

pub(super) fn concat(arguments: Arguments<'_>) -> Outcome<'_> {
    let mut all = String::new();
    let mut room = limits::room();
    for value in &arguments.values {
        match value.text() {
            Some(text) => {
                limits::take(&mut room, text.len())?;
                all.push_str(text);
            }
            None if value.is_nullish() => return Ok(Value::NULL),
            None => return error(format!("$concat only supports strings, not {}", value.type_name())),
        }
    }
    Ok(all.into())
}

pub(super) fn to_lower(arguments: Arguments<'_>) -> Outcome<'_> {
    let [value] = arguments.take();
    Ok(as_text(&value)?.to_ascii_lowercase().into())
}

pub(super) fn to_upper(arguments: Arguments<'_>) -> Outcome<'_> {
    let [value] = arguments.take();
    Ok(as_text(&value)?.to_ascii_uppercase().into())
}

pub(super) fn strcasecmp(arguments: Arguments<'_>) -> Outcome<'_> {
    let [left, right] = arguments.take();
    let order = as_text(&left)?.to_ascii_uppercase().cmp(&as_text(&right)?.to_ascii_uppercase());
    Ok((order as i32).into())
}

/// Numbers and dates as text, null as the empty text.
fn as_text(value: &Value<'_>) -> Result<String, QueryError> {
    Ok(match value.view() {
        None | Some(ValueRef::Null | ValueRef::Undefined) => String::new(),
        Some(ValueRef::String(text) | ValueRef::Symbol(text) | ValueRef::JavaScriptCode(text)) => text.to_owned(),
        Some(ValueRef::DateTime(date)) => date_text(date),
        Some(ValueRef::Timestamp(timestamp)) => format!("Timestamp({}, {})", timestamp.time, timestamp.increment),
        Some(other) => match other.as_number() {
            Some(number) => number_text(number),
            None => return error(format!("can't convert from BSON type {} to String", other.type_name())),
        },
    })
}

pub(super) fn str_len_bytes(arguments: Arguments<'_>) -> Outcome<'_> {
    length(arguments, str::len)
}

pub(super) fn str_len_cp(arguments: Arguments<'_>) -> Outcome<'_> {
    length(arguments, |text| text.chars().count())
}

fn length<'a>(arguments: Arguments<'a>, count: fn(&str) -> usize) -> Outcome<'a> {
    let operator = arguments.operator;
    let [value] = arguments.take();
    match value.text() {
        Some(text) => Ok(i32::try_from(count(text)).unwrap_or(i32::MAX).into()),
        None => error(format!("{operator} requires a string argument, found: {}", value.type_name())),
    }
}

pub(super) fn index_of_bytes(arguments: Arguments<'_>) -> Outcome<'_> {
    index_of(arguments, |text, sought, start, end| {
        let part = text.as_bytes().get(start..end.min(text.len()))?;
        let is_there = |place: &usize| part.get(*place..).is_some_and(|rest| rest.starts_with(sought.as_bytes()));
        (0..=part.len()).find(is_there).map(|place| place + start)
    })
}

/// Where it may begin is limited, not where it may end.
pub(super) fn index_of_cp(arguments: Arguments<'_>) -> Outcome<'_> {
    index_of(arguments, |text, sought, start, end| {
        if text.is_empty() && sought.is_empty() {
            return Some(0);
        }
        let mut places = text.char_indices().map(|(byte, _)| byte).enumerate().take(end).skip(start);
        let is_there = |byte: usize| text.get(byte..).is_some_and(|rest| rest.starts_with(sought));
        places.find(|(_, byte)| is_there(*byte)).map(|(place, _)| place)
    })
}

type Find = fn(text: &str, sought: &str, start: usize, end: usize) -> Option<usize>;

fn index_of<'a>(arguments: Arguments<'a>, find: Find) -> Outcome<'a> {
    let operator = arguments.operator;
    let [text, sought, start, end] = arguments.take();
    if text.is_nullish() {
        return Ok(Value::NULL);
    }
    let Some(whole) = text.text() else {
        return error(format!("{operator} requires a string as the first argument, found: {}", text.type_name()));
    };
    let Some(part) = sought.text() else {
        return error(format!("{operator} requires a string as the second argument, found: {}", sought.type_name()));
    };
    let (start, end) = bounds(operator, &start, &end)?;
    Ok(index(find(whole, part, start, end)))
}

/// The places between which to look: none before 0, by default all. One of MongoDB's texts lacks a blank.
pub(super) fn bounds(operator: &str, start: &Value<'_>, end: &Value<'_>) -> Result<(usize, usize), QueryError> {
    let bound = |value: &Value<'_>, which: &str, otherwise: usize| {
        if value.is_absent() {
            return Ok(otherwise);
        }
        let Some(place) = value.int32() else {
            let (found, shown) = (value.type_name(), value.show());
            return error(format!(
                "{operator}requires an integral {which} index, found a value of type: {found}, with value: {shown}"
            ));
        };
        usize::try_from(place)
            .or_else(|_| error(format!("{operator} requires a nonnegative {which} index, found: {place}")))
    };
    Ok((bound(start, "starting", 0)?, bound(end, "ending", usize::MAX)?))
}

/// A place as a value: -1 where there is none.
pub(super) fn index<'a>(place: Option<usize>) -> Value<'a> {
    place.and_then(|place| i32::try_from(place).ok()).unwrap_or(-1).into()
}

pub(super) fn split(arguments: Arguments<'_>) -> Outcome<'_> {
    let [text, separator] = arguments.take();
    if text.is_nullish() || separator.is_nullish() {
        return Ok(Value::NULL);
    }
    let argument = |value: &Value<'_>, which: &str| {
        let found = value.type_name();
        QueryError::bad_query(format!(
            "$split requires an expression that evaluates to a string as a {which} argument, found: {found}"
        ))
    };
    let whole = text.text().ok_or_else(|| argument(&text, "first"))?;
    match separator.text().ok_or_else(|| argument(&separator, "second"))? {
        "" => error("$split requires a non-empty separator".to_owned()),
        separator => Ok(whole.split(separator).map(Bson::from).collect::<Vec<_>>().into()),
    }
}

/// A negative length means the rest.
pub(super) fn substr_bytes(arguments: Arguments<'_>) -> Outcome<'_> {
    const OPERATOR: &str = "$substrBytes";
    let [text, start, length] = arguments.take();
    let text = as_text(&text)?;
    let start = whole_number(OPERATOR, &start, "starting index")?;
    let length = whole_number(OPERATOR, &length, "length")?;
    let Ok(start) = usize::try_from(start) else {
        return error(format!("{OPERATOR}:  starting index must be non-negative (got: {start})"));
    };
    let start = start.min(text.len());
    let end = usize::try_from(length).map_or(text.len(), |length| start.saturating_add(length).min(text.len()));
    if !text.is_char_boundary(start) {
        return error(format!("{OPERATOR}:  Invalid range, starting index is a UTF-8 continuation byte."));
    }
    if !text.is_char_boundary(end) {
        return error(format!("{OPERATOR}:  Invalid range, ending index is in the middle of a UTF-8 character."));
    }
    Ok(text.get(start..end).unwrap_or_default().into())
}

fn whole_number(operator: &str, value: &Value<'_>, which: &str) -> Result<i64, QueryError> {
    match value.number() {
        Some(number) => Ok(number.as_i64().unwrap_or(Number::as_f64(number) as i64)),
        None => error(format!("{operator}:  {which} must be a numeric type (is BSON type {})", value.type_name())),
    }
}

pub(super) fn substr_cp(arguments: Arguments<'_>) -> Outcome<'_> {
    let [text, start, length] = arguments.take();
    let text = as_text(&text)?;
    let start = int32_of(&start, "starting index")?;
    let length = int32_of(&length, "length")?;
    let Ok(length) = usize::try_from(length) else {
        return error("$substrCP: length must be a nonnegative integer.".to_owned());
    };
    let Ok(start) = usize::try_from(start) else {
        return error("$substrCP: the starting index must be nonnegative integer.".to_owned());
    };
    Ok(text.chars().skip(start).take(length).collect::<String>().into())
}

fn int32_of(value: &Value<'_>, which: &str) -> Result<i32, QueryError> {
    if value.number().is_none() {
        let found = value.type_name();
        return error(format!("$substrCP: {which} must be a numeric type (is BSON type {found})"));
    }
    value.int32().ok_or_else(|| {
        let shown = value.show();
        QueryError::bad_query(format!("$substrCP: {which} cannot be represented as a 32-bit integral value: {shown}"))
    })
}

pub(super) fn parse_trim(parser: &mut Parser, operator: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, &format!("{operator} only supports an object as an argument, found {{type}}"))?;
    let arguments = parser.named(object, &["input", "chars"], &format!("{operator} found an unknown argument: "))?;
    member(object, "input", &format!("{operator} requires an 'input' field"))?;
    Ok(Node::Call(operator, trim, arguments))
}

fn trim(arguments: Arguments<'_>) -> Outcome<'_> {
    let operator = arguments.operator;
    let [input, characters] = arguments.take();
    if input.is_nullish() || (!characters.is_absent() && characters.is_nullish()) {
        return Ok(Value::NULL);
    }
    let Some(text) = input.text() else {
        let (shown, found) = (input.show(), input.type_name());
        return error(format!("{operator} requires its input to be a string, got {shown} (of type {found}) instead."));
    };
    let trimmed = match characters.text() {
        Some(characters) => trim_matches(operator, text, |next| characters.contains(next)),
        None if characters.is_absent() => trim_matches(operator, text, is_blank),
        None => {
            let (shown, found) = (characters.show(), characters.type_name());
            return error(format!(
                "{operator} requires 'chars' to be a string, got {shown} (of type {found}) instead."
            ));
        }
    };
    Ok(trimmed.into())
}

fn trim_matches<'t>(operator: &str, text: &'t str, unwanted: impl Fn(char) -> bool) -> &'t str {
    let text = if operator == "$rtrim" { text } else { text.trim_start_matches(&unwanted) };
    if operator == "$ltrim" { text } else { text.trim_end_matches(&unwanted) }
}

/// What is trimmed by default.
fn is_blank(next: char) -> bool {
    matches!(next, '\0' | '\t'..='\r' | ' ' | '\u{A0}' | '\u{1680}' | '\u{2000}'..='\u{200A}')
}

/// `$replaceOne` and `$replaceAll`, as newer engines have them.
pub(super) fn parse_replace(parser: &mut Parser, operator: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    const MEMBERS: [&str; 3] = ["input", "find", "replacement"];
    let object = object_of(argument, &format!("{operator} requires an object as an argument, found: {{type}}"))?;
    let arguments = parser.named(object, &MEMBERS, &format!("{operator} found an unknown argument: "))?;
    for name in MEMBERS {
        member(object, name, &format!("{operator} requires '{name}' to be specified"))?;
    }
    Ok(Node::Call(operator, replace, arguments))
}

fn replace(arguments: Arguments<'_>) -> Outcome<'_> {
    let operator = arguments.operator;
    let [input, find, replacement] = arguments.take();
    let parts = [(&input, "input"), (&find, "find"), (&replacement, "replacement")];
    for (value, name) in parts {
        if value.text().is_none() && !value.is_nullish() {
            return error(format!("{operator} requires that '{name}' be a string, found: {}", value.show()));
        }
    }
    let (Some(text), Some(find), Some(replacement)) = (input.text(), find.text(), replacement.text()) else {
        return Ok(Value::NULL);
    };
    let count = if operator == "$replaceOne" { 1 } else { text.matches(find).count() };
    limits::take(&mut limits::room(), text.len().saturating_add(count.saturating_mul(replacement.len())))?;
    Ok(text.replacen(find, replacement, count).into())
}

/// The text of a value where the value is one; used by conversions.
pub(super) fn text_of_scalar(found: ValueRef<'_>) -> Option<String> {
    match found {
        ValueRef::String(text) => Some(text.to_owned()),
        ValueRef::Boolean(flag) => Some(flag.to_string()),
        ValueRef::ObjectId(id) => Some(id.to_hex()),
        ValueRef::DateTime(date) => Some(value::date_text(date)),
        other => other.as_number().map(number_text),
    }
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
