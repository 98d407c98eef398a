//! `/files/upload/TICKET` and `/files/download/LINK`: file bodies, as the cloud's object store takes and gives them
//! (protocol §3). Tickets and links are checked by `environment`; errors are the store's XML, which the SDKs read.

mod download;
mod range;
mod upload;

use environment::{ActionError, Cloud, codes};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, header::HeaderValue};

use crate::body::{Answer, RequestBody};
use crate::dispatch::Note;
use crate::envelope;

/// Takes a body in: a form (`POST`) or as it is (`PUT`).
pub(crate) async fn upload(
    cloud: &Cloud,
    parts: &Parts,
    ticket: &str,
    body: &mut RequestBody,
    note: &mut Note,
) -> Answer {
    let stored = match parts.method {
        Method::PUT => upload::put(cloud, parts, ticket, body).await,
        _ => upload::post(cloud, parts, ticket, body).await,
    };
    stored.unwrap_or_else(|error| refuse(&error, note))
}

/// Gives a body out, whole or a part of it; to `HEAD` the same head without it.
pub(crate) async fn download(cloud: &Cloud, parts: &Parts, link: &str, note: &mut Note) -> Answer {
    download::get(cloud, parts, link).await.unwrap_or_else(|error| refuse(&error, note))
}

fn refuse(error: &ActionError, note: &mut Note) -> Answer {
    note.code = Some(error.code);
    error_answer(status(error.code), error.code, &error.message)
}

/// `<Error>` as the object store words it.
fn error_answer(status: StatusCode, code: &str, message: &str) -> Answer {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><RequestId>{}</RequestId></Error>",
        escaped(code),
        escaped(message),
        envelope::fresh_request_id()
    );
    envelope::answer(status, HeaderValue::from_static("application/xml"), text.into_bytes())
}

fn status(code: &str) -> StatusCode {
    match code {
        codes::STORAGE_FILE_NONEXIST => StatusCode::NOT_FOUND,
        codes::STORAGE_EXCEED_AUTHORITY | codes::STORAGE_SIGN_PARAM_INVALID => StatusCode::FORBIDDEN,
        codes::STORAGE_REQUEST_FAIL | codes::SYS_ERR => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Text for XML: its own characters named, those it cannot hold left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(character),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn xml_is_escaped() {
        assert_eq!(escaped("a<b>&\"中\u{1}\u{ffff}\n"), "a&lt;b&gt;&amp;&quot;中\n");
    }

    #[test]
    fn codes_have_statuses() {
        assert_eq!(status("STORAGE_FILE_NONEXIST"), StatusCode::NOT_FOUND);
        assert_eq!(status("STORAGE_SIGN_PARAM_INVALID"), StatusCode::FORBIDDEN);
        assert_eq!(status("SYS_ERR"), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(status("INVALID_PARAM"), StatusCode::BAD_REQUEST);
    }
}
