//! The vocabulary: one name, one action, whichever door it came through. Each family's file turns params into a request to a
//! service and the service's answer into a reply; a name that is known and not served is refused by that name.

mod database;
mod functions;
mod params;
mod storage;

use crate::caller::Caller;
use crate::cloud::{Environment, Reply};
use crate::error::ActionError;
use params::Params;
use serde_json::{Map, Value};

/// The actions served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    AddCollection,
    CalculateDocument,
    GetDocument,
    InsertDocument,
    ModifyAndReturnDoc,
    ModifyDocument,
    RemoveDocument,
    InvokeFunction,
    BatchCopyFile,
    BatchDeleteFile,
    BatchGetDownloadUrl,
    GetFileAuthority,
    GetUploadMetadata,
}

/// Sorted by name (protocol §2.4, §2.6, §2.7).
const ACTIONS: &[(&str, Action)] = &[
    ("database.addCollection", Action::AddCollection),
    ("database.calculateDocument", Action::CalculateDocument),
    ("database.getDocument", Action::GetDocument),
    ("database.insertDocument", Action::InsertDocument),
    ("database.modifyAndReturnDoc", Action::ModifyAndReturnDoc),
    ("database.modifyDocument", Action::ModifyDocument),
    ("database.removeDocument", Action::RemoveDocument),
    ("functions.invokeFunction", Action::InvokeFunction),
    ("storage.batchCopyFile", Action::BatchCopyFile),
    ("storage.batchDeleteFile", Action::BatchDeleteFile),
    ("storage.batchGetDownloadUrl", Action::BatchGetDownloadUrl),
    ("storage.getFileAuthority", Action::GetFileAuthority),
    ("storage.getUploadMetadata", Action::GetUploadMetadata),
];

/// Sorted; the cloud has these, the emulator does not yet.
const ACTIONS_UNSUPPORTED: &[&str] = &[
    "analytics.report",
    "auth.fetchAccessTokenWithRefreshToken",
    "auth.getUserInfo",
    "auth.getUserInfoForAdmin",
    "auth.signInAnonymously",
    "auth.signInWithTicket",
    "auth.wsWebSign",
    "database.abortTransaction",
    "database.addDocument",
    "database.aggregate",
    "database.aggregateDocuments",
    "database.commitTransaction",
    "database.countDocument",
    "database.deleteDocInTransaction",
    "database.deleteDocument",
    "database.getInTransaction",
    "database.insertDocInTransaction",
    "database.queryDocument",
    "database.startTransaction",
    "database.updateDocInTransaction",
    "database.updateDocument",
    "wx.api",
    "wx.openApi",
    "wx.wxCallContainerApi",
    "wx.wxPayApi",
];

/// Does what `action` says.
pub(crate) async fn call(
    environment: &Environment,
    caller: &Caller,
    action: &str,
    params: Map<String, Value>,
) -> Result<Reply, ActionError> {
    let params = Params::new(params);
    match find(action)? {
        Action::AddCollection => database::add_collection(environment, params).await,
        Action::CalculateDocument => database::count(environment, params).await,
        Action::GetDocument => database::get(environment, params).await,
        Action::InsertDocument => database::insert(environment, params).await,
        Action::ModifyAndReturnDoc => database::modify_and_return(environment, params).await,
        Action::ModifyDocument => database::modify(environment, params).await,
        Action::RemoveDocument => database::remove(environment, params).await,
        Action::InvokeFunction => functions::invoke(environment, caller, params).await,
        Action::BatchCopyFile => storage::copy(environment, params).await,
        Action::BatchDeleteFile => storage::delete(environment, params).await,
        Action::BatchGetDownloadUrl => storage::download_urls(environment, params).await,
        Action::GetFileAuthority => storage::authority(environment, params).await,
        Action::GetUploadMetadata => storage::upload_metadata(environment, params).await,
    }
}

fn find(action: &str) -> Result<Action, ActionError> {
    if let Ok(index) = ACTIONS.binary_search_by_key(&action, |(name, _)| name) {
        return Ok(ACTIONS[index].1);
    }
    match ACTIONS_UNSUPPORTED.binary_search(&action) {
        Ok(_) => Err(ActionError::unsupported(action)),
        Err(_) => Err(ActionError::unknown_action(action)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_apart() {
        assert!(ACTIONS.is_sorted_by_key(|(name, _)| *name));
        assert!(ACTIONS_UNSUPPORTED.is_sorted());
        assert!(ACTIONS.iter().all(|(name, _)| !ACTIONS_UNSUPPORTED.contains(name)));
    }

    #[test]
    fn an_action_is_found_or_refused_by_name() {
        assert_eq!(find("database.getDocument"), Ok(Action::GetDocument));
        let known = find("wx.openApi").map_err(|error| error.message);
        assert_eq!(known, Err("not supported by the emulator: wx.openApi".into()));
        let unknown = find("database.fly").map_err(|error| error.message);
        assert!(unknown.is_err_and(|message| message.contains("database.fly")));
    }
}
