//! Numbers of the four BSON types, compared exactly: no integer is rounded to a double on the way.
//! Arithmetic belongs to `query`.

use std::cmp::Ordering;

use bson::{Bson, Decimal128};

/// A number of any BSON type.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// 32-bit integer.
    Int32(i32),
    /// 64-bit integer.
    Int64(i64),
    /// 64-bit floating point.
    Double(f64),
    /// 128-bit decimal floating point.
    Decimal128(Decimal128),
}

impl Number {
    /// The order of semantics DB-2.21 and DB-2.23: by exact value across types, NaN equal to NaN and below every other
    /// number, -0 equal to 0. Decimals are compared by the exact value of their 34 digits.
    pub fn compare(self, other: Number) -> Ordering {
        match (self.integer_or_double(), other.integer_or_double()) {
            (Some(Simple::Integer(left)), Some(Simple::Integer(right))) => left.cmp(&right),
            (Some(Simple::Double(left)), Some(Simple::Double(right))) => compare_doubles(left, right),
            (Some(Simple::Integer(left)), Some(Simple::Double(right))) => compare_integer_with_double(left, right),
            (Some(Simple::Double(left)), Some(Simple::Integer(right))) => {
                compare_integer_with_double(right, left).reverse()
            }
            (None, _) | (_, None) => self.rank().cmp(&other.rank()),
        }
    }

    /// The nearest double; a decimal out of range becomes an infinity or zero.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Int32(number) => f64::from(number),
            Number::Int64(number) => number as f64,
            Number::Double(number) => number,
            Number::Decimal128(number) => Decimal::from(number).nearest_double(),
        }
    }

    /// The number as an integer, if it is one and fits: `3.0` is 3, `3.5`, NaN and 2^63 are `None`.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Number::Int32(number) => Some(i64::from(number)),
            Number::Int64(number) => Some(number),
            Number::Double(number) => double_as_i64(number),
            Number::Decimal128(number) => Decimal::from(number).as_i64(),
        }
    }

    /// Whether it is NaN.
    pub fn is_nan(self) -> bool {
        match self {
            Number::Int32(_) | Number::Int64(_) => false,
            Number::Double(number) => number.is_nan(),
            Number::Decimal128(number) => matches!(Decimal::from(number), Decimal::NaN),
        }
    }

    /// The number as a value of its own type.
    pub fn to_bson(self) -> Bson {
        match self {
            Number::Int32(number) => Bson::Int32(number),
            Number::Int64(number) => Bson::Int64(number),
            Number::Double(number) => Bson::Double(number),
            Number::Decimal128(number) => Bson::Decimal128(number),
        }
    }

    fn integer_or_double(self) -> Option<Simple> {
        match self {
            Number::Int32(number) => Some(Simple::Integer(i64::from(number))),
            Number::Int64(number) => Some(Simple::Integer(number)),
            Number::Double(number) => Some(Simple::Double(number)),
            Number::Decimal128(_) => None,
        }
    }

    /// Where the number stands among all numbers; equal numbers of different types have equal ranks.
    pub(crate) fn rank(self) -> Rank {
        match self {
            Number::Int32(number) => Rank::of_double(f64::from(number)),
            Number::Int64(number) => Rank::of_integer(number),
            Number::Double(number) => Rank::of_double(number),
            Number::Decimal128(number) => Rank::of_decimal(Decimal::from(number)),
        }
    }
}

/// A number's place in the order, in two steps: the greatest double that is not above it, then, for a number that is no
/// double, its own digits. Index keys are made of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// The double's bits, arranged so that unsigned order is numeric order; 0 for NaN.
    pub(crate) floor: u64,
    /// `None` (the lesser) if the number is that double.
    pub(crate) digits: Option<Digits>,
}

/// The significant decimal digits of a number, arranged so that unsigned order is numeric order among numbers of one sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Digits {
    pub(crate) exponent: u16,
    pub(crate) coefficient: u128,
}

impl Rank {
    fn of_double(number: f64) -> Rank {
        Rank { floor: ordered_bits(number), digits: None }
    }

    fn of_integer(number: i64) -> Rank {
        let nearest = number as f64;
        match compare_integer_with_double(number, nearest) {
            Ordering::Equal => Rank::of_double(nearest),
            Ordering::Less => Rank::between(nearest.next_down(), Decimal::from(number)),
            Ordering::Greater => Rank::between(nearest, Decimal::from(number)),
        }
    }

    fn of_decimal(number: Decimal) -> Rank {
        let nearest = number.nearest_double();
        match number.compare_with_double(nearest) {
            Ordering::Equal => Rank::of_double(nearest),
            Ordering::Less => Rank::between(nearest.next_down(), number),
            Ordering::Greater => Rank::between(nearest, number),
        }
    }

    /// `floor` is below `number` and the next double is above it.
    fn between(floor: f64, number: Decimal) -> Rank {
        Rank { floor: ordered_bits(floor), digits: number.digits() }
    }
}

enum Simple {
    Integer(i64),
    Double(f64),
}

/// A number in decimal: what a Decimal128 says once its bits are read.
#[derive(Clone, Copy, Debug)]
enum Decimal {
    NaN,
    Infinity { negative: bool },
    Finite { negative: bool, coefficient: u128, exponent: i32 },
}

const DECIMAL_DIGITS: u32 = 34;
const DECIMAL_COEFFICIENT_END: u128 = 10u128.pow(DECIMAL_DIGITS);
const DECIMAL_EXPONENT_BIAS: i32 = 6176;

impl From<i64> for Decimal {
    fn from(number: i64) -> Decimal {
        Decimal::Finite { negative: number < 0, coefficient: u128::from(number.unsigned_abs()), exponent: 0 }
    }
}

impl From<Decimal128> for Decimal {
    /// Reads the "binary integer" layout of IEEE 754-2008. A coefficient of more than 34 digits means zero there.
    fn from(number: Decimal128) -> Decimal {
        let bits = u128::from_le_bytes(number.bytes());
        let negative = bits >> 127 == 1;
        if (bits >> 122) & 0b1_1111 == 0b1_1111 {
            return Decimal::NaN;
        }
        if (bits >> 122) & 0b1_1111 == 0b1_1110 {
            return Decimal::Infinity { negative };
        }
        let wide = (bits >> 125) & 0b11 == 0b11;
        let exponent_bits = (bits >> if wide { 111 } else { 113 }) & 0x3fff;
        let coefficient = if wide { DECIMAL_COEFFICIENT_END } else { bits & ((1 << 113) - 1) };
        let exponent = i32::try_from(exponent_bits).unwrap_or_default() - DECIMAL_EXPONENT_BIAS;
        let coefficient = if coefficient < DECIMAL_COEFFICIENT_END { coefficient } else { 0 };
        Decimal::Finite { negative, coefficient, exponent }
    }
}

impl Decimal {
    fn nearest_double(self) -> f64 {
        match self {
            Decimal::NaN => f64::NAN,
            Decimal::Infinity { negative: false } => f64::INFINITY,
            Decimal::Infinity { negative: true } => f64::NEG_INFINITY,
            Decimal::Finite { negative, coefficient, exponent } => {
                let magnitude: f64 = format!("{coefficient}e{exponent}").parse().unwrap_or(f64::NAN);
                if negative { -magnitude } else { magnitude }
            }
        }
    }

    /// Exact, by the decimal digits of the double, of which it has finitely many.
    fn compare_with_double(self, double: f64) -> Ordering {
        let Decimal::Finite { negative, coefficient, .. } = self else {
            return compare_doubles(self.nearest_double(), double);
        };
        if double.is_nan() {
            return Ordering::Greater;
        }
        if coefficient == 0 || double == 0.0 || negative != (double < 0.0) {
            let sign = |negative: bool, zero: bool| if zero { 0 } else { 1 - 2 * i32::from(negative) };
            return sign(negative, coefficient == 0).cmp(&sign(double < 0.0, double == 0.0));
        }
        let magnitudes = compare_magnitudes(&self, double.abs());
        if negative { magnitudes.reverse() } else { magnitudes }
    }

    fn as_i64(self) -> Option<i64> {
        let Decimal::Finite { negative, mut coefficient, mut exponent } = self else { return None };
        while coefficient != 0 && exponent < 0 {
            if !coefficient.is_multiple_of(10) {
                return None;
            }
            coefficient /= 10;
            exponent += 1;
        }
        while coefficient != 0 && exponent > 0 {
            coefficient = coefficient.checked_mul(10)?;
            exponent -= 1;
        }
        let magnitude = i128::try_from(coefficient).ok()?;
        i64::try_from(if negative { -magnitude } else { magnitude }).ok()
    }

    /// The digits of a finite number other than zero, the first of them not 0, always 34; all inverted if negative.
    fn digits(self) -> Option<Digits> {
        let Decimal::Finite { negative, mut coefficient, mut exponent } = self else { return None };
        if coefficient == 0 {
            return None;
        }
        while coefficient < DECIMAL_COEFFICIENT_END / 10 {
            coefficient *= 10;
            exponent -= 1;
        }
        let exponent = u16::try_from(exponent + 0x4000).unwrap_or_default();
        Some(if negative {
            Digits { exponent: !exponent, coefficient: !coefficient }
        } else {
            Digits { exponent, coefficient }
        })
    }
}

/// `decimal` is finite and not zero, its sign is left aside; `double` is above zero.
fn compare_magnitudes(decimal: &Decimal, double: f64) -> Ordering {
    let Decimal::Finite { coefficient, exponent, .. } = decimal else { return Ordering::Equal };
    if double.is_infinite() {
        return Ordering::Less;
    }
    let digits = coefficient.to_string();
    let first_digit_exponent = exponent + i32::try_from(digits.len()).unwrap_or_default() - 1;
    // No double has more than 767 significant digits, so this prints every one of them.
    let printed = format!("{double:.800e}");
    let (mantissa, printed_exponent) = printed.split_once('e').unwrap_or((&printed, "0"));
    let printed_exponent: i32 = printed_exponent.parse().unwrap_or_default();
    let of_double = mantissa.bytes().filter(|byte| *byte != b'.').chain(std::iter::repeat(b'0'));
    let of_decimal = digits.bytes().chain(std::iter::repeat(b'0'));
    first_digit_exponent
        .cmp(&printed_exponent)
        .then_with(|| of_decimal.take(mantissa.len()).cmp(of_double.take(mantissa.len())))
}

fn compare_doubles(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
}

/// 2^63, the first double above every 64-bit integer.
const INTEGERS_END: f64 = 9_223_372_036_854_775_808.0;

fn compare_integer_with_double(integer: i64, double: f64) -> Ordering {
    if double.is_nan() || double < -INTEGERS_END {
        return Ordering::Greater;
    }
    if double >= INTEGERS_END {
        return Ordering::Less;
    }
    // In this range the whole part fits exactly; the fraction decides between equal whole parts.
    let whole = double.trunc();
    integer.cmp(&(whole as i64)).then_with(|| 0.0_f64.total_cmp(&((double - whole) + 0.0)))
}

fn double_as_i64(number: f64) -> Option<i64> {
    let in_range = (-INTEGERS_END..INTEGERS_END).contains(&number);
    (in_range && number.trunc() == number).then_some(number as i64)
}

/// The bits of `number`, arranged so that unsigned order is numeric order; 0 for NaN, -0 as 0.
fn ordered_bits(number: f64) -> u64 {
    if number.is_nan() {
        return 0;
    }
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn decimal(text: &str) -> Number {
        Number::Decimal128(text.parse().unwrap())
    }

    fn check_integer(number: Number, expected: Option<i64>) {
        assert_eq!(number.as_i64(), expected, "{number:?}");
    }

    #[test]
    fn as_integers() {
        check_integer(Number::Int32(-5), Some(-5));
        check_integer(Number::Int64(i64::MIN), Some(i64::MIN));
        check_integer(Number::Double(3.0), Some(3));
        check_integer(Number::Double(-0.0), Some(0));
        check_integer(Number::Double(3.5), None);
        check_integer(Number::Double(f64::NAN), None);
        check_integer(Number::Double(f64::INFINITY), None);
        check_integer(Number::Double(INTEGERS_END), None);
        check_integer(Number::Double(-INTEGERS_END), Some(i64::MIN));
        check_integer(decimal("3.00"), Some(3));
        check_integer(decimal("-3E+2"), Some(-300));
        check_integer(decimal("0E+6000"), Some(0));
        check_integer(decimal("-9223372036854775808"), Some(i64::MIN));
        check_integer(decimal("9223372036854775808"), None);
        check_integer(decimal("1E+6000"), None);
        check_integer(decimal("0.5"), None);
        check_integer(decimal("NaN"), None);
    }

    #[test]
    fn as_doubles() {
        assert_eq!(Number::Int64(i64::MAX).as_f64(), INTEGERS_END);
        assert_eq!(decimal("0.1").as_f64(), 0.1);
        assert_eq!(decimal("-1E+6000").as_f64(), f64::NEG_INFINITY);
        assert!(decimal("NaN").as_f64().is_nan() && decimal("NaN").is_nan());
        assert!(Number::Double(f64::NAN).is_nan() && !Number::Int32(0).is_nan());
    }

    /// All 128-bit patterns are decimals: those that no writer makes mean zero.
    #[test]
    fn odd_decimals_are_zero() {
        let wide = Number::Decimal128(Decimal128::from_bytes((0b0_1101_u128 << 123 | 7).to_le_bytes()));
        let too_many_digits = Number::Decimal128(Decimal128::from_bytes(((1u128 << 113) - 1).to_le_bytes()));
        for number in [wide, too_many_digits] {
            assert_eq!(number.compare(Number::Int32(0)), Ordering::Equal);
        }
    }
}
