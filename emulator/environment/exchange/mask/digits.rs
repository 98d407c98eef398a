//! Digits in other digits' place: a permutation of all numbers of the same length, drawn by the key.

use super::Hashes;
use document::{Bson, ValueRef};

/// Enough that every digit depends on every other.
const ROUNDS: u8 = 10;
/// How often a number is permuted again that came out unfit, before another way is taken.
const WALK_MAX: usize = 10_000;
/// Half of them fit a u128.
pub(super) const DIGITS_MAX: usize = 36;

/// Puts other digits in the place of `digits`, of which there are at most [`DIGITS_MAX`]. One to one: a Feistel network, as in
/// the FF1 mode of ciphers that preserve a format.
pub(super) fn permute(hashes: &Hashes, digits: &mut [u8]) {
    if let [digit] = digits {
        return permute_one(hashes, digit);
    }
    let (length, left) = (digits.len(), digits.len() / 2);
    let (mut a, mut b) = (value_of(&digits[..left]), value_of(&digits[left..]));
    for round in 0..ROUNDS {
        let width = if round % 2 == 0 { left } else { length - left };
        let modulus = 10_u128.pow(u32::try_from(width).unwrap_or_default());
        let seed = [&[round, u8::try_from(length).unwrap_or_default()][..], &b.to_be_bytes()].concat();
        let hash = hashes.of("digits", &seed);
        let random = u128::from_be_bytes(*hash.first_chunk().unwrap_or(&[0; 16]));
        let sum = (a + random % modulus) % modulus;
        (a, b) = (b, sum);
    }
    spell(a, &mut digits[..left]);
    spell(b, &mut digits[left..]);
}

/// Half of one digit is nothing to work with. Here the ten follow each other in a circle (Sattolo's shuffle), so that none stays.
fn permute_one(hashes: &Hashes, digit: &mut u8) {
    let mut next = [0_u8, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    for last in (1..10_u8).rev() {
        let random = hashes.number("digit", &[last]) % u64::from(last);
        next.swap(usize::from(last), usize::try_from(random).unwrap_or_default());
    }
    *digit = next.get(usize::from(*digit)).copied().unwrap_or_default();
}

/// Permutes until `is_fit` is, which keeps it one to one among those that are.
pub(super) fn permute_until(hashes: &Hashes, digits: &mut [u8], is_fit: impl Fn(&[u8]) -> bool) {
    for _ in 0..WALK_MAX {
        permute(hashes, digits);
        if is_fit(digits) {
            return;
        }
    }
}

/// Another number of the same type, sign and magnitude. Equal numbers of different types stay equal.
pub(super) fn mask_number(hashes: &Hashes, number: &mut Bson) {
    match number {
        Bson::Int32(value) => {
            let masked = mask_integer(hashes, i64::from(*value));
            *value = i32::try_from(masked).unwrap_or(*value);
        }
        Bson::Int64(value) => *value = mask_integer(hashes, *value),
        Bson::Double(value) => match ValueRef::Double(*value).as_number().and_then(document::Number::as_i64) {
            Some(integer) => *value = mask_integer(hashes, integer) as f64,
            None => *value = mask_fraction(hashes, &format!("{value:?}")).parse().unwrap_or(*value),
        },
        Bson::Decimal128(value) => match ValueRef::Decimal128(*value).as_number().and_then(document::Number::as_i64) {
            Some(integer) => *value = mask_integer(hashes, integer).to_string().parse().unwrap_or(*value),
            None => *value = mask_fraction(hashes, &value.to_string()).parse().unwrap_or(*value),
        },
        _ => {}
    }
}

/// Numbers of 32 bits stay such, and others others: an image that both had would make two numbers one.
fn mask_integer(hashes: &Hashes, number: i64) -> i64 {
    if number == 0 {
        return 0; // which alone has no sign
    }
    let text = number.unsigned_abs().to_string();
    let mut digits: Vec<u8> = text.bytes().map(|digit| digit - b'0').collect();
    let with_sign = |digits: &[u8]| -> Option<i64> {
        let value = i128::try_from(value_of(digits)).ok()?;
        i64::try_from(if number < 0 { -value } else { value }).ok()
    };
    let is_short = |number: i64| i32::try_from(number).is_ok();
    let is_fit = |digits: &[u8]| {
        let is_alike = with_sign(digits).is_some_and(|masked| is_short(masked) == is_short(number));
        is_alike && digits.first() != Some(&0)
    };
    permute_until(hashes, &mut digits, is_fit);
    with_sign(&digits).unwrap_or_default()
}

/// `text` with other digits where it has significant ones; its exponent stays.
fn mask_fraction(hashes: &Hashes, text: &str) -> String {
    let mantissa = text.find(['e', 'E']).and_then(|end| text.get(..end)).unwrap_or(text);
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let Some(significant) = digits.get_mut(zeros..).filter(|digits| (1..=DIGITS_MAX).contains(&digits.len())) else {
        return text.to_owned();
    };
    let ends_in_zero = significant.last() == Some(&0);
    let is_fit = |digits: &[u8]| digits.first() != Some(&0) && (ends_in_zero || digits.last() != Some(&0));
    permute_until(hashes, significant, is_fit);
    with_digits(mantissa, &digits) + text.get(mantissa.len()..).unwrap_or_default()
}

/// `text` with these digits in the place of its own.
pub(super) fn with_digits(text: &str, digits: &[u8]) -> String {
    let mut digits = digits.iter().map(|digit| char::from(b'0' + digit));
    text.chars().map(|c| if c.is_ascii_digit() { digits.next().unwrap_or(c) } else { c }).collect()
}

fn value_of(digits: &[u8]) -> u128 {
    digits.iter().fold(0, |value, digit| value * 10 + u128::from(*digit))
}

fn spell(mut value: u128, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::tests::hashes;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_numbers_become_one() {
        for (low, high) in [(0, 10), (10, 100), (100, 1000), (1000, 10_000)] {
            let masked: BTreeSet<i64> = (low..high).map(|number| mask_integer(&hashes(), number)).collect();
            assert_eq!(masked.len() as i64, high - low);
            assert!(masked.iter().all(|number| (low..high).contains(number)));
        }
        let end = i64::from(i32::MAX);
        let numbers: Vec<i64> = (0..10).chain(end - 200..end + 200).flat_map(|number| [number, -number - 1]).collect();
        let masked: BTreeSet<i64> = numbers.iter().map(|number| mask_integer(&hashes(), *number)).collect();
        assert_eq!(masked.len(), numbers.len());
    }

    #[test]
    fn no_digit_stays_but_0() {
        for key in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"] {
            let hashes = Hashes::keyed(key.as_bytes()).unwrap();
            let masks: Vec<i64> = (0..10).map(|digit| mask_integer(&hashes, digit)).collect();
            assert_eq!(masks.iter().collect::<BTreeSet<_>>().len(), 10);
            assert!((0..10).zip(&masks).all(|(digit, mask)| (digit == *mask) == (digit == 0)), "{masks:?}");
        }
        let masks = |key: &[u8]| {
            let hashes = Hashes::keyed(key).unwrap();
            (1..10).map(|digit| mask_integer(&hashes, digit)).collect::<Vec<_>>()
        };
        assert_ne!(masks(b"a"), masks(b"b"));
    }

    #[test]
    fn the_ends_of_types() {
        let (least, most) = (i64::from(i32::MIN), i64::from(i32::MAX));
        for number in [least, least - 1, most, most + 1, i64::MIN, i64::MAX] {
            let masked = mask_integer(&hashes(), number);
            assert_eq!(i32::try_from(number).is_ok(), i32::try_from(masked).is_ok(), "{number} {masked}");
            assert_eq!(number.signum(), masked.signum());
        }
    }

    #[test]
    fn fractions_keep_their_form() {
        for text in ["4350.5", "0.05", "1e-7", "1.5e300", "NaN", "inf", "12.50", "-0.5"] {
            let masked = mask_fraction(&hashes(), text);
            let form = |text: &str| text.replace(|c: char| c.is_ascii_digit() && c != '0', "9").len();
            assert_eq!(form(text), form(&masked), "{text} {masked}");
        }
    }

    /// Numbers of either sign, to both sides of where 32 bits end.
    fn about_32_bits() -> impl Strategy<Value = i64> {
        (1_000_000_000..3_300_000_000_i64, any::<bool>())
            .prop_map(|(number, is_negative)| if is_negative { -number } else { number })
    }

    proptest! {
        #[test]
        fn numbers_about_32_bits_are_told_apart(left in about_32_bits(), right in about_32_bits()) {
            let (x, y) = (mask_integer(&hashes(), left), mask_integer(&hashes(), right));
            prop_assert_eq!(left == right, x == y);
            prop_assert_eq!(left.signum(), x.signum());
            prop_assert_eq!(i32::try_from(left).is_ok(), i32::try_from(x).is_ok());
        }

        #[test]
        fn permuted_numbers_are_told_apart(left in prop::collection::vec(0..10_u8, 1..DIGITS_MAX), change in 1..10_u8, at: prop::sample::Index) {
            let mut right = left.clone();
            let at = at.index(left.len());
            right[at] = (right[at] + change) % 10;
            let masked = |digits: &[u8]| { let mut digits = digits.to_vec(); permute(&hashes(), &mut digits); digits };
            prop_assert_ne!(masked(&left), masked(&right));
            prop_assert!(masked(&left).iter().all(|digit| *digit < 10));
        }

        #[test]
        fn equal_numbers_stay_equal(number: i32) {
            let of = |mut value: Bson| { mask_number(&hashes(), &mut value); value };
            let expected = of(Bson::Int32(number)).as_i32().unwrap();
            prop_assert_eq!(of(Bson::Int64(number.into())), Bson::Int64(expected.into()));
            prop_assert_eq!(of(Bson::Double(number.into())), Bson::Double(expected.into()));
        }
    }
}
