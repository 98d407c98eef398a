//! `POST /v1/storages/*`: lists of files, each element answered for itself (protocol §6.2). The actions are those of the other
//! doors; what differs is how requests and answers spell a file.

use environment::ActionError;
use serde_json::{Map, Value, json};

use super::Asker;

type Item = Map<String, Value>;

/// The answer to `verb`; `None`: there is no such verb.
pub(super) async fn answer(asker: &Asker<'_>, verb: &str, items: Vec<Item>) -> Result<Option<Value>, ActionError> {
    Ok(Some(match verb {
        "copy-objects" => copy(asker, items).await?,
        "delete-objects" => delete(asker, items).await?,
        "get-objects-download-info" => download_info(asker, items).await?,
        "get-objects-upload-info" => upload_info(asker, items).await,
        _ => return Ok(None),
    }))
}

async fn upload_info(asker: &Asker<'_>, items: Vec<Item>) -> Value {
    let mut list = Vec::new();
    for item in items {
        let path = item.get("objectId").cloned().unwrap_or_default();
        let params = Map::from_iter([("path".to_owned(), path.clone())]);
        list.push(match asker.call("storage.getUploadMetadata", params).await {
            Ok(place) => json!({
                "objectId": path,
                "uploadUrl": place["url"],
                "authorization": place["authorization"],
                "token": place["token"],
                "cloudObjectId": place["fileId"],
                "cloudObjectMeta": place["cosFileId"],
                "downloadUrl": place["download_url"],
                "downloadUrlEncoded": place["download_url"],
            }),
            Err(error) => json!({ "code": error.code, "message": error.message }),
        });
    }
    Value::Array(list)
}

async fn download_info(asker: &Asker<'_>, items: Vec<Item>) -> Result<Value, ActionError> {
    let files = ids(items).into_iter().map(|id| json!({ "fileid": id }));
    let params = Map::from_iter([("file_list".to_owned(), files.collect())]);
    let reply = asker.call("storage.batchGetDownloadUrl", params).await?;
    Ok(each(
        &reply["download_list"],
        |file| json!({ "cloudObjectId": file["fileID"], "downloadUrl": file["tempFileURL"] }),
    ))
}

async fn delete(asker: &Asker<'_>, items: Vec<Item>) -> Result<Value, ActionError> {
    let params = Map::from_iter([("fileid_list".to_owned(), ids(items).into())]);
    let reply = asker.call("storage.batchDeleteFile", params).await?;
    Ok(each(&reply["delete_list"], |file| json!({ "cloudObjectId": file["fileID"] })))
}

async fn copy(asker: &Asker<'_>, items: Vec<Item>) -> Result<Value, ActionError> {
    let files = items.into_iter().map(|item| {
        json!({
            "src_path": item.get("srcPath"),
            "dst_path": item.get("dstPath"),
            "overwrite": item.get("overwrite"),
            "remove_original": item.get("removeOriginal"),
        })
    });
    let params = Map::from_iter([("file_list".to_owned(), files.collect())]);
    let reply = asker.call("storage.batchCopyFile", params).await?;
    Ok(each(&reply["copy_list"], |file| json!({ "cloudObjectId": file["fileID"] })))
}

fn ids(items: Vec<Item>) -> Vec<Value> {
    items.into_iter().map(|mut item| item.remove("cloudObjectId").unwrap_or_default()).collect()
}

/// Each element that went well by `answer`, each other one as its code.
fn each(list: &Value, answer: impl Fn(&Value) -> Value) -> Value {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let answers = list.iter().map(|element| match element["code"].as_str() {
        Some("SUCCESS") | None => answer(element),
        Some(code) => {
            let message = element["message"].as_str().unwrap_or(code);
            json!({ "cloudObjectId": element["fileID"], "code": code, "message": message })
        }
    });
    Value::Array(answers.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_is_answered_for_itself() {
        let list = json!([{ "fileID": "a", "code": "SUCCESS" }, { "fileID": "b", "code": "STORAGE_FILE_NONEXIST" }]);
        let answers = each(&list, |file| json!({ "cloudObjectId": file["fileID"] }));
        let missing =
            json!({ "cloudObjectId": "b", "code": "STORAGE_FILE_NONEXIST", "message": "STORAGE_FILE_NONEXIST" });
        assert_eq!(answers, json!([{ "cloudObjectId": "a" }, missing]));
    }
}
