//! Predicates: what a field's operators ask of the values at its path, and the table of those operators.
//! What each operator means stands in its family's file.

use std::sync::Arc;

use document::{Bson, Document, ValueRef};

use super::array::{self, ElementCondition};
use super::comparison::{self, Candidates, Comparison};
use super::element::{self, Types};
use super::evaluation::{self, Remainder};
use super::geo;
use super::regex::Regex;
use super::walk::{Arrays, Path, walk};
use super::{every, logical};
use crate::QueryError;
use crate::geo::Region;

/// What is asked of the values at a path: a leaf holds where one value meets it, the rest combines leaves.
#[derive(Debug, Clone)]
pub(crate) enum Predicate {
    /// Each holds, be it for different elements of an array.
    All(Vec<Predicate>),
    /// These do not all hold; so it holds where the field is missing.
    Not(Vec<Predicate>),
    /// Nothing meets it: `$all` of nothing.
    Never,
    /// `$eq`, `$lt`, `$lte`, `$gt`, `$gte`.
    Compare(Comparison),
    /// `$in`.
    In(Candidates),
    /// `$exists: true`.
    Exists,
    /// `$type`.
    Type(Types),
    /// `$mod`.
    Remainder(Remainder),
    /// A regular expression.
    Regex(Regex),
    /// `$size`.
    Size(usize),
    /// `$elemMatch`.
    Element(Box<ElementCondition>),
    /// `$geoWithin`, `$geoIntersects`.
    Geo(Arc<Region>),
}

impl Predicate {
    /// Whether the values at `path` below `root` meet the predicate. Sets `position` where an array element decided.
    pub(super) fn matches_at(
        &self,
        path: &Path,
        root: ValueRef<'_>,
        position: &mut Option<usize>,
    ) -> Result<bool, QueryError> {
        match self {
            Predicate::All(parts) => every(parts, |part| part.matches_at(path, root, position)),
            Predicate::Not(parts) => every(parts, |part| part.matches_at(path, root, &mut None)).map(|all| !all),
            leaf => walk(root, path.segments(), leaf.arrays(), &mut |value, passed| {
                let matched = leaf.matches_value(value, position)?;
                if matched && passed.is_some() {
                    *position = passed;
                }
                Ok(matched)
            }),
        }
    }

    /// Whether one value, taken for itself, meets the predicate; `None` stands for a missing field.
    pub(super) fn matches_value(
        &self,
        value: Option<ValueRef<'_>>,
        position: &mut Option<usize>,
    ) -> Result<bool, QueryError> {
        Ok(match self {
            Predicate::All(parts) => return every(parts, |part| part.matches_value(value, position)),
            Predicate::Not(parts) => !every(parts, |part| part.matches_value(value, &mut None))?,
            Predicate::Never => false,
            Predicate::Compare(comparison) => comparison.matches(value),
            Predicate::In(candidates) => return candidates.matches(value),
            Predicate::Exists => value.is_some(),
            Predicate::Type(types) => value.is_some_and(|value| types.contains(value)),
            Predicate::Remainder(remainder) => value.is_some_and(|value| remainder.matches(value)),
            Predicate::Regex(regex) => return value.map_or(Ok(false), |value| regex.matches(value)),
            Predicate::Size(size) => matches!(value, Some(ValueRef::Array(array)) if array.len() == *size),
            Predicate::Element(condition) => return condition.matches(value, position),
            Predicate::Geo(region) => value.is_some_and(|value| region.matches(value)),
        })
    }

    /// `$size` and `$elemMatch` are about the array itself, all else is about its elements as well.
    fn arrays(&self) -> Arrays {
        match self {
            Predicate::Size(_) | Predicate::Element(_) => Arrays::Whole,
            _ => Arrays::Elements,
        }
    }
}

/// What a field is compared with in a query document: operators, a regular expression, or a value to be equal to.
pub(super) fn parse(path: &str, condition: &Bson) -> Result<Predicate, QueryError> {
    match condition {
        Bson::Document(operators) if is_operators(operators) => Ok(all(parse_operators(path, operators)?)),
        Bson::RegularExpression(_) => evaluation::parse_regex_value(condition),
        value => comparison::equality(value),
    }
}

/// Whether a document is made of operators, not a value: its first key starts with `$` and is none of a DBRef's.
pub(super) fn is_operators(document: &Document) -> bool {
    document.keys().next().is_some_and(|key| key.starts_with('$') && !matches!(key.as_str(), "$ref" | "$id" | "$db"))
}

/// Reads the operators of one field, as in `{$gt: 1, $lt: 5}`.
pub(super) fn parse_operators(path: &str, operators: &Document) -> Result<Vec<Predicate>, QueryError> {
    operators.iter().map(|(name, argument)| parse_operator(&Operand { path, name, argument, operators })).collect()
}

/// One operator of a field while it is read.
pub(super) struct Operand<'a> {
    /// The field's path, for error texts.
    pub(super) path: &'a str,
    /// The operator, with its `$`.
    pub(super) name: &'a str,
    /// What stands behind it.
    pub(super) argument: &'a Bson,
    /// The document it stands in: `$regex` and `$options` belong together.
    pub(super) operators: &'a Document,
}

type ParseOperator = fn(&Operand<'_>) -> Result<Predicate, QueryError>;

const OPERATORS: &[(&str, ParseOperator)] = &[
    ("$all", array::parse_all),
    ("$comment", |_| Ok(Predicate::All(Vec::new()))),
    ("$elemMatch", array::parse_elem_match),
    ("$eq", comparison::parse_eq),
    ("$exists", element::parse_exists),
    ("$geoIntersects", geo::parse_intersects),
    ("$geoNear", geo::refuse_near),
    ("$geoWithin", geo::parse_within),
    ("$gt", comparison::parse_gt),
    ("$gte", comparison::parse_gte),
    ("$in", comparison::parse_in),
    ("$lt", comparison::parse_lt),
    ("$lte", comparison::parse_lte),
    ("$mod", evaluation::parse_mod),
    ("$ne", comparison::parse_ne),
    ("$near", geo::refuse_near),
    ("$nearSphere", geo::refuse_near),
    ("$nin", comparison::parse_nin),
    ("$not", logical::parse_not),
    ("$options", evaluation::parse_options),
    ("$regex", evaluation::parse_regex),
    ("$size", array::parse_size),
    ("$type", element::parse_type),
    ("$within", geo::parse_within),
];

const OPERATORS_UNSUPPORTED: &[&str] = &["$bitsAllClear", "$bitsAllSet", "$bitsAnyClear", "$bitsAnySet"];

fn parse_operator(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    if let Ok(index) = OPERATORS.binary_search_by_key(&operand.name, |(name, _)| name)
        && let Some((_, parse)) = OPERATORS.get(index)
    {
        return parse(operand);
    }
    if OPERATORS_UNSUPPORTED.binary_search(&operand.name).is_ok() {
        return Err(QueryError::unsupported(operand.name));
    }
    Err(QueryError::bad_query(format!("unknown operator: {}", operand.name)))
}

/// Several predicates as one.
fn all(mut predicates: Vec<Predicate>) -> Predicate {
    match (predicates.pop(), predicates.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => {
            predicates.push(last);
            Predicate::All(predicates)
        }
        (None, _) => Predicate::All(predicates),
    }
}

/// A field's condition asked of a bare value, as `$pull` does of each array element. An element that is an array meets
/// the condition also through its own elements.
#[derive(Debug, Clone)]
pub(crate) struct ValueCondition {
    predicate: Predicate,
}

impl ValueCondition {
    /// Reads a condition; `path` is for error texts.
    pub(crate) fn parse(path: &str, condition: &Bson) -> Result<ValueCondition, QueryError> {
        Ok(ValueCondition { predicate: parse(path, condition)? })
    }

    /// Whether `document` is made of operators, so that it is a condition and not a value.
    pub(crate) fn is_operators(document: &Document) -> bool {
        is_operators(document)
    }

    /// Whether `value` meets the condition.
    pub(crate) fn matches(&self, value: ValueRef<'_>) -> Result<bool, QueryError> {
        self.predicate.matches_at(&Path::here(), value, &mut None)
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
