//! `/_emulator/*`: the emulator's own door, for its command line and for tests. JSON; every request but `hello` proves
//! itself with the bearer token of the data folder. Unlike the SDK doors it answers errors with HTTP statuses.

use std::hint::black_box;

use environment::{ActionError, Cloud, Invoked};
use hyper::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::body::{Answer, RequestBody};
use crate::dispatch::Note;
use crate::endpoints::action::BODY_LIMIT;
use crate::envelope;

/// The description of this door, in OpenAPI's terms.
const OPENAPI: &str = include_str!("openapi.json");

/// The body of `POST call`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    function: String,
    #[serde(default)]
    data: Value,
    /// The user in whose name the function is called; without one, it is called as by a server.
    openid: Option<String>,
    /// Without one, the default environment.
    env: Option<String>,
}

/// Answers one command.
pub(crate) async fn answer(
    cloud: &Cloud,
    parts: &Parts,
    command: &str,
    body: &mut RequestBody,
    note: &mut Note,
) -> Answer {
    if (&parts.method, command) == (&Method::GET, "hello") {
        return envelope::json(StatusCode::OK, &cloud.hello());
    }
    if !is_authorized(parts, cloud.token()) {
        return unauthorized(note);
    }
    note.action = Some(command.to_owned());
    match (&parts.method, command) {
        (&Method::GET, "status") => envelope::json(StatusCode::OK, &cloud.status()),
        (&Method::GET, "openapi.json") => envelope::answer(
            StatusCode::OK,
            HeaderValue::from_static("application/json; charset=utf-8"),
            OPENAPI.into(),
        ),
        (&Method::POST, "call") => call(cloud, body, note).await.unwrap_or_else(|error| {
            note.code = Some(error.code);
            envelope::refuse(StatusCode::BAD_REQUEST, error.code, &error.message)
        }),
        (&Method::POST, _) => manage(cloud, command, body, note).await.unwrap_or_else(|| nothing_there(parts, command)),
        _ => nothing_there(parts, command),
    }
}

/// A command of the cloud's own; `None`: there is none of that name.
async fn manage(cloud: &Cloud, command: &str, body: &mut RequestBody, note: &mut Note) -> Option<Answer> {
    let outcome = match read_object(body).await {
        Ok(params) => cloud.manage(command, params).await?,
        Err(error) => Err(error),
    };
    note.code = outcome.as_ref().err().map(|error| error.code);
    Some(match outcome {
        Ok(answer) => envelope::json(StatusCode::OK, &answer),
        Err(error) => envelope::refuse(StatusCode::BAD_REQUEST, error.code, &error.message),
    })
}

async fn read_object(body: &mut RequestBody) -> Result<Map<String, Value>, ActionError> {
    let body = body.read(BODY_LIMIT).await?;
    serde_json::from_slice(&body).map_err(|error| ActionError::bad_body(&error.to_string()))
}

fn nothing_there(parts: &Parts, command: &str) -> Answer {
    let message =
        format!("there is no {} /_emulator/{command}; GET /_emulator/openapi.json tells what there is", parts.method);
    envelope::refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &message)
}

/// Runs a function. Its own failure is a result like any other: HTTP 200 with `error`.
async fn call(cloud: &Cloud, body: &mut RequestBody, note: &mut Note) -> Result<Answer, ActionError> {
    let body = body.read(BODY_LIMIT).await?;
    let call: Call =
        serde_json::from_slice(&body).map_err(|error| ActionError::invalid_param(format!("the call: {error}")))?;
    let environment = cloud.environment(call.env.as_deref().unwrap_or_default())?;
    let invoked = environment.invoke(&call.function, call.data, call.openid.as_deref()).await;
    note.code = invoked.result.as_ref().err().map(|error| error.code);
    Ok(envelope::json(StatusCode::OK, &invoked_json(invoked)))
}

fn invoked_json(invoked: Invoked) -> Value {
    let logs: Vec<Value> = invoked.logs.iter().map(|line| json!({ "level": line.level, "text": line.text })).collect();
    let mut fields = Map::new();
    match invoked.result {
        Ok(result) => fields.insert("result".to_owned(), result),
        Err(error) => fields.insert("error".to_owned(), json!({ "code": error.code, "message": error.message })),
    };
    fields.insert("logs".to_owned(), Value::Array(logs));
    fields.insert("durationMs".to_owned(), json!(invoked.duration.as_secs_f64() * 1_000.0));
    fields.insert("requestId".to_owned(), Value::String(invoked.request_id));
    Value::Object(fields)
}

fn is_authorized(parts: &Parts, token: &str) -> bool {
    let sent = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    sent.is_some_and(|(_, sent)| !token.is_empty() && is_same(sent.trim().as_bytes(), token.as_bytes()))
}

/// Compares in a time that does not tell where the two differ. Their lengths are no secret.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    let difference = left.iter().zip(right).fold(0, |seen, (left, right)| black_box(seen | (left ^ right)));
    left.len() == right.len() && difference == 0
}

fn unauthorized(note: &mut Note) -> Answer {
    note.code = Some("UNAUTHORIZED");
    let message = "/_emulator needs `Authorization: Bearer TOKEN`; the token is in the data folder";
    let mut answer = envelope::refuse(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message);
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use hyper::Request;

    #[test]
    fn only_the_token_opens() {
        check(Some("Bearer secret"), true);
        check(Some("bearer secret"), true);
        for header in [
            None,
            Some(""),
            Some("secret"),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer secre"),
            Some("Bearer secret1"),
        ] {
            check(header, false);
        }
        check(Some("Basic secret"), false);
        check(Some("Bearer Secret"), false);
    }

    #[test]
    fn no_token_opens_nothing() {
        let parts = Request::builder().header("authorization", "Bearer ").body(()).unwrap().into_parts().0;
        assert!(!is_authorized(&parts, ""));
    }

    #[test]
    fn the_description_is_json_and_names_the_commands() {
        let description: Value = serde_json::from_str(OPENAPI).unwrap();
        let own = ["status", "call", "hello", "openapi.json"].into_iter();
        for command in own.chain(Cloud::commands()) {
            let path = format!("/_emulator/{command}");
            assert!(description["paths"][&path].is_object(), "{path}");
        }
    }

    fn check(header: Option<&str>, expected: bool) {
        let mut request = Request::builder();
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        assert_eq!(is_authorized(&parts, "secret"), expected, "{header:?}");
    }
}
