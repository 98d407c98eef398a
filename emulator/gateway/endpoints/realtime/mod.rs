//! The WebSocket door `/ws` (protocol §4): takes a connection over from HTTP and lets it go in order when the emulator ends.
//! What is said on it is `conversation.rs`'s, how a frame is spelled `frames.rs`'s.

mod conversation;
mod frames;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use environment::Cloud;
use environment::codes::INVALID_PARAM;
use hyper::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::body::{Answer, AnswerBody};
use crate::envelope;
use conversation::converse;

/// The most a message may weigh. The largest is a query.
const MESSAGE_LIMIT: usize = 4 << 20;

/// How much is read at once. Frames of clients are small, and there may be thousands of clients.
const READ_AT_ONCE: usize = 4 << 10;

/// The WebSockets that are open.
#[derive(Clone, Debug)]
pub(crate) struct Sockets {
    tasks: Arc<Mutex<JoinSet<()>>>,
    /// Nothing is ever sent but `true`.
    closing: Arc<watch::Sender<bool>>,
}

impl Default for Sockets {
    fn default() -> Sockets {
        Sockets { tasks: Arc::default(), closing: Arc::new(watch::channel(false).0) }
    }
}

impl Sockets {
    /// Says goodbye on each, and waits until all have ended.
    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.lock());
        while tasks.join_next().await.is_some() {}
    }

    fn open(&self, socket: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(socket);
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Switches a connection over to WebSocket, or says what is missing.
pub(crate) fn answer(cloud: &Cloud, sockets: &Sockets, parts: &Parts) -> Answer {
    let (Some(key), Some(upgrade)) = (asked_key(parts), parts.extensions.get::<OnUpgrade>().cloned()) else {
        return upgrade_required();
    };
    let (cloud, closing) = (cloud.clone(), sockets.closing.subscribe());
    sockets.open(async move {
        match upgrade.await {
            Ok(stream) => {
                let limits = WebSocketConfig::default()
                    .read_buffer_size(READ_AT_ONCE)
                    .max_message_size(Some(MESSAGE_LIMIT))
                    .max_frame_size(Some(MESSAGE_LIMIT));
                let socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(limits)).await;
                converse(cloud, socket, closing).await;
            }
            Err(error) => tracing::debug!(%error, "a connection did not become a WebSocket"),
        }
    });
    switching(&key)
}

/// The key of a proper request to become a WebSocket.
fn asked_key(parts: &Parts) -> Option<HeaderValue> {
    let says = |name: HeaderName, word: &str| {
        let values = parts.headers.get_all(name);
        values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case(word))
    };
    let is_proper = parts.version == Version::HTTP_11
        && says(UPGRADE, "websocket")
        && says(CONNECTION, "upgrade")
        && says(SEC_WEBSOCKET_VERSION, "13");
    if is_proper { parts.headers.get(SEC_WEBSOCKET_KEY).cloned() } else { None }
}

fn switching(key: &HeaderValue) -> Answer {
    let mut answer = Answer::new(AnswerBody::from(Vec::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    // It is base64, which every header may hold.
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    answer
}

fn upgrade_required() -> Answer {
    let message = "this door takes WebSockets only: ask with Upgrade: websocket, version 13";
    let mut answer = envelope::refuse(StatusCode::UPGRADE_REQUIRED, INVALID_PARAM, message);
    answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    answer
}
