//! A client of `/_emulator/*`, for commands that ask an emulator which runs.

use crate::language::text;
use bytes::Bytes;
use environment::Holder;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::Duration;
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

/// How long to wait for an emulator that is starting, before it is asked again.
const PATIENCE: Duration = Duration::from_millis(20);

/// Posts `body` to `path` of the emulator that `holder` describes and returns its answer. One that is starting is waited for.
pub(crate) async fn post(holder: &Holder, path: &str, body: &Value) -> Result<Value, ClientError> {
    loop {
        let (status, answer) = post_once(holder, path, body).await?;
        if status.is_success() {
            return Ok(answer);
        }
        // It is unavailable at no other time.
        if status != StatusCode::SERVICE_UNAVAILABLE {
            let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
            return Err(ClientError::Refused { code: text("code"), message: text("message") });
        }
        tokio::time::sleep(PATIENCE).await;
    }
}

async fn post_once(holder: &Holder, path: &str, body: &Value) -> Result<(StatusCode, Value), ClientError> {
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
    let status = response.status();
    Ok((status, serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn an_emulator_that_is_starting_is_waited_for() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let holder = Holder { pid: 1, port: listener.local_addr().unwrap().port(), token: "t".to_owned() };
        let answers = [
            ("503 Service Unavailable", "{\"code\":\"SYS_ERR\",\"message\":\"the emulator is starting\"}"),
            ("200 OK", "{\"collections\":[]}"),
            ("400 Bad Request", "{\"code\":\"INVALID_PARAM\",\"message\":\"no\"}"),
        ];
        let serving = tokio::spawn(async move {
            for (status, body) in answers {
                let mut stream = listener.accept().await.unwrap().0;
                assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let body = json!({});
        let ask = || post(&holder, "/_emulator/collections", &body);
        assert_eq!(ask().await.unwrap(), json!({ "collections": [] }));
        assert_eq!(ask().await.unwrap_err().to_string(), "no (INVALID_PARAM)");
        serving.await.unwrap();
    }
}
