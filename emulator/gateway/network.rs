//! Requests from the local network, which `emulator start --lan` lets in: by the doors of users alone, and with a token, since
//! anybody on that network can send them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use environment::Cloud;
use hyper::http::request::Parts;
use tokio::net::TcpStream;

use crate::envelope::query_value;
use crate::guard::Audience;
use crate::router::Endpoint;

/// Where a connection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// From this machine.
    Loopback,
    /// From the network, to this address of ours.
    Network(SocketAddr),
}

/// Why a request from the network is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Shut {
    #[error("this door is open to this machine only, not to the network")]
    Door,
    #[error("the address carries no `token`, or another emulator's: take it from what `emulator start --lan` printed")]
    Token,
}

impl Entrance {
    /// A connection that cannot tell counts as from the network, to an address that no request can name.
    pub(crate) fn of(stream: &TcpStream) -> Entrance {
        let unknown = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let ours = stream.local_addr().unwrap_or(unknown);
        if ours.ip().is_loopback() { Entrance::Loopback } else { Entrance::Network(ours) }
    }

    /// The host names it answers to; `usual` are those of the door.
    pub(crate) fn audience(self, usual: Audience) -> Audience {
        match self {
            Entrance::Loopback => usual,
            Entrance::Network(ours) => Audience::Network(ours.ip()),
        }
    }

    /// Whether a request may go through the door to `endpoint`, `rest` being what follows its path.
    pub(crate) fn check(self, cloud: &Cloud, parts: &Parts, endpoint: Endpoint, rest: &str) -> Result<(), Shut> {
        match (self, endpoint) {
            (Entrance::Loopback, _) => Ok(()),
            // Their addresses are signed, and given out by the others.
            (Entrance::Network(_), Endpoint::Download | Endpoint::Upload) => Ok(()),
            (Entrance::Network(_), Endpoint::Auth | Endpoint::Realtime | Endpoint::Rest | Endpoint::Web) => {
                check_token(cloud, parts)
            }
            (Entrance::Network(_), Endpoint::Emulator) if rest == "hello" => check_token(cloud, parts),
            (Entrance::Network(_), Endpoint::Admin | Endpoint::Emulator | Endpoint::Home | Endpoint::Ready) => {
                Err(Shut::Door)
            }
        }
    }

    /// The cloud as it is seen from here: the addresses it hands out lead back here.
    pub(crate) fn view(self, cloud: &Cloud) -> Cloud {
        match self {
            Entrance::Loopback => cloud.clone(),
            Entrance::Network(ours) => cloud.reached_at(&format!("http://{ours}")),
        }
    }
}

fn check_token(cloud: &Cloud, parts: &Parts) -> Result<(), Shut> {
    let is_ours = query_value(parts, "token").is_some_and(|token| cloud.is_network_token(&token));
    if is_ours { Ok(()) } else { Err(Shut::Token) }
}
