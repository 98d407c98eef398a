//! Accumulators used as expressions: `$sum $avg $min $max $stdDevPop $stdDevSamp` of several arguments, or of the elements of one
//! that is an array. And sums that keep what doubles would lose.

use std::cmp::Ordering;

use document::{Bson, Number, ValueRef};

use super::decimal::{self, Decimal};
use super::node::Arguments;
use super::value::{self, Outcome, Value};

/// A sum of numbers of any types. Doubles are added with the part that rounding drops kept aside, integers exactly.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    integers: i128,
    doubles: f64,
    dropped: f64,
    decimals: Decimal,
    widest: Width,
    count: u64,
}

/// The type of a sum: the widest of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    Int32,
    Int64,
    Double,
    Decimal,
}

impl Default for Sum {
    fn default() -> Sum {
        let widest = Width::Int32;
        Sum { integers: 0, doubles: 0.0, dropped: 0.0, decimals: Decimal::zero(), widest, count: 0 }
    }
}

impl Sum {
    pub(crate) fn add(&mut self, number: Number) {
        self.count += 1;
        let width = match number {
            Number::Int32(number) => {
                self.add_integer(number.into());
                Width::Int32
            }
            Number::Int64(number) => {
                self.add_integer(number);
                Width::Int64
            }
            Number::Double(number) => {
                self.add_double(number);
                Width::Double
            }
            Number::Decimal128(_) => {
                decimal::context().add(&mut self.decimals, &decimal::of(number));
                Width::Decimal
            }
        };
        self.widest = self.widest.max(width);
    }

    /// Adds what does not change the type of the sum, such as a date's milliseconds.
    pub(super) fn add_integer(&mut self, number: i64) {
        self.integers = self.integers.saturating_add(number.into());
    }

    /// Knuth's exact addition of two doubles.
    fn add_double(&mut self, number: f64) {
        let sum = self.doubles + number;
        let kept = sum - self.doubles;
        let dropped = (self.doubles - (sum - kept)) + (number - kept);
        self.doubles = sum;
        if dropped.is_finite() {
            self.dropped += dropped;
        }
    }

    fn as_f64(&self) -> f64 {
        let mut all = self.clone();
        let high = self.integers as f64;
        all.add_double(high);
        all.add_double((self.integers - high as i128) as f64);
        all.doubles + all.dropped
    }

    fn as_decimal(&self) -> Decimal {
        let mut context = decimal::context();
        let mut all = self.decimals;
        context.add(&mut all, &decimal::parse(&self.integers.to_string()));
        if self.doubles != 0.0 {
            context.add(&mut all, &decimal::of(Number::Double(self.doubles + self.dropped)));
        }
        all
    }

    /// The sum as a number of milliseconds: without its fraction. `None` beyond 64 bits.
    pub(super) fn as_milliseconds(&self) -> Option<i64> {
        match self.widest {
            Width::Int32 | Width::Int64 => i64::try_from(self.integers).ok(),
            Width::Double => Number::Double(self.as_f64().trunc()).as_i64(),
            Width::Decimal => {
                let whole = decimal::to_places(self.as_decimal(), 0, dec::Rounding::HalfEven);
                ValueRef::from(&decimal::to_bson(whole)).as_number()?.as_i64()
            }
        }
    }

    /// The sum: an int if all parts are and it fits, else a long if it fits, else a double; or as wide as its widest part.
    pub(crate) fn total(&self) -> Bson {
        let wide = i64::try_from(self.integers);
        match (self.widest, wide) {
            (Width::Decimal, _) => decimal::to_bson(self.as_decimal()),
            (Width::Int32, Ok(sum)) => i32::try_from(sum).map_or(Bson::Int64(sum), Bson::Int32),
            (Width::Int64, Ok(sum)) => Bson::Int64(sum),
            (Width::Double, _) | (_, Err(_)) => Bson::Double(self.as_f64()),
        }
    }

    /// The average: a double, or a decimal if a part is one; `None` of nothing.
    pub(crate) fn average(&self) -> Option<Bson> {
        if self.count == 0 {
            return None;
        }
        if self.widest < Width::Decimal {
            return Some(Bson::Double(self.as_f64() / self.count as f64));
        }
        let mut average = self.as_decimal();
        let mut context = decimal::context();
        let count = context.from_u64(self.count);
        context.div(&mut average, &count);
        Some(decimal::to_bson(average))
    }
}

/// Mean and squared distances of numbers, kept as they come (Welford's method).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Deviation {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Deviation {
    pub(crate) fn add(&mut self, number: Number) {
        let number = number.as_f64();
        self.count += 1.0;
        let distance = number - self.mean;
        if distance != 0.0 {
            self.mean += distance / self.count;
            self.squares += distance * (number - self.mean);
        }
    }

    /// The deviation of a whole population; `None` of nothing.
    pub(crate) fn of_population(&self) -> Option<f64> {
        (self.count > 0.0).then(|| (self.squares / self.count).sqrt())
    }

    /// The deviation that a sample lets expect; `None` of fewer than two.
    pub(crate) fn of_sample(&self) -> Option<f64> {
        (self.count > 1.0).then(|| (self.squares / (self.count - 1.0)).sqrt())
    }
}

pub(super) fn sum(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(summed(arguments).total().into())
}

pub(super) fn avg(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(summed(arguments).average().unwrap_or(Bson::Null).into())
}

fn summed(arguments: Arguments<'_>) -> Sum {
    let mut sum = Sum::default();
    elements(arguments).iter().filter_map(Value::number).for_each(|number| sum.add(number));
    sum
}

pub(super) fn min(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(extreme(arguments, Ordering::Less))
}

pub(super) fn max(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(extreme(arguments, Ordering::Greater))
}

/// The first that stands so towards all others; null and missing do not count.
fn extreme(arguments: Arguments<'_>, wanted: Ordering) -> Value<'_> {
    let values = elements(arguments).into_iter().filter(|value| !value.is_nullish());
    let mut best: Option<Value<'_>> = None;
    for value in values {
        if best.as_ref().is_none_or(|best| value::compare(&value, best) == wanted) {
            best = Some(value);
        }
    }
    best.unwrap_or(Value::NULL)
}

pub(super) fn std_dev_pop(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(deviation(arguments).of_population().map_or(Value::NULL, Value::from))
}

pub(super) fn std_dev_samp(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(deviation(arguments).of_sample().map_or(Value::NULL, Value::from))
}

fn deviation(arguments: Arguments<'_>) -> Deviation {
    let mut deviation = Deviation::default();
    elements(arguments).iter().filter_map(Value::number).for_each(|number| deviation.add(number));
    deviation
}

/// The elements of the one argument that is an array; else the arguments themselves.
fn elements(arguments: Arguments<'_>) -> Vec<Value<'_>> {
    let mut values = arguments.values;
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => only.into_elements().unwrap_or_else(|single| vec![single]),
        (last, _) => {
            values.extend(last);
            values
        }
    }
}
