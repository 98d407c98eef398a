//! The vocabulary: one name, one action, whichever door it came through. Each family's file turns params into a request to a
//! service and the service's answer into a reply; a name that is known and not served is refused by that name.

mod auth;
mod database;
mod functions;
mod lint;
mod nosql;
mod oauth;
mod params;
mod storage;
pub(crate) mod watch;

use crate::caller::{Caller, Door};
use crate::cloud::{Environment, Reply};
use crate::error::ActionError;
use database::Request;
use document::Dialect;
use params::Params;
use serde_json::{Map, Value};

/// The actions served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    FetchAccessToken,
    GetUserInfo,
    IsUsernameRegistered,
    Logout,
    SendPhoneCode,
    SignInAnonymously,
    SignInWithAccount,
    SignInWithTicket,
    SignUpWithEmail,
    WsWebSign,
    AbortTransaction,
    AddCollection,
    AddDocument,
    Aggregate,
    CommitTransaction,
    CountDocuments,
    DeleteInTransaction,
    GetDocuments,
    GetInTransaction,
    InsertDocuments,
    InsertInTransaction,
    ModifyAndReturnDocument,
    ModifyDocuments,
    RemoveDocuments,
    StartTransaction,
    UpdateInTransaction,
    SignIn,
    InvokeFunction,
    Nosql(nosql::Verb),
    OAuth(oauth::Verb),
    BatchCopyFile,
    BatchDeleteFile,
    BatchGetDownloadUrl,
    GetFileAuthority,
    GetUploadMetadata,
}

/// Sorted by name (protocol §2.4 … §2.8, §5.1). The dialect is that of the documents in the params and in the
/// reply; the names of both stand side by side, since both are spoken at every door.
const ACTIONS: &[(&str, Action, Dialect)] = &[
    ("auth.fetchAccessTokenWithRefreshToken", Action::FetchAccessToken, Dialect::A),
    ("auth.getUserInfo", Action::GetUserInfo, Dialect::A),
    ("auth.isUsernameRegistered", Action::IsUsernameRegistered, Dialect::A),
    ("auth.logout", Action::Logout, Dialect::A),
    ("auth.sendPhoneCode", Action::SendPhoneCode, Dialect::A),
    ("auth.signIn", Action::SignInWithAccount, Dialect::A),
    ("auth.signInAnonymously", Action::SignInAnonymously, Dialect::A),
    ("auth.signInWithTicket", Action::SignInWithTicket, Dialect::A),
    ("auth.signUpWithEmailAndPassword", Action::SignUpWithEmail, Dialect::A),
    ("auth.wsWebSign", Action::WsWebSign, Dialect::A),
    ("database.abortTransaction", Action::AbortTransaction, Dialect::A),
    ("database.addCollection", Action::AddCollection, Dialect::A),
    ("database.addDocument", Action::AddDocument, Dialect::A),
    ("database.aggregate", Action::Aggregate, Dialect::A),
    ("database.aggregateDocuments", Action::Aggregate, Dialect::B),
    ("database.calculateDocument", Action::CountDocuments, Dialect::B),
    ("database.commitTransaction", Action::CommitTransaction, Dialect::A),
    ("database.countDocument", Action::CountDocuments, Dialect::A),
    ("database.deleteDocInTransaction", Action::DeleteInTransaction, Dialect::A),
    ("database.deleteDocument", Action::RemoveDocuments, Dialect::A),
    ("database.getDocument", Action::GetDocuments, Dialect::B),
    ("database.getInTransaction", Action::GetInTransaction, Dialect::A),
    ("database.insertDocInTransaction", Action::InsertInTransaction, Dialect::A),
    ("database.insertDocument", Action::InsertDocuments, Dialect::B),
    ("database.modifyAndReturnDoc", Action::ModifyAndReturnDocument, Dialect::B),
    ("database.modifyDocument", Action::ModifyDocuments, Dialect::B),
    ("database.queryDocument", Action::GetDocuments, Dialect::A),
    ("database.removeDocument", Action::RemoveDocuments, Dialect::B),
    ("database.startTransaction", Action::StartTransaction, Dialect::A),
    ("database.updateDocInTransaction", Action::UpdateInTransaction, Dialect::A),
    ("database.updateDocument", Action::ModifyDocuments, Dialect::A),
    ("emulator.signIn", Action::SignIn, Dialect::A),
    ("functions.invokeFunction", Action::InvokeFunction, Dialect::A),
    ("nosql.aggregate", Action::Nosql(nosql::Verb::Aggregate), Dialect::G),
    ("nosql.commit", Action::Nosql(nosql::Verb::Commit), Dialect::G),
    ("nosql.count", Action::Nosql(nosql::Verb::Count), Dialect::G),
    ("nosql.createCollection", Action::Nosql(nosql::Verb::CreateCollection), Dialect::G),
    ("nosql.find", Action::Nosql(nosql::Verb::Find), Dialect::G),
    ("nosql.findOne", Action::Nosql(nosql::Verb::FindOne), Dialect::G),
    ("nosql.insert", Action::Nosql(nosql::Verb::Insert), Dialect::G),
    ("nosql.remove", Action::Nosql(nosql::Verb::Remove), Dialect::G),
    ("nosql.rollback", Action::Nosql(nosql::Verb::Rollback), Dialect::G),
    ("nosql.runCommands", Action::Nosql(nosql::Verb::RunCommands), Dialect::G),
    ("nosql.startTransaction", Action::Nosql(nosql::Verb::StartTransaction), Dialect::G),
    ("nosql.update", Action::Nosql(nosql::Verb::Update), Dialect::G),
    ("oauth.checkCode", Action::OAuth(oauth::Verb::CheckCode), Dialect::A),
    ("oauth.checkPassword", Action::OAuth(oauth::Verb::CheckPassword), Dialect::A),
    ("oauth.doesUserExist", Action::OAuth(oauth::Verb::DoesUserExist), Dialect::A),
    ("oauth.grantProviderToken", Action::OAuth(oauth::Verb::GrantProviderToken), Dialect::A),
    ("oauth.refresh", Action::OAuth(oauth::Verb::Refresh), Dialect::A),
    ("oauth.resetPassword", Action::OAuth(oauth::Verb::ResetPassword), Dialect::A),
    ("oauth.revoke", Action::OAuth(oauth::Verb::Revoke), Dialect::A),
    ("oauth.sendCode", Action::OAuth(oauth::Verb::SendCode), Dialect::A),
    ("oauth.setPassword", Action::OAuth(oauth::Verb::SetPassword), Dialect::A),
    ("oauth.signIn", Action::OAuth(oauth::Verb::SignIn), Dialect::A),
    ("oauth.signInAnonymously", Action::OAuth(oauth::Verb::SignInAnonymously), Dialect::A),
    ("oauth.signInWithProvider", Action::OAuth(oauth::Verb::SignInWithProvider), Dialect::A),
    ("oauth.signInWithTicket", Action::OAuth(oauth::Verb::SignInWithTicket), Dialect::A),
    ("oauth.signOut", Action::OAuth(oauth::Verb::SignOut), Dialect::A),
    ("oauth.signUp", Action::OAuth(oauth::Verb::SignUp), Dialect::A),
    ("oauth.user", Action::OAuth(oauth::Verb::User), Dialect::A),
    ("storage.batchCopyFile", Action::BatchCopyFile, Dialect::A),
    ("storage.batchDeleteFile", Action::BatchDeleteFile, Dialect::A),
    ("storage.batchGetDownloadUrl", Action::BatchGetDownloadUrl, Dialect::A),
    ("storage.getFileAuthority", Action::GetFileAuthority, Dialect::A),
    ("storage.getUploadMetadata", Action::GetUploadMetadata, Dialect::A),
];

/// Sorted; the cloud has these, the emulator does not yet.
const ACTIONS_UNSUPPORTED: &[&str] = &[
    "analytics.report",
    "auth.getJwt",
    "auth.getLinkedUidList",
    "auth.getUserInfoForAdmin",
    "auth.linkAndRetrieveDataWithTicket",
    "auth.linkOrUpdatePhoneNumber",
    "auth.linkWithTicket",
    "auth.setPrimaryUid",
    "auth.unlink",
    "auth.updateUserInfo",
    "wx.api",
    "wx.openApi",
    "wx.wxCallContainerApi",
    "wx.wxPayApi",
];

impl Action {
    /// Whether somebody may ask for it who has not signed in.
    fn is_for_strangers(self) -> bool {
        match self {
            Action::FetchAccessToken
            | Action::IsUsernameRegistered
            | Action::Logout
            | Action::SendPhoneCode
            | Action::SignIn
            | Action::SignInAnonymously
            | Action::SignInWithAccount
            | Action::SignInWithTicket
            | Action::SignUpWithEmail => true,
            Action::OAuth(verb) => verb.is_for_strangers(),
            Action::GetUserInfo
            | Action::Nosql(_)
            | Action::WsWebSign
            | Action::AbortTransaction
            | Action::AddCollection
            | Action::AddDocument
            | Action::Aggregate
            | Action::CommitTransaction
            | Action::CountDocuments
            | Action::DeleteInTransaction
            | Action::GetDocuments
            | Action::GetInTransaction
            | Action::InsertDocuments
            | Action::InsertInTransaction
            | Action::ModifyAndReturnDocument
            | Action::ModifyDocuments
            | Action::RemoveDocuments
            | Action::StartTransaction
            | Action::UpdateInTransaction
            | Action::InvokeFunction
            | Action::BatchCopyFile
            | Action::BatchDeleteFile
            | Action::BatchGetDownloadUrl
            | Action::GetFileAuthority
            | Action::GetUploadMetadata => false,
        }
    }
}

/// Does what the action `name` says, for an administrator.
pub(crate) async fn call(
    environment: &Environment,
    caller: &Caller,
    name: &str,
    params: Map<String, Value>,
) -> Result<Reply, ActionError> {
    let (action, dialect) = find(name)?;
    carry_out(environment, caller, action, Params::new(params, dialect)).await
}

/// Does what the action `name` says, for the user that `access_token` proves.
pub(crate) async fn call_as_user(
    environment: &Environment,
    access_token: Option<&str>,
    name: &str,
    params: Map<String, Value>,
) -> Result<Reply, ActionError> {
    let (action, dialect) = find(name)?;
    let caller = match access_token {
        _ if action.is_for_strangers() => Caller::new(Door::Web, None),
        Some(token) => environment.user_of_access_token(token)?,
        None => return Err(ActionError::login_failed("sign in first: the request carries no access token")),
    };
    carry_out(environment, &caller, action, Params::new(params, dialect)).await
}

async fn carry_out(
    environment: &Environment,
    caller: &Caller,
    action: Action,
    params: Params,
) -> Result<Reply, ActionError> {
    let request = |params| Request::new(environment, caller, params);
    match action {
        Action::FetchAccessToken => auth::refresh(environment, &params),
        Action::GetUserInfo => auth::user_info(environment, caller),
        Action::IsUsernameRegistered => auth::is_username_registered(environment, &params),
        Action::Logout => auth::sign_out(environment, &params),
        Action::SendPhoneCode => auth::send_phone_code(environment, &params),
        Action::SignIn => auth::sign_in(environment, &params),
        Action::SignInAnonymously => auth::sign_in_anonymously(environment, &params),
        Action::SignInWithAccount => auth::sign_in_with_account(environment, &params).await,
        Action::SignInWithTicket => auth::sign_in_with_ticket(environment, &params),
        Action::SignUpWithEmail => auth::sign_up_with_email(environment, &params).await,
        Action::WsWebSign => Ok(auth::web_socket(environment, caller)),
        Action::AbortTransaction => request(params).abort_transaction().await,
        Action::AddCollection => request(params).add_collection().await,
        Action::AddDocument => request(params).add().await,
        Action::Aggregate => request(params).aggregate().await,
        Action::CommitTransaction => request(params).commit_transaction().await,
        Action::CountDocuments => request(params).count().await,
        Action::DeleteInTransaction => request(params).delete_in_transaction().await,
        Action::GetDocuments => request(params).get().await,
        Action::GetInTransaction => request(params).get_in_transaction().await,
        Action::InsertDocuments => request(params).insert().await,
        Action::InsertInTransaction => request(params).insert_in_transaction().await,
        Action::ModifyAndReturnDocument => request(params).modify_and_return().await,
        Action::ModifyDocuments => request(params).modify().await,
        Action::RemoveDocuments => request(params).remove().await,
        Action::StartTransaction => request(params).start_transaction().await,
        Action::UpdateInTransaction => request(params).update_in_transaction().await,
        Action::InvokeFunction => functions::invoke(environment, caller, params).await,
        Action::Nosql(verb) => nosql::call(environment, caller, verb, params).await,
        Action::OAuth(verb) => oauth::call(environment, caller, verb, &params).await,
        Action::BatchCopyFile => storage::copy(environment, caller, params).await,
        Action::BatchDeleteFile => storage::delete(environment, caller, params).await,
        Action::BatchGetDownloadUrl => storage::download_urls(environment, caller, params).await,
        Action::GetFileAuthority => storage::authority(environment, caller, params).await,
        Action::GetUploadMetadata => storage::upload_metadata(environment, caller, params).await,
    }
}

fn find(name: &str) -> Result<(Action, Dialect), ActionError> {
    if let Ok(index) = ACTIONS.binary_search_by_key(&name, |(name, ..)| name) {
        let (_, action, dialect) = ACTIONS[index];
        return Ok((action, dialect));
    }
    match ACTIONS_UNSUPPORTED.binary_search(&name) {
        Ok(_) => Err(ActionError::unsupported(name)),
        Err(_) => Err(ActionError::unknown_action(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_apart() {
        assert!(ACTIONS.is_sorted_by_key(|(name, ..)| *name));
        assert!(ACTIONS_UNSUPPORTED.is_sorted());
        assert!(ACTIONS.iter().all(|(name, ..)| !ACTIONS_UNSUPPORTED.contains(name)));
    }

    #[test]
    fn an_action_is_found_or_refused_by_name() {
        assert_eq!(find("database.getDocument"), Ok((Action::GetDocuments, Dialect::B)));
        let known = find("wx.openApi").map_err(|error| error.message);
        assert_eq!(known, Err("not supported by the emulator: wx.openApi".into()));
        let unknown = find("database.fly").map_err(|error| error.message);
        assert!(unknown.is_err_and(|message| message.contains("database.fly")));
    }
}
