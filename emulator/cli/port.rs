//! Which port the doors listen on: the one asked for, or the first free one of ten.

use crate::language::text;
use gateway::{Gateway, Reach};
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;

/// The ports tried when none is asked for; a mini program's client looks for the emulator on the same ones.
pub(crate) const PORTS_DEFAULT: RangeInclusive<u16> = 7357..=7366;

/// Why no port could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortError {
    #[error("{}", text!("port-taken", port = .port.to_string(), holder = .holder.clone()))]
    Taken { port: u16, holder: String },
    #[error("{}", all_taken(.holder))]
    AllTaken { holder: String },
    #[error("{}", text!("port-unusable", port = .port.to_string(), reason = .source.to_string()))]
    Listen { port: u16, source: io::Error },
}

/// Listens on `port`, or on the first free one of the default ports.
pub(crate) async fn listen(port: Option<u16>, reach: Reach) -> Result<Gateway, PortError> {
    match port {
        Some(port) => listen_on(port, reach).await,
        None => listen_on_default(reach).await,
    }
}

async fn listen_on(port: u16, reach: Reach) -> Result<Gateway, PortError> {
    Gateway::bind(port, reach).await.map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => PortError::Taken { port, holder: holder(port) },
        _ => PortError::Listen { port, source },
    })
}

async fn listen_on_default(reach: Reach) -> Result<Gateway, PortError> {
    for port in PORTS_DEFAULT {
        match listen_on(port, reach).await {
            Err(PortError::Taken { .. }) => continue,
            outcome => return outcome,
        }
    }
    Err(PortError::AllTaken { holder: holder(*PORTS_DEFAULT.start()) })
}

fn all_taken(holder: &str) -> String {
    let (first, last) = (PORTS_DEFAULT.start().to_string(), PORTS_DEFAULT.end().to_string());
    text!("ports-taken", first = first, last = last, holder = holder)
}

/// The process that listens on `port`, for people.
fn holder(port: u16) -> String {
    match listeners::get_process_by_port(port, listeners::Protocol::TCP) {
        Ok(process) => text!("holder", name = process.name, pid = process.pid.to_string()),
        Err(_) => text!("holder-unseen"),
    }
}
