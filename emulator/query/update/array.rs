//! Array Update Operators: `$push` with its modifiers, `$addToSet`, `$pop`, `$pull`, `$pullAll` (semantics DB-3.20 … DB-3.24).

use std::cmp::Ordering;

use document::{Bson, Document, DocumentRef, ValueRef, compare, equal, to_shell_text};

use super::modifier::{Modifier, Outcome, Place};
use crate::filter::ValueCondition;
use crate::{Filter, QueryError, Sort};

/// `$push`: elements to insert, then an order, then a length; each may be absent.
#[derive(Debug, Clone)]
pub(super) struct Push {
    elements: Vec<Bson>,
    /// Where to insert; negative counts from the end. `None` is the end.
    position: Option<i64>,
    order: Option<ElementOrder>,
    /// How many elements to keep: the first, or if negative the last.
    slice: Option<i64>,
}

/// `$sort` within `$push`.
#[derive(Debug, Clone)]
enum ElementOrder {
    /// By the whole element.
    Whole { descending: bool },
    /// By fields of the elements; an element that is no document counts as an empty one.
    Fields(Sort),
}

impl Push {
    pub(super) fn change(&self, value: &Bson, place: &Place<'_>) -> Result<Outcome, QueryError> {
        let Bson::Array(array) = value else {
            return Err(QueryError::write_failed(format!(
                "The field '{}' must be an array but is of type {} in document {{{}}}",
                place.path(),
                ValueRef::from(value).type_name(),
                place.id()
            )));
        };
        if self.only_appends(array.len()) {
            return Ok(Outcome::Append(self.elements.clone()));
        }
        Ok(super::modifier::set_to(value, Bson::Array(self.to_array(array))))
    }

    /// The array with the elements inserted, ordered and cut.
    pub(super) fn to_array(&self, array: &[Bson]) -> Vec<Bson> {
        let (before, after) = array.split_at(insertion_index(self.position, array.len()));
        let mut result = [before, self.elements.as_slice(), after].concat();
        if let Some(order) = &self.order {
            result.sort_by(|left, right| order.compare(left, right));
        }
        match self.slice.map(|slice| (slice < 0, usize::try_from(slice.unsigned_abs()).unwrap_or(usize::MAX))) {
            Some((true, kept)) => result.drain(..result.len().saturating_sub(kept)).for_each(drop),
            Some((false, kept)) => result.truncate(kept),
            None => {}
        }
        result
    }

    /// Whether the elements just come behind those that are there, so that the rest of the array stays as it is.
    fn only_appends(&self, length: usize) -> bool {
        let grown = length.saturating_add(self.elements.len());
        let fits = self.slice.is_none_or(|slice| usize::try_from(slice.unsigned_abs()).is_ok_and(|kept| grown <= kept));
        length > 0
            && !self.elements.is_empty()
            && self.order.is_none()
            && fits
            && insertion_index(self.position, length) == length
    }
}

/// Where `$position` means in an array: -1 is before the last element.
fn insertion_index(position: Option<i64>, length: usize) -> usize {
    match position {
        None => length,
        Some(position) => {
            let distance = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
            if position < 0 { length.saturating_sub(distance) } else { length.min(distance) }
        }
    }
}

impl ElementOrder {
    fn compare(&self, left: &Bson, right: &Bson) -> Ordering {
        match self {
            ElementOrder::Whole { descending: false } => compare(left.into(), right.into()),
            ElementOrder::Whole { descending: true } => compare(right.into(), left.into()),
            ElementOrder::Fields(sort) => {
                let empty = Document::new();
                let fields = |element| match element {
                    ValueRef::Document(document) => document,
                    _ => DocumentRef::Decoded(&empty),
                };
                sort.compare(fields(left.into()), fields(right.into()))
            }
        }
    }

    fn parse(argument: &Bson) -> Result<ElementOrder, QueryError> {
        let wrong_direction = || QueryError::bad_update("The $sort element value must be either 1 or -1");
        match argument {
            Bson::Document(fields) if fields.is_empty() => {
                Err(QueryError::bad_update("The $sort pattern is empty when it should be a set of fields."))
            }
            Bson::Document(fields) => match fields.values().all(|direction| is_descending(direction).is_some()) {
                true => Sort::parse(fields).map(ElementOrder::Fields),
                false => Err(wrong_direction()),
            },
            direction if ValueRef::from(direction).as_number().is_some() => {
                let descending = is_descending(direction).ok_or_else(wrong_direction)?;
                Ok(ElementOrder::Whole { descending })
            }
            _ => Err(QueryError::bad_update(
                "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields",
            )),
        }
    }
}

/// `-1` is true, `1` is false, all else is no direction.
fn is_descending(direction: &Bson) -> Option<bool> {
    match ValueRef::from(direction).as_number()?.as_i64()? {
        1 => Some(false),
        -1 => Some(true),
        _ => None,
    }
}

pub(super) fn parse_push(_path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    let mut push = Push { elements: Vec::new(), position: None, order: None, slice: None };
    match argument {
        Bson::Document(clauses) if clauses.contains_key("$each") => {
            for (name, clause) in clauses {
                parse_clause(&mut push, name, clause)?;
            }
        }
        element => push.elements.push(element.clone()),
    }
    Ok(Modifier::Push(push))
}

fn parse_clause(push: &mut Push, name: &str, clause: &Bson) -> Result<(), QueryError> {
    let found = ValueRef::from(clause).type_name();
    let whole = |otherwise: String| {
        let number = ValueRef::from(clause).as_number().and_then(|number| number.as_i64());
        number.ok_or_else(|| QueryError::bad_update(otherwise))
    };
    match (name, clause) {
        ("$each", Bson::Array(elements)) => push.elements.clone_from(elements),
        ("$each", _) => {
            let message = format!("The argument to $each in $push must be an array but it was of type: {found}");
            return Err(QueryError::bad_update(message));
        }
        ("$position", _) => {
            push.position =
                Some(whole(format!("The value for $position must be an integer value, not of type: {found}"))?);
        }
        ("$slice", _) => {
            push.slice =
                Some(whole(format!("The value for $slice must be an integer value but was given type: {found}"))?);
        }
        ("$sort", _) => push.order = Some(ElementOrder::parse(clause)?),
        _ => return Err(QueryError::bad_update(format!("Unrecognized clause in $push: {name}"))),
    }
    Ok(())
}

/// `$addToSet` of a value, or of several behind `$each`; also behind `each`, which the cloud's documents show (UNC-15).
pub(super) fn parse_add_to_set(_path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    let mut fields = argument.as_document().into_iter().flatten();
    let elements = match (fields.next(), fields.next()) {
        (Some((name, Bson::Array(elements))), None) if name == "$each" || name == "each" => elements.clone(),
        (Some((name, Bson::Array(_))), Some(_)) if name == "$each" => {
            let shown = to_shell_text(argument.into());
            return Err(QueryError::bad_update(format!("Found unexpected fields after $each in $addToSet: {shown}")));
        }
        (Some((name, found)), _) if name == "$each" => {
            let found = ValueRef::from(found).type_name();
            return Err(QueryError::bad_update(format!(
                "The argument to $each in $addToSet must be an array but it was of type {found}"
            )));
        }
        _ => vec![argument.clone()],
    };
    Ok(Modifier::AddToSet(elements))
}

pub(super) fn add_to_set(value: &Bson, elements: &[Bson], place: &Place<'_>) -> Result<Outcome, QueryError> {
    let Bson::Array(array) = value else {
        return Err(QueryError::write_failed(format!(
            "Cannot apply $addToSet to non-array field. Field named '{}' has non-array type {}",
            place.name(),
            ValueRef::from(value).type_name()
        )));
    };
    let united = united(array, elements);
    Ok(if united.len() == array.len() { Outcome::Unchanged } else { Outcome::Set(Bson::Array(united)) })
}

/// `array` followed by those of `elements` that are not there yet, each once.
pub(super) fn united(array: &[Bson], elements: &[Bson]) -> Vec<Bson> {
    let mut united = array.to_vec();
    for element in elements {
        if !united.iter().any(|present| equal(present.into(), element.into())) {
            united.push(element.clone());
        }
    }
    united
}

/// `$pop`: which end of the array loses its element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

pub(super) fn parse_pop(path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    let shown = to_shell_text(argument.into());
    let Some(number) = ValueRef::from(argument).as_number() else {
        return Err(QueryError::bad_update(format!("Expected a number in: {path}: {shown}")));
    };
    match number.as_i64() {
        Some(1) => Ok(Modifier::Pop(End::Last)),
        Some(-1) => Ok(Modifier::Pop(End::First)),
        _ => Err(QueryError::bad_update(format!("$pop expects 1 or -1, found: {shown}"))),
    }
}

impl End {
    pub(super) fn change(self, value: &Bson, place: &Place<'_>) -> Result<Outcome, QueryError> {
        let Bson::Array(array) = value else {
            return Err(QueryError::write_failed(format!(
                "Path '{}' contains an element of non-array type '{}'",
                place.path(),
                ValueRef::from(value).type_name()
            )));
        };
        let rest = match self {
            End::First => array.split_first().map(|(_, rest)| rest),
            End::Last => array.split_last().map(|(_, rest)| rest),
        };
        Ok(rest.map_or(Outcome::Unchanged, |rest| Outcome::Set(Bson::Array(rest.to_vec()))))
    }
}

/// `$pull`: which elements go.
#[derive(Debug, Clone)]
pub(super) enum Pull {
    /// Those that are equal to a value.
    Equal(Bson),
    /// Those that meet operators, or match a regular expression.
    Condition(ValueCondition),
    /// The documents that match a query.
    Query(Filter),
}

pub(super) fn parse_pull(path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    let pull = match argument {
        Bson::RegularExpression(_) => Pull::Condition(ValueCondition::parse(path, argument)?),
        Bson::Document(query) if is_logical(query) || !ValueCondition::is_operators(query) => {
            Pull::Query(Filter::parse(query)?)
        }
        Bson::Document(_) => Pull::Condition(ValueCondition::parse(path, argument)?),
        value => Pull::Equal(value.clone()),
    };
    Ok(Modifier::Pull(pull))
}

fn is_logical(query: &Document) -> bool {
    query.keys().next().is_some_and(|first| matches!(first.as_str(), "$and" | "$nor" | "$or"))
}

impl Pull {
    pub(super) fn change(&self, value: &Bson) -> Result<Outcome, QueryError> {
        let Bson::Array(array) = value else { return Err(no_array()) };
        let mut kept = Vec::with_capacity(array.len());
        for element in array {
            if !self.takes(element.into())? {
                kept.push(element.clone());
            }
        }
        Ok(if kept.len() == array.len() { Outcome::Unchanged } else { Outcome::Set(Bson::Array(kept)) })
    }

    fn takes(&self, element: ValueRef<'_>) -> Result<bool, QueryError> {
        match (self, element) {
            (Pull::Equal(value), element) => Ok(equal(element, value.into())),
            (Pull::Condition(condition), element) => condition.matches(element),
            (Pull::Query(filter), ValueRef::Document(document)) => filter.matches(document),
            (Pull::Query(_), _) => Ok(false),
        }
    }
}

pub(super) fn parse_pull_all(_path: &str, argument: &Bson) -> Result<Modifier, QueryError> {
    match argument {
        Bson::Array(elements) => Ok(Modifier::PullAll(elements.clone())),
        other => {
            let found = ValueRef::from(other).type_name();
            Err(QueryError::bad_update(format!("$pullAll requires an array argument but was given a {found}")))
        }
    }
}

pub(super) fn pull_all(value: &Bson, elements: &[Bson]) -> Result<Outcome, QueryError> {
    let Bson::Array(array) = value else { return Err(no_array()) };
    let goes = |present: &Bson| elements.iter().any(|element| equal(present.into(), element.into()));
    let kept: Vec<Bson> = array.iter().filter(|present| !goes(present)).cloned().collect();
    Ok(if kept.len() == array.len() { Outcome::Unchanged } else { Outcome::Set(Bson::Array(kept)) })
}

/// One text for `$pull` and `$pullAll`.
fn no_array() -> QueryError {
    QueryError::write_failed("Cannot apply $pull to a non-array value")
}
