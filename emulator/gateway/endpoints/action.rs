//! The body of an action's request, the same at every SDK door: which action, of which environment, with which params
//! (protocol §1.1, §2.5). Who asks is each door's to find out.

use std::borrow::Cow;

use environment::ActionError;
use hyper::http::request::Parts;
use serde_json::{Map, Value};

use crate::dispatch::Note;
use crate::envelope::{fresh_request_id, query_value};

/// The most a request may weigh.
pub(crate) const BODY_LIMIT: usize = 16 << 20;

/// A request id is echoed as it came, up to this many bytes; a longer one is replaced.
pub(super) const REQUEST_ID_LIMIT: usize = 256;

/// The fields every action carries beside its own, sorted. They are the envelope's: actions do not see them.
const COMMON_FIELDS: &[&str] = &[
    "authorization",
    "crossAuthorizationToken",
    "dataVersion",
    "eventId",
    "sdk_version",
    "seqId",
    "sessionToken",
    "timestamp",
    "wxCloudbaseAccesstoken",
];

/// What an envelope held.
#[derive(Debug)]
pub(super) struct ActionRequest {
    /// Empty for the default one.
    pub(super) environment: String,
    pub(super) action: String,
    /// The action's own fields, and what proves who asks until it is taken out.
    pub(super) params: Map<String, Value>,
}

impl ActionRequest {
    /// Opens `body`. The request id is noted as soon as it is known, so that errors carry it too.
    pub(super) fn read(parts: &Parts, body: &[u8], note: &mut Note) -> Result<ActionRequest, ActionError> {
        let mut params: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| ActionError::bad_body(&error.to_string()))?;
        note.request_id = Some(request_id_of(parts, &mut params));
        let action = match params.remove("action") {
            Some(Value::String(action)) if !action.is_empty() => action,
            Some(Value::String(_) | Value::Null) | None => {
                let message = "the request names no `action`, such as \"database.getDocument\"";
                return Err(ActionError::invalid_param(message));
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(ActionError::invalid_param("`action` is not a string"));
            }
        };
        let environment = environment_name(parts, &mut params)?;
        params.retain(|name, _| COMMON_FIELDS.binary_search(&name.as_str()).is_err());
        Ok(ActionRequest { environment, action, params })
    }

    /// The text of a field, taken out; `None` when it is absent, empty or no text.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        match self.params.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(_) | None => None,
        }
    }
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

fn filled(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    match fields.get_mut(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(std::mem::take(text)),
        Some(_) | None => None,
    }
}

/// `envName`, else `env` of the body, else `env` of the query string, else empty: the default one.
fn environment_name(parts: &Parts, fields: &mut Map<String, Value>) -> Result<String, ActionError> {
    let mut named = None;
    for name in ["envName", "env"] {
        match fields.remove(name) {
            Some(Value::String(environment)) => named = named.or(Some(environment).filter(|name| !name.is_empty())),
            Some(Value::Null) | None => {}
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(ActionError::invalid_param(format!("`{name}` is not a string")));
            }
        }
    }
    Ok(named.or_else(|| query_value(parts, "env").map(Cow::into_owned)).unwrap_or_default())
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
    fn an_envelope_is_opened() {
        let mut note = Note::default();
        let body = br#"{"action":"a","env":"e","seqId":"S","dataVersion":"2020-01-10","access_token":"t","query":{}}"#;
        let mut request = ActionRequest::read(&head("/web?env=q"), body, &mut note).unwrap();
        assert_eq!((request.action.as_str(), request.environment.as_str()), ("a", "e"));
        assert_eq!(note.request_id.as_deref(), Some("S"));
        assert_eq!(request.take("access_token").as_deref(), Some("t"));
        assert_eq!(Value::Object(request.params), json!({"query": {}}));
        for body in ["", "[]", "{}", r#"{"action":""}"#, r#"{"action":1}"#, r#"{"action":"a","env":1}"#] {
            let error = ActionRequest::read(&head("/web"), body.as_bytes(), &mut note).unwrap_err();
            assert_eq!(error.code, "INVALID_PARAM", "{body}");
        }
    }

    fn head(target: &str) -> Parts {
        Request::builder().uri(target).body(()).unwrap().into_parts().0
    }

    fn fields(body: Value) -> Map<String, Value> {
        body.as_object().cloned().unwrap()
    }
}
