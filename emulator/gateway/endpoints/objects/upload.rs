//! Bodies coming in. A body becomes a file when all of it is here; whatever ends early leaves nothing.

use environment::{ActionError, Cloud, FileReceipt, IncomingFile};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderValue};
use hyper::http::request::Parts;
use multer::{Constraints, Field, Multipart, SizeLimit};

use super::escaped;
use crate::body::{Answer, AnswerBody, RequestBody};
use crate::envelope;

/// The most a field of an upload form may weigh that is not the file.
const FIELD_LIMIT: u64 = 64 << 10;

/// The most fields an upload form may have; SDKs send seven.
const FIELDS_LIMIT: usize = 100;

/// Content types that say nothing of the content: clients add them by themselves. The type is then guessed from the name.
const TYPES_MEANINGLESS: &[&str] =
    &["application/octet-stream", "application/x-www-form-urlencoded", "binary/octet-stream"];

/// `PUT`: the body is the file. Answers 200 with `ETag` and no body: node-sdk takes any body for an error.
pub(super) async fn put(
    cloud: &Cloud,
    parts: &Parts,
    ticket: &str,
    body: &mut RequestBody,
) -> Result<Answer, ActionError> {
    let mut file = cloud.receive(ticket).await?;
    while let Some(chunk) = body.chunk().await? {
        file.write(&chunk).await?;
    }
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let receipt = file.finish(content_type.filter(|text| is_meaningful(text))).await?;
    Ok(tagged(Answer::new(AnswerBody::default()), &receipt))
}

/// `POST`: a form with the part `file`, and fields before or after it. Answers 201 where the form asks for it, else 204.
pub(super) async fn post(
    cloud: &Cloud,
    parts: &Parts,
    ticket: &str,
    body: &mut RequestBody,
) -> Result<Answer, ActionError> {
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|_| {
        ActionError::invalid_param("an upload by POST is a form (multipart/form-data); send a bare body by PUT")
    })?;
    let file = cloud.receive(ticket).await?;
    let (file, form) = read_form(Multipart::with_constraints(body.chunks(), boundary, constraints()), file).await?;
    while body.chunk().await?.is_some() {}
    let receipt = file.finish(form.content_type.as_deref()).await?;
    Ok(tagged(form.answer(&receipt), &receipt))
}

/// What an upload form says beside the file.
#[derive(Debug, Default)]
struct Form {
    fields: usize,
    has_file: bool,
    key: String,
    content_type: Option<String>,
    /// `success_action_status` is 201.
    wants_created: bool,
}

async fn read_form(mut parts: Multipart<'_>, mut file: IncomingFile) -> Result<(IncomingFile, Form), ActionError> {
    let mut form = Form::default();
    while let Some(mut field) = parts.next_field().await.map_err(bad_form)? {
        form.fields += 1;
        if form.fields > FIELDS_LIMIT {
            return Err(ActionError::invalid_param(format!("the upload form has more than {FIELDS_LIMIT} fields")));
        }
        if field.name() != Some("file") {
            form.take(field).await?;
            continue;
        }
        form.begin_file(&field)?;
        while let Some(chunk) = field.chunk().await.map_err(bad_form)? {
            file.write(&chunk).await?;
        }
    }
    if !form.has_file {
        return Err(ActionError::invalid_param("the upload form has no part `file`"));
    }
    Ok((file, form))
}

impl Form {
    fn begin_file(&mut self, part: &Field<'_>) -> Result<(), ActionError> {
        if std::mem::replace(&mut self.has_file, true) {
            return Err(ActionError::invalid_param("the upload form has two parts `file`"));
        }
        let part_type =
            part.content_type().map(|content_type| content_type.to_string()).filter(|text| is_meaningful(text));
        self.content_type = self.content_type.take().or(part_type);
        Ok(())
    }

    async fn take(&mut self, field: Field<'_>) -> Result<(), ActionError> {
        let name = field.name().unwrap_or_default().to_owned();
        let text = String::from_utf8_lossy(&field.bytes().await.map_err(bad_form)?).into_owned();
        match name.as_str() {
            "Content-Type" if is_meaningful(&text) => self.content_type = Some(text),
            "key" => self.key = text,
            "success_action_status" => self.wants_created = text.trim() == "201",
            _ => {}
        }
        Ok(())
    }

    fn answer(&self, receipt: &FileReceipt) -> Answer {
        if !self.wants_created {
            let mut answer = Answer::new(AnswerBody::default());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            return answer;
        }
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Key>{}</Key><ETag>{}</ETag></PostResponse>",
            escaped(&self.key),
            escaped(&receipt.etag)
        );
        envelope::answer(StatusCode::CREATED, HeaderValue::from_static("application/xml"), text.into_bytes())
    }
}

fn constraints() -> Constraints {
    Constraints::new().size_limit(SizeLimit::new().per_field(FIELD_LIMIT).for_field("file", u64::MAX))
}

fn is_meaningful(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    !essence.is_empty() && !TYPES_MEANINGLESS.iter().any(|meaningless| meaningless.eq_ignore_ascii_case(essence))
}

fn bad_form(error: multer::Error) -> ActionError {
    let reason = match error {
        multer::Error::StreamReadFailed(cause) => cause.to_string(),
        other => format!("the upload form is broken: {other}"),
    };
    ActionError::invalid_param(reason)
}

fn tagged(mut answer: Answer, receipt: &FileReceipt) -> Answer {
    if let Ok(etag) = HeaderValue::from_str(&receipt.etag) {
        answer.headers_mut().insert(ETAG, etag);
    }
    answer
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn default_content_types_say_nothing() {
        for (content_type, expected) in [
            ("text/plain", true),
            ("image/png", true),
            ("application/octet-stream", false),
            ("Application/Octet-Stream; charset=utf-8", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
            (" ; x", false),
        ] {
            assert_eq!(is_meaningful(content_type), expected, "{content_type}");
        }
    }
}
