//! Functions end to end: real worker processes, real JavaScript. One file a subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

mod failures;
mod modules;
mod printing;
mod sandbox;
mod time_and_text;
mod workers;
