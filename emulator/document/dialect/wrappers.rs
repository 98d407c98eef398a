//! The objects of extended JSON that stand for a value, such as `{"$numberInt": "1"}`: one table of what each means.
//! They are read bottom up: where `{"$date": {"$numberLong": "0"}}` is read, its inside is a number already.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bson::raw::CString;
use bson::spec::BinarySubtype;
use bson::{
    Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp, Uuid, oid::ObjectId,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::DialectError;
use crate::number::Number;
use crate::value::ValueRef;

/// What an object turned out to be.
pub(super) enum Reading {
    /// It stands for this value.
    Value(Bson),
    /// It is a document like any other, operators such as `{"$gt": 1}` included.
    Plain,
    /// It names a type and does not fit it. The place is not filled in.
    Refused(DialectError),
}

/// Whether `key` names a type of extended JSON.
pub(super) fn is_wrapper(key: &str) -> bool {
    key.starts_with('$') && find(key).is_some()
}

/// Whether an object with `key` is refused or stands for something else than itself.
pub(super) fn is_known(key: &str) -> bool {
    is_wrapper(key) || WRAPPERS_UNSUPPORTED.contains(&key)
}

/// Reads an object of one field.
pub(super) fn read_single(key: &str, value: &Bson, now: DateTime) -> Reading {
    if !key.starts_with('$') || matches!(value, Bson::Null) {
        return Reading::Plain;
    }
    match find(key) {
        Some(wrapper) => wrapper.read(value, None, now),
        None if WRAPPERS_UNSUPPORTED.contains(&key) => refused_by_name(key),
        None => Reading::Plain,
    }
}

/// Reads an object of any number of fields.
pub(super) fn read(document: &Document, now: DateTime) -> Reading {
    if let Some((key, value)) = document.iter().next().filter(|_| document.len() == 1) {
        return read_single(key, value, now);
    }
    let found = document.iter().find_map(|(key, value)| find(key).map(|wrapper| (wrapper, value)));
    let Some((wrapper, value)) = found else { return Reading::Plain };
    let companion = wrapper.companion.and_then(|key| document.get(key)).filter(|_| document.len() == 2);
    match companion {
        _ if matches!(value, Bson::Null) => Reading::Plain,
        Some(companion) => wrapper.read(value, Some(companion), now),
        None if wrapper.is_operator_too => Reading::Plain,
        None => wrapper.malformed("it must be the only field of its object"),
    }
}

struct Wrapper {
    key: &'static str,
    /// The key that may stand beside it.
    companion: Option<&'static str>,
    /// Whether the key is an operator of queries as well: what does not fit is left to the query.
    is_operator_too: bool,
    meaning: Meaning,
}

/// The value that an object stands for, given what is under its key and under its companion, or what was expected.
type Meaning = fn(&Bson, Option<&Bson>, DateTime) -> Result<Bson, &'static str>;

const WRAPPERS: &[Wrapper] = &[
    Wrapper { companion: Some("$type"), ..wrapper("$binary", binary) },
    Wrapper { companion: Some("$scope"), ..wrapper("$code", code) },
    wrapper("$date", date),
    wrapper("$maxKey", max_key),
    wrapper("$minKey", min_key),
    wrapper("$numberDecimal", number_decimal),
    wrapper("$numberDouble", number_double),
    wrapper("$numberInt", number_int),
    wrapper("$numberLong", number_long),
    wrapper("$oid", oid),
    Wrapper { companion: Some("$options"), is_operator_too: true, ..wrapper("$regex", regex) },
    wrapper("$regularExpression", regular_expression),
    wrapper("$symbol", symbol),
    wrapper("$tcb_server_date", server_date),
    wrapper("$timestamp", timestamp),
    wrapper("$undefined", undefined),
    wrapper("$uuid", uuid),
];

const WRAPPERS_UNSUPPORTED: &[&str] = &["$dbPointer"];

const fn wrapper(key: &'static str, meaning: Meaning) -> Wrapper {
    Wrapper { key, companion: None, is_operator_too: false, meaning }
}

fn find(key: &str) -> Option<&'static Wrapper> {
    let index = WRAPPERS.binary_search_by(|wrapper| wrapper.key.cmp(key)).ok()?;
    WRAPPERS.get(index)
}

fn refused_by_name(key: &str) -> Reading {
    Reading::Refused(DialectError::Unsupported { name: key.to_owned() })
}

impl Wrapper {
    fn read(&self, value: &Bson, companion: Option<&Bson>, now: DateTime) -> Reading {
        match (self.meaning)(value, companion, now) {
            Ok(value) => Reading::Value(value),
            Err(_) if self.is_operator_too => Reading::Plain,
            Err(reason) => self.malformed(reason),
        }
    }

    fn malformed(&self, reason: &'static str) -> Reading {
        let wrapper = self.key.to_owned();
        Reading::Refused(DialectError::Malformed { wrapper, place: String::new(), reason })
    }
}

// Numbers

fn number_int(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    parse(value, "it must hold the text of a 32-bit integer").map(Bson::Int32)
}

fn number_long(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    parse(value, "it must hold the text of a 64-bit integer").map(Bson::Int64)
}

fn number_double(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    const EXPECTED: &str = "it must hold the text of a number, NaN, Infinity or -Infinity";
    match text(value, EXPECTED)? {
        "NaN" => Ok(Bson::Double(f64::NAN)),
        "Infinity" => Ok(Bson::Double(f64::INFINITY)),
        "-Infinity" => Ok(Bson::Double(f64::NEG_INFINITY)),
        odd_nan if odd_nan.starts_with("NaN(") => nan_of_bits(odd_nan).map(Bson::Double).ok_or(EXPECTED),
        // Rust's parser knows more names, such as "inf".
        number if number.contains(|letter: char| letter.is_alphabetic() && !matches!(letter, 'e' | 'E')) => {
            Err(EXPECTED)
        }
        number => number.parse().map(Bson::Double).map_err(|_| EXPECTED),
    }
}

/// `NaN(fff8000000000000)`, as the emulator writes a NaN that is not the usual one.
fn nan_of_bits(text: &str) -> Option<f64> {
    let digits = text.strip_prefix("NaN(")?.strip_suffix(')')?;
    let number = f64::from_bits(u64::from_str_radix(digits, 16).ok()?);
    Some(number).filter(|number| number.is_nan() && digits.len() == 16)
}

fn number_decimal(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    parse::<Decimal128>(value, "it must hold the text of a decimal number of at most 34 digits").map(Bson::Decimal128)
}

// Dates

fn date(value: &Bson, _: Option<&Bson>, now: DateTime) -> Result<Bson, &'static str> {
    const EXPECTED: &str = "it must hold milliseconds, an ISO 8601 date or {\"offset\": milliseconds}";
    let date = match value {
        Bson::String(text) => parse_date(text).ok_or(EXPECTED)?,
        Bson::Document(server_date) => now.saturating_add_millis(offset(server_date).ok_or(EXPECTED)?),
        number => DateTime::from_millis(milliseconds(number).ok_or(EXPECTED)?),
    };
    Ok(Bson::DateTime(date))
}

fn server_date(value: &Bson, _: Option<&Bson>, now: DateTime) -> Result<Bson, &'static str> {
    let offset = value.as_document().and_then(offset).ok_or("it must hold {\"offset\": milliseconds}")?;
    Ok(Bson::DateTime(now.saturating_add_millis(offset)))
}

/// `{"offset": milliseconds}`, or `{}` for none.
fn offset(server_date: &Document) -> Option<i64> {
    match (server_date.len(), server_date.get("offset")) {
        (0, _) => Some(0),
        (1, Some(offset)) => milliseconds(offset),
        (_, _) => None,
    }
}

/// A number of milliseconds, a fraction cut off as JavaScript's `Date` does.
fn milliseconds(value: &Bson) -> Option<i64> {
    match ValueRef::from(value).as_number()? {
        Number::Double(number) => Number::Double(number.trunc()).as_i64(),
        number => number.as_i64(),
    }
}

/// RFC 3339, also with an offset that lacks its colon (`+0800`), as MongoDB's own export tool wrote it.
fn parse_date(text: &str) -> Option<DateTime> {
    let with_colon = || {
        let (date, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        OffsetDateTime::parse(&format!("{date}:{minutes}"), &Rfc3339).ok()
    };
    let date = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(with_colon)?;
    let milliseconds = date.unix_timestamp_nanos().div_euclid(1_000_000);
    i64::try_from(milliseconds).ok().map(DateTime::from_millis)
}

fn timestamp(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    const EXPECTED: &str = "it must hold {\"t\": seconds, \"i\": count} or, for a date, seconds";
    let Bson::Document(body) = value else {
        let seconds = milliseconds(value).and_then(|seconds| seconds.checked_mul(1000)).ok_or(EXPECTED)?;
        return Ok(Bson::DateTime(DateTime::from_millis(seconds)));
    };
    let part = |key| ValueRef::from(body.get(key)?).as_number()?.as_i64().and_then(|part| u32::try_from(part).ok());
    match (part("t"), part("i"), body.len()) {
        (Some(time), Some(increment), 2) => Ok(Bson::Timestamp(Timestamp { time, increment })),
        (_, _, _) => Err(EXPECTED),
    }
}

// Texts and bytes

fn regex(pattern: &Bson, options: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    const EXPECTED: &str = "it must hold a text, and $options one beside it";
    let options = options.map_or(Ok(""), |options| text(options, EXPECTED))?;
    regular_expression_of(text(pattern, EXPECTED)?, options)
}

fn regular_expression(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    const EXPECTED: &str = "it must hold {\"pattern\": text, \"options\": text}";
    let body = value.as_document().filter(|body| body.len() == 2).ok_or(EXPECTED)?;
    let pattern = body.get_str("pattern").map_err(|_| EXPECTED)?;
    let options = body.get_str("options").map_err(|_| EXPECTED)?;
    regular_expression_of(pattern, options)
}

/// The options in alphabetical order, as BSON wants them.
fn regular_expression_of(pattern: &str, options: &str) -> Result<Bson, &'static str> {
    const EXPECTED: &str = "a regular expression cannot contain a NUL character";
    let mut letters: Vec<char> = options.chars().collect();
    letters.sort_unstable();
    let pattern = CString::try_from(pattern).map_err(|_| EXPECTED)?;
    let options = CString::try_from(String::from_iter(letters)).map_err(|_| EXPECTED)?;
    Ok(Bson::RegularExpression(Regex { pattern, options }))
}

fn binary(value: &Bson, legacy_subtype: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    const EXPECTED: &str = "it must hold {\"base64\": text, \"subType\": text of one or two hexadecimal digits}";
    let (base64, subtype) = match (value, legacy_subtype) {
        (Bson::Document(body), None) if body.len() == 2 => (body.get_str("base64"), body.get_str("subType")),
        (Bson::String(base64), Some(Bson::String(subtype))) => (Ok(base64.as_str()), Ok(subtype.as_str())),
        (_, _) => return Err(EXPECTED),
    };
    let bytes = STANDARD.decode(base64.map_err(|_| EXPECTED)?).map_err(|_| EXPECTED)?;
    let digits = subtype.ok().filter(|digits| matches!(digits.len(), 1 | 2)).ok_or(EXPECTED)?;
    let subtype = BinarySubtype::from(u8::from_str_radix(digits, 16).map_err(|_| EXPECTED)?);
    Ok(Bson::Binary(Binary { subtype, bytes }))
}

fn uuid(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    const EXPECTED: &str = "it must hold the text of a UUID";
    let uuid = Uuid::parse_str(text(value, EXPECTED)?).map_err(|_| EXPECTED)?;
    Ok(Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: uuid.bytes().to_vec() }))
}

fn oid(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    parse::<ObjectId>(value, "it must hold 24 hexadecimal digits").map(Bson::ObjectId)
}

fn symbol(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    Ok(Bson::Symbol(text(value, "it must hold a text")?.to_owned()))
}

fn code(value: &Bson, scope: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    let code = text(value, "it must hold the text of a program")?.to_owned();
    match scope {
        None => Ok(Bson::JavaScriptCode(code)),
        Some(Bson::Document(scope)) => {
            Ok(Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code, scope: scope.clone() }))
        }
        Some(_) => Err("$scope must hold an object"),
    }
}

// Values that are only a name

fn min_key(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    if is_one(value) { Ok(Bson::MinKey) } else { Err("it must hold 1") }
}

fn max_key(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    if is_one(value) { Ok(Bson::MaxKey) } else { Err("it must hold 1") }
}

fn undefined(value: &Bson, _: Option<&Bson>, _: DateTime) -> Result<Bson, &'static str> {
    if matches!(value, Bson::Boolean(true)) { Ok(Bson::Undefined) } else { Err("it must hold true") }
}

fn is_one(value: &Bson) -> bool {
    ValueRef::from(value).as_number().and_then(Number::as_i64) == Some(1)
}

fn text<'a>(value: &'a Bson, expected: &'static str) -> Result<&'a str, &'static str> {
    value.as_str().ok_or(expected)
}

fn parse<T: FromStr>(value: &Bson, expected: &'static str) -> Result<T, &'static str> {
    text(value, expected)?.parse().map_err(|_| expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(WRAPPERS.is_sorted_by_key(|wrapper| wrapper.key));
        assert!(WRAPPERS_UNSUPPORTED.is_sorted());
    }
}
