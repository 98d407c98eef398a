//! File bodies on their way in and out: file ids, upload tickets and download links, and the checks that both were minted here.
//! Which files there are is `files/catalogue.rs`'s.

mod catalogue;
mod earlier;
mod filing;
mod unnamed;

pub(crate) use catalogue::{COLLECTION, NewFile, StoredFile, own_collection, uninterrupted};
pub(crate) use earlier::adopt_earlier;
pub(crate) use filing::Filing;
pub(crate) use unnamed::Unnamed;

use crate::access::{self, Touch};
use crate::caller::Caller;
use crate::cloud::{Cloud, Environment};
use crate::error::{ActionError, codes};
use crate::forks;
use crate::tokens::Login;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use storage::{FileId, FilePath, Storage, Upload};

/// How long an upload may be begun after its ticket was minted.
const TICKET_LIFE: Duration = Duration::from_secs(3600);

/// A body being received. Dropped unfinished, it leaves nothing behind.
pub struct IncomingFile {
    cloud: Cloud,
    upload: Upload,
    ticket: Ticket,
    path: FilePath,
}

/// What an upload answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReceipt {
    /// The entity tag, quoted.
    pub etag: String,
    /// In bytes.
    pub size: u64,
}

/// A stored file on its way out.
#[derive(Debug)]
pub struct OutgoingFile {
    /// In bytes.
    pub size: u64,
    /// As the upload said, or guessed from the name.
    pub content_type: String,
    /// The entity tag, quoted.
    pub etag: String,
    /// When it was stored, in milliseconds since 1970.
    pub modified_ms: i64,
    /// The body, at its beginning.
    pub body: tokio::fs::File,
}

/// What a file id means to an environment.
pub(crate) enum FileReference {
    /// A file of this environment, stored or not.
    Here(FilePath),
    /// Of another environment, or no file id at all.
    Elsewhere,
}

/// Everything an upload address says; signed, so that nothing of it can be changed on the way.
#[derive(Debug, Serialize, Deserialize)]
struct Ticket {
    environment: String,
    path: String,
    /// The user who uploads; `None` for the server.
    owner: Option<String>,
    /// How that user signed in.
    login: Option<Login>,
    expires_ms: i64,
}

impl Cloud {
    /// Begins to receive the body that `ticket`, the last segment of an upload address, was minted for.
    pub async fn receive(&self, ticket: &str) -> Result<IncomingFile, ActionError> {
        let ticket = read_ticket(&self.shared.storage, ticket).ok_or_else(|| sign_invalid("the upload address"))?;
        if ticket.expires_ms < self.shared.clock.now_ms() {
            return Err(ActionError::new(
                codes::STORAGE_SIGN_PARAM_INVALID,
                "the upload address has expired: ask for a new one",
            ));
        }
        let path = FilePath::parse(&ticket.path)?;
        let upload = self.shared.storage.receive().await?;
        Ok(IncomingFile { cloud: self.clone(), upload, ticket, path })
    }

    /// Opens the file that `link`, the last segment of a download address, and its `query` name.
    pub async fn download(&self, link: &str, query: Option<&str>) -> Result<OutgoingFile, ActionError> {
        let (environment, path) = read_link(link).ok_or_else(|| sign_invalid("the download address"))?;
        self.check_link(link, query.unwrap_or_default())?;
        let found = self.environment(&environment)?.file_with_body(&path).await?;
        let (file, body) = found.ok_or_else(|| {
            ActionError::new(codes::STORAGE_FILE_NONEXIST, format!("storage file not exists: {}", path.as_str()))
        })?;
        Ok(OutgoingFile {
            size: file.size,
            content_type: file.content_type,
            etag: file.etag,
            modified_ms: file.modified_ms,
            body,
        })
    }

    fn check_link(&self, link: &str, query: &str) -> Result<(), ActionError> {
        let sign = query_value(query, "sign").unwrap_or_default();
        let expires = query_value(query, "t").unwrap_or_default();
        if !self.shared.storage.verify(&signed_link(link, expires), sign) {
            return Err(sign_invalid("the download address"));
        }
        // No number at all: an address without an end.
        match expires.parse::<i64>() {
            Ok(expires_ms) if expires_ms < self.shared.clock.now_ms() => Err(ActionError::new(
                codes::STORAGE_SIGN_PARAM_INVALID,
                "the download address has expired: ask for a new one",
            )),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl IncomingFile {
    /// Takes the next piece of the body.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), ActionError> {
        Ok(self.upload.write(chunk).await?)
    }

    /// The body is whole: from now on it is the file, in place of one that was there.
    pub async fn finish(self, content_type: Option<&str>) -> Result<FileReceipt, ActionError> {
        self.check_owner().await?;
        let environment = self.cloud.environment(&self.ticket.environment)?;
        let content_type = content_type.map(str::to_owned);
        let new = NewFile { path: self.path, content_type, owner: self.ticket.owner, modified_ms: None };
        let (body, received) = self.upload.finish().await?;
        let file = environment.put_file(new, body, received).await?;
        Ok(FileReceipt { etag: file.etag, size: file.size })
    }

    /// Looks again whether the user may store a file there: somebody else may have, since the ticket was minted.
    async fn check_owner(&self) -> Result<(), ActionError> {
        let Ticket { environment, owner: Some(user), login, .. } = &self.ticket else { return Ok(()) };
        let environment = self.cloud.environment(environment)?;
        let caller = Caller::of_user(&environment.name, user, login.unwrap_or(Login::Wechat));
        let file = environment.file(&self.path).await?;
        access::check_file(&environment, &caller, &self.path, file.as_ref(), Touch::Write)
    }
}

/// The `cloud://` id of the file at `path` (semantics ST-01).
pub(crate) fn file_id(environment: &Environment, path: &FilePath) -> String {
    FileId::format(&environment.name, &environment.shared.settings.appid, path)
}

/// Which file of `environment` the id means. In a fork, the ids of what it was forked from mean its own files.
pub(crate) fn resolve(environment: &Environment, id: &str) -> FileReference {
    match FileId::parse(id) {
        Ok(id) if forks::is_of_family(&environment.name, &id.environment) => FileReference::Here(id.path),
        Ok(_) | Err(_) => FileReference::Elsewhere,
    }
}

/// A ticket to upload to `path`, for the user that `owner` is, or for the server.
pub(crate) fn upload_ticket(environment: &Environment, path: &FilePath, owner: &Caller) -> String {
    let shared = &environment.shared;
    let ticket = Ticket {
        environment: environment.name.to_string(),
        path: path.as_str().to_owned(),
        owner: owner.user.clone(),
        login: owner.login,
        expires_ms: shared.clock.now_ms().saturating_add(milliseconds(TICKET_LIFE)),
    };
    // A struct of strings and numbers always has a JSON form.
    let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&ticket).unwrap_or_default());
    let signature = shared.storage.sign(&body);
    format!("{body}.{signature}")
}

/// An address of pure ASCII that serves the file at `path`, for `max_age` or without end (protocol §3 says why it has no `%`).
pub(crate) fn download_link(environment: &Environment, path: &FilePath, max_age: Option<Duration>) -> String {
    let shared = &environment.shared;
    let link = URL_SAFE_NO_PAD.encode(format!("{}/{}", environment.name, path.as_str()));
    let expires =
        max_age.map(|age| shared.clock.now_ms().saturating_add(milliseconds(age)).to_string()).unwrap_or_default();
    let sign = shared.storage.sign(&signed_link(&link, &expires));
    format!("{}/files/download/{link}?sign={sign}&t={expires}", environment.base_url())
}

fn read_ticket(storage: &Storage, ticket: &str) -> Option<Ticket> {
    let (body, signature) = ticket.split_once('.')?;
    if !storage.verify(body, signature) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
}

fn read_link(link: &str) -> Option<(String, FilePath)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(link).ok()?).ok()?;
    let (environment, path) = text.split_once('/')?;
    Some((environment.to_owned(), FilePath::parse(path).ok()?))
}

fn signed_link(link: &str, expires: &str) -> String {
    format!("download {link} {expires}")
}

fn query_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn sign_invalid(what: &str) -> ActionError {
    ActionError::new(codes::STORAGE_SIGN_PARAM_INVALID, format!("{what} was not made by this emulator, or was changed"))
}
