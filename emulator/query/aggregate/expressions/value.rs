//! Values in between: borrowed from the document or the expression as long as nothing changes them.

use std::cmp::Ordering;

use document::{ArrayRef, Bson, DateTime, DocumentRef, Number, ValueRef};

use crate::QueryError;

/// What an expression evaluates to.
pub(super) type Outcome<'a> = Result<Value<'a>, QueryError>;

/// A value, or that there is none.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    /// An argument that was not written, where that means something else than one whose value is missing.
    Absent,
    /// No value: a field that is not there.
    Missing,
    /// A value of the document or the expression.
    Borrowed(ValueRef<'a>),
    /// A value that was made.
    Owned(Bson),
}

impl<'a> Value<'a> {
    pub(super) const NULL: Value<'static> = Value::Owned(Bson::Null);

    /// The value seen; `None` where it is missing.
    pub(super) fn view(&self) -> Option<ValueRef<'_>> {
        match self {
            Value::Absent | Value::Missing => None,
            Value::Borrowed(value) => Some(*value),
            Value::Owned(value) => Some(value.into()),
        }
    }

    pub(super) fn into_bson(self) -> Option<Bson> {
        match self {
            Value::Absent | Value::Missing => None,
            Value::Borrowed(value) => Some(value.to_bson()),
            Value::Owned(value) => Some(value),
        }
    }

    /// The value as an array holds it: null where it is missing.
    pub(super) fn into_element(self) -> Bson {
        self.into_bson().unwrap_or(Bson::Null)
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Value::Absent)
    }

    /// Whether it is missing, null or undefined.
    pub(super) fn is_nullish(&self) -> bool {
        matches!(self.view(), None | Some(ValueRef::Null | ValueRef::Undefined))
    }

    pub(crate) fn is_true(&self) -> bool {
        self.view().is_some_and(is_true)
    }

    /// The type's name in error texts; `missing` is one.
    pub(super) fn type_name(&self) -> &'static str {
        self.view().map_or("missing", ValueRef::type_name)
    }

    pub(super) fn number(&self) -> Option<Number> {
        self.view()?.as_number()
    }

    /// The number as a 32-bit integer, if it is one.
    pub(super) fn int32(&self) -> Option<i32> {
        i32::try_from(self.number()?.as_i64()?).ok()
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.view()?.as_str()
    }

    pub(super) fn array(&self) -> Option<ArrayRef<'_>> {
        self.view()?.as_array()
    }

    pub(super) fn document(&self) -> Option<DocumentRef<'_>> {
        self.view()?.as_document()
    }

    /// The elements of an array; what is no array comes back.
    pub(super) fn into_elements(self) -> Result<Vec<Value<'a>>, Value<'a>> {
        match self {
            Value::Borrowed(ValueRef::Array(array)) => Ok(array.iter().map(Value::Borrowed).collect()),
            Value::Owned(Bson::Array(array)) => Ok(array.into_iter().map(Value::Owned).collect()),
            other => Err(other),
        }
    }

    /// The same, where NaN has no sign: which one arithmetic gives it is the machine's choice.
    pub(super) fn with_plain_nan(self) -> Value<'a> {
        match self {
            Value::Owned(Bson::Double(number)) if number.is_nan() => f64::NAN.into(),
            other => other,
        }
    }

    /// The value as error texts print it.
    pub(crate) fn show(&self) -> String {
        self.view().map_or_else(|| "MISSING".to_owned(), show)
    }
}

impl<T: Into<Bson>> From<T> for Value<'_> {
    fn from(value: T) -> Self {
        Value::Owned(value.into())
    }
}

/// MongoDB's idea of truth: all but false, zero, null and undefined.
pub(crate) fn is_true(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Boolean(flag) => flag,
        ValueRef::Null | ValueRef::Undefined => false,
        value => value.as_number().is_none_or(|number| number.compare(Number::Int32(0)).is_ne()),
    }
}

/// The order of all values, where what is missing stands below null.
pub(super) fn compare(left: &Value<'_>, right: &Value<'_>) -> Ordering {
    match (left.view(), right.view()) {
        (None, None) => Ordering::Equal,
        (None, Some(right)) => missing_to(right),
        (Some(left), None) => missing_to(left).reverse(),
        (Some(left), Some(right)) => document::compare(left, right),
    }
}

fn missing_to(value: ValueRef<'_>) -> Ordering {
    if matches!(value, ValueRef::MinKey) { Ordering::Greater } else { Ordering::Less }
}

/// A date as ISO 8601 with milliseconds, as conversions to text and error texts print it.
pub(super) fn date_text(date: DateTime) -> String {
    super::date_format::iso(date)
}

/// How many digits of a double MongoDB prints.
const DIGITS: i32 = 6;

/// A double as MongoDB prints it: six digits without zeros at the end, with an exponent where the point is far away.
pub(super) fn double_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = format!("{number:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..DIGITS).contains(&exponent) {
        let places = usize::try_from(DIGITS - 1 - exponent).unwrap_or_default();
        return without_zeros(&format!("{number:.places$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
}

/// A decimal fraction without zeros at its end.
fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

pub(crate) fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Double(number) => double_text(number),
        ValueRef::String(text) | ValueRef::Symbol(text) => format!("\"{text}\""),
        ValueRef::DateTime(date) => date_text(date),
        ValueRef::ObjectId(id) => id.to_hex(),
        ValueRef::Array(array) => format!("[{}]", array.iter().map(show).collect::<Vec<_>>().join(", ")),
        ValueRef::Document(document) => {
            let fields: Vec<String> = document.iter().map(|(name, value)| format!("{name}: {}", show(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => document::to_shell_text(other),
    }
}
