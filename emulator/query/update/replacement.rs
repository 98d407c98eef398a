//! `set()`: a document gets new fields in place of all it had but `_id` (semantics DB-3.06).

use document::{Bson, Document, to_shell_text};

use super::{FieldChanges, storage};
use crate::QueryError;

/// Gives `document` the fields of `replacement`; its `_id`, if it has one, stays and comes first.
pub(super) fn apply(replacement: &Document, document: &mut Document) -> Result<FieldChanges, QueryError> {
    let mut replaced = Document::new();
    let id = document.get("_id").or_else(|| replacement.get("_id"));
    if let Some(id) = id {
        check_id(id, replacement.get("_id"))?;
        replaced.insert("_id", id.clone());
    }
    for (name, value) in replacement.iter().filter(|(name, _)| *name != "_id") {
        replaced.insert(name, value.clone());
    }
    let changes = changes(document, &replaced);
    *document = replaced;
    Ok(changes)
}

fn check_id(id: &Bson, wanted: Option<&Bson>) -> Result<(), QueryError> {
    match wanted {
        Some(wanted) if !storage::identical(id, wanted) => {
            let shown = to_shell_text(wanted.into());
            Err(QueryError::write_failed(format!(
                "After applying the update, the (immutable) field '_id' was found to have been altered to _id: {shown}"
            )))
        }
        _ => Ok(()),
    }
}

/// The fields of the first level that differ. Where only their order does, all count as updated.
fn changes(old: &Document, new: &Document) -> FieldChanges {
    if storage::identical_documents(old, new) {
        return FieldChanges::default();
    }
    let differs = |name: &str, value: &Bson| old.get(name).is_none_or(|old| !storage::identical(old, value));
    let updated = new.iter().filter(|(name, value)| differs(name, value));
    let updated: Document = updated.map(|(name, value)| (name.clone(), value.clone())).collect();
    let removed: Vec<String> = old.keys().filter(|name| !new.contains_key(name)).cloned().collect();
    match updated.is_empty() && removed.is_empty() {
        true => FieldChanges { updated: new.clone(), removed },
        false => FieldChanges { updated, removed },
    }
}
