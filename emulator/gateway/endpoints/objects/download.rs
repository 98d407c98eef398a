//! Bodies going out: whole, a range, or nothing when the client has it already. The headers keep an uploaded page from
//! running as a page of localhost.

use std::io::SeekFrom;
use std::time::{Duration, UNIX_EPOCH};

use environment::{ActionError, Cloud, OutgoingFile, codes};
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio::io::AsyncSeekExt;

use super::error_answer;
use super::range::{self, Wanted};
use crate::body::{Answer, AnswerBody, FilePiece};

/// The last moment of the year 9999 in milliseconds: HTTP dates have four digits for the year.
const DATE_LIMIT_MS: u64 = 253_402_300_799_000;

/// `GET` or `HEAD` of a link.
pub(super) async fn get(cloud: &Cloud, parts: &Parts, link: &str) -> Result<Answer, ActionError> {
    let file = cloud.download(link, parts.uri.query()).await?;
    if header(parts, &IF_NONE_MATCH).is_some_and(|tags| range::names_tag(tags, &file.etag)) {
        return Ok(described(StatusCode::NOT_MODIFIED, AnswerBody::default(), &file));
    }
    match wanted(parts, &file) {
        Wanted::Whole => Ok(whole(file)),
        Wanted::Part { first, last } => part(file, first, last).await,
        Wanted::Nothing => Ok(unsatisfiable(&file)),
    }
}

/// A range counts for GET alone, and only while the file is the one the client knows (`If-Range`).
fn wanted(parts: &Parts, file: &OutgoingFile) -> Wanted {
    let is_current = header(parts, &IF_RANGE).is_none_or(|known| known == file.etag || known == last_modified(file));
    match header(parts, &RANGE) {
        Some(text) if is_current && parts.method == Method::GET => range::parse(text, file.size),
        Some(_) | None => Wanted::Whole,
    }
}

fn whole(file: OutgoingFile) -> Answer {
    let mut answer = described(StatusCode::OK, AnswerBody::default(), &file);
    *answer.body_mut() = AnswerBody::File(FilePiece::new(file.body, file.size));
    answer
}

async fn part(mut file: OutgoingFile, first: u64, last: u64) -> Result<Answer, ActionError> {
    file.body.seek(SeekFrom::Start(first)).await.map_err(|error| {
        ActionError::new(codes::STORAGE_REQUEST_FAIL, format!("the file could not be read: {error}"))
    })?;
    let mut answer = described(StatusCode::PARTIAL_CONTENT, AnswerBody::default(), &file);
    insert(&mut answer, CONTENT_RANGE, &format!("bytes {first}-{last}/{}", file.size));
    *answer.body_mut() = AnswerBody::File(FilePiece::new(file.body, last - first + 1));
    Ok(answer)
}

fn unsatisfiable(file: &OutgoingFile) -> Answer {
    let message = format!("the file has {} bytes and none of those asked for", file.size);
    let mut answer = error_answer(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", &message);
    insert(&mut answer, CONTENT_RANGE, &format!("bytes */{}", file.size));
    answer
}

/// The headers every answer about a file has. `Content-Length` comes from the body.
fn described(status: StatusCode, body: AnswerBody, file: &OutgoingFile) -> Answer {
    let mut answer = Answer::new(body);
    *answer.status_mut() = status;
    insert(&mut answer, CONTENT_TYPE, &file.content_type);
    insert(&mut answer, ETAG, &file.etag);
    insert(&mut answer, LAST_MODIFIED, &last_modified(file));
    insert(&mut answer, ACCEPT_RANGES, "bytes");
    insert(&mut answer, CACHE_CONTROL, "no-store");
    insert(&mut answer, X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert(&mut answer, CONTENT_SECURITY_POLICY, "sandbox");
    answer
}

/// A value from outside that no header can hold is left out.
fn insert(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn last_modified(file: &OutgoingFile) -> String {
    let since_epoch = Duration::from_millis(u64::try_from(file.modified_ms).unwrap_or_default().min(DATE_LIMIT_MS));
    httpdate::fmt_http_date(UNIX_EPOCH + since_epoch)
}

fn header<'a>(parts: &'a Parts, name: &HeaderName) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}
