//! The one error of this crate: what is wrong with a filter, projection, sort or update, in the words MongoDB uses.
//! Which code an SDK sees for it is decided upstairs.

use document::PathError;

/// A query or update that cannot be read, or cannot be carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What kind of mistake it is.
    pub kind: QueryErrorKind,
    /// What applications and people read.
    pub message: String,
}

/// The kinds of mistakes that upper floors answer differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryErrorKind {
    /// A filter, projection or sort that cannot be read, or a regular expression that gave up.
    BadQuery,
    /// An update that cannot be read, whatever the document.
    BadUpdate,
    /// An update that cannot be applied to this document; a "write error" in the cloud's reply.
    WriteFailed,
    /// Something MongoDB has and the emulator does not.
    Unsupported,
}

impl QueryError {
    /// A filter, projection or sort that cannot be read.
    pub(crate) fn bad_query(message: impl Into<String>) -> QueryError {
        QueryError { kind: QueryErrorKind::BadQuery, message: message.into() }
    }

    /// An update that cannot be read.
    pub(crate) fn bad_update(message: impl Into<String>) -> QueryError {
        QueryError { kind: QueryErrorKind::BadUpdate, message: message.into() }
    }

    /// An update that cannot be applied to the document at hand.
    pub(crate) fn write_failed(message: impl Into<String>) -> QueryError {
        QueryError { kind: QueryErrorKind::WriteFailed, message: message.into() }
    }

    /// `name` is known and not there: refused by name.
    pub(crate) fn unsupported(name: &str) -> QueryError {
        QueryError { kind: QueryErrorKind::Unsupported, message: format!("not supported by the emulator: {name}") }
    }

    /// A path in a filter, projection or sort that is none.
    pub(crate) fn bad_path(error: &PathError) -> QueryError {
        QueryError::bad_query(error.to_string())
    }
}
