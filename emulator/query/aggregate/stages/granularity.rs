//! Series of preferred numbers, which the bounds of `$bucketAuto` are rounded to: Renard's, IEC 60063's, 1-2-5 and powers of two.
//! The Renard series are those that MongoDB has, 335 missing from R40 and the coarser series from R80 among them.

use document::{Bson, ValueRef};

/// A series that goes on for ever, up and down, ten times as large or as small.
#[derive(Debug, Clone)]
pub(super) enum Granularity {
    /// The numbers of one decade.
    Decade(Vec<f64>),
    /// 1, 2, 4, 8 …
    PowersOfTwo,
}

const DECADES: &[(&str, &[u16])] = &[
    ("1-2-5", &[10, 20, 50]),
    ("E12", &[10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82]),
    ("E24", &[10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91]),
    ("E6", &[10, 15, 22, 33, 47, 68]),
    ("R10", &[100, 125, 160, 200, 250, 315, 400, 500, 630, 800]),
    ("R20", &[100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900]),
    (
        "R40",
        &[
            100, 106, 112, 118, 125, 132, 140, 150, 160, 170, 180, 190, 200, 212, 224, 236, 250, 265, 280, 300, 315,
            355, 375, 400, 425, 450, 475, 500, 530, 560, 600, 630, 670, 710, 750, 800, 850, 900, 950,
        ],
    ),
    ("R5", &[10, 16, 25, 40, 63]),
    (
        "R80",
        &[
            103, 109, 115, 122, 128, 136, 145, 155, 165, 175, 185, 195, 206, 218, 230, 243, 258, 272, 290, 307, 325,
            345, 365, 387, 412, 437, 462, 487, 515, 545, 575, 615, 650, 690, 730, 775, 825, 875, 925, 975,
        ],
    ),
];

/// Series of so many numbers a decade, each the same factor above the one before, rounded to three digits.
const EVEN_DECADES: &[(&str, u32)] = &[("E192", 192), ("E48", 48), ("E96", 96)];

impl Granularity {
    /// The series of that name.
    pub(super) fn parse(name: &str) -> Option<Granularity> {
        if name == "POWERSOF2" {
            return Some(Granularity::PowersOfTwo);
        }
        let listed = DECADES.iter().find(|(known, _)| *known == name);
        let listed = listed.map(|(_, numbers)| numbers.iter().map(|number| f64::from(*number)).collect());
        let even = EVEN_DECADES.iter().find(|(known, _)| *known == name);
        listed.or_else(|| even.map(|(_, count)| even_decade(*count))).map(Granularity::Decade)
    }

    /// The least number of the series that is greater; zero stays.
    pub(super) fn round_up(&self, value: &Bson) -> Bson {
        let Some(number) = roundable(value) else { return value.clone() };
        match self {
            Granularity::PowersOfTwo => Bson::Double((number.log2().floor() + 1.0).exp2()),
            Granularity::Decade(decade) => {
                let above = numbers_around(decade, number).find(|candidate| *candidate > number);
                above.map_or_else(|| value.clone(), Bson::Double)
            }
        }
    }

    /// The greatest number of the series that is less; zero stays.
    pub(super) fn round_down(&self, value: &Bson) -> Bson {
        let Some(number) = roundable(value) else { return value.clone() };
        match self {
            Granularity::PowersOfTwo => Bson::Double((number.log2().ceil() - 1.0).exp2()),
            Granularity::Decade(decade) => {
                let below = numbers_around(decade, number).take_while(|candidate| *candidate < number).last();
                below.map_or_else(|| value.clone(), Bson::Double)
            }
        }
    }
}

fn roundable(value: &Bson) -> Option<f64> {
    let number = ValueRef::from(value).as_number()?.as_f64();
    (number != 0.0 && number.is_finite()).then_some(number)
}

/// The numbers of the series from well below `number` to well above it, ascending.
fn numbers_around(decade: &[f64], number: f64) -> impl Iterator<Item = f64> {
    let power = number.log10().floor() as i32;
    (power - 4..=power + 1).flat_map(move |power| decade.iter().map(move |base| base * power_of_ten(power)))
}

/// By steps of ten, so that rounding errors are those that MongoDB makes.
fn power_of_ten(power: i32) -> f64 {
    (0..power.abs()).fold(1.0, |product, _| if power < 0 { product / 10.0 } else { product * 10.0 })
}

/// IEC 60063 has 920 where rounding gives 919.
fn even_decade(count: u32) -> Vec<f64> {
    let number = |place: u32| (100.0 * 10_f64.powf(f64::from(place) / f64::from(count))).round();
    (0..count).map(number).map(|number| if number == 919.0 { 920.0 } else { number }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::Bson;

    use super::{DECADES, EVEN_DECADES, Granularity};

    #[test]
    fn tables_are_sorted() {
        assert!(DECADES.is_sorted_by_key(|(name, _)| name));
        assert!(EVEN_DECADES.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn neighbours() {
        check("R5", 25.0, 16.0, 40.0);
        check("R5", 26.0, 25.0, 40.0);
        check("R10", 82.0, 80.0, 100.0);
        check("1-2-5", 1.0, 0.5, 2.0);
        check("E6", 0.8, 0.68, 1.0);
        check("E96", 980.0, 976.0, 1000.0);
        check("E192", 919.0, 909.0, 920.0);
        check("E48", 100.0, 95.3, 105.0);
        check("R80", 1.0, 0.975, 1.03);
        check("POWERSOF2", 8.0, 4.0, 16.0);
        check("POWERSOF2", 0.3, 0.25, 0.5);
        check("POWERSOF2", 33.0, 32.0, 64.0);
    }

    #[test]
    fn the_ends_of_doubles() {
        for name in ["R5", "E192", "POWERSOF2"] {
            let granularity = Granularity::parse(name).unwrap();
            for number in [0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::INFINITY] {
                let value = Bson::Double(number);
                assert!(granularity.round_up(&value).as_f64().unwrap() >= number, "{name} {number}");
                assert!(granularity.round_down(&value).as_f64().unwrap() <= number, "{name} {number}");
            }
        }
        assert!(Granularity::parse("R7").is_none());
    }

    fn check(name: &str, number: f64, down: f64, up: f64) {
        let granularity = Granularity::parse(name).unwrap();
        let close = |found: Bson, expected: f64| (found.as_f64().unwrap() / expected - 1.0).abs() < 1e-12;
        assert!(close(granularity.round_down(&Bson::Double(number)), down), "{name} {number}");
        assert!(close(granularity.round_up(&Bson::Double(number)), up), "{name} {number}");
    }
}
