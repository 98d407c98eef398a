//! Dates as people and programs write them: ISO 8601 with its variants, slashes and dots, month names, JavaScript's own.
//! MongoDB reads more than these; what is not known here is an error there or here.

use std::sync::LazyLock;

use chrono::NaiveDateTime;
use document::DateTime;
use fancy_regex::{Captures, Regex, RegexBuilder};

use super::date_format::mistake;
use super::time_zone::{self, Clock, TimeZone};

const TIME: &str = concat!(
    r"(?:(?:t|\s+)(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?",
    r"(?:\s*(?<half>[ap])\.?m\.?)?",
    r"\s*(?<zone>z|utc|(?:gmt|utc)?[+-]\d{2}(?::?\d{2})?|gmt)?(?:\s*\([^)]*\))?)?$"
);

/// How a day may be written.
const DAYS: &[&str] = &[
    r"(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})",
    r"(?<year>\d{4})/(?<month>\d{1,2})/(?<day>\d{1,2})",
    r"(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})",
    r"(?<year>\d{4})-(?<month>\d{2})",
    r"(?<month>\d{1,2})/(?<day>\d{1,2})/(?<year>\d{4})",
    r"(?<day>\d{1,2})[-.](?<month>\d{1,2})[-.](?<year>\d{4})",
    r"(?:[a-z]{3,9},?\s+)?(?<name>[a-z]{3,9})\.?\s+(?<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?<year>\d{4})",
    r"(?:[a-z]{3,9},?\s+)?(?<day>\d{1,2})(?:st|nd|rd|th)?[\s-](?<name>[a-z]{3,9})[\s,-]+(?<year>\d{4})",
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

static FORMS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| DAYS.iter().filter_map(|day| compile(&format!("^{day}{TIME}"))).collect());

/// What lacks a day.
static INCOMPLETE: LazyLock<Option<Regex>> =
    LazyLock::new(|| compile(r"^(\d{4}|t?\d{1,2}:\d{2}(:\d{2})?(\.\d+)?\s*z?)$"));

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).case_insensitive(true).build().ok()
}

/// The moment that `text` names, read by the clock of `zone`. The error is MongoDB's reason.
pub(super) fn parse(text: &str, zone: Option<TimeZone>) -> Result<DateTime, String> {
    let trimmed = text.trim();
    let found = FORMS.iter().find_map(|form| form.captures(trimmed).ok().flatten());
    let Some((captures, time)) = found.and_then(|captures| time(&captures).map(|time| (captures, time))) else {
        return Err(refusal(text));
    };
    let zone = zone.unwrap_or(TimeZone::UTC);
    let Some(written) = captures.name("zone").map(|zone| zone.as_str()) else { return Ok(zone.moment(time)) };
    let offset = written.find(['+', '-']).and_then(|sign| written.get(sign..));
    at_offset(time, offset.and_then(time_zone::parse_offset), written, zone)
}

/// A time whose text tells the offset itself, which no other time zone may contradict.
pub(super) fn at_offset(
    time: NaiveDateTime,
    seconds: Option<i32>,
    written: &str,
    zone: TimeZone,
) -> Result<DateTime, String> {
    match seconds {
        _ if zone.is_utc() => Ok(TimeZone::Offset { seconds: seconds.unwrap_or(0) }.moment(time)),
        Some(_) => {
            Err("you cannot pass in a date/time string with GMT offset together with a timezone argument".to_owned())
        }
        None => Err(format!(
            "you cannot pass in a date/time string with time zone information ('{written}') together with a timezone \
             argument"
        )),
    }
}

fn refusal(text: &str) -> String {
    let is_incomplete = INCOMPLETE.as_ref().is_some_and(|form| form.is_match(text.trim()).unwrap_or(false));
    if is_incomplete || text.is_empty() {
        return format!("an incomplete date/time string has been found, with elements missing: \"{text}\"");
    }
    mistake(text, 0, "Unexpected character")
}

/// A day that its month does not have is one of the next month.
fn time(captures: &Captures<'_, str>) -> Option<NaiveDateTime> {
    let number = |name: &str| captures.name(name).and_then(|digits| digits.as_str().parse::<i64>().ok());
    let month = match captures.name("name") {
        Some(name) => month_of(name.as_str())?,
        None => number("month")?,
    };
    let day = number("day").unwrap_or(1);
    let clock = clock(captures)?;
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && is_on_clock(&clock);
    in_range.then(|| time_zone::natural(number("year")?, month, day, clock)).flatten()
}

fn is_on_clock(clock: &Clock) -> bool {
    clock.hour <= 24 && clock.minute < 60 && clock.second <= 60
}

fn clock(captures: &Captures<'_, str>) -> Option<Clock> {
    let part = |name: &str| captures.name(name).map(|part| part.as_str());
    let Some(hour) = part("hour") else { return Some(Clock::MIDNIGHT) };
    let hour: i64 = hour.parse().ok()?;
    let hour = match part("half") {
        None => hour,
        Some(_) if hour > 12 => return None,
        Some(half) => hour % 12 + if half.eq_ignore_ascii_case("p") { 12 } else { 0 },
    };
    let number = |name: &str| part(name).map_or(Some(0), |digits| digits.parse::<i64>().ok());
    let thousandths: String = part("fraction").unwrap_or_default().chars().chain("000".chars()).take(3).collect();
    Some(Clock { hour, minute: number("minute")?, second: number("second")?, millisecond: thousandths.parse().ok()? })
}

/// A month by its name, or by the first three letters of it.
fn month_of(name: &str) -> Option<i64> {
    let name = name.to_ascii_lowercase();
    let is_named =
        |month: &str| month == name || month.get(..3) == Some(&name) || (name == "sept" && month == "september");
    MONTHS.iter().position(|month| is_named(month)).and_then(|place| i64::try_from(place + 1).ok())
}
