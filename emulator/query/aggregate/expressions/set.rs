//! Set operators: arrays seen as sets, nested arrays as elements. Results hold each element once; the unordered ones are sorted
//! (UNC-21).

use document::{ArrayRef, Bson};

use super::node::Arguments;
use super::value::{Outcome, Value, is_true};
use crate::QueryError;

pub(super) fn all_elements_true(arguments: Arguments<'_>) -> Outcome<'_> {
    truth(arguments, |elements| elements.iter().all(is_true))
}

pub(super) fn any_element_true(arguments: Arguments<'_>) -> Outcome<'_> {
    truth(arguments, |elements| elements.iter().any(is_true))
}

fn truth<'a>(arguments: Arguments<'a>, holds: fn(ArrayRef<'_>) -> bool) -> Outcome<'a> {
    let operator = arguments.operator;
    let [array] = arguments.take();
    match array.array() {
        Some(elements) => Ok(holds(elements).into()),
        None => error(format!("{operator}'s argument must be an array, but is {}", array.type_name())),
    }
}

/// What of the first is not in the second, in its order.
pub(super) fn set_difference(arguments: Arguments<'_>) -> Outcome<'_> {
    let [left, right] = arguments.take();
    if left.is_nullish() || right.is_nullish() {
        return Ok(Value::NULL);
    }
    both_arrays("$setDifference", &left, &right)?;
    let (right, mut seen) = (Set::of(&right), Set::default());
    let elements = left.into_elements().unwrap_or_default();
    let kept = elements
        .into_iter()
        .map(Value::into_element)
        .filter(|element| !right.contains(element) && seen.insert(element));
    Ok(kept.collect::<Vec<_>>().into())
}

pub(super) fn set_is_subset(arguments: Arguments<'_>) -> Outcome<'_> {
    let [left, right] = arguments.take();
    both_arrays("$setIsSubset", &left, &right)?;
    let right = Set::of(&right);
    Ok(Set::of(&left).elements.iter().all(|element| right.contains(element)).into())
}

fn both_arrays(operator: &str, left: &Value<'_>, right: &Value<'_>) -> Result<(), QueryError> {
    for (value, which) in [(left, "First"), (right, "Second")] {
        if value.array().is_none() {
            let found = value.type_name();
            return error(format!("both operands of {operator} must be arrays. {which} argument is of type: {found}"));
        }
    }
    Ok(())
}

pub(super) fn set_equals(arguments: Arguments<'_>) -> Outcome<'_> {
    let operator = arguments.operator;
    let count = arguments.values.len();
    if count < 2 {
        return error(format!("$setEquals needs at least two arguments had: {count}"));
    }
    let sets = arguments.values.iter().map(|value| checked_set(operator, value)).collect::<Result<Vec<_>, _>>()?;
    let same = |(left, right): (&Set, &Set)| left.is_same(right);
    Ok(sets.iter().zip(sets.iter().skip(1)).all(same).into())
}

pub(super) fn set_intersection(arguments: Arguments<'_>) -> Outcome<'_> {
    let mut common: Option<Set> = None;
    for value in &arguments.values {
        if value.is_nullish() {
            return Ok(Value::NULL);
        }
        let set = checked_set(arguments.operator, value)?;
        common = Some(common.map_or_else(|| set.clone(), |common| common.retain(&set)));
    }
    Ok(common.unwrap_or_default().elements.into())
}

pub(super) fn set_union(arguments: Arguments<'_>) -> Outcome<'_> {
    let mut all = Vec::new();
    for value in &arguments.values {
        if value.is_nullish() {
            return Ok(Value::NULL);
        }
        all.extend(checked_set(arguments.operator, value)?.elements);
    }
    Ok(Set::new(all).elements.into())
}

fn checked_set(operator: &str, value: &Value<'_>) -> Result<Set, QueryError> {
    if value.array().is_none() {
        let found = value.type_name();
        return error(format!("All operands of {operator} must be arrays. One argument is of type: {found}"));
    }
    Ok(Set::of(value))
}

/// Elements in order, each once.
#[derive(Debug, Clone, Default)]
struct Set {
    elements: Vec<Bson>,
}

impl Set {
    fn new(mut elements: Vec<Bson>) -> Set {
        elements.sort_by(|left, right| document::compare(left.into(), right.into()));
        elements.dedup_by(|left, right| document::equal((&*left).into(), (&*right).into()));
        Set { elements }
    }

    fn of(array: &Value<'_>) -> Set {
        Set::new(array.array().map(document::ArrayRef::to_vec).unwrap_or_default())
    }

    fn place(&self, element: &Bson) -> Result<usize, usize> {
        self.elements.binary_search_by(|known| document::compare(known.into(), element.into()))
    }

    fn contains(&self, element: &Bson) -> bool {
        self.place(element).is_ok()
    }

    fn is_same(&self, other: &Set) -> bool {
        let mut pairs = self.elements.iter().zip(&other.elements);
        self.elements.len() == other.elements.len()
            && pairs.all(|(left, right)| document::equal(left.into(), right.into()))
    }

    /// Whether it was not there before.
    fn insert(&mut self, element: &Bson) -> bool {
        match self.place(element) {
            Ok(_) => false,
            Err(place) => {
                self.elements.insert(place, element.clone());
                true
            }
        }
    }

    fn retain(mut self, other: &Set) -> Set {
        self.elements.retain(|element| other.contains(element));
        self
    }
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
