//! Asks whoever listens on a port whether it is an emulator.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::time::Duration;
use tokio::net::TcpStream;

/// An emulator on this machine answers at once; anything else need not be waited for.
const PATIENCE: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What an emulator answers to `GET /_emulator/hello`, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Hello {
    emulator: bool,
    pub(super) appid: String,
}

/// The emulator on `port`; `None` if nobody answers, or not as an emulator does.
pub(super) async fn hello(port: u16) -> Option<Hello> {
    let answer = tokio::time::timeout(PATIENCE, ask(port)).await.ok()??;
    let hello: Hello = serde_json::from_slice(&answer).ok()?;
    hello.emulator.then_some(hello)
}

async fn ask(port: u16) -> Option<Bytes> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let request = Request::get("/_emulator/hello").header(HOST, format!("127.0.0.1:{port}"));
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).ok()?).await.ok()?;
    Some(Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.ok()?.to_bytes())
}
