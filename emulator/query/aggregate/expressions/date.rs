//! Date operators. Dates, timestamps and object ids are dates here; the time zone is UTC unless one is named.

use chrono::{Datelike, Timelike};
use document::{Bson, DateTime, Document, Number, ValueRef};

use super::node::{Arguments, Node};
use super::parse::{Parser, member, object_of, shown};
use super::time_zone::{self, Clock, Local, TimeZone, small};
use super::value::{Outcome, Value};
use super::{date_format, date_text};
use crate::QueryError;

/// A part of a date: an expression, or `{date, timezone}`.
pub(super) fn parse_part(parser: &mut Parser, operator: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let arguments = match argument {
        Bson::Document(object) if !object.keys().next().is_some_and(|name| name.starts_with('$')) => {
            part_members(parser, operator, object)?
        }
        Bson::Array(arguments) => match arguments.as_slice() {
            [date] => vec![parser.expression(date)?],
            _ => {
                let count = arguments.len();
                return error(format!(
                    "{operator} accepts exactly one argument if given an array, but was given {count}"
                ));
            }
        },
        date => vec![parser.expression(date)?],
    };
    Ok(Node::Call(operator, part, arguments))
}

fn part_members(parser: &mut Parser, operator: &str, object: &Document) -> Result<Vec<Node>, QueryError> {
    const MEMBERS: [&str; 2] = ["date", "timezone"];
    if let Some(name) = object.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return error(format!("unrecognized option to {operator}: \"{name}\""));
    }
    if !object.contains_key("date") {
        let provided = shown(&Bson::Document(object.clone()));
        return error(format!("missing 'date' argument to {operator}, provided: {operator}: {provided}"));
    }
    parser.named(object, &MEMBERS, "")
}

fn part(arguments: Arguments<'_>) -> Outcome<'_> {
    let operator = arguments.operator;
    let [date, zone] = arguments.take();
    Ok(match local(&date, &zone)? {
        Some(date) => part_of(operator, &date).into(),
        None => Value::NULL,
    })
}

fn part_of(operator: &str, date: &Local) -> Bson {
    let time = &date.time;
    Bson::Int32(match operator {
        "$dayOfMonth" => small(time.day()),
        "$dayOfWeek" => date.day_of_week(),
        "$dayOfYear" => small(time.ordinal()),
        "$hour" => small(time.hour()),
        "$isoDayOfWeek" => date.iso_day_of_week(),
        "$isoWeek" => date.iso_week(),
        "$isoWeekYear" => return Bson::Int64(date.iso_week_year().into()),
        "$millisecond" => date.millisecond(),
        "$minute" => small(time.minute()),
        "$month" => small(time.month()),
        "$second" => small(time.second()),
        "$week" => date.week(),
        _ => time.year(),
    })
}

/// The date in its time zone; `None` where one of the two is null.
fn local(date: &Value<'_>, zone: &Value<'_>) -> Result<Option<Local>, QueryError> {
    let Some(date) = moment(date)? else { return Ok(None) };
    let Some(zone) = TimeZone::of(zone)? else { return Ok(None) };
    zone.local(date).map(Some)
}

/// The date that a value is; `None` where it is null.
fn moment(value: &Value<'_>) -> Result<Option<DateTime>, QueryError> {
    match value.view() {
        None | Some(ValueRef::Null | ValueRef::Undefined) => Ok(None),
        Some(ValueRef::DateTime(date)) => Ok(Some(date)),
        Some(ValueRef::Timestamp(timestamp)) => Ok(Some(DateTime::from_millis(i64::from(timestamp.time) * 1_000))),
        Some(ValueRef::ObjectId(id)) => Ok(Some(id.timestamp())),
        Some(other) => error(format!("can't convert from BSON type {} to Date", other.type_name())),
    }
}

pub(super) fn parse_date_to_string(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
) -> Result<Node, QueryError> {
    const MEMBERS: [&str; 4] = ["date", "format", "timezone", "onNull"];
    let object = object_of(argument, "$dateToString only supports an object as its argument")?;
    let arguments = parser.named(object, &MEMBERS, "Unrecognized argument to $dateToString: ")?;
    member(object, "date", "Missing 'date' parameter to $dateToString")?;
    if let Some(Bson::String(format)) = object.get("format").filter(|format| is_plain(format)) {
        date_format::check(format)?;
    }
    Ok(Node::Call(operator, date_to_string, arguments))
}

/// Whether a text means itself.
fn is_plain(text: &Bson) -> bool {
    text.as_str().is_some_and(|text| !text.starts_with('$'))
}

fn date_to_string(arguments: Arguments<'_>) -> Outcome<'_> {
    let [date, format, zone, on_null] = arguments.take();
    let format = format_text("$dateToString", &format)?;
    let zone = TimeZone::of(&zone)?;
    let Some(date) = moment(&date)? else {
        return Ok(if on_null.is_absent() { Value::NULL } else { on_null });
    };
    let (Some(format), Some(zone)) = (format, zone) else { return Ok(Value::NULL) };
    date_format::write(&format, &zone.local(date)?).map(Value::from)
}

/// The format; the default where it is not written, `None` where it is null.
fn format_text(operator: &str, format: &Value<'_>) -> Result<Option<String>, QueryError> {
    match format.text() {
        Some(format) => Ok(Some(format.to_owned())),
        None if format.is_absent() => Ok(Some(date_format::ISO.to_owned())),
        None if format.is_nullish() => Ok(None),
        None => {
            let (found, shown) = (format.type_name(), format.show());
            error(format!("{operator} requires that 'format' be a string, found: {found} with value {shown}"))
        }
    }
}

pub(super) fn parse_date_from_string(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
) -> Result<Node, QueryError> {
    const MEMBERS: [&str; 5] = ["dateString", "format", "timezone", "onError", "onNull"];
    let object = object_of(argument, "$dateFromString only supports an object as an argument, found: {type}")?;
    let arguments = parser.named(object, &MEMBERS, "Unrecognized argument to $dateFromString: ")?;
    member(object, "dateString", "Missing 'dateString' parameter to $dateFromString")?;
    Ok(Node::Call(operator, date_from_string, arguments))
}

fn date_from_string(arguments: Arguments<'_>) -> Outcome<'_> {
    let [text, format, zone, on_error, on_null] = arguments.take();
    let has_format = !format.is_absent();
    let format = format_text("$dateFromString", &format)?;
    let zone = TimeZone::of(&zone)?;
    if text.is_nullish() {
        return Ok(if on_null.is_absent() { Value::NULL } else { on_null });
    }
    let date = match (text.text(), format, zone) {
        (None, ..) => Err(format!(
            "$dateFromString requires that 'dateString' be a string, found: {} with value {}",
            text.type_name(),
            text.show()
        )),
        (_, None, _) | (_, _, None) => return Ok(Value::NULL),
        (Some(text), Some(format), Some(zone)) if has_format => by_format(&format, text, zone)?,
        (Some(text), _, Some(zone)) => date_text::parse(text, Some(zone)),
    };
    match date {
        Ok(date) => Ok(date.into()),
        Err(_) if !on_error.is_absent() => Ok(on_error),
        Err(reason) => error(reason),
    }
}

fn by_format(format: &str, text: &str, zone: TimeZone) -> Result<Result<DateTime, String>, QueryError> {
    Ok(date_format::read(format, text)?.and_then(|(time, offset)| match offset {
        Some(_) => date_text::at_offset(time, offset, text, zone),
        None => Ok(zone.moment(time)),
    }))
}

pub(super) fn parse_date_to_parts(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
) -> Result<Node, QueryError> {
    let object = object_of(argument, "$dateToParts only supports an object as its argument")?;
    let names = ["date", "timezone", "iso8601"];
    let arguments = parser.named(object, &names, "Unrecognized argument to $dateToParts: ")?;
    member(object, "date", "Missing 'date' parameter to $dateToParts")?;
    Ok(Node::Call(operator, date_to_parts, arguments))
}

fn date_to_parts(arguments: Arguments<'_>) -> Outcome<'_> {
    let [date, zone, iso] = arguments.take();
    let is_iso = match iso.view() {
        Some(ValueRef::Boolean(is_iso)) => is_iso,
        None if iso.is_absent() => false,
        None | Some(ValueRef::Null | ValueRef::Undefined) => return Ok(Value::NULL),
        Some(other) => return error(format!("iso8601 must evaluate to a bool, found {}", other.type_name())),
    };
    let Some(date) = local(&date, &zone)? else { return Ok(Value::NULL) };
    let time = &date.time;
    let day = if is_iso {
        [("isoWeekYear", date.iso_week_year()), ("isoWeek", date.iso_week()), ("isoDayOfWeek", date.iso_day_of_week())]
    } else {
        [("year", time.year()), ("month", small(time.month())), ("day", small(time.day()))]
    };
    let clock = [("hour", time.hour()), ("minute", time.minute()), ("second", time.second())];
    let clock = clock.map(|(name, part)| (name, small(part)));
    let parts = day.into_iter().chain(clock).chain([("millisecond", date.millisecond())]);
    Ok(parts.map(|(name, part)| (name.to_owned(), Bson::Int32(part))).collect::<Document>().into())
}

/// The arguments of `$dateFromParts`, in the order that [`date_from_parts`] takes them.
const PARTS: [&str; 11] = [
    "year",
    "month",
    "day",
    "isoWeekYear",
    "isoWeek",
    "isoDayOfWeek",
    "hour",
    "minute",
    "second",
    "millisecond",
    "timezone",
];

pub(super) fn parse_date_from_parts(
    parser: &mut Parser,
    operator: &'static str,
    argument: &Bson,
) -> Result<Node, QueryError> {
    let object = object_of(argument, "$dateFromParts only supports an object as its argument")?;
    let arguments = parser.named(object, &PARTS, "Unrecognized argument to $dateFromParts: ")?;
    let has = |name: &str| object.contains_key(name);
    if !has("year") && !has("isoWeekYear") {
        return error("$dateFromParts requires either 'year' or 'isoWeekYear' to be present".to_owned());
    }
    let (other, family) = if has("year") {
        (["isoWeekYear", "isoWeek", "isoDayOfWeek"], "natural dates with ISO dates")
    } else {
        (["year", "month", "day"], "ISO dates with natural dates")
    };
    if other.into_iter().any(has) {
        return error(format!("$dateFromParts does not allow mixing {family}"));
    }
    Ok(Node::Call(operator, date_from_parts, arguments))
}

fn date_from_parts(arguments: Arguments<'_>) -> Outcome<'_> {
    let [year, month, day, iso_year, iso_week, iso_day, hour, minute, second, millisecond, zone] = arguments.take();
    let numbers = [year, month, day, iso_year, iso_week, iso_day, hour, minute, second, millisecond];
    let mut parts = [0; 10];
    for ((slot, value), name) in parts.iter_mut().zip(&numbers).zip(PARTS) {
        let otherwise = i64::from(matches!(name, "month" | "day" | "isoWeek" | "isoDayOfWeek"));
        match part_number(name, value, otherwise)? {
            Some(number) => *slot = number,
            None => return Ok(Value::NULL),
        }
    }
    let Some(zone) = TimeZone::of(&zone)? else { return Ok(Value::NULL) };
    let [year, month, day, iso_year, iso_week, iso_day, hour, minute, second, millisecond] = parts;
    let clock = Clock { hour, minute, second, millisecond };
    let is_natural = !numbers.first().is_none_or(Value::is_absent);
    check_year(if is_natural { "year" } else { "isoWeekYear" }, if is_natural { year } else { iso_year })?;
    let time = if is_natural {
        time_zone::natural(year, month, day, clock)
    } else {
        time_zone::iso(iso_year, iso_week, iso_day, clock)
    };
    match time {
        Some(time) => Ok(zone.moment(time).into()),
        None => error("$dateFromParts makes a date that is beyond the calendar".to_owned()),
    }
}

/// The range of the parts that carry over, except seconds and milliseconds, which may be any.
const PART_LEAST: i64 = -32_768;
const PART_MOST: i64 = 32_767;

/// A part of a date; `None` where it is null.
fn part_number(name: &str, value: &Value<'_>, otherwise: i64) -> Result<Option<i64>, QueryError> {
    if value.is_absent() {
        return Ok(Some(otherwise));
    }
    if value.is_nullish() {
        return Ok(None);
    }
    let Some(number) = value.number().and_then(Number::as_i64) else {
        let (found, shown) = (value.type_name(), value.show());
        return error(format!("'{name}' must evaluate to an integer, found {found} with value {shown}"));
    };
    let is_limited = !matches!(name, "year" | "isoWeekYear" | "second" | "millisecond");
    if is_limited && !(PART_LEAST..=PART_MOST).contains(&number) {
        return error(format!(
            "'{name}' must evaluate to a value in the range [{PART_LEAST}, {PART_MOST}]; value {number} is not in range"
        ));
    }
    Ok(Some(number))
}

fn check_year(name: &str, year: i64) -> Result<(), QueryError> {
    if (0..=9_999).contains(&year) {
        return Ok(());
    }
    error(format!("'{name}' must evaluate to an integer in the range 0 to 9999, found {year}"))
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
