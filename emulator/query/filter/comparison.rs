//! Comparison Query Operators: `$eq $ne $gt $gte $lt $lte $in $nin`, and plain values (semantics DB-2.01 … DB-2.05,
//! DB-2.20 … DB-2.22, DB-2.31). The order of values is `document`'s.

use std::cmp::Ordering;

use document::{Bson, ValueRef, compare, equal};

use super::bounds::{Bounds, Interval};
use super::predicate::{Operand, Predicate, is_operators};
use super::regex::Regex;
use super::some;
use crate::QueryError;

/// A comparison with one value.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    operator: Operator,
    value: Bson,
}

/// How values are compared. All but `Equal` look only at values of the same class (DB-2.20).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    fn includes_equal(self) -> bool {
        match self {
            Operator::Equal | Operator::LessOrEqual | Operator::GreaterOrEqual => true,
            Operator::Less | Operator::Greater => false,
        }
    }

    fn accepts(self, order: Ordering) -> bool {
        match order {
            Ordering::Equal => self.includes_equal(),
            Ordering::Less => matches!(self, Operator::Less | Operator::LessOrEqual),
            Ordering::Greater => matches!(self, Operator::Greater | Operator::GreaterOrEqual),
        }
    }
}

impl Operator {
    /// The keys of `wanted`'s type that stand to it as the operator says. NaN, the least number, is equal to itself only.
    fn interval(self, wanted: ValueRef<'_>) -> Option<Interval> {
        let (mut range, point) = (Interval::of_type(wanted), Interval::point(wanted));
        if is_nan(wanted) {
            return self.includes_equal().then_some(point);
        }
        if wanted.as_number().is_some() {
            range.low = Interval::point(ValueRef::Double(f64::NAN)).high;
        }
        match self {
            Operator::Equal => return Some(point),
            Operator::Less => range.high = point.low,
            Operator::LessOrEqual => range.high = point.high,
            Operator::Greater => range.low = point.high,
            Operator::GreaterOrEqual => range.low = point.low,
        }
        (range.low < range.high).then_some(range)
    }
}

impl Comparison {
    /// Whether `value` (`None`: a missing field) stands to the comparison's value as its operator says.
    pub(super) fn matches(&self, value: Option<ValueRef<'_>>) -> bool {
        let wanted = ValueRef::from(&self.value);
        let Some(value) = value else { return self.matches_missing(wanted) };
        if self.operator == Operator::Equal {
            return equal(value, wanted);
        }
        if value.type_order() != wanted.type_order() {
            return matches!(wanted, ValueRef::MinKey | ValueRef::MaxKey);
        }
        if is_nan(value) || is_nan(wanted) {
            return is_nan(value) && is_nan(wanted) && self.operator.includes_equal();
        }
        self.operator.accepts(compare(value, wanted))
    }

    /// A missing field counts as null; MinKey and MaxKey are compared with everything.
    fn matches_missing(&self, wanted: ValueRef<'_>) -> bool {
        match wanted {
            ValueRef::Null | ValueRef::Undefined => self.operator.includes_equal(),
            ValueRef::MinKey | ValueRef::MaxKey => self.operator != Operator::Equal,
            _ => false,
        }
    }

    /// Where the keys of the values that are found lie; `None` where that may be anywhere: whole arrays have no key, and
    /// MinKey and MaxKey are compared with everything.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        match (&self.value, self.operator) {
            (Bson::Array(_), _) => None,
            (Bson::Null | Bson::Undefined, _) => Some(Bounds::of_null()),
            (value, Operator::Equal) => Some(Bounds::new(vec![Interval::point(value.into())], true)),
            (Bson::MinKey | Bson::MaxKey, _) => None,
            (value, operator) => Some(Bounds::new(operator.interval(value.into()).into_iter().collect(), true)),
        }
    }

    /// The value that must be equalled, where equality is what is asked.
    pub(super) fn equality(&self) -> Option<&Bson> {
        (self.operator == Operator::Equal).then_some(&self.value)
    }
}

fn is_nan(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Double(number) => number.is_nan(),
        ValueRef::Decimal128(_) => value.as_number().is_some_and(|number| number.is_nan()),
        _ => false,
    }
}

/// The values of an `$in`.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    /// Sorted, so that a long list is searched by halves.
    values: Vec<Bson>,
    regexes: Vec<Regex>,
    /// Whether null is among the values: a missing field equals it.
    null: bool,
}

impl Candidates {
    fn parse(elements: &[Bson]) -> Result<Candidates, QueryError> {
        let mut candidates = Candidates { values: Vec::new(), regexes: Vec::new(), null: false };
        for element in elements {
            match element {
                Bson::RegularExpression(regex) => {
                    candidates.regexes.push(Regex::new(regex.pattern.as_str(), regex.options.as_str())?)
                }
                Bson::Document(document) if is_operators(document) => {
                    return Err(QueryError::bad_query("cannot nest $ under $in"));
                }
                value => candidates.values.push(value.clone()),
            }
        }
        candidates.values.sort_by(|left, right| compare(left.into(), right.into()));
        candidates.null = candidates.values.iter().any(|value| matches!(value, Bson::Null | Bson::Undefined));
        Ok(candidates)
    }

    /// Whether `value` (`None`: a missing field) equals a candidate or matches one's expression.
    pub(super) fn matches(&self, value: Option<ValueRef<'_>>) -> Result<bool, QueryError> {
        let Some(value) = value else { return Ok(self.null) };
        if self.values.binary_search_by(|candidate| compare(candidate.into(), value)).is_ok() {
            return Ok(true);
        }
        some(&self.regexes, |regex| regex.matches(value))
    }

    /// Where the keys of the values that are found lie; `None` where that may be anywhere: whole arrays have no key.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        if self.values.iter().any(|value| matches!(value, Bson::Array(_))) {
            return None;
        }
        let mut intervals: Vec<Interval> = self.values.iter().map(|value| Interval::point(value.into())).collect();
        intervals.extend(self.regexes.iter().flat_map(Regex::intervals));
        if self.null {
            intervals.extend(Bounds::of_null().intervals().iter().cloned());
        }
        Some(Bounds::new(intervals, !self.null && self.regexes.is_empty()))
    }

    /// The values, where no expression is among them.
    pub(super) fn values(&self) -> Option<&[Bson]> {
        self.regexes.is_empty().then_some(&self.values)
    }
}

/// Equality with a value, as a plain value in a query asks it.
pub(super) fn equality(value: &Bson) -> Result<Predicate, QueryError> {
    comparison(Operator::Equal, value)
}

pub(super) fn parse_eq(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    comparison(Operator::Equal, operand.argument)
}

pub(super) fn parse_ne(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    if let Bson::RegularExpression(_) = operand.argument {
        return Err(QueryError::bad_query("Can't have regex as arg to $ne."));
    }
    Ok(Predicate::Not(vec![comparison(Operator::Equal, operand.argument)?]))
}

pub(super) fn parse_lt(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    ordering(Operator::Less, operand)
}

pub(super) fn parse_lte(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    ordering(Operator::LessOrEqual, operand)
}

pub(super) fn parse_gt(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    ordering(Operator::Greater, operand)
}

pub(super) fn parse_gte(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    ordering(Operator::GreaterOrEqual, operand)
}

pub(super) fn parse_in(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    candidates(operand).map(Predicate::In)
}

pub(super) fn parse_nin(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    Ok(Predicate::Not(vec![Predicate::In(candidates(operand)?)]))
}

fn candidates(operand: &Operand<'_>) -> Result<Candidates, QueryError> {
    match operand.argument {
        Bson::Array(elements) => Candidates::parse(elements),
        _ => Err(QueryError::bad_query(format!("{} needs an array", operand.name))),
    }
}

fn ordering(operator: Operator, operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    match operand.argument {
        Bson::RegularExpression(_) => {
            let path = operand.path;
            Err(QueryError::bad_query(format!("Can't have RegEx as arg to predicate over field '{path}'.")))
        }
        value => comparison(operator, value),
    }
}

fn comparison(operator: Operator, value: &Bson) -> Result<Predicate, QueryError> {
    match value {
        Bson::Undefined => Err(QueryError::bad_query("cannot compare to undefined")),
        value => Ok(Predicate::Compare(Comparison { operator, value: value.clone() })),
    }
}
