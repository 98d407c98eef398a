//! Time zones by Olson name or by offset from UTC, and calendar time in them. The calendar is `chrono`'s.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone as _, Timelike};
use chrono_tz::Tz;
use document::DateTime;

use super::value::Value;
use crate::QueryError;

/// Where the clock is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum TimeZone {
    /// A constant distance from UTC.
    Offset { seconds: i32 },
    /// A place, whose distance from UTC changes.
    Place(Tz),
}

/// A moment as a calendar and a clock in some time zone show it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local {
    pub(super) time: NaiveDateTime,
    /// How far the clock is ahead of UTC.
    pub(super) offset_seconds: i32,
}

impl TimeZone {
    pub(super) const UTC: TimeZone = TimeZone::Offset { seconds: 0 };

    /// Reads `Asia/Shanghai`, `UTC`, `+08:00`, `+0800`, `+08`.
    pub(super) fn parse(text: &str) -> Result<TimeZone, QueryError> {
        if let Some(seconds) = parse_offset(text) {
            return Ok(TimeZone::Offset { seconds });
        }
        if matches!(text, "Z" | "UTC" | "GMT") {
            return Ok(TimeZone::UTC);
        }
        let unknown = |_| QueryError::bad_query(format!("unrecognized time zone identifier: \"{text}\""));
        text.parse().map(TimeZone::Place).map_err(unknown)
    }

    /// An operator's argument `timezone`: UTC where it is not written, `None` where it is null.
    pub(super) fn of(argument: &Value<'_>) -> Result<Option<TimeZone>, QueryError> {
        match argument.text() {
            _ if argument.is_absent() => Ok(Some(TimeZone::UTC)),
            Some(text) => TimeZone::parse(text).map(Some),
            None if argument.is_nullish() => Ok(None),
            None => {
                let found = argument.type_name();
                Err(QueryError::bad_query(format!("timezone must evaluate to a string, found {found}")))
            }
        }
    }

    pub(super) fn is_utc(self) -> bool {
        matches!(self, TimeZone::Offset { seconds: 0 })
    }

    /// What the clock shows at a moment.
    pub(super) fn local(self, date: DateTime) -> Result<Local, QueryError> {
        let utc = chrono::DateTime::from_timestamp_millis(date.timestamp_millis()).map(|moment| moment.naive_utc());
        let local = utc.and_then(|utc| {
            let offset_seconds = match self {
                TimeZone::Offset { seconds } => seconds,
                TimeZone::Place(place) => place.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
            };
            let time = utc.checked_add_signed(TimeDelta::seconds(offset_seconds.into()))?;
            Some(Local { time, offset_seconds })
        });
        local.ok_or_else(|| out_of_range(date.timestamp_millis()))
    }

    /// The moment at which the clock shows `time`: the earlier of two; where the clock skips it, by the clock before.
    pub(super) fn moment(self, time: NaiveDateTime) -> DateTime {
        let seconds = match self {
            TimeZone::Offset { seconds } => seconds,
            TimeZone::Place(place) => offset_of_local(place, time),
        };
        let milliseconds = time.and_utc().timestamp_millis();
        DateTime::from_millis(milliseconds.saturating_sub(i64::from(seconds) * 1_000))
    }
}

fn offset_of_local(place: Tz, time: NaiveDateTime) -> i32 {
    let offset = |time: &NaiveDateTime| place.offset_from_local_datetime(time).earliest();
    let before = || time.checked_sub_days(Days::new(1)).and_then(|before| offset(&before));
    offset(&time).or_else(before).map_or(0, |offset| offset.fix().local_minus_utc())
}

/// Reads an offset from UTC in seconds.
pub(super) fn parse_offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "0"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':').filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i32>().ok()).flatten();
    Some(sign * (number(hours)? * 3_600 + number(minutes)? * 60))
}

/// A day and a time of day by their numbers, of which all but the year may be beyond their range and carry over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) millisecond: i64,
}

impl Clock {
    pub(super) const MIDNIGHT: Clock = Clock { hour: 0, minute: 0, second: 0, millisecond: 0 };

    fn milliseconds(self) -> i64 {
        let minutes = self.hour.saturating_mul(60).saturating_add(self.minute);
        let seconds = minutes.saturating_mul(60).saturating_add(self.second);
        seconds.saturating_mul(1_000).saturating_add(self.millisecond)
    }
}

/// The time at `clock` on a day of the common calendar. `None` outside of the calendar.
pub(super) fn natural(year: i64, month: i64, day: i64, clock: Clock) -> Option<NaiveDateTime> {
    let months = month - 1;
    let year = i32::try_from(year + months.div_euclid(12)).ok()?;
    let first = NaiveDate::from_ymd_opt(year, u32::try_from(months.rem_euclid(12) + 1).ok()?, 1)?;
    from_day(first, day - 1, clock)
}

/// The same by week and day of week, the week that holds January 4th being the first.
pub(super) fn iso(year: i64, week: i64, day_of_week: i64, clock: Clock) -> Option<NaiveDateTime> {
    let fourth = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, 1, 4)?;
    let monday = -i64::from(fourth.weekday().num_days_from_monday());
    from_day(fourth, monday + (week - 1) * 7 + day_of_week - 1, clock)
}

fn from_day(day: NaiveDate, days_later: i64, clock: Clock) -> Option<NaiveDateTime> {
    let later = TimeDelta::try_days(days_later)?.checked_add(&TimeDelta::try_milliseconds(clock.milliseconds())?)?;
    day.and_hms_opt(0, 0, 0)?.checked_add_signed(later)
}

impl Local {
    pub(super) fn millisecond(&self) -> i32 {
        small(self.time.nanosecond() / 1_000_000)
    }

    /// 1 is Sunday.
    pub(super) fn day_of_week(&self) -> i32 {
        small(self.time.weekday().number_from_sunday())
    }

    /// 1 is Monday.
    pub(super) fn iso_day_of_week(&self) -> i32 {
        small(self.time.weekday().number_from_monday())
    }

    /// Weeks begin on Sunday; the days before the first are in week 0.
    pub(super) fn week(&self) -> i32 {
        small((self.time.ordinal() + 6 - self.time.weekday().num_days_from_sunday()) / 7)
    }

    pub(super) fn iso_week(&self) -> i32 {
        small(self.time.iso_week().week())
    }

    pub(super) fn iso_week_year(&self) -> i32 {
        self.time.iso_week().year()
    }
}

/// A part of a date as an int.
pub(super) fn small(part: u32) -> i32 {
    i32::try_from(part).unwrap_or(i32::MAX)
}

pub(super) fn out_of_range(milliseconds: i64) -> QueryError {
    QueryError::bad_query(format!("the date {milliseconds} is beyond the calendar"))
}
