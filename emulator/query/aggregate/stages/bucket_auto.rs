//! `$bucketAuto`: documents in as many buckets as asked for, with about as many in each; with a granularity, bounds are round numbers.

use document::{Bson, Document, Number, ValueRef, equal, to_shell_text};

use super::bucket;
use super::granularity::Granularity;
use super::group::Accumulated;
use super::parser::{is_expression, type_name};
use super::sort::EXCEEDED;
use super::{Context, Flow, Parser, Stage, lazily};
use crate::QueryError;
use crate::aggregate::accumulators::Accumulation;
use crate::aggregate::expressions::Expression;
use crate::aggregate::item::Item;
use crate::aggregate::library::Library;
use crate::aggregate::memory::{self, Budget};
use crate::aggregate::text;

/// How many buckets, and what is made of the documents in each.
#[derive(Debug, Clone)]
pub(super) struct BucketAuto {
    group_by: Expression,
    buckets: usize,
    granularity: Option<Granularity>,
    accumulations: Vec<Accumulation>,
}

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(options) = specification else {
        let found = type_name(specification);
        return Err(mistake(format!("The argument to $bucketAuto must be an object, but found type: {found}.")));
    };
    let (mut group_by, mut buckets, mut granularity, mut accumulations) = (None, None, None, None);
    for (name, value) in options {
        match name.as_str() {
            "groupBy" => group_by = Some(parse_group_by(parser, value)?),
            "buckets" => buckets = Some(parse_buckets(value)?),
            "granularity" => granularity = Some(parse_granularity(value)?),
            "output" => accumulations = Some(bucket::parse_output("$bucketAuto", parser, value)?),
            _ => return Err(mistake(format!("Unrecognized option to $bucketAuto: {name}."))),
        }
    }
    let (Some(group_by), Some(buckets)) = (group_by, buckets) else {
        return Err(mistake("$bucketAuto requires 'groupBy' and 'buckets' to be specified.".to_owned()));
    };
    let accumulations = accumulations.map_or_else(|| bucket::count(parser), Ok)?;
    Ok(vec![Stage::BucketAuto(BucketAuto { group_by, buckets, granularity, accumulations })])
}

fn parse_group_by(parser: &mut Parser, value: &Bson) -> Result<Expression, QueryError> {
    if is_expression(value) {
        return parser.expression(value);
    }
    let found = to_shell_text(value.into());
    Err(mistake(format!(
        "The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: {found}"
    )))
}

fn parse_buckets(value: &Bson) -> Result<usize, QueryError> {
    let Some(number) = ValueRef::from(value).as_number() else {
        let found = type_name(value);
        return Err(mistake(format!(
            "The $bucketAuto 'buckets' field must be a numeric value, but found type: {found}."
        )));
    };
    let Some(count) = number.as_i64().and_then(|count| i32::try_from(count).ok()) else {
        let found = text::of_value(Some(value));
        return Err(mistake(format!(
            "The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found {found}."
        )));
    };
    usize::try_from(count)
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| mistake(format!("The $bucketAuto 'buckets' field must be greater than 0, but found: {count}.")))
}

fn parse_granularity(value: &Bson) -> Result<Granularity, QueryError> {
    let Some(name) = value.as_str() else {
        let found = type_name(value);
        return Err(mistake(format!("The $bucketAuto 'granularity' field must be a string, but found type: {found}.")));
    };
    Granularity::parse(name).ok_or_else(|| mistake(format!("Unknown rounding granularity '{name}'")))
}

/// A document and the value it is placed by.
type Placed = (Bson, Item);

/// A bucket as it is filled.
struct Filling {
    least: Bson,
    greatest: Bson,
    accumulated: Accumulated,
}

impl BucketAuto {
    pub(super) fn run<'a, L: Library>(
        &'a self,
        input: Flow<'a, L::Error>,
        context: Context<'a, L>,
    ) -> Flow<'a, L::Error> {
        lazily(move || {
            let mut placed = Vec::new();
            let mut budget = Budget::of_stage(EXCEEDED);
            for item in input {
                let item = item?;
                let value = self.value(self.group_by.evaluate(&context.at(item.view()))?)?;
                budget.take(item.size()? + memory::size(&value)?)?;
                placed.push((value, item));
            }
            placed.sort_by(|(left, _), (right, _)| document::compare(left.into(), right.into()));
            let buckets = self.fill(placed, &context)?;
            Ok(Box::new(buckets.into_iter().map(Ok)) as Flow<'a, L::Error>)
        })
    }

    /// With a granularity, only numbers from 0 on can be placed.
    fn value(&self, value: Option<Bson>) -> Result<Bson, QueryError> {
        if self.granularity.is_some() {
            let number = value.as_ref().and_then(|value| ValueRef::from(value).as_number());
            check_number(number, value.as_ref())?;
        }
        Ok(value.unwrap_or(Bson::Null))
    }

    /// Each bucket takes its share, then all that falls below its upper bound; the last takes the rest.
    fn fill<L>(&self, placed: Vec<Placed>, context: &Context<'_, L>) -> Result<Vec<Item>, QueryError> {
        let share = share(placed.len(), self.buckets);
        let mut placed = placed.into_iter().peekable();
        let mut buckets: Vec<Item> = Vec::new();
        let mut lower = None;
        while let Some(first) = placed.next() {
            let wanted = if buckets.len() + 1 == self.buckets { usize::MAX } else { share };
            let mut filling = self.begin(first, lower.take(), context)?;
            for next in placed.by_ref().take(wanted - 1) {
                self.add(&mut filling, next, context)?;
            }
            let upper = self.upper_bound(&filling);
            while let Some(next) = placed.next_if(|(value, _)| is_within(value, &filling.greatest, upper.as_ref())) {
                self.add(&mut filling, next, context)?;
            }
            let bound = self.bound(&filling, upper, placed.peek().map(|(value, _)| value));
            lower = Some(bound.clone());
            buckets.push(self.finish(filling, bound)?);
        }
        Ok(buckets)
    }

    fn begin<L>(&self, first: Placed, lower: Option<Bson>, context: &Context<'_, L>) -> Result<Filling, QueryError> {
        let (value, _) = &first;
        let least = match &self.granularity {
            Some(granularity) => lower.unwrap_or_else(|| granularity.round_down(value)),
            None => value.clone(),
        };
        let accumulated = Accumulated::new(&self.accumulations);
        let mut filling = Filling { least, greatest: Bson::Null, accumulated };
        self.add(&mut filling, first, context)?;
        Ok(filling)
    }

    fn add<L>(&self, filling: &mut Filling, (value, item): Placed, context: &Context<'_, L>) -> Result<(), QueryError> {
        filling.greatest = value;
        filling.accumulated.add(&self.accumulations, &context.at(item.view())).map(drop)
    }

    /// The round number above the bucket's values.
    fn upper_bound(&self, filling: &Filling) -> Option<Bson> {
        self.granularity.as_ref().map(|granularity| granularity.round_up(&filling.greatest))
    }

    /// Where the bucket ends: at its round number, else where the next begins, else at its greatest value. What comes after a
    /// bucket of nothing but zeros has a round number below it.
    fn bound(&self, filling: &Filling, upper: Option<Bson>, next: Option<&Bson>) -> Bson {
        match (&self.granularity, upper) {
            (Some(granularity), Some(upper)) => match next {
                Some(next) if equal((&upper).into(), (&Bson::Int32(0)).into()) => granularity.round_down(next),
                _ => upper,
            },
            _ => next.unwrap_or(&filling.greatest).clone(),
        }
    }

    fn finish(&self, filling: Filling, bound: Bson) -> Result<Item, QueryError> {
        let id = Document::from_iter([("min".to_owned(), filling.least), ("max".to_owned(), bound)]);
        filling.accumulated.into_item(&self.accumulations, Bson::Document(id))
    }
}

fn is_within(value: &Bson, greatest: &Bson, upper: Option<&Bson>) -> bool {
    equal(value.into(), greatest.into())
        || upper.is_some_and(|upper| document::compare(value.into(), upper.into()).is_lt())
}

/// The number of documents for each bucket, rounded half up.
fn share(documents: usize, buckets: usize) -> usize {
    ((2 * documents + buckets) / (2 * buckets)).max(1)
}

fn check_number(number: Option<Number>, value: Option<&Bson>) -> Result<(), QueryError> {
    let boundaries = "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a";
    match number {
        None => Err(mistake(format!("{boundaries} value with type: {}", text::type_name(value)))),
        Some(number) if number.is_nan() => Err(mistake(format!("{boundaries} NaN"))),
        Some(number) if number.as_f64() < 0.0 => Err(mistake(
            "$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number"
                .to_owned(),
        )),
        Some(_) => Ok(()),
    }
}

fn mistake(text: String) -> QueryError {
    QueryError::bad_query(text)
}
