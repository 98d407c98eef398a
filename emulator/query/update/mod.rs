//! Updates: operators such as `$set` and `$push`, or a whole new document, applied to a document (semantics §3, meaning
//! MongoDB 4.0). Operators take effect in the order of their paths' text, so new fields come out in that order.
//!
//! ## Differences from the cloud
//! - `$currentDate` and `$[identifier]` are refused by name.
//! - Arithmetic on 128-bit decimals is refused.

mod arithmetic;
mod array;
mod bitwise;
mod fields;
mod modifier;
mod replacement;
mod storage;
mod target;

use document::Document;

use crate::QueryError;
use modifier::{Operation, Scope};
use target::conflict;

/// A change to documents, parsed once and applied to many.
#[derive(Debug, Clone)]
pub struct Update {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Operators(Vec<Operation>),
    Replacement(Document),
}

/// What an update changed in a document.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct FieldChanges {
    /// The dotted paths that have a new value, with it. Elements pushed to the end of an array stand under their own paths.
    pub updated: Document,
    /// The dotted paths that are gone.
    pub removed: Vec<String>,
}

impl FieldChanges {
    /// Whether the document is what it was.
    pub fn is_empty(&self) -> bool {
        self.updated.is_empty() && self.removed.is_empty()
    }
}

impl Update {
    /// Reads the operator form, `{"$set": {…}, "$inc": {…}}`. An update without operators is the cloud's `'$set' is empty`
    /// (semantics §1.3).
    pub fn parse(update: &Document) -> Result<Update, QueryError> {
        if update.is_empty() {
            return Err(modifier::empty("$set"));
        }
        let mut operations = Vec::new();
        for (name, fields) in update {
            modifier::parse(name, fields, &mut operations)?;
        }
        check_conflicts(&operations)?;
        operations.sort_by(|left, right| target::order(&left.path, &right.path));
        Ok(Update { kind: Kind::Operators(operations) })
    }

    /// The update that gives a document these fields and no others. Dotted names are stored as they are (UNC-14); names that
    /// begin with `$` are refused.
    pub fn replacement(document: Document) -> Result<Update, QueryError> {
        storage::check_document(&document, "")?;
        Ok(Update { kind: Kind::Replacement(document) })
    }

    /// Changes `document` and says what changed; on an error the document is as it was. `position` is what
    /// [`crate::Filter::match_position`] found, for the positional `$`.
    ///
    /// `_id` never changes (semantics DB-3.27). Nothing checks the size or depth of what results.
    pub fn apply(&self, document: &mut Document, position: Option<usize>) -> Result<FieldChanges, QueryError> {
        match &self.kind {
            Kind::Operators(operations) => apply_operations(operations, document, Scope { position, insert: false }),
            Kind::Replacement(replacement) => replacement::apply(replacement, document),
        }
    }

    /// Changes a document that an upsert is about to insert, made of [`crate::Filter::upsert_fields`]: `$setOnInsert` takes
    /// effect, and an `_id` may be given where there is none. On an error the document is as it was.
    pub fn apply_insert(&self, document: &mut Document) -> Result<FieldChanges, QueryError> {
        match &self.kind {
            Kind::Operators(operations) => {
                apply_operations(operations, document, Scope { position: None, insert: true })
            }
            Kind::Replacement(replacement) => replacement::apply(replacement, document),
        }
    }

    /// Whether the update replaces the whole document.
    pub fn is_replacement(&self) -> bool {
        matches!(self.kind, Kind::Replacement(_))
    }
}

fn apply_operations(
    operations: &[Operation],
    document: &mut Document,
    scope: Scope,
) -> Result<FieldChanges, QueryError> {
    let mut changes = FieldChanges::default();
    match operations {
        // A single write checks everything before it changes anything.
        [only] if !only.path.is_dynamic() => only.apply(document, scope, &mut changes)?,
        several => {
            check_positions(several, scope.position)?;
            let mut changed = document.clone();
            for operation in several {
                operation.apply(&mut changed, scope, &mut changes)?;
            }
            *document = changed;
        }
    }
    Ok(changes)
}

/// Two operators on one path, or on a path and what it leads into, contradict each other (semantics DB-3.07).
fn check_conflicts(operations: &[Operation]) -> Result<(), QueryError> {
    let mut paths: Vec<(usize, &target::TargetPath)> = Vec::new();
    for (order, operation) in operations.iter().enumerate() {
        paths.extend(operation.modifier.source().map(|source| (order, source)));
        paths.push((order, &operation.path));
    }
    let mixes_all = paths.iter().any(|(_, path)| path.is_dynamic());
    paths.sort_by(|(_, left), (_, right)| target::order(left, right));
    // Sorted by segments, a path stands right before those it leads into; only `$[]` also contradicts its other neighbours.
    let reach = if mixes_all { paths.len() } else { 1 };
    for (index, (left_order, left)) in paths.iter().enumerate() {
        for (right_order, right) in paths.iter().skip(index + 1).take(reach) {
            if let Some(place) = conflict(left.segments(), right.segments()) {
                let later = if left_order > right_order { left } else { right };
                return Err(QueryError::bad_update(conflict_text(later.as_str(), &place)));
            }
        }
    }
    Ok(())
}

/// The same once `$` has its index, which another operator may name too.
fn check_positions(operations: &[Operation], position: Option<usize>) -> Result<(), QueryError> {
    if !operations.iter().any(|operation| operation.path.is_dynamic()) {
        return Ok(());
    }
    let paths =
        operations.iter().map(|operation| operation.path.at_position(position)).collect::<Result<Vec<_>, _>>()?;
    for (index, left) in paths.iter().enumerate() {
        for right in paths.iter().skip(index + 1) {
            if let Some(place) = conflict(left.segments(), right.segments()) {
                return Err(QueryError::write_failed(conflict_text(right.as_str(), &place)));
            }
        }
    }
    Ok(())
}

fn conflict_text(path: &str, place: &str) -> String {
    format!("Updating the path '{path}' would create a conflict at '{place}'")
}
