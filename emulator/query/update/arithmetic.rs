//! Sums and products of numbers as MongoDB types them: int grows to long, long does not grow, a double makes a double
//! (semantics DB-3.28).

use document::Number;

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It needs more than 64 bits.
    Overflow,
    /// An operand is a 128-bit decimal.
    Decimal,
}

pub(super) fn add(left: Number, right: Number) -> Result<Number, Failure> {
    combine(left, right, i64::checked_add, |left, right| left + right)
}

pub(super) fn multiply(left: Number, right: Number) -> Result<Number, Failure> {
    combine(left, right, i64::checked_mul, |left, right| left * right)
}

fn combine(
    left: Number,
    right: Number,
    of_integers: fn(i64, i64) -> Option<i64>,
    of_doubles: fn(f64, f64) -> f64,
) -> Result<Number, Failure> {
    use Number::{Decimal128, Double, Int32, Int64};
    match (left, right) {
        (Decimal128(_), _) | (_, Decimal128(_)) => Err(Failure::Decimal),
        (Double(_), _) | (_, Double(_)) => Ok(Double(of_doubles(left.as_f64(), right.as_f64()))),
        (Int32(left), Int32(right)) => of_integers(left.into(), right.into()).map(narrowed).ok_or(Failure::Overflow),
        (Int32(left), Int64(right)) => of_integers(left.into(), right).map(Int64).ok_or(Failure::Overflow),
        (Int64(left), Int32(right)) => of_integers(left, right.into()).map(Int64).ok_or(Failure::Overflow),
        (Int64(left), Int64(right)) => of_integers(left, right).map(Int64).ok_or(Failure::Overflow),
    }
}

/// A result of two ints: an int if it fits.
fn narrowed(result: i64) -> Number {
    i32::try_from(result).map_or(Number::Int64(result), Number::Int32)
}

#[cfg(test)]
mod tests {
    use document::{Bson, Number};

    use super::{Failure, add, multiply};

    #[test]
    fn types_of_results() {
        check(add(Number::Int32(i32::MAX), Number::Int32(1)), Ok(Bson::Int64(2_147_483_648)));
        check(add(Number::Int32(1), Number::Int64(1)), Ok(Bson::Int64(2)));
        check(add(Number::Int64(1), Number::Double(0.5)), Ok(Bson::Double(1.5)));
        check(add(Number::Int64(i64::MAX), Number::Int32(1)), Err(Failure::Overflow));
        check(multiply(Number::Int32(65_536), Number::Int32(65_536)), Ok(Bson::Int64(4_294_967_296)));
        check(multiply(Number::Int64(i64::MIN), Number::Int32(-1)), Err(Failure::Overflow));
        check(multiply(Number::Int32(2), Number::Double(1.5)), Ok(Bson::Double(3.0)));
    }

    fn check(result: Result<Number, Failure>, expected: Result<Bson, Failure>) {
        assert_eq!(result.map(Number::to_bson), expected);
    }
}
