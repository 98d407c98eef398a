//! The four simple permission modes (semantics §7.2): what each lets users do.

use super::Touch;
use super::permission::CUSTOM;
use crate::error::ActionError;

/// What the users of an environment may do with a collection, or with its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everybody reads, the creator writes. What files have by default.
    ReadOnly,
    /// The creator reads and writes. What collections have by default.
    Private,
    /// Everybody reads, administrators write.
    AdminWrite,
    /// Administrators alone.
    AdminOnly,
}

/// Which of several things a caller may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    All,
    /// What the caller created.
    Own,
    None,
}

/// Sorted by name, as the cloud's interface spells them.
const MODES: &[(&str, Mode)] = &[
    ("ADMINONLY", Mode::AdminOnly),
    ("ADMINWRITE", Mode::AdminWrite),
    ("PRIVATE", Mode::Private),
    ("READONLY", Mode::ReadOnly),
];

impl Mode {
    /// Reads a mode's name. The cloud's CUSTOM is none: it is what setting rules makes.
    pub(crate) fn parse(name: &str) -> Result<Mode, ActionError> {
        if name == CUSTOM {
            let message = "CUSTOM comes with rules: set them by `emulator rules set`, or write them in rules.json";
            return Err(ActionError::invalid_param(message));
        }
        let found = MODES.binary_search_by_key(&name, |(name, _)| name);
        let unknown = || {
            let names: Vec<&str> = MODES.iter().map(|(name, _)| *name).collect();
            ActionError::invalid_param(format!("`{name}` is no permission mode: there are {}", names.join(", ")))
        };
        found.ok().and_then(|index| MODES.get(index)).map(|(_, mode)| *mode).ok_or_else(unknown)
    }

    /// As `parse` reads it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::AdminOnly => "ADMINONLY",
            Mode::AdminWrite => "ADMINWRITE",
            Mode::Private => "PRIVATE",
            Mode::ReadOnly => "READONLY",
        }
    }

    /// Which documents or files users may read, or create, change and remove.
    pub(crate) fn reach(self, touch: Touch) -> Reach {
        match (self, touch) {
            (Mode::ReadOnly | Mode::AdminWrite, Touch::Read) => Reach::All,
            (Mode::Private, Touch::Read) | (Mode::ReadOnly | Mode::Private, Touch::Write) => Reach::Own,
            (Mode::AdminOnly, Touch::Read) | (Mode::AdminWrite | Mode::AdminOnly, Touch::Write) => Reach::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_read_back() {
        assert!(MODES.is_sorted_by_key(|(name, _)| *name));
        for (name, mode) in MODES {
            assert_eq!((Mode::parse(name), mode.name()), (Ok(*mode), *name));
        }
    }

    #[test]
    fn other_names_are_refused() {
        let message = |name: &str| Mode::parse(name).map_err(|error| error.message).err().unwrap_or_default();
        assert!(message("CUSTOM").contains("emulator rules set"));
        assert!(message("private").contains("PRIVATE"));
    }
}
