//! One request, from its head to its answer: guard, route, endpoint; panics contained, one log line. What a door does with
//! the request stands in `endpoints/`.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use environment::ActionError;
use environment::codes::SYS_ERR;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};

use crate::State;
use crate::body::{Answer, RequestBody};
use crate::endpoints::{admin, auth, emulator, home, objects, realtime, rest, web};
use crate::network::Entrance;
use crate::router::{Endpoint, Route};
use crate::{cors, envelope, guard, router};

/// What the log line of a request says beyond its head. Endpoints fill it in as they learn it; never with anything secret.
#[derive(Debug, Default)]
pub(crate) struct Note {
    /// The action asked for, once the body is open.
    pub(crate) action: Option<String>,
    /// The code of the error answered; `None` when all went well.
    pub(crate) code: Option<&'static str>,
    /// The request id that the body brought, or that was made for it; `None` until the body is open.
    pub(crate) request_id: Option<String>,
}

/// Answers one request. Never fails and never panics; a body nobody read is read away, within bounds, so that the client
/// gets to see the answer.
pub(crate) async fn answer(state: &State, entrance: Entrance, request: Request<Incoming>) -> Answer {
    let started = Instant::now();
    let (parts, incoming) = request.into_parts();
    let mut body = RequestBody::new(incoming, &parts.headers);
    let mut note = Note::default();
    let route = router::route(parts.uri.path());
    let handled = AssertUnwindSafe(exchange(state, entrance, &parts, &route, &mut body, &mut note)).catch_unwind();
    let handled = handled.await;
    let answer = handled.unwrap_or_else(|panic| failed(&parts, &route, panic.as_ref(), &mut note));
    body.drain().await;
    tracing::debug!(
        method = %parts.method,
        path = route.name(),
        action = note.action.as_deref(),
        code = note.code,
        request_id = note.request_id.as_deref(),
        status = answer.status().as_u16(),
        microseconds = started.elapsed().as_micros() as u64,
        "request"
    );
    answer
}

/// Guard first: nothing of a refused request is looked at.
async fn exchange(
    state: &State,
    entrance: Entrance,
    parts: &Parts,
    route: &Route<'_>,
    body: &mut RequestBody,
    note: &mut Note,
) -> Answer {
    let origins = if route.is_for_pages() { state.origins.get() } else { None };
    let audience = entrance.audience(route.audience());
    let origin = match guard::check(parts, audience, origins.map(Vec::as_slice).unwrap_or_default()) {
        Ok(origin) => origin,
        Err(refusal) => {
            note.code = Some(guard::REFUSED);
            return envelope::refuse(StatusCode::FORBIDDEN, guard::REFUSED, &refusal.to_string());
        }
    };
    let mut answer = match parts.method {
        Method::OPTIONS => cors::options(parts, route.methods()),
        _ => enter(state, entrance, parts, route, body, note).await,
    };
    if let Some(origin) = origin {
        cors::allow(&mut answer, origin);
    }
    answer
}

/// Through the door that `route` names.
async fn enter(
    state: &State,
    entrance: Entrance,
    parts: &Parts,
    route: &Route<'_>,
    body: &mut RequestBody,
    note: &mut Note,
) -> Answer {
    let Some(cloud) = state.cloud.get() else {
        return home::starting(route);
    };
    let (endpoint, rest) = match *route {
        Route::Open { row, rest } if row.methods.contains(&parts.method.as_str()) => (row.endpoint, rest),
        Route::Open { row, .. } => return home::method_not_allowed(row, &parts.method),
        Route::Unsupported(door) => return home::unsupported(door),
        Route::Unknown(path) => return home::unknown(path),
    };
    if let Err(shut) = entrance.check(cloud, parts, endpoint, rest) {
        note.code = Some(guard::REFUSED);
        return envelope::refuse(StatusCode::FORBIDDEN, guard::REFUSED, &shut.to_string());
    }
    let cloud = &entrance.view(cloud);
    match endpoint {
        Endpoint::Admin => admin::answer(cloud, parts, body, note).await,
        Endpoint::Auth => auth::answer(cloud, parts, rest, body, note).await,
        Endpoint::Download => objects::download(cloud, parts, rest, note).await,
        Endpoint::Emulator => emulator::answer(cloud, parts, rest, body, note).await,
        Endpoint::Home => home::welcome(),
        Endpoint::Ready => home::ready(),
        Endpoint::Realtime => realtime::answer(cloud, &state.sockets, parts),
        Endpoint::Rest => rest::answer(cloud, parts, rest, body, note).await,
        Endpoint::Upload => objects::upload(cloud, parts, rest, body, note).await,
        Endpoint::Web => web::answer(cloud, parts, body, note).await,
    }
}

/// The answer to a request whose handler panicked: the envelope its door speaks, the cause in the log.
fn failed(parts: &Parts, route: &Route<'_>, panic: &(dyn std::any::Any + Send), note: &mut Note) -> Answer {
    let cause = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let cause = cause.unwrap_or("a panic without a message");
    tracing::error!(path = route.name(), action = note.action.as_deref(), cause, "a request handler panicked");
    note.code = Some(SYS_ERR);
    let message = "the emulator failed inside; its log says where. Please report it with that log";
    match route {
        Route::Open { row, .. } if matches!(row.endpoint, Endpoint::Admin | Endpoint::Web) => {
            let error = ActionError::new(SYS_ERR, message);
            let request_id = note.request_id.clone().unwrap_or_else(|| envelope::request_id_of_query(parts));
            envelope::seal(&request_id, Err(error))
        }
        _ => envelope::refuse(StatusCode::INTERNAL_SERVER_ERROR, SYS_ERR, message),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use http_body_util::BodyExt;
    use serde_json::Value;

    #[tokio::test]
    async fn a_panic_is_answered_as_its_door_answers() {
        check("/admin?seqId=S", None, 200, Some("S")).await;
        check("/admin?seqId=S", Some("E"), 200, Some("E")).await;
        check("/web?seqId=S", None, 200, Some("S")).await;
        check("/files/upload/ticket", None, 500, None).await;
        check("/_emulator/status", None, 500, None).await;
    }

    async fn check(target: &str, noted: Option<&str>, status: u16, request_id: Option<&str>) {
        let parts = Request::builder().uri(target).body(()).unwrap().into_parts().0;
        let mut note = Note { request_id: noted.map(str::to_owned), ..Note::default() };
        let handled = AssertUnwindSafe(async { panic!("boom {target}") }).catch_unwind().await;
        let cause: Box<dyn std::any::Any + Send> = handled.map(|never: Answer| never).unwrap_err();
        let answer = failed(&parts, &router::route(parts.uri.path()), cause.as_ref(), &mut note);
        assert_eq!(answer.status(), status, "{target}");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], "SYS_ERR", "{target}");
        assert!(!body.to_string().contains("boom"), "the cause is for the log alone");
        assert!(request_id.is_none_or(|id| body["requestId"] == id), "{target}");
    }
}
