//! `emulator clock`: what a running emulator calls now. Without one there is no clock: a start begins with this machine's.

use crate::arguments::{ClockCommand, PlaceArguments};
use crate::ask::{AskError, Asked};
use crate::language::text;
use crate::output::say;
use serde_json::{Value, json};
use std::process::ExitCode;

const SECOND_MS: u64 = 1_000;
/// From the largest to the smallest, for people.
const UNITS: &[(&str, u64)] =
    &[("d", 24 * 60 * 60 * SECOND_MS), ("h", 60 * 60 * SECOND_MS), ("m", 60 * SECOND_MS), ("s", SECOND_MS), ("ms", 1)];

/// `emulator clock …`: changes the time, and prints it in any case.
pub(crate) async fn run(command: Option<ClockCommand>, place: PlaceArguments) -> Result<ExitCode, AskError> {
    let params = match command.unwrap_or(ClockCommand::Show) {
        ClockCommand::Show => json!({}),
        ClockCommand::Set { when } => json!({ "set": milliseconds_or_text(when) }),
        ClockCommand::Advance { duration } => json!({ "advance": milliseconds_or_text(duration) }),
        ClockCommand::Freeze => json!({ "freeze": true }),
        ClockCommand::Resume => json!({ "freeze": false }),
        ClockCommand::Reset => json!({ "reset": true }),
    };
    let clock = Asked::at(place)?.ask_running("clock", params).await?;
    say(describe(&clock));
    Ok(ExitCode::SUCCESS)
}

/// A number stands for milliseconds, as in the emulator's own interface.
fn milliseconds_or_text(text: String) -> Value {
    text.parse::<i64>().map_or_else(|_| json!(text), |milliseconds| json!(milliseconds))
}

fn describe(clock: &Value) -> String {
    let offset = clock["offsetMs"].as_i64().unwrap_or_default();
    let distance = duration(offset.unsigned_abs());
    let mut notes = Vec::new();
    match offset {
        0 => {}
        1.. => notes.push(text!("clock-ahead", distance = distance)),
        _ => notes.push(text!("clock-behind", distance = distance)),
    }
    if clock["frozen"] == true {
        notes.push(text!("clock-frozen"));
    }
    let now = clock["now"].as_str().unwrap_or_default();
    if notes.is_empty() { now.to_owned() } else { format!("{now}  ({})", notes.join(&text!("clock-between"))) }
}

/// The two largest units, such as `1h30m`.
fn duration(milliseconds: u64) -> String {
    let (mut rest, mut parts) = (milliseconds, Vec::new());
    for (unit, size) in UNITS {
        if rest >= *size {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    parts.truncate(2);
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_reads_as_it_would_be_typed() {
        for (milliseconds, expected) in
            [(1, "1ms"), (45_000, "45s"), (5_400_000, "1h30m"), (90_061_001, "1d1h"), (86_400_005, "1d5ms")]
        {
            assert_eq!(duration(milliseconds), expected);
        }
    }

    #[test]
    fn the_time_comes_with_what_is_unusual_about_it() {
        let now = "2030-01-01T00:00:00.000Z";
        for (offset, frozen, expected) in [
            (0, false, now.to_owned()),
            (5_400_000, false, format!("{now}  (1h30m ahead of this machine)")),
            (-1_000, true, format!("{now}  (1s behind this machine, frozen)")),
        ] {
            assert_eq!(describe(&json!({ "now": now, "offsetMs": offset, "frozen": frozen })), expected);
        }
    }

    #[test]
    fn digits_are_milliseconds() {
        for (text, expected) in [("1500", json!(1500)), ("-5", json!(-5)), ("1h30m", json!("1h30m"))] {
            assert_eq!(milliseconds_or_text(text.to_owned()), expected);
        }
    }
}
