//! How much memory a stage may take that must keep what it reads, and how large a document may grow.

use document::limits::{document_size, value_size};
use document::{Bson, Document};

use crate::QueryError;

/// What `$group`, `$sort` and `$bucketAuto` may keep each.
const STAGE_BYTES_MAX: usize = 100 * 1024 * 1024;

/// What MongoDB lets a document grow to: 16 MB and some room for what it adds itself.
pub(super) const DOCUMENT_BYTES_MAX: usize = 16_793_600;

/// What a stage keeps, counted; the error's text is the stage's.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    exceeded: &'static str,
}

impl Budget {
    /// 100 MB, as MongoDB allows without writing to disk.
    pub(super) fn of_stage(exceeded: &'static str) -> Budget {
        Budget { left: STAGE_BYTES_MAX, exceeded }
    }

    /// As much as a document may take.
    pub(super) fn of_document() -> Budget {
        Budget { left: DOCUMENT_BYTES_MAX, exceeded: "document constructed by $facet is more than 16793600 bytes" }
    }

    pub(super) fn take(&mut self, bytes: usize) -> Result<(), QueryError> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| QueryError::bad_query(self.exceeded))?;
        Ok(())
    }

    pub(super) fn give_back(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes);
    }
}

/// How many bytes a value takes, about.
pub(super) fn size(value: &Bson) -> Result<usize, QueryError> {
    value_size(value).map_err(|error| QueryError::bad_query(error.to_string()))
}

/// How many bytes a document takes that a stage made, if it is not too large.
pub(super) fn checked_size(document: &Document) -> Result<usize, QueryError> {
    let bytes = document_size(document).map_err(|error| QueryError::bad_query(error.to_string()))?;
    if bytes > DOCUMENT_BYTES_MAX {
        return Err(QueryError::bad_query(format!(
            "BSONObj size: {bytes} (0x{bytes:X}) is invalid. Size must be between 0 and {DOCUMENT_BYTES_MAX}(16MB)"
        )));
    }
    Ok(bytes)
}
