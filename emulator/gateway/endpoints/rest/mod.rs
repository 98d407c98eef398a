//! `/v1/*`: @cloudbase/js-sdk 3.x, in dialect G (protocol §6). A method and a path are an action of the vocabulary, or several;
//! bodies have no envelope, and errors are `{code, message}` with a status (semantics §9.5).

mod database;
mod storages;

use std::borrow::Cow;

use environment::codes::*;
use environment::{ActionError, Cloud, Environment, Reply};
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::body::{Answer, RequestBody};
use crate::dispatch::Note;
use crate::endpoints::action::{BODY_LIMIT, REQUEST_ID_LIMIT};
use crate::envelope::{self, bearer};

/// What the cloud has below `/v1` and the emulator has not, sorted (protocol §6.4).
const FAMILIES_UNSUPPORTED: &[&str] = &["ai", "aibot", "apis", "cloudrun", "model", "rdb", "sql"];

/// The statuses of codes, sorted (semantics §9.5). Any other code is a bad request.
const STATUSES: &[(&str, StatusCode)] = &[
    (ACCESS_TOKEN_EXPIRED, StatusCode::UNAUTHORIZED),
    (CHECK_LOGIN_FAILED, StatusCode::UNAUTHORIZED),
    (DATABASE_COLLECTION_ALREADY_EXIST, StatusCode::CONFLICT),
    (DATABASE_COLLECTION_NOT_EXIST, StatusCode::NOT_FOUND),
    (DATABASE_DUPLICATE_WRITE, StatusCode::CONFLICT),
    (DATABASE_PERMISSION_DENIED, StatusCode::UNAUTHORIZED),
    (DATABASE_REQUEST_FAILED, StatusCode::INTERNAL_SERVER_ERROR),
    ("DATABASE_TRANSACTION_CONFLICT", StatusCode::SERVICE_UNAVAILABLE),
    ("DATABASE_TRANSACTION_FAIL", StatusCode::SERVICE_UNAVAILABLE),
    (DOCUMENT_NOT_FOUND, StatusCode::NOT_FOUND),
    (FUNCTIONS_EXECUTE_FAIL, StatusCode::INTERNAL_SERVER_ERROR),
    (FUNCTIONS_MEMORY_LIMIT_EXCEEDED, StatusCode::INTERNAL_SERVER_ERROR),
    (FUNCTIONS_TIME_LIMIT_EXCEEDED, StatusCode::GATEWAY_TIMEOUT),
    (FUNCTION_NOT_FOUND, StatusCode::NOT_FOUND),
    (NOT_FOUND, StatusCode::NOT_FOUND),
    (STORAGE_EXCEED_AUTHORITY, StatusCode::FORBIDDEN),
    (STORAGE_FILE_NONEXIST, StatusCode::NOT_FOUND),
    (STORAGE_REQUEST_FAIL, StatusCode::INTERNAL_SERVER_ERROR),
    (SYS_ERR, StatusCode::INTERNAL_SERVER_ERROR),
];

/// Who asks, and of which environment.
struct Asker<'a> {
    environment: Environment,
    token: Option<&'a str>,
}

/// Answers one request for `path`, which is what follows `/v1/`.
pub(crate) async fn answer(
    cloud: &Cloud,
    parts: &Parts,
    path: &str,
    body: &mut RequestBody,
    note: &mut Note,
) -> Answer {
    note.request_id = Some(request_id(parts));
    let outcome = carry_out(cloud, parts, path, body, note).await;
    outcome.unwrap_or_else(|error| {
        note.code = Some(error.code);
        refuse(&error, note.request_id.as_deref().unwrap_or_default())
    })
}

async fn carry_out(
    cloud: &Cloud,
    parts: &Parts,
    path: &str,
    body: &mut RequestBody,
    note: &mut Note,
) -> Result<Answer, ActionError> {
    let segments: Vec<Cow<'_, str>> =
        path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
    let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
    let token = bearer(parts);
    let asker = Asker { environment: cloud.environment_of_token(token)?, token };
    let body = body.read(BODY_LIMIT).await?;
    match segments[..] {
        ["database", "instances", instance, "databases", database, ref rest @ ..] => {
            database::check_place(instance, database)?;
            let (action, params) =
                database::request(parts, rest, &body)?.ok_or_else(|| nothing_there(&parts.method, path))?;
            let reply = asker.call(note.action.insert(action.to_owned()), params).await?;
            Ok(envelope::json(StatusCode::OK, &reply))
        }
        ["functions", name] if parts.method == Method::POST => {
            note.action = Some("functions.invokeFunction".to_owned());
            asker.invoke(name, &body).await
        }
        ["storages", verb] if parts.method == Method::POST => {
            note.action = Some(format!("storages/{verb}"));
            let items: Vec<Map<String, Value>> = serde_json::from_slice(&body)
                .map_err(|error| ActionError::invalid_param(format!("the body is no array of objects: {error}")))?;
            let list = storages::answer(&asker, verb, items).await?;
            Ok(envelope::json(StatusCode::OK, &list.ok_or_else(|| nothing_there(&parts.method, path))?))
        }
        [family, ..] if FAMILIES_UNSUPPORTED.contains(&family) => {
            Err(ActionError::unsupported(&format!("/v1/{family}")))
        }
        _ => Err(nothing_there(&parts.method, path)),
    }
}

impl Asker<'_> {
    /// What an action answers, without an envelope.
    async fn call(&self, action: &str, params: Map<String, Value>) -> Result<Value, ActionError> {
        Ok(match self.environment.call_as_user(self.token, action, params).await? {
            Reply::Data(data) => data,
            Reply::TopLevel(fields) => Value::Object(fields),
        })
    }

    /// Calls a function: the body is its data, the answer its result.
    async fn invoke(&self, name: &str, data: &[u8]) -> Result<Answer, ActionError> {
        let data = std::str::from_utf8(data).map_err(|error| ActionError::bad_body(&error.to_string()))?;
        let params = json!({ "function_name": name, "request_data": data });
        let Value::Object(params) = params else { return Err(ActionError::bad_body("no data")) };
        let mut reply = self.call("functions.invokeFunction", params).await?;
        let result = match reply["response_data"].take() {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Ok(envelope::answer(StatusCode::OK, HeaderValue::from_static("application/json; charset=utf-8"), result.into()))
    }
}

fn request_id(parts: &Parts) -> String {
    let sent = parts.headers.get("x-request-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    sent.filter(|id| !id.is_empty() && id.len() <= REQUEST_ID_LIMIT).unwrap_or_else(envelope::fresh_request_id)
}

fn nothing_there(method: &Method, path: &str) -> ActionError {
    ActionError::new(NOT_FOUND, format!("there is no {method} /v1/{path}"))
}

/// Both spellings of the request's id are documented.
fn refuse(error: &ActionError, request_id: &str) -> Answer {
    let body =
        json!({ "code": error.code, "message": error.message, "requestId": request_id, "request_id": request_id });
    envelope::json(status(error.code), &body)
}

fn status(code: &str) -> StatusCode {
    let row = STATUSES.iter().find(|(known, _)| *known == code);
    row.map_or(StatusCode::BAD_REQUEST, |(_, status)| *status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(STATUSES.is_sorted_by_key(|(code, _)| *code) && FAMILIES_UNSUPPORTED.is_sorted());
    }

    #[test]
    fn codes_have_statuses() {
        assert_eq!(status("DOCUMENT_NOT_FOUND"), StatusCode::NOT_FOUND);
        assert_eq!(status("INVALID_PARAM"), StatusCode::BAD_REQUEST);
    }
}
