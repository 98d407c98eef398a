//! One operator on one path: the table of operators, and carrying one out. What each computes from the value it finds
//! stands in `fields.rs`, `bitwise.rs` and `array.rs`.

use document::{Bson, Document, Number, ValueRef, to_shell_field, to_shell_text};

use super::array::{End, Pull, Push};
use super::bitwise::BitOperation;
use super::target::{self, Lookup, TargetPath};
use super::{FieldChanges, array, bitwise, fields, storage};
use crate::QueryError;
use crate::filter::Segment;

/// An operator and the path it works on.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) path: TargetPath,
    pub(super) modifier: Modifier,
}

/// What an operator does to the value at its path.
#[derive(Debug, Clone)]
pub(super) enum Modifier {
    /// `$set`.
    Set(Bson),
    /// `$setOnInsert`.
    SetOnInsert(Bson),
    /// `$unset`.
    Unset,
    /// `$inc`.
    Increment(Number),
    /// `$mul`.
    Multiply(Number),
    /// `$min`.
    Least(Bson),
    /// `$max`.
    Greatest(Bson),
    /// `$bit`.
    Bits(Vec<BitOperation>),
    /// `$rename`; the operation's path is the new name, this is the old one.
    RenameFrom(TargetPath),
    /// `$push`.
    Push(Push),
    /// `$addToSet`.
    AddToSet(Vec<Bson>),
    /// `$pop`.
    Pop(End),
    /// `$pull`.
    Pull(Pull),
    /// `$pullAll`.
    PullAll(Vec<Bson>),
}

/// What an operator makes of the value it finds.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The value stays.
    Unchanged,
    /// This value takes its place.
    Set(Bson),
    /// The value is an array that gets these elements at its end.
    Append(Vec<Bson>),
    /// The value goes.
    Remove,
}

/// What holds for all operators of one application.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    /// The index that `$` stands for.
    pub(super) position: Option<usize>,
    /// Whether the document is about to be inserted by an upsert.
    pub(super) insert: bool,
}

/// The place an operator works on, for error texts.
pub(super) struct Place<'a> {
    document: &'a Document,
    segments: &'a [Segment],
}

impl Place<'_> {
    /// The field's own name.
    pub(super) fn name(&self) -> &str {
        self.segments.last().map_or("", |segment| &*segment.name)
    }

    /// The field's path.
    pub(super) fn path(&self) -> String {
        target::dotted(self.segments)
    }

    /// The document's `_id` as MongoDB prints an element: `_id: "x"`.
    pub(super) fn id(&self) -> String {
        id_text(self.document)
    }
}

type ParseModifier = fn(&str, &Bson) -> Result<Modifier, QueryError>;

const OPERATORS: &[(&str, ParseModifier)] = &[
    ("$addToSet", array::parse_add_to_set),
    ("$bit", bitwise::parse_bit),
    ("$inc", fields::parse_inc),
    ("$max", |_, value| Ok(Modifier::Greatest(value.clone()))),
    ("$min", |_, value| Ok(Modifier::Least(value.clone()))),
    ("$mul", fields::parse_mul),
    ("$pop", array::parse_pop),
    ("$pull", array::parse_pull),
    ("$pullAll", array::parse_pull_all),
    ("$push", array::parse_push),
    ("$rename", fields::parse_rename),
    ("$set", |_, value| Ok(Modifier::Set(value.clone()))),
    ("$setOnInsert", |_, value| Ok(Modifier::SetOnInsert(value.clone()))),
    ("$unset", |_, _| Ok(Modifier::Unset)),
];

const OPERATORS_UNSUPPORTED: &[&str] = &["$currentDate"];

/// Reads one operator and the fields it is for.
pub(super) fn parse(name: &str, fields: &Bson, operations: &mut Vec<Operation>) -> Result<(), QueryError> {
    let Ok(index) = OPERATORS.binary_search_by_key(&name, |(known, _)| known) else {
        return Err(match OPERATORS_UNSUPPORTED.binary_search(&name) {
            Ok(_) => QueryError::unsupported(name),
            Err(_) => QueryError::bad_update(format!("Unknown modifier: {name}")),
        });
    };
    let Bson::Document(fields) = fields else { return Err(no_fields(name, fields)) };
    if fields.is_empty() {
        return Err(empty(name));
    }
    let Some((_, parse)) = OPERATORS.get(index) else { return Ok(()) };
    for (path, argument) in fields {
        let modifier = parse(path, argument)?;
        let path = match (&modifier, argument) {
            (Modifier::RenameFrom(_), Bson::String(new_name)) => TargetPath::parse(new_name)?,
            _ => TargetPath::parse(path)?,
        };
        operations.push(Operation { path, modifier });
    }
    Ok(())
}

/// An operator without fields; a write error in the cloud (semantics §1.3).
pub(super) fn empty(name: &str) -> QueryError {
    QueryError::write_failed(format!(
        "'{name}' is empty. You must specify a field like so: {{{name}: {{<field>: ...}}}}"
    ))
}

fn no_fields(name: &str, found: &Bson) -> QueryError {
    let found_type = ValueRef::from(found).type_name();
    let shown = to_shell_field(name, found.into());
    QueryError::bad_update(format!(
        "Modifiers operate on fields but we found type {found_type} instead. \
         For example: {{$mod: {{<field>: ...}}}} not {shown}"
    ))
}

impl Operation {
    /// Carries the operator out at every place its path means.
    pub(super) fn apply(
        &self,
        document: &mut Document,
        scope: Scope,
        changes: &mut FieldChanges,
    ) -> Result<(), QueryError> {
        if !self.path.is_dynamic() {
            return self.apply_at(document, self.path.segments(), scope, changes);
        }
        for segments in self.path.at_position(scope.position)?.expand(document)? {
            self.apply_at(document, &segments, scope, changes)?;
        }
        Ok(())
    }

    /// Carries the operator out at one place; every check comes before the first change.
    fn apply_at(
        &self,
        document: &mut Document,
        segments: &[Segment],
        scope: Scope,
        changes: &mut FieldChanges,
    ) -> Result<(), QueryError> {
        if let Modifier::RenameFrom(source) = &self.modifier {
            return fields::rename(document, source.segments(), segments, scope, changes);
        }
        let found = target::look_up(document, segments);
        let outcome = match found {
            Lookup::Found(value) => self.modifier.change(value, &Place { document, segments }, scope)?,
            Lookup::Missing { .. } | Lookup::Blocked { .. } => self.modifier.create(segments, found, scope)?,
        };
        if let Outcome::Unchanged = outcome {
            return Ok(());
        }
        check_id(document, segments, scope)?;
        check_outcome(&outcome, document, segments, found)?;
        write(document, segments, outcome, changes);
        Ok(())
    }
}

/// Whether a write at `segments` is one to `_id`, which never changes (semantics DB-3.27).
pub(super) fn check_id(document: &Document, segments: &[Segment], scope: Scope) -> Result<(), QueryError> {
    let writes_id = segments.first().is_some_and(|first| *first.name == *"_id");
    if !writes_id || (scope.insert && !document.contains_key("_id")) {
        return Ok(());
    }
    let path = target::dotted(segments);
    Err(QueryError::write_failed(format!(
        "Performing an update on the path '{path}' would modify the immutable field '_id'"
    )))
}

/// Whether what is to be written may be stored where it goes.
fn check_outcome(
    outcome: &Outcome,
    document: &Document,
    segments: &[Segment],
    found: Lookup<'_>,
) -> Result<(), QueryError> {
    match outcome {
        Outcome::Set(value) => {
            target::check_creatable(document, segments, found)?;
            storage::check_value(value, &target::dotted(segments))
        }
        Outcome::Append(elements) => {
            elements.iter().try_for_each(|element| storage::check_value(element, &target::dotted(segments)))
        }
        Outcome::Unchanged | Outcome::Remove => Ok(()),
    }
}

fn write(document: &mut Document, segments: &[Segment], outcome: Outcome, changes: &mut FieldChanges) {
    let path = target::dotted(segments);
    match outcome {
        Outcome::Unchanged => {}
        Outcome::Set(value) => {
            changes.updated.insert(path, value.clone());
            target::put(document, segments, value);
        }
        Outcome::Append(elements) => {
            if let Some(Bson::Array(array)) = target::find_mut(document, segments) {
                for element in elements {
                    changes.updated.insert(format!("{path}.{}", array.len()), element.clone());
                    array.push(element);
                }
            }
        }
        Outcome::Remove => {
            target::remove(document, segments);
            match target::look_up(document, segments) {
                Lookup::Found(_) => {
                    changes.updated.insert(path, Bson::Null);
                }
                Lookup::Missing { .. } | Lookup::Blocked { .. } => changes.removed.push(path),
            }
        }
    }
}

impl Modifier {
    /// The other path that the operator changes, for `$rename`.
    pub(super) fn source(&self) -> Option<&TargetPath> {
        match self {
            Modifier::RenameFrom(source) => Some(source),
            _ => None,
        }
    }

    /// What becomes of the value that is there.
    fn change(&self, value: &Bson, place: &Place<'_>, scope: Scope) -> Result<Outcome, QueryError> {
        match self {
            Modifier::SetOnInsert(wanted) if scope.insert => Ok(set_to(value, wanted.clone())),
            Modifier::Set(wanted) => Ok(set_to(value, wanted.clone())),
            Modifier::SetOnInsert(_) | Modifier::RenameFrom(_) => Ok(Outcome::Unchanged),
            Modifier::Unset => Ok(Outcome::Remove),
            Modifier::Increment(amount) => fields::increment(value, *amount, place),
            Modifier::Multiply(factor) => fields::multiply(value, *factor, place),
            Modifier::Least(bound) => Ok(fields::least(value, bound)),
            Modifier::Greatest(bound) => Ok(fields::greatest(value, bound)),
            Modifier::Bits(operations) => bitwise::change(value, operations, place),
            Modifier::Push(push) => push.change(value, place),
            Modifier::AddToSet(elements) => array::add_to_set(value, elements, place),
            Modifier::Pop(end) => end.change(value, place),
            Modifier::Pull(pull) => pull.change(value),
            Modifier::PullAll(elements) => array::pull_all(value, elements),
        }
    }

    /// What comes to be where nothing is.
    fn create(&self, segments: &[Segment], found: Lookup<'_>, scope: Scope) -> Result<Outcome, QueryError> {
        Ok(match self {
            Modifier::SetOnInsert(value) if scope.insert => Outcome::Set(value.clone()),
            Modifier::SetOnInsert(_) | Modifier::Unset | Modifier::RenameFrom(_) => Outcome::Unchanged,
            Modifier::Set(value) | Modifier::Least(value) | Modifier::Greatest(value) => Outcome::Set(value.clone()),
            Modifier::Increment(amount) => Outcome::Set(amount.to_bson()),
            Modifier::Multiply(factor) => Outcome::Set(fields::zero_like(*factor)?),
            Modifier::Bits(operations) => Outcome::Set(bitwise::create(operations)),
            Modifier::Push(push) => Outcome::Set(Bson::Array(push.to_array(&[]))),
            Modifier::AddToSet(elements) => Outcome::Set(Bson::Array(array::united(&[], elements))),
            Modifier::Pop(_) | Modifier::Pull(_) | Modifier::PullAll(_) => {
                target::check_traversable(segments, found)?;
                Outcome::Unchanged
            }
        })
    }
}

/// `Set`, unless the value is the very same, its types and the order of its fields included.
pub(super) fn set_to(value: &Bson, wanted: Bson) -> Outcome {
    if storage::identical(value, &wanted) { Outcome::Unchanged } else { Outcome::Set(wanted) }
}

/// A document's `_id` as MongoDB prints an element: `_id: "x"`.
pub(super) fn id_text(document: &Document) -> String {
    match document.get("_id") {
        Some(id) => format!("_id: {}", to_shell_text(id.into())),
        None => "no id".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{OPERATORS, OPERATORS_UNSUPPORTED};

    #[test]
    fn tables_are_sorted() {
        assert!(OPERATORS.is_sorted_by_key(|(name, _)| name));
        assert!(OPERATORS_UNSUPPORTED.is_sorted());
    }
}
