//! What pages that are let in are told about sharing (CORS). Which origins those are is `guard.rs`'s; never `*`.

use hyper::StatusCode;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, HeaderValue, ORIGIN,
    VARY,
};
use hyper::http::request::Parts;

use crate::body::{Answer, AnswerBody};

/// How long, in seconds, a browser may remember the answer to a preflight.
const MAX_AGE_SECONDS: u64 = 600;

/// Headers a page may read beyond the simple ones.
const EXPOSED: &str = "Accept-Ranges, Content-Length, Content-Range, ETag, Last-Modified";

/// The answer to OPTIONS: what the path takes. For a preflight, what the page asks for among it.
pub(crate) fn options(parts: &Parts, methods: &[&str]) -> Answer {
    let mut answer = Answer::new(AnswerBody::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        answer.headers_mut().insert(ALLOW, value);
    }
    if parts.headers.contains_key(ORIGIN) {
        preflight(&mut answer, parts);
    }
    answer
}

fn preflight(answer: &mut Answer, parts: &Parts) {
    let headers = answer.headers_mut();
    if let Some(methods) = headers.get(ALLOW).cloned() {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    if let Some(asked) = parts.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(MAX_AGE_SECONDS));
}

/// Lets the page of `origin`, which the guard has let in, read `answer`.
pub(crate) fn allow(answer: &mut Answer, origin: &HeaderValue) {
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    headers.insert(VARY, HeaderValue::from_static("Origin"));
}
