//! `POST /admin`: @cloudbase/node-sdk, wx-server-sdk, tcb-admin-node, in dialects A and B (protocol §1.1, §2). The action
//! names tell the dialects apart, one floor below; this door only opens and seals the envelope.
//!
//! ## Differences from the cloud
//! - Signatures are not looked at: whoever reaches loopback is an administrator, as with any key of the cloud.
//! - `wx.openApi` and the other multipart actions are refused by name.

use bytes::Bytes;
use environment::{ActionError, Caller, Cloud, Door, Reply};
use futures_util::stream;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use multer::Multipart;
use serde_json::{Map, Value};

use crate::body::{Answer, RequestBody};
use crate::dispatch::Note;
use crate::endpoints::action::{ActionRequest, BODY_LIMIT, REQUEST_ID_LIMIT};
use crate::envelope::{request_id_of_query, seal};

/// Answers one action. HTTP 200 whatever happens (protocol §1.1).
pub(crate) async fn answer(cloud: &Cloud, parts: &Parts, body: &mut RequestBody, note: &mut Note) -> Answer {
    let outcome = match open(parts, body, note).await {
        Ok((caller, request)) => {
            let ActionRequest { environment, action, params } = request;
            call(cloud, &caller, &environment, note.action.insert(action), params).await
        }
        Err(error) => Err(error),
    };
    note.code = outcome.as_ref().err().map(|error| error.code);
    seal(note.request_id.get_or_insert_with(|| request_id_of_query(parts)), outcome)
}

async fn call(
    cloud: &Cloud,
    caller: &Caller,
    environment: &str,
    action: &str,
    params: Map<String, Value>,
) -> Result<Reply, ActionError> {
    cloud.environment_of_call(environment, caller.session_token.as_deref())?.call(caller, action, params).await
}

/// Who asks, and for what.
async fn open(parts: &Parts, body: &mut RequestBody, note: &mut Note) -> Result<(Caller, ActionRequest), ActionError> {
    let body = body.read(BODY_LIMIT).await?;
    if let Some(boundary) = boundary(parts, &body) {
        return Err(refuse_form(body, boundary, &mut note.request_id).await);
    }
    let mut request = ActionRequest::read(parts, &body, note)?;
    let caller = Caller::new(Door::Admin, session_token(&mut request));
    Ok((caller, request))
}

/// Whose call it is, for a request made inside a function (protocol §7).
fn session_token(request: &mut ActionRequest) -> Option<String> {
    request.take("tcb_sessionToken").or_else(|| request.take("wxCloudApiToken"))
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
    use serde_json::json;

    #[test]
    fn a_session_token_is_found() {
        let token = |body: Value| session_token(&mut request(body));
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

    fn request(params: Value) -> ActionRequest {
        let params = params.as_object().cloned().unwrap();
        ActionRequest { environment: String::new(), action: String::new(), params }
    }
}
