//! A client of `/_emulator/*`, for commands that ask an emulator which runs.

use bytes::Bytes;
use environment::Holder;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Why the running emulator did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("the emulator with process id {pid} does not answer on port {port}: {source}")]
    Connect { pid: u32, port: u16, source: std::io::Error },
    #[error("the running emulator broke off: {0}")]
    Http(#[from] hyper::Error),
    #[error("the request cannot be written: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("the running emulator answered something else than JSON: {0}")]
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
    tokio::spawn(connection);
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
