//! The one clock of an emulator: everything below is told the time, and asks here.

use document::DateTime;

/// The clock of one emulator.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock;

impl Clock {
    /// The time now, to the millisecond.
    pub(crate) fn now(&self) -> DateTime {
        DateTime::now()
    }

    /// The time now, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now().timestamp_millis()
    }
}
