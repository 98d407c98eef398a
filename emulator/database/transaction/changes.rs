//! What a transaction changed in all: every document once, from what it was before to what it is after.

use std::collections::HashMap;

use query::FieldChanges;

use crate::{Change, ChangeKind};

/// The changes with all that happened to one document made one. What was undone is left out.
pub(crate) fn merge(changes: Vec<Change>) -> Vec<Change> {
    let mut merged: Vec<Option<Change>> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new(); // record numbers are unique in the whole store
    for change in changes {
        let place = *places.entry(change.record).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(earlier) => {
                *earlier = match earlier.take() {
                    Some(earlier) => join(earlier, change),
                    None => Some(change),
                }
            }
            None => merged.push(Some(change)),
        }
    }
    merged.into_iter().flatten().collect()
}

/// Two changes of a document as one, unless the second takes the first back.
fn join(earlier: Change, later: Change) -> Option<Change> {
    let joined = Change { kind: join_kinds(earlier.kind, later.kind), before: earlier.before, ..later };
    (joined.before != joined.after).then_some(joined)
}

fn join_kinds(earlier: ChangeKind, later: ChangeKind) -> ChangeKind {
    match (earlier, later) {
        (_, ChangeKind::Remove) => ChangeKind::Remove,
        (ChangeKind::Insert, _) | (_, ChangeKind::Insert) => ChangeKind::Insert,
        (ChangeKind::Update(earlier), ChangeKind::Update(later)) => ChangeKind::Update(join_fields(earlier, later)),
        (ChangeKind::Replace | ChangeKind::Remove, ChangeKind::Update(_))
        | (ChangeKind::Update(_) | ChangeKind::Replace | ChangeKind::Remove, ChangeKind::Replace) => {
            ChangeKind::Replace
        }
    }
}

/// A path that changes again is told of once, as it is in the end; so are the paths below one that has a new value.
fn join_fields(mut earlier: FieldChanges, later: FieldChanges) -> FieldChanges {
    for path in later.updated.keys().chain(&later.removed) {
        let stale = |known: &str| {
            known.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        earlier.removed.retain(|known| !stale(known));
        let updated = std::mem::take(&mut earlier.updated);
        earlier.updated = updated.into_iter().filter(|(known, _)| !stale(known)).collect();
    }
    earlier.updated.extend(later.updated);
    earlier.removed.extend(later.removed);
    earlier
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use bson::{Document, RawDocumentBuf, doc};

    use super::*;
    use crate::CollectionName;

    /// What a document becomes step by step, `None` being absent; each step with what is said of it.
    fn check(
        steps: &[(Option<i32>, Option<i32>, ChangeKind)],
        expected: Option<(Option<i32>, Option<i32>, ChangeKind)>,
    ) {
        let changes = steps.iter().map(|(before, after, kind)| change(*before, *after, kind.clone())).collect();
        let expected: Vec<_> = expected.map(|(before, after, kind)| change(before, after, kind)).into_iter().collect();
        assert_eq!(merge(changes), expected);
    }

    fn change(before: Option<i32>, after: Option<i32>, kind: ChangeKind) -> Change {
        let document = |n: Option<i32>| n.map(|n| Arc::new(RawDocumentBuf::try_from(&doc! { "n": n }).unwrap()));
        let collection = CollectionName::parse("c").unwrap();
        Change { collection, record: 1, before: document(before), after: document(after), kind }
    }

    fn set(updated: Document) -> ChangeKind {
        ChangeKind::Update(FieldChanges { updated, removed: Vec::new() })
    }

    #[test]
    fn a_document_changes_once() {
        let set_to = |n: i32| set(doc! { "n": n });
        check(&[(None, Some(1), ChangeKind::Insert)], Some((None, Some(1), ChangeKind::Insert)));
        check(
            &[(None, Some(1), ChangeKind::Insert), (Some(1), Some(2), set_to(2))],
            Some((None, Some(2), ChangeKind::Insert)),
        );
        check(&[(None, Some(1), ChangeKind::Insert), (Some(1), None, ChangeKind::Remove)], None);
        check(&[(Some(1), Some(2), set_to(2)), (Some(2), Some(3), set_to(3))], Some((Some(1), Some(3), set_to(3))));
        check(
            &[(Some(1), Some(2), set_to(2)), (Some(2), Some(3), ChangeKind::Replace)],
            Some((Some(1), Some(3), ChangeKind::Replace)),
        );
        check(
            &[(Some(1), Some(2), set_to(2)), (Some(2), None, ChangeKind::Remove)],
            Some((Some(1), None, ChangeKind::Remove)),
        );
    }

    #[test]
    fn what_is_undone_is_no_change_and_may_be_done_again() {
        let set_to = |n: i32| set(doc! { "n": n });
        let undone = [(Some(1), Some(2), set_to(2)), (Some(2), Some(1), set_to(1))];
        check(&undone, None);
        let again = [&undone[..], &[(Some(1), Some(3), set_to(3))]].concat();
        check(&again, Some((Some(1), Some(3), set_to(3))));
    }

    #[test]
    fn a_path_is_told_of_once() {
        let earlier = FieldChanges {
            updated: doc! { "a.b": 1, "ab": 1, "c": 1 },
            removed: vec!["d.e".to_owned(), "f".to_owned()],
        };
        let later = FieldChanges { updated: doc! { "a": {}, "d": 1 }, removed: vec!["c".to_owned()] };
        let expected =
            FieldChanges { updated: doc! { "ab": 1, "a": {}, "d": 1 }, removed: vec!["f".to_owned(), "c".to_owned()] };
        assert_eq!(join_fields(earlier, later), expected);
    }
}
