//! A finding: what a check found, without a word of any language. `print.rs` gives it its texts by its id.

use std::fmt::Display;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// As it should be.
    Ok,
    /// Works, but may surprise.
    Warning,
    /// Something will not work.
    Fault,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// `family.name`: stable, for programs.
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    /// What its texts speak of, by name.
    pub(super) values: Vec<(&'static str, String)>,
}

impl Finding {
    pub(super) fn ok(id: &'static str) -> Finding {
        Finding::new(id, Severity::Ok)
    }

    pub(super) fn warning(id: &'static str) -> Finding {
        Finding::new(id, Severity::Warning)
    }

    pub(super) fn fault(id: &'static str) -> Finding {
        Finding::new(id, Severity::Fault)
    }

    pub(super) fn new(id: &'static str, severity: Severity) -> Finding {
        Finding { id, severity, values: Vec::new() }
    }

    /// The same, with a value for its texts.
    pub(super) fn with(mut self, name: &'static str, value: impl Display) -> Finding {
        self.values.push((name, value.to_string()));
        self
    }

    /// What was looked at: the part of the id before the point.
    pub(super) fn family(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }
}

impl Severity {
    /// As programs read it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Severity::Ok => "ok",
            Severity::Warning => "warning",
            Severity::Fault => "fault",
        }
    }
}
