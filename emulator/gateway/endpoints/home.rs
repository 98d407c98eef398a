//! What is answered where no SDK speaks: the root, readiness, and paths, methods and times that do not fit.

use environment::codes::SYS_ERR;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::json;

use crate::body::Answer;
use crate::envelope;
use crate::router::{DOORS, Endpoint, Route, Row};

const WELCOME: &str = "\
This is a local emulator of mini-program cloud development.

Point a server SDK (@cloudbase/node-sdk, wx-server-sdk, tcb-admin-node) at it with
    serviceUrl: 'http://HOST:PORT/admin'
GET /readyz tells whether it is ready.
";

/// `GET /`.
pub(crate) fn welcome() -> Answer {
    envelope::answer(StatusCode::OK, HeaderValue::from_static("text/plain; charset=utf-8"), WELCOME.into())
}

/// `GET /readyz` of an open emulator.
pub(crate) fn ready() -> Answer {
    envelope::json(StatusCode::OK, &json!({ "ready": true }))
}

/// Anything before the emulator is open.
pub(crate) fn starting(route: &Route<'_>) -> Answer {
    match route {
        Route::Open { row, .. } if row.endpoint == Endpoint::Ready => {
            envelope::json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "ready": false }))
        }
        Route::Open { .. } | Route::Unsupported(_) | Route::Unknown(_) => {
            envelope::refuse(StatusCode::SERVICE_UNAVAILABLE, SYS_ERR, "the emulator is starting")
        }
    }
}

/// A door that is there, knocked on in the wrong way.
pub(crate) fn method_not_allowed(row: &Row, method: &Method) -> Answer {
    let methods = row.methods.join(", ");
    let message = format!("{} takes {methods}, not {method}; {}", row.path, doors());
    let mut answer = envelope::refuse(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", &message);
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        answer.headers_mut().insert(ALLOW, methods);
    }
    answer
}

/// A door of the cloud that is not there.
pub(crate) fn unsupported(door: &str) -> Answer {
    let message = format!("not supported by the emulator: {door}; {}", doors());
    envelope::refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &message)
}

/// A path that leads nowhere.
pub(crate) fn unknown(path: &str) -> Answer {
    let message = format!("there is nothing at {path}; {}", doors());
    envelope::refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &message)
}

fn doors() -> String {
    let paths: Vec<&str> = DOORS.iter().map(|row| row.path).collect();
    format!("the doors are {}; server SDKs use /admin", paths.join(" "))
}
