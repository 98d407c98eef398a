//! The wire: HTTP on loopback, each SDK's envelope, file bodies. This file accepts connections and closes them again; one
//! request is `dispatch.rs`. No rule of the cloud is decided here: that is the floor below, `environment`.

mod body;
mod cors;
mod dispatch;
mod endpoints;
mod envelope;
mod guard;
mod network;
mod router;

pub use guard::{BadOrigin, Origin};

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use endpoints::realtime::Sockets;
use environment::Cloud;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use network::Entrance;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How long a connection may take to send the head of its next request. Ends idle keep-alive connections too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long `close` waits for requests that are being answered.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to rest after a failed accept: the usual cause is that no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The one listener of an emulator. It answers from the moment it is bound: with 503 until `open` gives it a cloud.
/// Dropped without `close`, it stops accepting and lets go of its connections in the background.
#[derive(Debug)]
pub struct Gateway {
    port: u16,
    state: Arc<State>,
    /// Nothing is ever sent but `true`; dropping it means the same.
    closing: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// From where an emulator can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This machine alone.
    Loopback,
    /// The local network too, by the doors of users and with [`Cloud::network_token`].
    Network,
}

/// What every request sees.
#[derive(Default)]
pub(crate) struct State {
    /// Empty until the emulator is ready.
    pub(crate) cloud: OnceLock<Cloud>,
    /// Empty until the developer named some.
    pub(crate) origins: OnceLock<Vec<Origin>>,
    pub(crate) sockets: Sockets,
}

impl std::fmt::Debug for State {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("State").field("open", &self.cloud.get().is_some()).finish()
    }
}

impl Reach {
    fn address(self) -> Ipv4Addr {
        match self {
            Reach::Loopback => Ipv4Addr::LOCALHOST,
            Reach::Network => Ipv4Addr::UNSPECIFIED,
        }
    }
}

impl Gateway {
    /// Binds `port` (0: a free port) and starts answering: `GET /readyz` and everything else with 503.
    ///
    /// # Errors
    /// The operating system's, most often that the port is taken.
    pub async fn bind(port: u16, reach: Reach) -> io::Result<Gateway> {
        let listener = TcpListener::bind((reach.address(), port)).await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State::default());
        let (closing, closed) = watch::channel(false);
        let serving = tokio::spawn(accept_connections(listener, Arc::clone(&state), closed));
        Ok(Gateway { port, state, closing, serving })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets pages of `origins` in by the doors for pages, beside those of loopback. A second call changes nothing.
    pub fn let_in(&self, origins: Vec<Origin>) {
        if self.state.origins.set(origins).is_err() {
            tracing::warn!("the origins are settled already");
        }
    }

    /// Opens every door on `cloud`; `/readyz` answers 200 from now on. A second call changes nothing.
    pub fn open(&self, cloud: Cloud) {
        if self.state.cloud.set(cloud).is_err() {
            tracing::warn!("the gateway is open already");
        }
    }

    /// Stops accepting, closes idle connections and WebSockets at once and waits for running requests, at most 10 s.
    pub async fn close(self) {
        self.closing.send_replace(true);
        self.state.sockets.close().await;
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the accept loop failed");
        }
    }
}

async fn accept_connections(listener: TcpListener, state: Arc<State>, mut closing: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = closing.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve_connection(stream, Arc::clone(&state), closing.clone())); }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(CLOSE_TIMEOUT, finished).await.is_err() {
        tracing::warn!(left = connections.len(), "some requests did not end in time and are cut off");
        connections.shutdown().await;
    }
}

/// One connection, to its end. `half_close` is on so that a request once received is carried to its end even when the client
/// has gone, as in the cloud: a function is not cut off because its caller hung up.
async fn serve_connection(stream: TcpStream, state: Arc<State>, mut closing: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let entrance = Entrance::of(&stream);
    let service = service_fn(|request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(dispatch::answer(&state, entrance, request).await) }
    });
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).half_close(true);
    let mut connection = pin!(protocol.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        _ = closing.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
