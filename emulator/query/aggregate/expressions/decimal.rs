//! Arithmetic of 128-bit decimals: 34 digits, ties to even, as IEEE 754 has it. BSON's bits pass through text to the library.

use dec::{Context, Rounding};
use document::{Bson, Number};

/// Digits come in units of three; 12 units hold the 34 digits.
pub(super) type Decimal = dec::Decimal<12>;

const DIGITS: usize = 34;
const EXPONENT_MAX: isize = 6144;
const EXPONENT_MIN: isize = -6143;

/// The digits that a double becomes a decimal with.
const DOUBLE_DIGITS: usize = 15;

/// The rules of 128-bit decimals.
pub(super) fn context() -> Context<Decimal> {
    let mut context = Context::<Decimal>::default();
    // The values are within the library's limits, so none of these fails.
    let _ = context.set_precision(DIGITS);
    let _ = context.set_max_exponent(EXPONENT_MAX);
    let _ = context.set_min_exponent(EXPONENT_MIN);
    context.set_rounding(Rounding::HalfEven);
    context
}

/// A number as a decimal: a double by 15 digits, the others exactly.
pub(super) fn of(number: Number) -> Decimal {
    match number {
        Number::Int32(number) => Decimal::from(number),
        Number::Int64(number) => context().from_i64(number),
        Number::Double(number) => parse(&format!("{number:.*e}", DOUBLE_DIGITS - 1)),
        Number::Decimal128(number) => parse(&number.to_string()),
    }
}

/// A text as a decimal; NaN where it is none.
pub(super) fn parse(text: &str) -> Decimal {
    context().parse(text).unwrap_or_else(|_| Decimal::nan())
}

/// The decimal as a value.
pub(super) fn to_bson(number: Decimal) -> Bson {
    let mut number = number;
    let mut context = context();
    context.set_clamp(true);
    context.plus(&mut number);
    number.to_string().parse().map_or(Bson::Null, Bson::Decimal128)
}

/// `left` after `operation` with `right`.
pub(super) fn combine(
    left: Number,
    right: Number,
    operation: fn(&mut Context<Decimal>, &mut Decimal, &Decimal),
) -> Decimal {
    let mut result = of(left);
    operation(&mut context(), &mut result, &of(right));
    result
}

/// `number` after `operation`.
pub(super) fn apply(number: Number, operation: fn(&mut Context<Decimal>, &mut Decimal)) -> Decimal {
    let mut result = of(number);
    operation(&mut context(), &mut result);
    result
}

/// `number` with `places` digits after the point, or with that many zeros before it if negative.
pub(super) fn to_places(number: Decimal, places: i32, rounding: Rounding) -> Decimal {
    if number.is_special() || number.exponent() >= -places {
        return number;
    }
    let mut rounded = number;
    let mut context = context();
    context.set_rounding(rounding);
    let exponent = Decimal::from(-places);
    context.rescale(&mut rounded, &exponent);
    if rounded.is_nan() { number } else { rounded }
}
