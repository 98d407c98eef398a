//! Generators of arbitrary values, for the property tests of this crate and of those above it (feature `arbitrary`).
//! They crowd where mistakes live: few keys, so that documents share them; numbers around the limits of their types.

use bson::raw::{CString, cstr};
use bson::spec::BinarySubtype;
use bson::{
    Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp, doc, oid::ObjectId,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

/// A value of any type that can be stored, documents and arrays to four levels among them.
pub fn value() -> BoxedStrategy<Bson> {
    let leaf = prop_oneof![4 => common_scalar(), 1 => rare_scalar()];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Bson::Array),
            fields(inner.clone()).prop_map(Bson::Document),
            (text(), fields(inner))
                .prop_map(|(code, scope)| Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope { code, scope })),
        ]
    })
    .boxed()
}

/// A document that can be stored. It need not have an `_id`.
pub fn document() -> BoxedStrategy<Document> {
    fields(value()).boxed()
}

/// A document with keys that mean something elsewhere: types of extended JSON, operators, paths, none at all.
pub fn odd_document() -> BoxedStrategy<Document> {
    let names = vec![
        "",
        "$",
        "$$",
        "$x",
        "$date",
        "$$date",
        "$$$date",
        "$oid",
        "$numberInt",
        "$binary",
        "$type",
        "$regex",
        "$options",
        "$code",
        "$scope",
        "$dbPointer",
        "$uuid",
        "a.b",
        ".",
        "a",
        "__proto__",
        "base64",
        "subType",
    ];
    let key = select(names).prop_map(str::to_owned);
    let leaf = prop_oneof![4 => common_scalar(), 1 => rare_scalar()];
    let odd = leaf.prop_recursive(3, 24, 3, move |inner| {
        let fields = vec((key.clone(), inner.clone()), 0..3).prop_map(Document::from_iter);
        prop_oneof![3 => fields.prop_map(Bson::Document), 1 => vec(inner, 0..3).prop_map(Bson::Array)]
    });
    fields(odd).boxed()
}

/// A value as mini programs write them: null, booleans, numbers, texts, dates, and documents and arrays of such.
pub fn common_value() -> BoxedStrategy<Bson> {
    common_scalar()
        .prop_recursive(3, 24, 4, |inner| {
            prop_oneof![vec(inner.clone(), 0..4).prop_map(Bson::Array), fields(inner).prop_map(Bson::Document),]
        })
        .boxed()
}

/// A document of [`common_value`]s.
pub fn common_document() -> BoxedStrategy<Document> {
    fields(common_value()).boxed()
}

/// A number of any of the four types.
pub fn number() -> BoxedStrategy<Bson> {
    prop_oneof![
        integer().prop_map(|number| i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32)),
        integer().prop_map(Bson::Int64),
        double().prop_map(Bson::Double),
        decimal().prop_map(Bson::Decimal128),
    ]
    .boxed()
}

/// Two values of one type, which two of [`value`] seldom are: alone, or each in a document or an array of its own.
pub fn alike() -> BoxedStrategy<(Bson, Bson)> {
    let alone = Union::new(scalars().into_iter().map(|scalar| (scalar.clone(), scalar))).boxed();
    let fields = (prop_oneof![alone.clone(), neighbours()], field_name(), field_name());
    let documents = fields.prop_map(|((left, right), left_name, right_name)| {
        (doc! { "a": 1, left_name: left }.into(), doc! { "a": 1, right_name: right }.into())
    });
    let arrays = (alone.clone(), vec(common_value(), 0..2)).prop_map(|((left, right), rest)| {
        ([vec![left], rest.clone()].concat().into(), [vec![right], rest].concat().into())
    });
    prop_oneof![4 => alone, 4 => neighbours(), 1 => documents, 1 => arrays].boxed()
}

/// Two numbers of any types a few steps from each other, where integers stop being doubles or end.
fn neighbours() -> BoxedStrategy<(Bson, Bson)> {
    let limits = select(vec![0, 1 << 53, -(1 << 53), 1 << 62, i64::MAX, i64::MIN]);
    (limits, [(-5..6i64, 0..4u8), (-5..6i64, 0..4u8)])
        .prop_map(|(limit, sides)| {
            let [left, right] = sides.map(|(distance, kind)| integer_as(limit.saturating_add(distance), kind));
            (left, right)
        })
        .boxed()
}

fn integer_as(number: i64, kind: u8) -> Bson {
    match kind {
        0 => Bson::Int64(number),
        1 => Bson::Double(number as f64),
        2 => Bson::Decimal128(decimal_of(number.into(), 0)),
        _ => Bson::Decimal128(decimal_of(i128::from(number) * 10 + 5, -1)),
    }
}

/// The name of a field: not empty, without dots and NULs, not beginning with `$`.
pub fn field_name() -> BoxedStrategy<String> {
    prop_oneof![8 => "[a-c]{1,2}", 1 => "[0-2]", 1 => select(vec!["名字", "__proto__", "constructor", "\u{1}", "a b"]).prop_map(str::to_owned)]
        .boxed()
}

/// Any text, NULs and all planes of Unicode included.
pub fn text() -> BoxedStrategy<String> {
    let special = select(vec!["", "\0", "a\0", "a\0\u{1}", "\u{ff}", "\u{10ffff}", "\"\\\u{8}\n", "\u{2028}", "云"]);
    prop_oneof![3 => "[a-c]{0,3}", 2 => special.prop_map(str::to_owned), 1 => vec(any::<char>(), 0..6).prop_map(String::from_iter)].boxed()
}

fn common_scalar() -> BoxedStrategy<Bson> {
    prop_oneof![
        1 => Just(Bson::Null),
        1 => any::<bool>().prop_map(Bson::Boolean),
        4 => number(),
        4 => text().prop_map(Bson::String),
        1 => date(),
    ]
    .boxed()
}

fn rare_scalar() -> BoxedStrategy<Bson> {
    prop_oneof![
        select(vec![Bson::Undefined, Bson::MinKey, Bson::MaxKey]),
        object_id(),
        timestamp(),
        regular_expression(),
        text().prop_map(Bson::JavaScriptCode),
        text().prop_map(Bson::Symbol),
        binary(),
    ]
    .boxed()
}

/// One generator for each type that has more than one value.
fn scalars() -> Vec<BoxedStrategy<Bson>> {
    let texts = prop_oneof![text().prop_map(Bson::String), text().prop_map(Bson::Symbol)].boxed();
    let programs = text().prop_map(Bson::JavaScriptCode).boxed();
    let booleans = any::<bool>().prop_map(Bson::Boolean).boxed();
    vec![booleans, number(), texts, date(), object_id(), timestamp(), regular_expression(), programs, binary()]
}

fn date() -> BoxedStrategy<Bson> {
    integer().prop_map(|number| Bson::DateTime(DateTime::from_millis(number))).boxed()
}

fn object_id() -> BoxedStrategy<Bson> {
    any::<[u8; 12]>().prop_map(|bytes| Bson::ObjectId(ObjectId::from_bytes(bytes))).boxed()
}

fn timestamp() -> BoxedStrategy<Bson> {
    (0..3u32, any::<u32>()).prop_map(|(time, increment)| Bson::Timestamp(Timestamp { time, increment })).boxed()
}

fn regular_expression() -> BoxedStrategy<Bson> {
    let options = select(vec![cstr!(""), cstr!("i"), cstr!("im")]);
    ("[a-c.]{0,3}", options)
        .prop_filter_map("no NUL", |(pattern, options)| {
            let pattern = CString::try_from(pattern).ok()?;
            Some(Bson::RegularExpression(Regex { pattern, options: options.into() }))
        })
        .boxed()
}

fn binary() -> BoxedStrategy<Bson> {
    (select(vec![0, 2, 4, 5, 128]), vec(any::<u8>(), 0..5))
        .prop_map(|(subtype, bytes)| Bson::Binary(Binary { subtype: BinarySubtype::from(subtype), bytes }))
        .boxed()
}

fn fields(value: impl Strategy<Value = Bson>) -> impl Strategy<Value = Document> {
    vec((field_name(), value), 0..5).prop_map(Document::from_iter)
}

/// Around 0, 2^31, 2^53 and 2^63, and anywhere.
fn integer() -> BoxedStrategy<i64> {
    let limits = select(vec![0, 1 << 31, -(1 << 31), 1 << 53, -(1 << 53), i64::MAX, i64::MIN]);
    prop_oneof![
        -3..4i64,
        (limits, -3..4i64).prop_map(|(limit, distance)| limit.saturating_add(distance)),
        any::<i64>(),
    ]
    .boxed()
}

/// One NaN only: BSON keeps the bits of others, EJSON does not.
fn double() -> BoxedStrategy<f64> {
    let special = vec![-0.0, 0.5, 5e-324, -5e-324, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    prop_oneof![
        select(special),
        integer().prop_map(|number| number as f64),
        (-10..10i32).prop_map(|tenths| f64::from(tenths) / 10.0),
        prop::num::f64::ANY.prop_map(|number| if number.is_nan() { f64::NAN } else { number }),
    ]
    .boxed()
}

fn decimal() -> BoxedStrategy<Decimal128> {
    let special = ["NaN", "Infinity", "-Infinity", "0", "-0", "1E-6176", "9.9E+6144", "-1E+400", "1E-400", "0.5"];
    prop_oneof![
        select(special.to_vec()).prop_filter_map("a decimal", |text| text.parse().ok()),
        integer().prop_filter_map("a decimal", |number| number.to_string().parse().ok()),
        (-10..10i64, -2..3i32).prop_map(|(coefficient, exponent)| decimal_of(coefficient.into(), exponent)),
        (any::<i128>(), -6176..6112i32).prop_map(|(coefficient, exponent)| decimal_of(coefficient, exponent)),
    ]
    .boxed()
}

/// `coefficient`, cut to 34 digits, times ten to the power of `exponent`.
fn decimal_of(coefficient: i128, exponent: i32) -> Decimal128 {
    let sign = u128::from(coefficient < 0) << 127;
    let exponent = u128::from((exponent + 6176).unsigned_abs()) << 113;
    let bits = sign | exponent | (coefficient.unsigned_abs() % 10u128.pow(34));
    Decimal128::from_bytes(bits.to_le_bytes())
}
