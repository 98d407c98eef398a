//! The time in which transactions live: the machine's own, but whoever tells the time above can let more of it pass at once,
//! and stop it. It never goes back.

use std::time::{Duration, Instant};

/// What becomes of the time in which transactions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeChange {
    /// How much passes at once.
    pub passed: Duration,
    /// Whether it stands still from then on.
    pub frozen: bool,
}

/// How much time has passed since a moment of its own.
#[derive(Debug)]
pub(crate) struct TransactionTime {
    /// How much had passed when it was last changed.
    passed: Duration,
    /// When that was; `None` while time stands still.
    since: Option<Instant>,
}

impl TransactionTime {
    /// Nothing has passed, and time runs.
    pub(crate) fn starting(now: Instant) -> TransactionTime {
        TransactionTime { passed: Duration::ZERO, since: Some(now) }
    }

    pub(crate) fn passed(&self, now: Instant) -> Duration {
        let running = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.passed.saturating_add(running)
    }

    /// When that much will have passed; `None` for never, as things are.
    pub(crate) fn when(&self, passed: Duration) -> Option<Instant> {
        self.since?.checked_add(passed.saturating_sub(self.passed))
    }

    pub(crate) fn change(&mut self, change: TimeChange, now: Instant) {
        self.passed = self.passed(now).saturating_add(change.passed);
        self.since = (!change.frozen).then_some(now);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_runs_jumps_and_stands_still() {
        let begin = Instant::now();
        let at = |seconds: u32| begin + SECOND * seconds;
        let mut time = TransactionTime::starting(begin);
        assert_eq!((time.passed(at(2)), time.when(5 * SECOND)), (2 * SECOND, Some(at(5))));
        time.change(TimeChange { passed: 10 * SECOND, frozen: false }, at(2));
        assert_eq!((time.passed(at(3)), time.when(20 * SECOND)), (13 * SECOND, Some(at(10))));
        assert_eq!(time.when(5 * SECOND), Some(at(2)), "what is over is over since the change at the latest");
        time.change(TimeChange { passed: Duration::ZERO, frozen: true }, at(3));
        assert_eq!((time.passed(at(100)), time.when(14 * SECOND)), (13 * SECOND, None));
        time.change(TimeChange { passed: SECOND, frozen: true }, at(100));
        assert_eq!(time.passed(at(101)), 14 * SECOND);
        time.change(TimeChange { passed: Duration::ZERO, frozen: false }, at(101));
        assert_eq!((time.passed(at(102)), time.when(16 * SECOND)), (15 * SECOND, Some(at(103))));
    }

    #[test]
    fn its_end_is_never_reached() {
        let now = Instant::now();
        let mut time = TransactionTime::starting(now);
        assert_eq!(time.when(Duration::MAX), None);
        time.change(TimeChange { passed: Duration::MAX, frozen: false }, now);
        time.change(TimeChange { passed: Duration::MAX, frozen: false }, now + SECOND);
        assert_eq!(time.passed(now + SECOND), Duration::MAX);
    }
}
