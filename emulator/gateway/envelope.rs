//! Reply shapes: the envelope of the SDK doors (protocol §2.1), and the plain refusals that are no action's answer.

use std::borrow::Cow;

use environment::codes::SYS_ERR;
use environment::{ActionError, Reply};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::body::{Answer, AnswerBody};

/// node-sdk compares the whole text when it tells an error from raw bytes (protocol §2.10).
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

#[derive(Serialize)]
struct WithData<'a> {
    #[serde(rename = "requestId")]
    request_id: &'a str,
    data: &'a Value,
}

#[derive(Serialize)]
struct WithFields<'a> {
    #[serde(rename = "requestId")]
    request_id: &'a str,
    #[serde(flatten)]
    fields: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct WithError<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(rename = "requestId")]
    request_id: &'a str,
    /// What only the emulator says; the cloud's errors have no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    emulator: Option<&'a Value>,
}

/// The answer to an action: always HTTP 200, `code` present exactly when it failed.
pub(crate) fn seal(request_id: &str, outcome: Result<Reply, ActionError>) -> Answer {
    match &outcome {
        Ok(Reply::Data(data)) => json(StatusCode::OK, &WithData { request_id, data }),
        Ok(Reply::TopLevel(fields)) => json(StatusCode::OK, &WithFields { request_id, fields }),
        Err(error) => {
            let emulator = error.explanation.as_deref();
            json(StatusCode::OK, &WithError { code: error.code, message: &error.message, request_id, emulator })
        }
    }
}

/// A refusal by the gateway itself, with a status of its own and the same three fields.
pub(crate) fn refuse(status: StatusCode, code: &str, message: &str) -> Answer {
    json(status, &WithError { code, message, request_id: &fresh_request_id(), emulator: None })
}

/// `body` as JSON.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Answer {
    match serde_json::to_vec(body) {
        Ok(text) => answer(status, JSON, text),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            answer(StatusCode::INTERNAL_SERVER_ERROR, JSON, format!(r#"{{"code":"{SYS_ERR}"}}"#).into_bytes())
        }
    }
}

/// `body` as `content_type`.
pub(crate) fn answer(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Answer {
    let mut answer = Answer::new(AnswerBody::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}

/// The request id a query string carries, else a new one.
pub(crate) fn request_id_of_query(parts: &Parts) -> String {
    let named = query_value(parts, "eventId").or_else(|| query_value(parts, "seqId"));
    named.map_or_else(fresh_request_id, Cow::into_owned)
}

/// A request id for a request that brought none.
pub(crate) fn fresh_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The token of `Authorization: Bearer TOKEN`; `None` when absent or empty.
pub(crate) fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
}

/// The method that is meant: a mini program, which cannot send PATCH, sends POST and says so in a header.
pub(crate) fn method(parts: &Parts) -> &str {
    let meant = parts.headers.get("x-http-method-override").and_then(|value| value.to_str().ok());
    match (&parts.method, meant) {
        (&Method::POST, Some("PATCH")) => "PATCH",
        (method, _) => method.as_str(),
    }
}

/// Everything the query string says, decoded; of a name that stands twice, the first.
pub(crate) fn query_values(parts: &Parts) -> Map<String, Value> {
    let mut values = Map::new();
    for (name, value) in parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')) {
        let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        values.entry(decoded(name)).or_insert_with(|| Value::String(decoded(value)));
    }
    values
}

/// The first value of `name` in the query string, decoded; `None` when absent or empty.
pub(crate) fn query_value<'a>(parts: &'a Parts, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = parts.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, value)| *key == name && !value.is_empty())?;
    Some(percent_decode_str(value).decode_utf8_lossy())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use http_body_util::BodyExt;
    use serde_json::json;

    #[tokio::test]
    async fn replies_have_their_shapes() {
        check(Ok(Reply::Data(json!({"total": 1}))), json!({"requestId": "r", "data": {"total": 1}})).await;
        check(Ok(Reply::Data(Value::Null)), json!({"requestId": "r", "data": null})).await;
        let fields = Map::from_iter([("transactionId".to_owned(), json!("t"))]);
        check(Ok(Reply::TopLevel(fields)), json!({"requestId": "r", "transactionId": "t"})).await;
        let error = ActionError::invalid_param("why");
        check(Err(error.clone()), json!({"code": "INVALID_PARAM", "message": "why", "requestId": "r"})).await;
        let error = ActionError { explanation: Some(Box::new(json!({"reason": "x"}))), ..error };
        let expected =
            json!({"code": "INVALID_PARAM", "message": "why", "requestId": "r", "emulator": {"reason": "x"}});
        check(Err(error), expected).await;
    }

    #[test]
    fn query_values_are_found() {
        for (target, expected) in [
            ("/admin?&eventId=E&seqId=S", Some("E")),
            ("/admin?eventId=a%20b", Some("a b")),
            ("/admin?eventId=&seqId=S", None),
            ("/admin?xeventId=1", None),
            ("/admin?eventId", None),
            ("/admin", None),
        ] {
            let parts = hyper::Request::builder().uri(target).body(()).unwrap().into_parts().0;
            assert_eq!(query_value(&parts, "eventId").as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn bearers_and_methods_are_found() {
        let parts = |header: (&str, &str)| {
            let request = hyper::Request::builder().method("POST").header(header.0, header.1);
            request.body(()).unwrap().into_parts().0
        };
        for (header, expected) in
            [("Bearer t", Some("t")), ("bearer  t ", Some("t")), ("Basic t", None), ("Bearer ", None), ("t", None)]
        {
            assert_eq!(bearer(&parts(("authorization", header))), expected, "{header}");
        }
        assert_eq!(method(&parts(("x-http-method-override", "PATCH"))), "PATCH");
        assert_eq!(method(&parts(("x-http-method-override", "DELETE"))), "POST");
    }

    #[test]
    fn a_query_string_is_read_whole() {
        let parts = hyper::Request::builder().uri("/x?a=1&a=2&b=%7B%7D&c=a+b&d").body(()).unwrap().into_parts().0;
        assert_eq!(Value::Object(query_values(&parts)), json!({ "a": "1", "b": "{}", "c": "a b" }));
    }

    async fn check(outcome: Result<Reply, ActionError>, expected: Value) {
        let answer = seal("r", outcome);
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/json; charset=utf-8");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    }
}
