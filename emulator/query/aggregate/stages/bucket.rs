//! `$bucket`: documents counted by the interval their value falls into. A `$group` with an id of its own, and a `$sort`.

use std::cmp::Ordering;

use document::{Bson, Document, ValueRef, compare, to_shell_text};

use super::group::Groups;
use super::parser::{is_expression, type_name};
use super::sort::Order;
use super::{Context, Flow, Parser, Stage, lazily};
use crate::QueryError;
use crate::aggregate::accumulators::Accumulation;
use crate::aggregate::expressions::{Expression, show};
use crate::aggregate::library::Library;

/// Intervals, and what is made of the documents in each.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    group_by: Expression,
    /// Ascending; each begins an interval that the next ends, which does not belong to it.
    boundaries: Vec<Bson>,
    /// The bucket of what is in no interval.
    default: Option<Bson>,
    accumulations: Vec<Accumulation>,
}

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(options) = specification else {
        let found = type_name(specification);
        return Err(mistake(&format!("Argument to $bucket stage must be an object, but found type: {found}.")));
    };
    let (mut group_by, mut boundaries, mut default, mut accumulations) = (None, None, None, None);
    for (name, value) in options {
        match name.as_str() {
            "groupBy" => group_by = Some(parse_group_by(parser, value)?),
            "boundaries" => boundaries = Some(parse_boundaries(parser, value)?),
            "default" => default = Some(parse_default(parser, value)?),
            "output" => accumulations = Some(parse_output("$bucket", parser, value)?),
            _ => return Err(mistake(&format!("Unrecognized option to $bucket: {name}."))),
        }
    }
    let (Some(group_by), Some(boundaries)) = (group_by, boundaries) else {
        return Err(mistake("$bucket requires 'groupBy' and 'boundaries' to be specified."));
    };
    check_default(&boundaries, default.as_ref())?;
    let accumulations = accumulations.map_or_else(|| count(parser), Ok)?;
    let bucket = Bucket { group_by, boundaries, default, accumulations };
    Ok(vec![Stage::Bucket(bucket), Stage::Sort(Order::by("_id", 1)?)])
}

fn parse_group_by(parser: &mut Parser, value: &Bson) -> Result<Expression, QueryError> {
    if is_expression(value) {
        return parser.expression(value);
    }
    let found = to_shell_text(value.into());
    Err(mistake(&format!(
        "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression, but found: {found}."
    )))
}

fn parse_boundaries(parser: &mut Parser, value: &Bson) -> Result<Vec<Bson>, QueryError> {
    let Bson::Array(values) = value else {
        let found = type_name(value);
        return Err(mistake(&format!("The $bucket 'boundaries' field must be an array, but found type: {found}.")));
    };
    let boundaries = values.iter().map(|value| constant(parser, value)).collect::<Result<Vec<_>, _>>()?;
    if boundaries.len() < 2 {
        let found = boundaries.len();
        return Err(mistake(&format!(
            "The $bucket 'boundaries' field must have at least 2 values, but found {found} value(s)."
        )));
    }
    for (place, pair) in boundaries.windows(2).enumerate() {
        if let [lower, upper] = pair {
            check_pair(place, lower, upper)?;
        }
    }
    Ok(boundaries)
}

fn constant(parser: &mut Parser, value: &Bson) -> Result<Bson, QueryError> {
    parser.expression(value)?.constant().cloned().ok_or_else(|| {
        let found = to_shell_text(value.into());
        mistake(&format!(
            "The $bucket 'boundaries' field must be an array of constant values, but found value: {found}."
        ))
    })
}

fn check_pair(place: usize, lower: &Bson, upper: &Bson) -> Result<(), QueryError> {
    let (low, high) = (ValueRef::from(lower), ValueRef::from(upper));
    if low.type_order() != high.type_order() {
        return Err(mistake(&format!(
            "All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types {} and {}.",
            low.type_name(),
            high.type_name()
        )));
    }
    if compare(low, high) != Ordering::Less {
        return Err(mistake(&format!(
            "The 'boundaries' option to $bucket must be sorted, but elements {place} and {} are not in sorted order \
             ({} is not less than {}).",
            place + 1,
            show(low),
            show(high)
        )));
    }
    Ok(())
}

fn parse_default(parser: &mut Parser, value: &Bson) -> Result<Bson, QueryError> {
    parser.expression(value)?.constant().cloned().ok_or_else(|| {
        let found = to_shell_text(value.into());
        mistake(&format!("The $bucket 'default' field must be a constant expression, but found: {found}."))
    })
}

/// The bucket for all else may not have the name of one that is there.
fn check_default(boundaries: &[Bson], default: Option<&Bson>) -> Result<(), QueryError> {
    let (Some(default), Some(first), Some(last)) = (default, boundaries.first(), boundaries.last()) else {
        return Ok(());
    };
    let default = ValueRef::from(default);
    let below = compare(default, first.into()) == Ordering::Less;
    let above = compare(default, last.into()) != Ordering::Less;
    if default.type_order() == ValueRef::from(first).type_order() && !below && !above {
        return Err(mistake(
            "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
        ));
    }
    Ok(())
}

/// Reads the fields that `stage` makes of each bucket.
pub(super) fn parse_output(stage: &str, parser: &mut Parser, value: &Bson) -> Result<Vec<Accumulation>, QueryError> {
    let Bson::Document(fields) = value else {
        let found = type_name(value);
        return Err(mistake(&format!("The {stage} 'output' field must be an object, but found type: {found}.")));
    };
    fields.iter().map(|(name, value)| parser.accumulation(name, value)).collect()
}

/// What a bucket has where nothing is asked for.
pub(super) fn count(parser: &mut Parser) -> Result<Vec<Accumulation>, QueryError> {
    let one = Bson::Document(Document::from_iter([("$sum".to_owned(), Bson::Int32(1))]));
    Ok(vec![parser.accumulation("count", &one)?])
}

impl Bucket {
    pub(super) fn run<'a, L: Library>(
        &'a self,
        input: Flow<'a, L::Error>,
        context: Context<'a, L>,
    ) -> Flow<'a, L::Error> {
        lazily(move || {
            let mut groups = Groups::new(&self.accumulations);
            for item in input {
                let item = item?;
                let scope = context.at(item.view());
                let value = self.group_by.evaluate(&scope)?;
                groups.add(self.bucket_of(value.as_ref())?, &scope)?;
            }
            Ok(groups.into_flow())
        })
    }

    /// The lower bound of the interval a value falls into.
    fn bucket_of(&self, value: Option<&Bson>) -> Result<Bson, QueryError> {
        let started = value.map_or(0, |value| {
            self.boundaries.partition_point(|bound| compare(bound.into(), value.into()) != Ordering::Greater)
        });
        let bound = if started < self.boundaries.len() { started.checked_sub(1) } else { None };
        bound.and_then(|bound| self.boundaries.get(bound)).or(self.default.as_ref()).cloned().ok_or_else(|| {
            mistake("$switch could not find a matching branch for an input, and no default was specified.")
        })
    }
}

fn mistake(text: &str) -> QueryError {
    QueryError::bad_query(text)
}
