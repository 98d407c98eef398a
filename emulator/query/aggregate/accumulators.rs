//! Accumulators: what `$group`, `$bucket` and `$bucketAuto` make of the values of many documents (semantics §4.3, Accumulators).

use std::cmp::Ordering;
use std::collections::HashSet;

use document::{Bson, Document, Number, ValueRef, compare, encode_key};

use super::{memory, text};
use crate::QueryError;
use crate::aggregate::expressions::{Deviation, Expression, Scope, Sum};

/// A field of the result: `total: {$sum: '$n'}`.
#[derive(Debug, Clone)]
pub(super) struct Accumulation {
    pub(super) name: Box<str>,
    pub(super) begin: Begin,
    pub(super) argument: Expression,
}

/// An accumulator that has seen nothing.
pub(super) type Begin = fn() -> Accumulator;

/// Every accumulator, by name.
pub(super) const ACCUMULATORS: &[(&str, Begin)] = &[
    ("$addToSet", || Accumulator::Set { seen: HashSet::new(), values: Vec::new() }),
    ("$avg", || Accumulator::Average(Sum::default())),
    ("$first", || Accumulator::First(None)),
    ("$last", || Accumulator::Last(None)),
    ("$max", || Accumulator::Greatest(None)),
    ("$mergeObjects", || Accumulator::Merged(Document::new())),
    ("$min", || Accumulator::Least(None)),
    ("$push", || Accumulator::List(Vec::new())),
    ("$stdDevPop", || Accumulator::DeviationOfAll(Deviation::default())),
    ("$stdDevSamp", || Accumulator::DeviationOfSample(Deviation::default())),
    ("$sum", || Accumulator::Sum(Sum::default())),
];

/// What an accumulator knows so far.
#[derive(Debug)]
pub(super) enum Accumulator {
    /// `$addToSet`: each value once, as they came.
    Set { seen: HashSet<Box<[u8]>>, values: Vec<Bson> },
    /// `$avg`
    Average(Sum),
    /// `$first`: `None` until a document came, whose value may be missing.
    First(Option<Option<Bson>>),
    /// `$last`
    Last(Option<Bson>),
    /// `$max`
    Greatest(Option<Bson>),
    /// `$mergeObjects`
    Merged(Document),
    /// `$min`
    Least(Option<Bson>),
    /// `$push`
    List(Vec<Bson>),
    /// `$stdDevPop`
    DeviationOfAll(Deviation),
    /// `$stdDevSamp`
    DeviationOfSample(Deviation),
    /// `$sum`
    Sum(Sum),
}

impl Accumulation {
    /// Takes the value of one more document in; says how many more bytes are kept.
    pub(super) fn add(&self, accumulator: &mut Accumulator, scope: &Scope<'_>) -> Result<usize, QueryError> {
        if matches!(accumulator, Accumulator::First(Some(_))) {
            return Ok(0);
        }
        accumulator.add(self.argument.evaluate(scope)?)
    }
}

impl Accumulator {
    /// Takes a value in; says how many more bytes are kept.
    pub(super) fn add(&mut self, value: Option<Bson>) -> Result<usize, QueryError> {
        match self {
            Accumulator::Set { seen, values } => return value.map_or(Ok(0), |value| add_once(seen, values, value)),
            Accumulator::List(values) => return value.map_or(Ok(0), |value| push(values, value)),
            Accumulator::First(first) => {
                let bytes = value.as_ref().map_or(Ok(0), memory::size)?;
                first.get_or_insert(value);
                return Ok(bytes);
            }
            Accumulator::Last(last) => return replace(last, value),
            Accumulator::Greatest(greatest) => return keep(greatest, value, Ordering::Greater),
            Accumulator::Least(least) => return keep(least, value, Ordering::Less),
            Accumulator::Merged(merged) => return merge(merged, value),
            Accumulator::Average(sum) | Accumulator::Sum(sum) => {
                number(value).into_iter().for_each(|number| sum.add(number))
            }
            Accumulator::DeviationOfAll(deviation) | Accumulator::DeviationOfSample(deviation) => {
                number(value).into_iter().for_each(|number| deviation.add(number));
            }
        }
        Ok(0)
    }

    /// What came of the values; null where nothing did.
    pub(super) fn result(self) -> Bson {
        match self {
            Accumulator::Set { values, .. } | Accumulator::List(values) => Bson::Array(values),
            Accumulator::First(first) => first.flatten().unwrap_or(Bson::Null),
            Accumulator::Last(value) | Accumulator::Greatest(value) | Accumulator::Least(value) => {
                value.unwrap_or(Bson::Null)
            }
            Accumulator::Merged(merged) => Bson::Document(merged),
            Accumulator::Average(sum) => sum.average().unwrap_or(Bson::Null),
            Accumulator::Sum(sum) => sum.total(),
            Accumulator::DeviationOfAll(deviation) => deviation.of_population().map_or(Bson::Null, Bson::Double),
            Accumulator::DeviationOfSample(deviation) => deviation.of_sample().map_or(Bson::Null, Bson::Double),
        }
    }
}

/// What is no number has no say in a sum.
fn number(value: Option<Bson>) -> Option<Number> {
    ValueRef::from(&value?).as_number()
}

fn add_once(seen: &mut HashSet<Box<[u8]>>, values: &mut Vec<Bson>, value: Bson) -> Result<usize, QueryError> {
    let mut key = Vec::new();
    encode_key(ValueRef::from(&value), &mut key);
    let bytes = key.len() + memory::size(&value)?;
    if !seen.insert(key.into()) {
        return Ok(0);
    }
    values.push(value);
    Ok(bytes)
}

fn push(values: &mut Vec<Bson>, value: Bson) -> Result<usize, QueryError> {
    let bytes = memory::size(&value)? + size_of::<Bson>();
    values.push(value);
    Ok(bytes)
}

/// Null and missing have no say.
fn keep(kept: &mut Option<Bson>, value: Option<Bson>, wanted: Ordering) -> Result<usize, QueryError> {
    let Some(value) = value.filter(|value| !matches!(value, Bson::Null | Bson::Undefined)) else { return Ok(0) };
    if kept.as_ref().is_some_and(|kept| compare(ValueRef::from(&value), ValueRef::from(kept)) != wanted) {
        return Ok(0);
    }
    replace(kept, Some(value))
}

fn replace(kept: &mut Option<Bson>, value: Option<Bson>) -> Result<usize, QueryError> {
    let before = kept.as_ref().map_or(Ok(0), memory::size)?;
    let after = value.as_ref().map_or(Ok(0), memory::size)?;
    *kept = value;
    Ok(after.saturating_sub(before))
}

fn merge(merged: &mut Document, value: Option<Bson>) -> Result<usize, QueryError> {
    match value {
        None | Some(Bson::Null | Bson::Undefined) => Ok(0),
        Some(Bson::Document(document)) => {
            let before = memory::checked_size(merged)?;
            merged.extend(document);
            Ok(memory::checked_size(merged)?.saturating_sub(before))
        }
        Some(other) => Err(QueryError::bad_query(format!(
            "$mergeObjects requires object inputs, but input {} is of type {}",
            text::of_value(Some(&other)),
            ValueRef::from(&other).type_name()
        ))),
    }
}

/// The names of the accumulators.
#[cfg(test)]
pub(crate) fn names() -> Vec<&'static str> {
    ACCUMULATORS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::ACCUMULATORS;

    #[test]
    fn the_table_is_sorted() {
        assert!(ACCUMULATORS.is_sorted_by_key(|(name, _)| name));
    }
}
