//! The one table of codes that SDKs see, and the error that carries them. Messages name the cause and, where applications
//! match on the cloud's own text, begin with it (protocol §2.9, semantics §9).

use database::DatabaseError;
use query::{QueryError, QueryErrorKind};
use serde_json::Value;
use std::fmt;
use storage::StorageError;

/// A refusal or failure of an action, as the SDKs see it: `{code, message, requestId}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionError {
    /// One of the codes of the table below.
    pub code: &'static str,
    /// Cause first, then the cure.
    pub message: String,
    /// What the emulator adds for whoever develops against it, as JSON: why a rule refuses, and what `where` must say. Never
    /// what the caller may not know.
    pub explanation: Option<Box<Value>>,
}

/// What the cloud appends to most of its messages.
const PLEASE_CHECK: &str = "Please check your request, but if the problem persists, contact us.";

impl fmt::Display for ActionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.code, self.message)
    }
}

impl std::error::Error for ActionError {}

impl ActionError {
    /// An error with one of the codes of `codes`.
    pub fn new(code: &'static str, message: impl Into<String>) -> ActionError {
        ActionError { code, message: message.into(), explanation: None }
    }

    /// A parameter that is missing, of another type or out of range.
    pub fn invalid_param(message: impl Into<String>) -> ActionError {
        ActionError::new(codes::INVALID_PARAM, message)
    }

    /// An environment this emulator does not serve.
    pub fn environment_missing(name: &str, served: &str) -> ActionError {
        let message = format!(
            "Param Invalid: env check invalid be filterd. env not exists: this emulator serves the environment `{served}` only, \
             the request names `{name}`; start it with --env {name} or without --env"
        );
        ActionError::new(codes::INVALID_ENV, message)
    }

    /// A name that cannot be an environment's.
    pub(crate) fn environment_name(name: &str) -> ActionError {
        let message = format!(
            "Param Invalid: env check invalid be filterd. env not exists: `{name}` is no name for an environment, \
             which has 1 to 128 letters, digits, `-` and `_`"
        );
        ActionError::new(codes::INVALID_ENV, message)
    }

    /// A fork that was dropped, or never made.
    pub(crate) fn fork_missing(name: &str) -> ActionError {
        let message = format!("there is no fork `{name}`: it was dropped, or was never made by `emulator fork`");
        ActionError::new(codes::INVALID_ENV, message)
    }

    /// A parameter that must be there and is not.
    pub(crate) fn param_missing(name: &str) -> ActionError {
        ActionError::invalid_param(format!("{name} is missing"))
    }

    /// A parameter that is not `expected`.
    pub(crate) fn param_type(name: &str, expected: &str) -> ActionError {
        ActionError::invalid_param(format!("{name} must be {expected}"))
    }

    /// A name that is no action of the cloud's.
    pub(crate) fn unknown_action(action: &str) -> ActionError {
        ActionError::invalid_param(format!("unknown action: {action}"))
    }

    /// A write that a document does not allow, in the cloud's wrapping (protocol §2.9, semantics DB-3.08).
    pub(crate) fn write_failed(reason: impl fmt::Display) -> ActionError {
        let message = format!("[FailedOperation] multiple write errors: [{{write errors: [{{{reason}}}]}}, {{<nil>}}]");
        ActionError::new(codes::DATABASE_REQUEST_FAILED, message)
    }

    /// A request that proves no identity where one is needed.
    pub(crate) fn login_failed(reason: impl Into<String>) -> ActionError {
        ActionError::new(codes::CHECK_LOGIN_FAILED, reason)
    }

    /// A file that the caller may not touch.
    pub(crate) fn storage_denied(path: &str) -> ActionError {
        let message =
            format!("storage permission denied: {path} belongs to somebody else, or the files' mode forbids it");
        ActionError::new(codes::STORAGE_EXCEED_AUTHORITY, message)
    }

    /// Something the cloud has and the emulator has not: refused by its name.
    pub fn unsupported(what: &str) -> ActionError {
        ActionError::new(codes::INVALID_PARAM, format!("not supported by the emulator: {what}"))
    }

    /// A body that is not JSON, or not a JSON object.
    pub fn bad_body(reason: &str) -> ActionError {
        ActionError::invalid_param(format!("the request body is not a JSON object: {reason}"))
    }

    /// A body over `limit` bytes.
    pub fn body_too_large(limit: usize) -> ActionError {
        ActionError::invalid_param(format!("the request body exceeds {} MB", limit >> 20))
    }
}

impl From<QueryError> for ActionError {
    fn from(error: QueryError) -> ActionError {
        match error.kind {
            QueryErrorKind::BadQuery => ActionError::new(
                codes::DATABASE_REQUEST_FAILED,
                format!("[FailedOperation] {}. {PLEASE_CHECK}", error.message),
            ),
            QueryErrorKind::BadUpdate | QueryErrorKind::WriteFailed => ActionError::write_failed(error.message),
            QueryErrorKind::Unsupported => ActionError::new(codes::DATABASE_REQUEST_FAILED, error.message),
        }
    }
}

impl From<DatabaseError> for ActionError {
    fn from(error: DatabaseError) -> ActionError {
        match error {
            DatabaseError::CollectionMissing(name) => ActionError::new(
                codes::DATABASE_COLLECTION_NOT_EXIST,
                format!("[ResourceNotFound] Db or Table not exist: {name}. {PLEASE_CHECK}"),
            ),
            DatabaseError::CollectionExists(_) => ActionError::new(
                codes::DATABASE_COLLECTION_ALREADY_EXIST,
                format!(
                    "[ResourceUnavailable.ResourceExist] Table exist. {PLEASE_CHECK} DATABASE_COLLECTION_ALREADY_EXIST"
                ),
            ),
            DatabaseError::DuplicateKey { collection, index, key } => ActionError::write_failed(format!(
                "E11000 duplicate key error collection: tnt-emulator.{collection} index: {index} dup key: {key}"
            )),
            DatabaseError::BadCollectionName { .. } | DatabaseError::BadIndex(_) | DatabaseError::BadNamespace(_) => {
                ActionError::invalid_param(error.to_string())
            }
            DatabaseError::BadDocument(reason) => ActionError::write_failed(reason),
            DatabaseError::Query(error) => error.into(),
            DatabaseError::TransactionConflict => {
                ActionError::new(codes::DATABASE_TRANSACTION_CONFLICT, error.to_string())
            }
            DatabaseError::TransactionNotExist => ActionError::new(codes::DATABASE_TRANSACTION_FAIL, error.to_string()),
            DatabaseError::InUse(_)
            | DatabaseError::Storage(_)
            | DatabaseError::Corrupt(_)
            | DatabaseError::UnknownFormat { .. }
            | DatabaseError::Internal(_)
            | DatabaseError::Stopped
            | DatabaseError::Closed => ActionError::new(codes::SYS_ERR, error.to_string()),
        }
    }
}

impl From<StorageError> for ActionError {
    fn from(error: StorageError) -> ActionError {
        let code = match &error {
            StorageError::Missing => codes::STORAGE_FILE_NONEXIST,
            StorageError::BadPath(_) | StorageError::BadFileId(_) => codes::INVALID_PARAM,
            StorageError::Exists | StorageError::Io(_) => codes::STORAGE_REQUEST_FAIL,
        };
        ActionError::new(code, error.to_string())
    }
}

/// The codes (protocol §2.9, semantics §9.2; the misspellings are the cloud's).
#[allow(missing_docs)]
pub mod codes {
    pub const ACCESS_TOKEN_EXPIRED: &str = "ACCESS_TOKEN_EXPIRED";
    pub const ALREADY_EXISTS: &str = "ALREADY_EXISTS";
    pub const CHECK_LOGIN_FAILED: &str = "CHECK_LOGIN_FAILED";
    pub const COLLECTION_PERMISSION_DENIED: &str = "COLLECTION_PERMISSION_DENIED";
    pub const DATABASE_COLLECTION_ALREADY_EXIST: &str = "DATABASE_COLLECTION_ALREADY_EXIST";
    pub const DATABASE_COLLECTION_NOT_EXIST: &str = "DATABASE_COLLECTION_NOT_EXIST";
    pub const DATABASE_DUPLICATE_WRITE: &str = "DATABASE_DUPLICATE_WRITE";
    pub const DATABASE_PERMISSION_DENIED: &str = "DATABASE_PERMISSION_DENIED";
    pub const DATABASE_REQUEST_FAILED: &str = "DATABASE_REQUEST_FAILED";
    pub const DATABASE_TRANSACTION_CONFLICT: &str = "DATABASE_TRANSACTION_CONFLICT";
    pub const DATABASE_TRANSACTION_FAIL: &str = "DATABASE_TRANSACTION_FAIL";
    pub const DOCUMENT_NOT_FOUND: &str = "DOCUMENT_NOT_FOUND";
    pub const FUNCTION_NOT_FOUND: &str = "FUNCTION_NOT_FOUND";
    pub const FUNCTIONS_EXECUTE_FAIL: &str = "FUNCTIONS_EXECUTE_FAIL";
    pub const FUNCTIONS_MEMORY_LIMIT_EXCEEDED: &str = "FUNCTIONS_MEMORY_LIMIT_EXCEEDED";
    pub const FUNCTIONS_TIME_LIMIT_EXCEEDED: &str = "FUNCTIONS_TIME_LIMIT_EXCEEDED";
    pub const INVALID_ENV: &str = "INVALID_ENV";
    pub const INVALID_PARAM: &str = "INVALID_PARAM";
    pub const INVALID_PASSWORD: &str = "INVALID_PASSWORD";
    pub const INVALID_REFRESH_TOKEN: &str = "INVALID_REFRESH_TOKEN";
    pub const INVALID_VERIFICATION_CODE: &str = "INVALID_VERIFICATION_CODE";
    pub const NOT_FOUND: &str = "NOT_FOUND";
    pub const PERMISSION_DENIED: &str = "PERMISSION_DENIED";
    pub const QUERYID_INVALID_ERROR: &str = "QUERYID_INVALID_ERROR";
    pub const REFRESH_TOKEN_EXPIRED: &str = "REFRESH_TOKEN_EXPIRED";
    pub const SIGN_INVALID_ERROR: &str = "SIGN_INVALID_ERROR";
    pub const STORAGE_EXCEED_AUTHORITY: &str = "STORAGE_EXCEED_AUTHORITY";
    pub const STORAGE_FILE_NONEXIST: &str = "STORAGE_FILE_NONEXIST";
    pub const STORAGE_REQUEST_FAIL: &str = "STORAGE_REQUEST_FAIL";
    pub const STORAGE_SIGN_PARAM_INVALID: &str = "STORAGE_SIGN_PARAM_INVALID";
    pub const SYS_ERR: &str = "SYS_ERR";
}
