//! `POST /web`: pages of a mini program (our `wx-cloud.js`) or of the web (@cloudbase/js-sdk 1.x and 2.x), in dialect A
//! (protocol §1.4, §2.5, §5.1). Every action but those of signing in proves its user with an access token.
//!
//! ## Differences from the cloud
//! - The application's own signature (`X-TCB-App-Source`) is not looked at.

use environment::{ActionError, Cloud, Reply};
use hyper::http::request::Parts;

use crate::body::{Answer, RequestBody};
use crate::dispatch::Note;
use crate::endpoints::action::{ActionRequest, BODY_LIMIT};
use crate::envelope::{request_id_of_query, seal};

/// Answers one action. HTTP 200 whatever happens: the mini program's adapter takes any other status for a network failure.
pub(crate) async fn answer(cloud: &Cloud, parts: &Parts, body: &mut RequestBody, note: &mut Note) -> Answer {
    let outcome = open_and_call(cloud, parts, body, note).await;
    note.code = outcome.as_ref().err().map(|error| error.code);
    seal(note.request_id.get_or_insert_with(|| request_id_of_query(parts)), outcome)
}

async fn open_and_call(
    cloud: &Cloud,
    parts: &Parts,
    body: &mut RequestBody,
    note: &mut Note,
) -> Result<Reply, ActionError> {
    let body = body.read(BODY_LIMIT).await?;
    let mut request = ActionRequest::read(parts, &body, note)?;
    let access_token = request.take("access_token");
    let ActionRequest { environment, action, params } = request;
    let action = note.action.insert(action);
    cloud.environment(&environment)?.call_as_user(access_token.as_deref(), action, params).await
}
