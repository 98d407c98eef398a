//! The storage actions (protocol §2.6): addresses to send bodies to and fetch them from, deletion, copies.

use super::params::Params;
use crate::access::{self, Touch};
use crate::caller::Caller;
use crate::cloud::{Environment, Reply};
use crate::error::{ActionError, codes};
use crate::files::{self, FileReference};
use document::Dialect;
use serde_json::{Map, Value, json};
use std::time::Duration;
use storage::{FilePath, StoredFile};

/// How many files one request may name (semantics ST-07).
const FILES_MAX: usize = 50;

pub(crate) async fn upload_metadata(
    environment: &Environment,
    caller: &Caller,
    params: Params,
) -> Result<Reply, ActionError> {
    let path = FilePath::parse(params.text("path")?)?;
    check_writable(environment, caller, &path).await?;
    let ticket = files::upload_ticket(environment, &path, access::user_of(environment, caller)?);
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
        let code = delete_one(environment, caller, id).await?;
        list.push(json!({ "fileID": id, "code": code }));
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
    let mode = environment.register.entries().of_files();
    let user = params.optional_text("openId")?;
    let mut list = Vec::new();
    for item in limited(&params, "fileList")? {
        let item = item_params("fileList", item)?;
        let path = FilePath::parse(item.text("path")?)?;
        let file = environment.shared.storage.get(&environment.name, &path).await?;
        let may = |touch| access::may_user_touch_file(mode, user.unwrap_or_default(), file.as_ref(), touch);
        list.push(json!({
            "path": path.as_str(),
            "cosFileId": files::upload_ticket(environment, &path, user),
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
    let (url, code) = match stored(environment, id).await? {
        None => (String::new(), codes::STORAGE_FILE_NONEXIST),
        Some(file) if !access::may_touch_file(environment, caller, Some(&file), Touch::Read)? => {
            (String::new(), codes::STORAGE_EXCEED_AUTHORITY)
        }
        Some(file) => (files::download_link(environment, &file.path, max_age), SUCCESS),
    };
    Ok(
        json!({ "fileid": id, "fileID": id, "tempFileURL": url, "download_url": url, "code": code, "maxAge": age_seconds }),
    )
}

async fn delete_one(environment: &Environment, caller: &Caller, id: &str) -> Result<&'static str, ActionError> {
    let Some(file) = stored(environment, id).await? else { return Ok(codes::STORAGE_FILE_NONEXIST) };
    if !access::may_touch_file(environment, caller, Some(&file), Touch::Write)? {
        return Ok(codes::STORAGE_EXCEED_AUTHORITY);
    }
    let removed = environment.shared.storage.remove(&environment.name, &file.path).await?;
    Ok(if removed { SUCCESS } else { codes::STORAGE_FILE_NONEXIST })
}

async fn copy_one(environment: &Environment, caller: &Caller, item: &Params) -> Value {
    match try_copy(environment, caller, item).await {
        Ok(file) => json!({ "fileID": files::file_id(environment, &file.path), "code": SUCCESS }),
        Err(error) => json!({ "code": error.code, "message": error.message }),
    }
}

/// A copy belongs to whom the original belongs to, so a user copies only what they could write themselves.
async fn try_copy(environment: &Environment, caller: &Caller, item: &Params) -> Result<StoredFile, ActionError> {
    let from = FilePath::parse(item.text("src_path")?)?;
    let to = FilePath::parse(item.text("dst_path")?)?;
    let overwrite = !item.has("overwrite") || item.flag("overwrite")?;
    let remove_original = item.flag("remove_original")?;
    check_writable(environment, caller, &from).await?;
    check_writable(environment, caller, &to).await?;
    Ok(environment.shared.storage.copy(&environment.name, &from, &to, overwrite, remove_original).await?)
}

/// Whether `caller` may store a file at `path`.
async fn check_writable(environment: &Environment, caller: &Caller, path: &FilePath) -> Result<(), ActionError> {
    let file = environment.shared.storage.get(&environment.name, path).await?;
    if access::may_touch_file(environment, caller, file.as_ref(), Touch::Write)? {
        Ok(())
    } else {
        Err(ActionError::storage_denied(path.as_str()))
    }
}

/// The file that `id` names, if it is one of this environment and exists.
async fn stored(environment: &Environment, id: &str) -> Result<Option<StoredFile>, ActionError> {
    let FileReference::Here(path) = files::resolve(environment, id) else { return Ok(None) };
    Ok(environment.shared.storage.get(&environment.name, &path).await?)
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
