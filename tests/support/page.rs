//! A page of a mini program: a signed-in user who asks `POST /web`; and the developer, who asks `/_emulator/*`.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Map, Value, json};

use super::http::{FORM, Response, form, request};
use super::process::Emulator;

/// The environment a page means when it does not say.
pub(crate) const ENVIRONMENT: &str = "cloud1";

/// A user's page.
pub(crate) struct Page<'a> {
    emulator: &'a Emulator,
    pub(crate) openid: String,
    pub(crate) token: String,
}

impl<'a> Page<'a> {
    /// Signs in with a `wx.login` code.
    pub(crate) fn open(emulator: &'a Emulator, code: &str) -> Page<'a> {
        let signed_in = data_of(web(emulator, "emulator.signIn", json!({ "code": code })));
        let text = |name: &str| signed_in[name].as_str().unwrap().to_owned();
        Page { emulator, openid: text("openid"), token: text("access_token") }
    }

    /// What an action answers, in its envelope.
    pub(crate) fn ask(&self, action: &str, mut params: Value) -> Value {
        params["access_token"] = json!(self.token);
        web(self.emulator, action, params)
    }

    /// The `data` of an action that must succeed.
    pub(crate) fn data(&self, action: &str, params: Value) -> Value {
        data_of(self.ask(action, params))
    }

    /// The code of the error that an action must answer.
    pub(crate) fn refusal(&self, action: &str, params: Value) -> String {
        let answer = self.ask(action, params);
        answer["code"].as_str().unwrap_or_else(|| panic!("{action} was not refused: {answer}")).to_owned()
    }

    /// Uploads as js-sdk does: asks for an address, posts a form to it.
    pub(crate) fn upload(&self, path: &str, body: &[u8]) -> Response {
        let place = self.data("storage.getUploadMetadata", json!({ "path": path }));
        post_file(self.emulator, place["url"].as_str().unwrap(), body)
    }
}

/// Posts a file to an address that the emulator gave out.
pub(crate) fn post_file(emulator: &Emulator, url: &str, body: &[u8]) -> Response {
    let path = url.strip_prefix(&format!("http://127.0.0.1:{}", emulator.port())).unwrap();
    let fields = form(&[("success_action_status", b"201"), ("file", body)]);
    emulator.exchange(&request("POST", path, &[FORM], &fields))
}

/// What an action answers at the users' door, in its envelope; asserts that it comes as the adapters need it.
pub(crate) fn web(emulator: &Emulator, action: &str, params: Value) -> Value {
    let mut body =
        Map::from_iter([("action".to_owned(), json!(action)), ("dataVersion".to_owned(), json!("2020-01-10"))]);
    body.extend(params.as_object().cloned().unwrap());
    let environment = body.entry("env").or_insert_with(|| json!(ENVIRONMENT)).as_str().unwrap().to_owned();
    let target = format!("/web?env={environment}");
    let response = emulator.exchange(&request("POST", &target, &[], Value::Object(body).to_string().as_bytes()));
    assert_eq!(response.status, 200, "{response:?}");
    response.json()
}

/// The `data` of an answer that must be a success.
pub(crate) fn data_of(mut answer: Value) -> Value {
    assert_eq!(answer.get("code"), None, "{answer}");
    answer["data"].take()
}

/// What a command of the developer answers.
pub(crate) fn command(emulator: &Emulator, name: &str, params: Value) -> Response {
    let authorization = format!("Bearer {}", emulator.token());
    let path = format!("/_emulator/{name}");
    emulator.exchange(&request("POST", &path, &[("Authorization", &authorization)], params.to_string().as_bytes()))
}

/// The same, for a command that must succeed.
pub(crate) fn manage(emulator: &Emulator, name: &str, params: Value) -> Value {
    let response = command(emulator, name, params);
    assert_eq!(response.status, 200, "{response:?}");
    response.json()
}
