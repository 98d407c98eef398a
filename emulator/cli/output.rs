//! What commands say, on standard output. Perhaps nobody listens any more: a closed pipe is no reason to fail, nor to stop an
//! emulator that serves others.

use std::fmt::Display;
use std::io::{self, Write};

/// Says a line, or several.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}
