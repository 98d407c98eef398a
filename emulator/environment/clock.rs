//! The one clock of an emulator: everything below is told the time, and asks here. It can be set, moved and stopped, for all
//! environments at once; an emulator starts with the machine's time.
//!
//! Connections, the timeouts of functions, the waiting of plain writes for transactions, and everything measured keep to the
//! machine's time.

use crate::cloud::Shared;
use crate::error::ActionError;
use database::TimeChange;
use document::DateTime;
use functions::CallClock;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, Time};

/// 1970-01-01T00:00:00.000Z.
const FIRST_MS: i64 = 0;
/// 9999-12-31T23:59:59.999Z.
const LAST_MS: i64 = 253_402_300_799_999;

const EXPECTED_TIME: &str =
    "a time such as 2030-01-01T08:00:00+08:00 or 2030-01-01, which means UTC, or milliseconds since 1970";
const EXPECTED_DURATION: &str = "a duration such as 1h30m, 2 days, 500ms or -1h, or milliseconds";

/// The clock of one emulator. A cheap handle: clones are the same clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    hand: Arc<RwLock<Hand>>,
}

/// What the clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    /// The machine's time and this much more.
    Running { offset_ms: i64 },
    /// The same time always.
    Frozen { at_ms: i64 },
}

/// How a clock is to be turned: in this order, whatever of it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Turn {
    /// Back to the machine's time, running.
    reset: bool,
    set_ms: Option<i64>,
    /// Negative for backwards.
    advance_ms: Option<i64>,
    /// Whether it stands still from then on; it goes on from where it stood.
    freeze: Option<bool>,
}

/// A turn as the developer asks for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockParams {
    #[serde(default)]
    reset: bool,
    set: Option<Value>,
    advance: Option<Value>,
    freeze: Option<bool>,
}

impl Clock {
    /// The time now, to the millisecond.
    pub(crate) fn now(&self) -> DateTime {
        DateTime::from_millis(self.now_ms())
    }

    /// The time now, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.hand().shows(machine_ms())
    }

    /// What a function that is called now is told.
    pub(crate) fn of_call(&self) -> CallClock {
        match self.hand() {
            Hand::Running { offset_ms } => CallClock::Running { offset_ms },
            Hand::Frozen { at_ms } => CallClock::Frozen { at_ms },
        }
    }

    /// Turns the clock, or leaves it as it is where that leads out of its years. Returns what it means to whoever measures
    /// time: going back lets none pass.
    fn turn(&self, turn: Turn) -> Result<TimeChange, ActionError> {
        let mut hand = self.hand.write().unwrap_or_else(PoisonError::into_inner);
        let machine_ms = machine_ms();
        let turned = hand.turned(turn, machine_ms)?;
        let passed_ms = turned.shows(machine_ms) - hand.shows(machine_ms);
        *hand = turned;
        let passed = Duration::from_millis(u64::try_from(passed_ms).unwrap_or(0));
        Ok(TimeChange { passed, frozen: turned.is_frozen() })
    }

    /// What the developer is told of it.
    fn show(&self) -> Value {
        let (hand, machine_ms) = (self.hand(), machine_ms());
        let now_ms = hand.shows(machine_ms);
        json!({
            "now": text_of(now_ms),
            "ms": now_ms,
            "offsetMs": now_ms - machine_ms,
            "frozen": hand.is_frozen(),
        })
    }

    fn hand(&self) -> Hand {
        *self.hand.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Hand {
    fn default() -> Hand {
        Hand::Running { offset_ms: 0 }
    }
}

impl Hand {
    fn shows(self, machine_ms: i64) -> i64 {
        match self {
            Hand::Running { offset_ms } => machine_ms.saturating_add(offset_ms).clamp(FIRST_MS, LAST_MS),
            Hand::Frozen { at_ms } => at_ms,
        }
    }

    fn is_frozen(self) -> bool {
        match self {
            Hand::Running { .. } => false,
            Hand::Frozen { .. } => true,
        }
    }

    fn turned(self, turn: Turn, machine_ms: i64) -> Result<Hand, ActionError> {
        let hand = if turn.reset { Hand::default() } else { self };
        let shown_ms = turn.set_ms.map_or_else(|| Ok(hand.shows(machine_ms)), |ms| within_years("set", Some(ms)))?;
        let advance_ms = turn.advance_ms.unwrap_or(0);
        let at_ms = within_years("advance", shown_ms.checked_add(advance_ms))?;
        Ok(if turn.freeze.unwrap_or(hand.is_frozen()) {
            Hand::Frozen { at_ms }
        } else {
            Hand::Running { offset_ms: at_ms - machine_ms }
        })
    }
}

impl Shared {
    /// Turns the clock as `params` say, if they say anything, and tells what it shows. Transactions whose time is over by that
    /// have ended when this returns.
    pub(crate) async fn turn_clock(&self, params: ClockParams) -> Result<Value, ActionError> {
        let turn = Turn::parse(&params)?;
        if turn != Turn::default() {
            // The store hears of one turn after the other, as they were made.
            let _turning = self.turning_clock.lock().await;
            self.store.change_time(self.clock.turn(turn)?).await?;
        }
        Ok(self.clock.show())
    }
}

impl Turn {
    fn parse(params: &ClockParams) -> Result<Turn, ActionError> {
        Ok(Turn {
            reset: params.reset,
            set_ms: params.set.as_ref().map(moment).transpose()?,
            advance_ms: params.advance.as_ref().map(duration_ms).transpose()?,
            freeze: params.freeze,
        })
    }
}

fn machine_ms() -> i64 {
    DateTime::now().timestamp_millis()
}

fn moment(value: &Value) -> Result<i64, ActionError> {
    let moment = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => moment_of(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    moment.ok_or_else(|| wrong("set", value, EXPECTED_TIME))
}

fn moment_of(text: &str) -> Option<i64> {
    let day = || Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    let moment =
        OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| Some(day()?.with_time(Time::MIDNIGHT).assume_utc()));
    i64::try_from(moment?.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

fn duration_ms(value: &Value) -> Result<i64, ActionError> {
    let duration = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => duration_of(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    duration.ok_or_else(|| wrong("advance", value, EXPECTED_DURATION))
}

fn duration_of(text: &str) -> Option<i64> {
    let (sign, length) = text.trim().strip_prefix('-').map_or((1, text), |length| (-1, length));
    let length = humantime::parse_duration(length.trim()).ok()?;
    i64::try_from(length.as_millis()).ok().map(|length| sign * length)
}

fn within_years(name: &str, ms: Option<i64>) -> Result<i64, ActionError> {
    ms.filter(|ms| (FIRST_MS..=LAST_MS).contains(ms)).ok_or_else(|| {
        ActionError::invalid_param(format!("{name} leads out of the years 1970 to 9999, which the clock has"))
    })
}

fn wrong(name: &str, value: &Value, expected: &str) -> ActionError {
    ActionError::invalid_param(format!("{name} is {value}: it must be {expected}"))
}

/// As `Date.prototype.toISOString` has it.
fn text_of(ms: i64) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    moment.ok().and_then(|moment| moment.format(format).ok()).unwrap_or_default() // the clock's years all have a text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const MACHINE_MS: i64 = 1_000 * HOUR_MS;
    const RUNNING: Hand = Hand::Running { offset_ms: 0 };

    fn turn(params: Value) -> Result<Turn, ActionError> {
        Turn::parse(&serde_json::from_value(params).map_err(|error| ActionError::invalid_param(error.to_string()))?)
    }

    fn check(hand: Hand, params: Value, expected: Hand) {
        assert_eq!(hand.turned(turn(params.clone()).unwrap(), MACHINE_MS), Ok(expected), "{params}");
    }

    #[test]
    fn it_is_turned_in_an_order_of_its_own() {
        let frozen = |hours: i64| Hand::Frozen { at_ms: hours * HOUR_MS };
        let running = |hours: i64| Hand::Running { offset_ms: hours * HOUR_MS };
        check(RUNNING, json!({}), RUNNING);
        check(RUNNING, json!({ "set": 1_500 * HOUR_MS }), running(500));
        check(RUNNING, json!({ "advance": "2h" }), running(2));
        check(running(2), json!({ "advance": -3 * HOUR_MS }), running(-1));
        check(running(2), json!({ "advance": "-3 hours" }), running(-1));
        check(running(2), json!({ "freeze": true }), frozen(1_002));
        check(frozen(7), json!({ "freeze": true }), frozen(7));
        check(frozen(7), json!({ "advance": "1h" }), frozen(8));
        check(frozen(7), json!({ "set": 0 }), frozen(0));
        check(frozen(7), json!({ "freeze": false }), running(7 - 1_000));
        check(frozen(7), json!({ "reset": true }), RUNNING);
        check(frozen(7), json!({ "reset": false }), frozen(7));
        check(running(2), json!({ "reset": true, "advance": "1h" }), running(1));
        check(frozen(7), json!({ "freeze": true, "advance": "1h", "set": 0, "reset": true }), frozen(1));
        check(frozen(7), json!({ "freeze": null, "set": null, "advance": null }), frozen(7));
    }

    #[test]
    fn times_and_durations_have_several_forms() {
        let set = |value: Value| turn(json!({ "set": value })).unwrap().set_ms.unwrap();
        assert_eq!(set(json!("2030-01-01T00:00:00Z")), 1_893_456_000_000);
        assert_eq!(set(json!("2030-01-01T08:00:00.0009+08:00")), 1_893_456_000_000);
        assert_eq!(set(json!("2030-01-01")), 1_893_456_000_000);
        assert_eq!(set(json!(1_893_456_000_000_i64)), 1_893_456_000_000);
        let advance = |value: Value| turn(json!({ "advance": value })).unwrap().advance_ms.unwrap();
        assert_eq!(advance(json!("1h30m")), 90 * 60_000);
        assert_eq!(advance(json!("90s")), 90_000);
        assert_eq!(advance(json!("2 days")), 48 * HOUR_MS);
        assert_eq!(advance(json!(" - 500ms ")), -500);
        assert_eq!(advance(json!(-1)), -1);
    }

    #[test]
    fn what_is_neither_is_refused() {
        for set in
            [json!(""), json!("tomorrow"), json!("2030-13-01"), json!("2030-01-01T00:00:00"), json!(0.5), json!({})]
        {
            assert!(turn(json!({ "set": set })).is_err(), "{set}");
        }
        for advance in [json!(""), json!("-"), json!("1"), json!("1 fortnight"), json!("--1h"), json!(0.5), json!([])] {
            assert!(turn(json!({ "advance": advance })).is_err(), "{advance}");
        }
        for params in [json!({ "freeze": "yes" }), json!({ "reset": 1 }), json!({ "stop": true })] {
            assert!(turn(params.clone()).is_err(), "{params}");
        }
    }

    #[test]
    fn its_years_are_1970_to_9999() {
        let within = |params: Value| RUNNING.turned(turn(params).unwrap(), MACHINE_MS).is_ok();
        assert!(within(json!({ "set": FIRST_MS })) && !within(json!({ "set": FIRST_MS - 1 })));
        assert!(within(json!({ "set": "9999-12-31T23:59:59.999Z" })) && !within(json!({ "set": LAST_MS + 1 })));
        assert!(!within(json!({ "set": "9999-12-31T23:59:59-01:00" })));
        assert!(!within(json!({ "set": LAST_MS, "advance": 1 })) && !within(json!({ "set": 0, "advance": "-1ms" })));
        assert!(!within(json!({ "advance": i64::MAX })) && !within(json!({ "advance": i64::MIN })));
        let end = RUNNING.turned(turn(json!({ "set": LAST_MS })).unwrap(), MACHINE_MS).unwrap();
        assert_eq!(end.shows(MACHINE_MS + 5), LAST_MS);
        assert_eq!(text_of(LAST_MS), "9999-12-31T23:59:59.999Z");
        assert_eq!(text_of(FIRST_MS), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn only_going_forward_lets_time_pass() {
        let clock = Clock::default();
        let passed = |params: Value| clock.turn(turn(params).unwrap()).unwrap();
        let change = |seconds: u64, frozen: bool| TimeChange { passed: Duration::from_secs(seconds), frozen };
        assert_eq!(passed(json!({ "freeze": true })), change(0, true));
        assert_eq!(passed(json!({ "advance": "31s" })), change(31, true));
        assert_eq!(passed(json!({ "set": 0, "freeze": false })), change(0, false));
        let before = clock.now_ms();
        assert!(clock.turn(turn(json!({ "advance": "9000 years" })).unwrap()).is_err());
        assert!((before..before + 60_000).contains(&clock.clone().now_ms()), "it is as it was");
    }
}
