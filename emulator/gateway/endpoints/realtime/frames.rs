//! The frames of a WebSocket (protocol §4.2): reading a client's, spelling ours. What they mean is `conversation.rs`'s.

use environment::{ActionError, EventsText};
use serde_json::{Map, Value, json};

/// A frame of a client's.
#[derive(Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) envelope: Envelope,
    pub(super) message: Message,
}

/// What a frame carries beside its message, and its answer brings back.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Envelope {
    /// Which watch it is about; absent in LOGIN and PING.
    pub(super) watch_id: Option<String>,
    pub(super) request_id: String,
}

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    CheckLast,
    CloseWatch,
    InitWatch { environment: Option<String>, params: Map<String, Value> },
    Login { environment: Option<String>, tokens: Vec<String> },
    Ping,
    RebuildWatch { environment: Option<String>, query_id: String, event_id: u64 },
}

/// A frame that cannot be read: what is known of it, and what is wrong.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed {
    pub(super) envelope: Envelope,
    pub(super) error: ActionError,
}

/// The fields of INIT_WATCH that are the watch's own.
const WATCH_FIELDS: &[&str] = &["collName", "limit", "orderBy", "query"];

/// Reads a client's frame.
pub(super) fn read(text: &str) -> Result<Frame, Malformed> {
    let malformed = |envelope: Envelope, what: &str| Malformed { envelope, error: ActionError::invalid_param(what) };
    let mut fields = match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(malformed(Envelope::default(), "the frame is not a JSON object")),
        Err(error) => {
            return Err(malformed(Envelope::default(), &format!("the frame is not JSON: {error}")));
        }
    };
    let envelope = Envelope {
        watch_id: text_of(&mut fields, "watchId"),
        request_id: text_of(&mut fields, "requestId").unwrap_or_default(),
    };
    let data = object_of(&mut fields, "msgData");
    let message = match text_of(&mut fields, "msgType").as_deref() {
        Some("CHECK_LAST") => Ok(Message::CheckLast),
        Some("CLOSE_WATCH") => Ok(Message::CloseWatch),
        Some("INIT_WATCH") => Ok(init_watch(data)),
        Some("LOGIN") => Ok(login(data, object_of(&mut fields, "exMsgData"))),
        Some("PING") => Ok(Message::Ping),
        Some("REBUILD_WATCH") => rebuild_watch(data),
        Some(other) => Err(format!("unknown msgType: {other}")),
        None => Err("msgType is missing".to_owned()),
    };
    match message {
        Ok(message) => Ok(Frame { envelope, message }),
        Err(what) => Err(malformed(envelope, &what)),
    }
}

fn init_watch(mut data: Map<String, Value>) -> Message {
    let environment = text_of(&mut data, "envId");
    data.retain(|name, _| WATCH_FIELDS.contains(&name.as_str()));
    Message::InitWatch { environment, params: data }
}

/// The signature comes first: the access token may be an older one.
fn login(mut data: Map<String, Value>, mut extra: Map<String, Value>) -> Message {
    let tokens = [text_of(&mut extra, "signStr"), text_of(&mut data, "accessToken")];
    Message::Login { environment: text_of(&mut data, "envId"), tokens: tokens.into_iter().flatten().collect() }
}

fn rebuild_watch(mut data: Map<String, Value>) -> Result<Message, String> {
    let query_id = text_of(&mut data, "queryID").ok_or("queryID is missing")?;
    let environment = text_of(&mut data, "envId");
    Ok(Message::RebuildWatch { environment, query_id, event_id: event_id_of(&data)? })
}

fn event_id_of(data: &Map<String, Value>) -> Result<u64, String> {
    data.get("eventID").and_then(Value::as_u64).ok_or_else(|| "eventID is not a number".to_owned())
}

/// A text taken out; `None` when it is absent, empty or no text.
fn text_of(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    match fields.get_mut(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(std::mem::take(text)),
        Some(_) | None => None,
    }
}

fn object_of(fields: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
    match fields.remove(name) {
        Some(Value::Object(data)) => data,
        Some(_) | None => Map::new(),
    }
}

impl Envelope {
    /// The answer LOGIN_RES.
    pub(super) fn login_res(&self, outcome: Result<&str, &ActionError>) -> String {
        self.write(
            "LOGIN_RES",
            match outcome {
                Ok(environment) => json!({ "envId": environment }),
                Err(error) => json!({ "code": error.code, "message": error.message }),
            },
        )
    }

    /// The answer PONG.
    pub(super) fn pong(&self) -> String {
        self.write("PONG", Value::Null)
    }

    /// The answer CHECK_EVENT.
    pub(super) fn check_event(&self, query_id: &str, current: u64) -> String {
        self.write("CHECK_EVENT", json!({ "queryID": query_id, "currEvent": current }))
    }

    /// The answer ERROR.
    pub(super) fn error(&self, error: &ActionError) -> String {
        let mut data = json!({ "code": error.code, "message": error.message });
        if let Some(explanation) = &error.explanation {
            data["emulator"] = Value::clone(explanation);
        }
        self.write("ERROR", data)
    }

    /// INIT_EVENT or NEXT_EVENT.
    pub(super) fn events(&self, message_type: &str, query_id: &str, events: &EventsText) -> String {
        let EventsText { current, events } = events;
        let data = format!(r#"{{"queryID":{},"currEvent":{current},"events":{events}}}"#, quoted(query_id));
        self.write_text(message_type, &data)
    }

    fn write(&self, message_type: &str, data: Value) -> String {
        self.write_text(message_type, &data.to_string())
    }

    /// `data` is JSON.
    fn write_text(&self, message_type: &str, data: &str) -> String {
        let watch_id = self.watch_id.as_ref().map(|id| format!(r#""watchId":{},"#, quoted(id))).unwrap_or_default();
        let request_id = quoted(&self.request_id);
        format!(r#"{{{watch_id}"requestId":{request_id},"msgType":"{message_type}","msgData":{data}}}"#)
    }
}

fn quoted(text: &str) -> String {
    json!(text).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn frames_are_read() {
        check(
            r#"{"requestId":"r","msgType":"LOGIN","msgData":{"envId":"e","accessToken":""},"exMsgData":{"signStr":"s"}}"#,
            Message::Login { environment: Some("e".into()), tokens: vec!["s".into()] },
        );
        check(r#"{"requestId":"r","msgType":"LOGIN"}"#, Message::Login { environment: None, tokens: Vec::new() });
        check(r#"{"requestId":"r","msgType":"PING","msgData":null}"#, Message::Ping);
        check(r#"{"requestId":"r","msgType":"CHECK_LAST","msgData":{"queryID":"q","eventID":4}}"#, Message::CheckLast);
        let params = Map::from_iter([("collName".to_owned(), json!("c"))]);
        check(
            r#"{"requestId":"r","msgType":"INIT_WATCH","msgData":{"collName":"c","x":1}}"#,
            Message::InitWatch { environment: None, params },
        );
        check(
            r#"{"requestId":"r","msgType":"REBUILD_WATCH","msgData":{"queryID":"q","eventID":4,"envId":"e"}}"#,
            Message::RebuildWatch { environment: Some("e".into()), query_id: "q".into(), event_id: 4 },
        );
    }

    #[test]
    fn malformed_frames_are_told() {
        for (text, what) in [
            ("", "not JSON"),
            ("[]", "not a JSON object"),
            (r#"{"requestId":"r"}"#, "msgType"),
            (r#"{"msgType":5}"#, "msgType"),
            (r#"{"msgType":"FLY"}"#, "FLY"),
            (r#"{"msgType":"REBUILD_WATCH","msgData":{"eventID":1}}"#, "queryID"),
            (r#"{"msgType":"REBUILD_WATCH","msgData":{"queryID":"q","eventID":-1}}"#, "eventID"),
            (r#"{"msgType":"REBUILD_WATCH","msgData":"x"}"#, "queryID"),
        ] {
            let error = read(text).unwrap_err().error;
            assert!(error.message.contains(what), "{text}: {error}");
        }
        let known = read(r#"{"watchId":"w","requestId":"r","msgType":"FLY"}"#).unwrap_err().envelope;
        assert_eq!(known, Envelope { watch_id: Some("w".into()), request_id: "r".into() });
    }

    #[test]
    fn answers_are_spelled() {
        let envelope = Envelope { watch_id: Some("w\"".into()), request_id: "r".into() };
        let events = EventsText { current: 3, events: r#"[{"ID":3}]"#.into() };
        let text = envelope.events("NEXT_EVENT", "q", &events);
        let expected = json!({"watchId": "w\"", "requestId": "r", "msgType": "NEXT_EVENT",
            "msgData": {"queryID": "q", "currEvent": 3, "events": [{"ID": 3}]}});
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        let pong = Envelope { watch_id: None, request_id: "r".into() }.pong();
        assert_eq!(pong, r#"{"requestId":"r","msgType":"PONG","msgData":null}"#);
    }

    fn check(text: &str, expected: Message) {
        let frame = read(text).unwrap();
        assert_eq!((frame.envelope.request_id.as_str(), frame.message), ("r", expected));
    }
}
