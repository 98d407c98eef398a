//! A client of `/_emulator/*`, for commands that ask an emulator which runs.

use crate::language::text;
use bytes::Bytes;
use environment::Holder;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Why the running emulator did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("{}", text!("client-silent", pid = .pid.to_string(), port = .port.to_string(), reason = .source.to_string()))]
    Connect { pid: u32, port: u16, source: std::io::Error },
    #[error("{}", text!("client-broken-off", reason = .0.to_string()))]
    Http(#[from] hyper::Error),
    #[error("{}", text!("client-unwritable", reason = .0.to_string()))]
    Request(#[from] hyper::http::Error),
    #[error("{}", text!("client-not-json", reason = .0.to_string()))]
    Json(#[from] serde_json::Error),
    #[error("{message} ({code})")]
    Refused { code: String, message: String },
}

/// Posts `body` to `path` of the emulator that `holder` describes and returns its answer.
pub(crate) async fn post(holder: &Holder, path: &str, body: &Value) -> Result<Value, ClientError> {
    let Holder { pid, port, token } = holder;
    let stream = TcpStream::connect(("127.0.0.1", *port)).await;
    let stream = stream.map_err(|source| ClientError::Connect { pid: *pid, port: *port, source })?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this question: one that is dropped is taken back, and the emulator cancels the work.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let request = Request::post(path)
        .header(HOST, format!("127.0.0.1:{port}"))
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))?;
    let response = sender.send_request(request).await?;
    let succeeded = response.status().is_success();
    let answer: Value = serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?;
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    if succeeded { Ok(answer) } else { Err(ClientError::Refused { code: text("code"), message: text("message") }) }
}
