//! `POST /admin`: @cloudbase/node-sdk, wx-server-sdk, tcb-admin-node, in dialects A and B (protocol §1.1, §2). The action
//! names tell the dialects apart, one floor below; this door only opens and seals the envelope.
//!
//! ## Differences from the cloud
//! - Signatures are not looked at: whoever reaches loopback is an administrator, as with any key of the cloud.
//! - `wx.openApi` and the other multipart actions are refused by name.

use std::borrow::Cow;

use bytes::Bytes;
use environment::{ActionError, Caller, Cloud, Door, Reply};
use futures_util::stream;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use multer::Multipart;
use serde_json::{Map, Value};

use crate::body::{Answer, RequestBody};
use crate::dispatch::Note;
use crate::envelope::{fresh_request_id, query_value, request_id_of_query, seal};

/// The most a request may weigh.
pub(crate) const BODY_LIMIT: usize = 16 << 20;

/// A request id is echoed as it came, up to this many bytes; a longer one is replaced.
const REQUEST_ID_LIMIT: usize = 256;

/// The fields every action carries beside its own (protocol §1.1, §2.5), sorted. They are the envelope's: actions do not see them.
const COMMON_FIELDS: &[&str] = &[
    "action",
    "authorization",
    "crossAuthorizationToken",
    "dataVersion",
    "env",
    "envName",
    "eventId",
    "sdk_version",
    "seqId",
    "sessionToken",
    "tcb_sessionToken",
    "timestamp",
    "wxCloudApiToken",
    "wxCloudbaseAccesstoken",
];

/// What an envelope held.
struct Opened {
    caller: Caller,
    environment: String,
    action: String,
    params: Map<String, Value>,
}

/// Answers one action. HTTP 200 whatever happens (protocol §1.1).
pub(crate) async fn answer(cloud: &Cloud, parts: &Parts, body: &mut RequestBody, note: &mut Note) -> Answer {
    let outcome = match open(parts, body, note).await {
        Ok(opened) => call(cloud, opened, note).await,
        Err(error) => Err(error),
    };
    note.code = outcome.as_ref().err().map(|error| error.code);
    seal(note.request_id.get_or_insert_with(|| request_id_of_query(parts)), outcome)
}

async fn call(cloud: &Cloud, opened: Opened, note: &mut Note) -> Result<Reply, ActionError> {
    let Opened { caller, environment, action, params } = opened;
    let action = note.action.insert(action);
    cloud.environment(&environment)?.call(&caller, action, params).await
}

/// The request id is noted as soon as it is known, so that errors carry it too.
async fn open(parts: &Parts, body: &mut RequestBody, note: &mut Note) -> Result<Opened, ActionError> {
    let body = body.read(BODY_LIMIT).await?;
    if let Some(boundary) = boundary(parts, &body) {
        return Err(refuse_form(body, boundary, &mut note.request_id).await);
    }
    let mut fields: Map<String, Value> =
        serde_json::from_slice(&body).map_err(|error| ActionError::bad_body(&error.to_string()))?;
    note.request_id = Some(request_id_of(parts, &mut fields));
    let action = match fields.remove("action") {
        Some(Value::String(action)) if !action.is_empty() => action,
        Some(Value::String(_) | Value::Null) | None => {
            return Err(ActionError::invalid_param("the request names no `action`, such as \"database.getDocument\""));
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            return Err(ActionError::invalid_param("`action` is not a string"));
        }
    };
    let environment = environment_name(parts, &mut fields)?;
    let caller = Caller::new(Door::Admin, session_token(&mut fields));
    fields.retain(|name, _| COMMON_FIELDS.binary_search(&name.as_str()).is_err());
    Ok(Opened { caller, environment, action, params: fields })
}

/// `eventId` of the body, else the ids of the query string, else `seqId` of the body, else a new one.
fn request_id_of(parts: &Parts, fields: &mut Map<String, Value>) -> String {
    let usable = |id: &String| id.len() <= REQUEST_ID_LIMIT;
    filled(fields, "eventId")
        .or_else(|| query_value(parts, "eventId").map(Cow::into_owned))
        .or_else(|| query_value(parts, "seqId").map(Cow::into_owned))
        .or_else(|| filled(fields, "seqId"))
        .filter(usable)
        .unwrap_or_else(fresh_request_id)
}

/// `envName`, else `env` of the body, else `env` of the query string, else empty: the default one.
fn environment_name(parts: &Parts, fields: &mut Map<String, Value>) -> Result<String, ActionError> {
    for name in ["envName", "env"] {
        match fields.remove(name) {
            Some(Value::String(environment)) if !environment.is_empty() => return Ok(environment),
            Some(Value::String(_) | Value::Null) | None => {}
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(ActionError::invalid_param(format!("`{name}` is not a string")));
            }
        }
    }
    Ok(query_value(parts, "env").map(Cow::into_owned).unwrap_or_default())
}

/// Whose call it is, for a request made inside a function (protocol §7).
fn session_token(fields: &mut Map<String, Value>) -> Option<String> {
    filled(fields, "tcb_sessionToken").or_else(|| filled(fields, "wxCloudApiToken"))
}

/// The text of a field, taken out; `None` when it is absent, empty or no text.
fn filled(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    match fields.get_mut(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(std::mem::take(text)),
        Some(_) | None => None,
    }
}

/// The boundary of a form. The body tells: a JSON body under a form's content type is still JSON.
fn boundary(parts: &Parts, body: &Bytes) -> Option<String> {
    if !body.starts_with(b"--") {
        return None;
    }
    multer::parse_boundary(parts.headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()
}

/// The multipart actions of protocol §2.10: none is there; the error names the one asked for.
async fn refuse_form(body: Bytes, boundary: String, request_id: &mut Option<String>) -> ActionError {
    match read_form(body, boundary).await {
        Ok(form) => {
            *request_id = form.event_id.filter(|id| !id.is_empty() && id.len() <= REQUEST_ID_LIMIT);
            let action = form.action.unwrap_or_else(|| "multipart/form-data without an action".to_owned());
            let name = form.api_name.map_or(action.clone(), |api_name| format!("{action} {api_name}"));
            ActionError::unsupported(&name)
        }
        Err(error) => ActionError::invalid_param(format!("the request body is not a form: {error}")),
    }
}

#[derive(Default)]
struct Form {
    action: Option<String>,
    api_name: Option<String>,
    event_id: Option<String>,
}

async fn read_form(body: Bytes, boundary: String) -> Result<Form, multer::Error> {
    let mut parts = Multipart::new(stream::iter([Ok::<_, std::io::Error>(body)]), boundary);
    let mut form = Form::default();
    while let Some(field) = parts.next_field().await? {
        let place = match field.name() {
            Some("action") => &mut form.action,
            Some("apiName") => &mut form.api_name,
            Some("eventId") => &mut form.event_id,
            Some(_) | None => continue,
        };
        *place = Some(String::from_utf8_lossy(&field.bytes().await?).into_owned());
    }
    Ok(form)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use hyper::Request;
    use serde_json::json;

    #[test]
    fn common_fields_are_sorted() {
        assert!(COMMON_FIELDS.is_sorted());
    }

    #[test]
    fn request_ids_are_echoed() {
        let id = |target: &str, body: Value| request_id_of(&head(target), &mut fields(body));
        assert_eq!(id("/admin?&eventId=Q&seqId=S", json!({"eventId": "E", "seqId": "B"})), "E");
        assert_eq!(id("/admin?env=e&seqId=S", json!({"seqId": "B"})), "S");
        assert_eq!(id("/admin", json!({"eventId": "", "seqId": "B"})), "B");
        assert_eq!(id("/admin", json!({"eventId": 5})).len(), 36);
        assert_eq!(id("/admin", json!({"eventId": "x".repeat(REQUEST_ID_LIMIT + 1)})).len(), 36);
    }

    #[test]
    fn the_environment_is_named_in_three_places() {
        let name = |target: &str, body: Value| {
            environment_name(&head(target), &mut fields(body)).map_err(|error| error.message)
        };
        assert_eq!(name("/admin?env=q", json!({"envName": "n", "env": "e"})), Ok("n".to_owned()));
        assert_eq!(name("/admin?env=q", json!({"envName": "", "env": "e"})), Ok("e".to_owned()));
        assert_eq!(name("/admin?env=q", json!({"envName": null})), Ok("q".to_owned()));
        assert_eq!(name("/admin", json!({})), Ok(String::new()));
        assert_eq!(name("/admin", json!({"envName": 1})), Err("`envName` is not a string".to_owned()));
    }

    #[test]
    fn a_session_token_is_found() {
        let token = |body: Value| session_token(&mut fields(body));
        assert_eq!(token(json!({"tcb_sessionToken": "t", "wxCloudApiToken": "w"})), Some("t".to_owned()));
        assert_eq!(token(json!({"tcb_sessionToken": "", "wxCloudApiToken": "w"})), Some("w".to_owned()));
        assert_eq!(token(json!({"tcb_sessionToken": "", "wxCloudApiToken": ""})), None);
        assert_eq!(token(json!({"tcb_sessionToken": {}})), None);
    }

    #[tokio::test]
    async fn forms_are_refused_by_name() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\nwx.openApi\r\n\
                    --x\r\nContent-Disposition: form-data; name=\"apiName\"\r\n\r\nsecurity.msgSecCheck\r\n\
                    --x\r\nContent-Disposition: form-data; name=\"eventId\"\r\n\r\nE\r\n--x--\r\n";
        let mut request_id = None;
        let error = refuse_form(Bytes::from(body), "x".to_owned(), &mut request_id).await;
        assert_eq!(error.message, "not supported by the emulator: wx.openApi security.msgSecCheck");
        assert_eq!(request_id.as_deref(), Some("E"));
        let broken = refuse_form(Bytes::from("--x\r\nnothing"), "x".to_owned(), &mut request_id).await;
        assert_eq!(broken.code, "INVALID_PARAM");
    }

    fn head(target: &str) -> Parts {
        Request::builder().uri(target).body(()).unwrap().into_parts().0
    }

    fn fields(body: Value) -> Map<String, Value> {
        match body {
            Value::Object(fields) => fields,
            _ => panic!("{body} is no object"),
        }
    }
}
