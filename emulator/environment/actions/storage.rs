//! The storage actions (protocol §2.6): addresses to send bodies to and fetch them from, deletion, copies.

use super::params::Params;
use crate::access::{self, Touch};
use crate::caller::Caller;
use crate::cloud::{Environment, Reply};
use crate::error::{ActionError, codes};
use crate::files::{self, FileReference, StoredFile};
use crate::tokens::Login;
use document::Dialect;
use serde_json::{Map, Value, json};
use std::time::Duration;
use storage::FilePath;

/// How many files one request may name (semantics ST-07).
const FILES_MAX: usize = 50;

pub(crate) async fn upload_metadata(
    environment: &Environment,
    caller: &Caller,
    params: Params,
) -> Result<Reply, ActionError> {
    let path = FilePath::parse(params.text("path")?)?;
    check(environment, caller, &path, Touch::Write).await?;
    let ticket = files::upload_ticket(environment, &path, caller);
    let link = files::download_link(environment, &path, None);
    Ok(Reply::Data(json!({
        "url": format!("{}/files/upload/{ticket}", environment.base_url()),
        "token": "emulator",
        "authorization": "emulator",
        "fileId": files::file_id(environment, &path),
        "cosFileId": ticket,
        "download_url": link,
    })))
}

pub(crate) async fn download_urls(
    environment: &Environment,
    caller: &Caller,
    params: Params,
) -> Result<Reply, ActionError> {
    let mut list = Vec::new();
    for item in limited(&params, "file_list")? {
        list.push(download_url(environment, caller, item).await?);
    }
    Ok(Reply::Data(json!({ "download_list": list })))
}

pub(crate) async fn delete(environment: &Environment, caller: &Caller, params: Params) -> Result<Reply, ActionError> {
    let mut list = Vec::new();
    for item in limited(&params, "fileid_list")? {
        let id = item.as_str().ok_or_else(|| ActionError::param_type("fileid_list", "an array of strings"))?;
        list.push(delete_one(environment, caller, id).await?.seal(json!({ "fileID": id })));
    }
    Ok(Reply::Data(json!({ "delete_list": list })))
}

pub(crate) async fn copy(environment: &Environment, caller: &Caller, params: Params) -> Result<Reply, ActionError> {
    let mut list = Vec::new();
    for item in limited(&params, "file_list")? {
        list.push(copy_one(environment, caller, &item_params("file_list", item)?).await);
    }
    Ok(Reply::Data(json!({ "copy_list": list })))
}

/// What the user `openId` may do with each file. For servers: the answer lets its reader upload as that user.
pub(crate) async fn authority(
    environment: &Environment,
    caller: &Caller,
    params: Params,
) -> Result<Reply, ActionError> {
    if !caller.is_administrator() {
        return Err(ActionError::new(
            codes::STORAGE_EXCEED_AUTHORITY,
            "storage permission denied: this is for servers",
        ));
    }
    let user = params.optional_text("openId")?;
    let asked = Caller::of_user(&environment.name, user.unwrap_or_default(), Login::Wechat);
    let owner = if user.is_some() { &asked } else { caller };
    let mut list = Vec::new();
    for item in limited(&params, "fileList")? {
        let item = item_params("fileList", item)?;
        let path = FilePath::parse(item.text("path")?)?;
        let file = environment.file(&path).await?;
        let may = |touch| access::check_file(environment, &asked, &path, file.as_ref(), touch).is_ok();
        list.push(json!({
            "path": path.as_str(),
            "cosFileId": files::upload_ticket(environment, &path, owner),
            "read": file.is_some() && may(Touch::Read),
            "write": may(Touch::Write),
        }));
    }
    Ok(Reply::Data(Value::Array(list)))
}

async fn download_url(environment: &Environment, caller: &Caller, item: &Value) -> Result<Value, ActionError> {
    let params = match item {
        Value::String(id) => Params::new(Map::from_iter([("fileid".to_owned(), json!(id))]), Dialect::A),
        _ => item_params("file_list", item)?,
    };
    let id = params.text("fileid")?;
    let age_seconds = params.optional_integer("max_age")?;
    let max_age = age_seconds.map(|seconds| Duration::from_secs(seconds.max(0).unsigned_abs()));
    let (url, outcome) = match stored(environment, id).await? {
        None => (String::new(), Outcome::of(codes::STORAGE_FILE_NONEXIST)),
        Some(file) => match refusal(access::check_file(environment, caller, &file.path, Some(&file), Touch::Read))? {
            Some(refusal) => (String::new(), refusal),
            None => (files::download_link(environment, &file.path, max_age), Outcome::of(SUCCESS)),
        },
    };
    Ok(outcome
        .seal(json!({ "fileid": id, "fileID": id, "tempFileURL": url, "download_url": url, "maxAge": age_seconds })))
}

async fn delete_one(environment: &Environment, caller: &Caller, id: &str) -> Result<Outcome, ActionError> {
    let Some(file) = stored(environment, id).await? else { return Ok(Outcome::of(codes::STORAGE_FILE_NONEXIST)) };
    if let Some(refusal) = refusal(access::check_file(environment, caller, &file.path, Some(&file), Touch::Write))? {
        return Ok(refusal);
    }
    let removed = environment.remove_file(&file.path).await?;
    Ok(Outcome::of(if removed { SUCCESS } else { codes::STORAGE_FILE_NONEXIST }))
}

async fn copy_one(environment: &Environment, caller: &Caller, item: &Params) -> Value {
    match try_copy(environment, caller, item).await {
        Ok(file) => json!({ "fileID": files::file_id(environment, &file.path), "code": SUCCESS }),
        Err(error) => {
            let message = error.message;
            Outcome { code: error.code, explanation: error.explanation }.seal(json!({ "message": message }))
        }
    }
}

/// How one file of a list fared.
struct Outcome {
    code: &'static str,
    explanation: Option<Box<Value>>,
}

impl Outcome {
    fn of(code: &'static str) -> Outcome {
        Outcome { code, explanation: None }
    }

    /// Joins `answer`, the file's entry of the list.
    fn seal(self, mut answer: Value) -> Value {
        answer["code"] = json!(self.code);
        if let Some(explanation) = self.explanation {
            answer["emulator"] = *explanation;
        }
        answer
    }
}

/// What a check says of one file among others: that it may not be touched is no error of the whole request.
fn refusal(checked: Result<(), ActionError>) -> Result<Option<Outcome>, ActionError> {
    match checked {
        Ok(()) => Ok(None),
        Err(ActionError { code: code @ codes::STORAGE_EXCEED_AUTHORITY, explanation, .. }) => {
            Ok(Some(Outcome { code, explanation }))
        }
        Err(error) => Err(error),
    }
}

/// A copy belongs to whom the original belongs to, so a user copies only what they could write themselves; under rules they
/// must be able to read it, too.
async fn try_copy(environment: &Environment, caller: &Caller, item: &Params) -> Result<StoredFile, ActionError> {
    let from = FilePath::parse(item.text("src_path")?)?;
    let to = FilePath::parse(item.text("dst_path")?)?;
    let overwrite = !item.has("overwrite") || item.flag("overwrite")?;
    let remove_original = item.flag("remove_original")?;
    check(environment, caller, &from, Touch::Write).await?;
    check(environment, caller, &from, Touch::Read).await?;
    check(environment, caller, &to, Touch::Write).await?;
    environment.copy_file(&from, &to, overwrite, remove_original).await
}

/// Refuses what `caller` may not do with the file at `path`, or with a new one there.
async fn check(environment: &Environment, caller: &Caller, path: &FilePath, touch: Touch) -> Result<(), ActionError> {
    let file = environment.file(path).await?;
    access::check_file(environment, caller, path, file.as_ref(), touch)
}

/// The file that `id` names, if it is one of this environment and exists.
async fn stored(environment: &Environment, id: &str) -> Result<Option<StoredFile>, ActionError> {
    let FileReference::Here(path) = files::resolve(environment, id) else { return Ok(None) };
    environment.file(&path).await
}

fn limited<'a>(params: &'a Params, name: &str) -> Result<&'a [Value], ActionError> {
    let items = params.array(name)?;
    if items.len() > FILES_MAX {
        return Err(ActionError::invalid_param(format!(
            "{name} names {} files, at most {FILES_MAX} are allowed",
            items.len()
        )));
    }
    Ok(items)
}

fn item_params(name: &str, item: &Value) -> Result<Params, ActionError> {
    item.as_object()
        .cloned()
        .map(|item| Params::new(item, Dialect::A))
        .ok_or_else(|| ActionError::param_type(name, "an array of objects"))
}

const SUCCESS: &str = "SUCCESS";
