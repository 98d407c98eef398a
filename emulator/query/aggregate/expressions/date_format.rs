//! Formats of dates such as `%Y-%m-%d`: written by `$dateToString`, read by `$dateFromString`.

use chrono::{Datelike, NaiveDateTime, Timelike};
use document::DateTime;

use super::time_zone::{self, Clock, Local, TimeZone};
use crate::QueryError;

/// How dates are written by default.
pub(super) const ISO: &str = "%Y-%m-%dT%H:%M:%S.%LZ";

const YEAR_MAX: i32 = 9_999;

/// A date as ISO 8601 with milliseconds.
pub(super) fn iso(date: DateTime) -> String {
    let written = TimeZone::UTC.local(date).and_then(|local| write(ISO, &local));
    written.unwrap_or_else(|_| date.timestamp_millis().to_string())
}

/// A piece of a format.
enum Piece {
    Text(char),
    Part(char),
}

/// The pieces of a format; `parts` are the letters it may hold.
fn pieces(format: &str, parts: &str) -> Result<Vec<Piece>, QueryError> {
    let mut characters = format.chars();
    let mut pieces = Vec::new();
    while let Some(next) = characters.next() {
        pieces.push(match next {
            '%' => match characters.next() {
                Some('%') => Piece::Text('%'),
                Some(part) if parts.contains(part) => Piece::Part(part),
                Some(other) => return error(format!("Invalid format character '%{other}' in format string")),
                None => return error("Unmatched '%' at end of format string".to_owned()),
            },
            text => Piece::Text(text),
        });
    }
    Ok(pieces)
}

/// Whether dates can be written so.
pub(super) fn check(format: &str) -> Result<(), QueryError> {
    pieces(format, "YmdHMSLjuUVwGzZ").map(drop)
}

/// The date by the format.
pub(super) fn write(format: &str, date: &Local) -> Result<String, QueryError> {
    let mut text = String::with_capacity(format.len() + 8);
    for piece in pieces(format, "YmdHMSLjuUVwGzZ")? {
        match piece {
            Piece::Text(next) => text.push(next),
            Piece::Part(part) => text.push_str(&write_part(part, date)?),
        }
    }
    Ok(text)
}

fn write_part(part: char, date: &Local) -> Result<String, QueryError> {
    let time = &date.time;
    Ok(match part {
        'Y' => year(time.year())?,
        'G' => year(date.iso_week_year())?,
        'm' => format!("{:02}", time.month()),
        'd' => format!("{:02}", time.day()),
        'H' => format!("{:02}", time.hour()),
        'M' => format!("{:02}", time.minute()),
        'S' => format!("{:02}", time.second()),
        'L' => format!("{:03}", date.millisecond()),
        'j' => format!("{:03}", time.ordinal()),
        'u' => date.iso_day_of_week().to_string(),
        'w' => date.day_of_week().to_string(),
        'U' => format!("{:02}", date.week()),
        'V' => format!("{:02}", date.iso_week()),
        'z' => {
            let minutes = date.offset_seconds / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
        _ => (date.offset_seconds / 60).to_string(),
    })
}

fn year(year: i32) -> Result<String, QueryError> {
    if !(0..=YEAR_MAX).contains(&year) {
        return error(format!("dateToString is only defined on year 0-9999, tried to use year {year}"));
    }
    Ok(format!("{year:04}"))
}

/// A date read by a format.
#[derive(Default)]
struct Reading {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    millisecond: i64,
    offset_seconds: Option<i32>,
}

/// What `text` means by `format`: the time and, where it says so, how far its clock is ahead of UTC.
/// The inner error says why the text does not fit; the outer one is the format's own.
pub(super) fn read(format: &str, text: &str) -> Result<Result<(NaiveDateTime, Option<i32>), String>, QueryError> {
    let pieces = pieces(format, "YmdHMSLuVGzZ")?;
    let mut reading = Reading::default();
    let mut rest = text;
    for piece in pieces {
        let place = text.len() - rest.len();
        let step = match piece {
            Piece::Text(expected) => rest.strip_prefix(expected).ok_or("Format literal not found"),
            Piece::Part(part) => reading.part(part, rest),
        };
        match step {
            Ok(after) => rest = after,
            Err(reason) => return Ok(Err(mistake(text, place, reason))),
        }
    }
    if !rest.is_empty() {
        return Ok(Err(mistake(text, text.len() - rest.len(), "Trailing data")));
    }
    let incomplete = || format!("an incomplete date/time string has been found, with elements missing: \"{text}\"");
    Ok(reading.time().ok_or_else(incomplete).map(|time| (time, reading.offset_seconds)))
}

/// What is wrong with a date as text, and where.
pub(super) fn mistake(text: &str, place: usize, reason: &str) -> String {
    let next = text.get(place..).and_then(|rest| rest.chars().next());
    let next = next.map(|next| format!(" '{next}'")).unwrap_or_default();
    format!("Error parsing date string '{text}'; {place}: {reason}{next}")
}

impl Reading {
    /// Takes one part from the front of `text`; the rest comes back.
    fn part<'t>(&mut self, part: char, text: &'t str) -> Result<&'t str, &'static str> {
        if part == 'z' || part == 'Z' {
            return self.offset(part, text);
        }
        let (least, most) = match part {
            'Y' | 'G' => (4, 4),
            'L' => (1, 3),
            'u' => (1, 1),
            _ => (1, 2),
        };
        let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = text.split_at_checked(length).ok_or("Unexpected character")?;
        let number: i64 = digits.parse().ok().filter(|_| length >= least).ok_or("Unexpected data found")?;
        let (target, range) = match part {
            'Y' => (&mut self.year, 0..=9_999),
            'G' => (&mut self.iso_year, 0..=9_999),
            'm' => (&mut self.month, 1..=12),
            'd' => (&mut self.day, 1..=31),
            'V' => (&mut self.iso_week, 1..=53),
            'u' => (&mut self.iso_day, 1..=7),
            _ => return self.clock(part, number, length).map(|()| rest),
        };
        if !range.contains(&number) {
            return Err("Unexpected data found");
        }
        *target = Some(number);
        Ok(rest)
    }

    fn clock(&mut self, part: char, number: i64, length: usize) -> Result<(), &'static str> {
        let (target, end) = match part {
            'H' => (&mut self.hour, 24),
            'M' => (&mut self.minute, 60),
            'S' => (&mut self.second, 60),
            _ => (&mut self.millisecond, 1_000),
        };
        // `.5` is half a second.
        *target = if part == 'L' { number * [100, 10, 1].get(length - 1).unwrap_or(&1) } else { number };
        if number < end { Ok(()) } else { Err("Unexpected data found") }
    }

    fn offset<'t>(&mut self, part: char, text: &'t str) -> Result<&'t str, &'static str> {
        let wanted = |next: &char| next.is_ascii_digit() || matches!(next, '+' | '-' | ':');
        let length = text.chars().take_while(wanted).count();
        let (digits, rest) = text.split_at_checked(length).ok_or("Unexpected character")?;
        let seconds = match part {
            'z' => time_zone::parse_offset(digits),
            _ => digits.parse::<i32>().ok().filter(|minutes| minutes.abs() < 24 * 60).map(|minutes| minutes * 60),
        };
        let utc = || text.strip_prefix('Z').map(|rest| (0, rest));
        let (seconds, rest) = seconds.map(|seconds| (seconds, rest)).or_else(utc).ok_or("Unexpected data found")?;
        self.offset_seconds = Some(seconds);
        Ok(rest)
    }

    fn time(&self) -> Option<NaiveDateTime> {
        let clock = Clock { hour: self.hour, minute: self.minute, second: self.second, millisecond: self.millisecond };
        match (self.year, self.iso_year) {
            (Some(year), _) => time_zone::natural(year, self.month?, self.day?, clock),
            (None, Some(year)) => time_zone::iso(year, self.iso_week.unwrap_or(1), self.iso_day.unwrap_or(1), clock),
            (None, None) => None,
        }
    }
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
