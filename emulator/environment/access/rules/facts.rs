//! What a query says of the documents it finds, for the proof (semantics §7.3, DB-7.23): its alternatives, each a list
//! of facts about single paths. Operators that the cloud does not recognise in proofs say nothing, which can only
//! refuse too much.

use document::{Bson, Document};

use super::evaluate::class;
use super::expression::Comparison;

/// Something that holds for the value at `path` of every document found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fact<'q> {
    pub(super) path: &'q str,
    pub(super) test: Test<'q>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Test<'q> {
    /// It is one of these: equality, `$in`.
    OneOf(&'q [Bson]),
    /// It is none of these: `$ne`, `$nin`.
    NoneOf(&'q [Bson]),
    /// It is of the bound's class, and stands to it so: `$gt` and its like.
    Bound(Comparison, &'q Bson),
    /// It is an array with all of these in it: `$all` (UNC-34).
    Has(&'q [Bson]),
}

/// How many alternatives a query may have for a proof; the number is ours.
const ALTERNATIVES_MAX: usize = 256;

/// How many facts all alternatives together may have where `$and` and `$or` join them; the number is ours.
const FACTS_MAX: usize = 10_000;

/// How deep `$and` and `$or` are looked into.
const DEPTH_MAX: usize = 32;

type Alternatives<'q> = Vec<Vec<Fact<'q>>>;

/// The query is beyond one of these limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BeyondLimits;

/// The alternatives of a query: each document it finds meets all facts of one of them.
pub(super) fn alternatives(query: &Document) -> Result<Alternatives<'_>, BeyondLimits> {
    conjunction(query, 0)
}

fn conjunction(query: &Document, depth: usize) -> Result<Alternatives<'_>, BeyondLimits> {
    if depth > DEPTH_MAX {
        return Err(BeyondLimits);
    }
    let mut alternatives = vec![Vec::new()];
    for (name, condition) in query {
        match (name.as_str(), condition) {
            ("$and", Bson::Array(branches)) => {
                for branch in branches {
                    alternatives = both(alternatives, &of_branch(branch, depth)?)?;
                }
            }
            ("$or", Bson::Array(branches)) => {
                let any: Result<Vec<_>, _> = branches.iter().map(|branch| of_branch(branch, depth)).collect();
                alternatives = both(alternatives, &any?.concat())?;
            }
            (name, _) if name.starts_with('$') => {}
            (path, condition) => {
                let facts = field(path, condition);
                alternatives.iter_mut().for_each(|alternative| alternative.extend(&facts));
            }
        }
    }
    Ok(alternatives)
}

fn of_branch(branch: &Bson, depth: usize) -> Result<Alternatives<'_>, BeyondLimits> {
    match branch {
        Bson::Document(query) => conjunction(query, depth + 1),
        _ => Ok(vec![Vec::new()]),
    }
}

fn both<'q>(left: Alternatives<'q>, right: &Alternatives<'q>) -> Result<Alternatives<'q>, BeyondLimits> {
    let count = |alternatives: &Alternatives<'_>| alternatives.iter().map(Vec::len).sum::<usize>();
    let facts = count(&left) * right.len() + count(right) * left.len();
    if left.len() * right.len() > ALTERNATIVES_MAX || facts > FACTS_MAX {
        return Err(BeyondLimits);
    }
    let joined = |left: &Vec<Fact<'q>>| right.iter().map(|right| [left.as_slice(), right].concat()).collect::<Vec<_>>();
    Ok(left.iter().flat_map(joined).collect())
}

fn field<'q>(path: &'q str, condition: &'q Bson) -> Vec<Fact<'q>> {
    let tests = match condition {
        Bson::Document(operators) if is_operators(operators) => {
            operators.iter().filter_map(|(operator, argument)| test(operator, argument)).collect()
        }
        value => test("$eq", value).into_iter().collect::<Vec<_>>(),
    };
    tests.into_iter().map(|test| Fact { path, test }).collect()
}

fn test<'q>(operator: &str, argument: &'q Bson) -> Option<Test<'q>> {
    let one = std::slice::from_ref(argument);
    match (operator, argument) {
        ("$eq", argument) => plain(one).then_some(Test::OneOf(one)).filter(|_| !matches!(argument, Bson::Undefined)),
        ("$in", Bson::Array(values)) => plain(values).then_some(Test::OneOf(values)),
        ("$ne", _) => plain(one).then_some(Test::NoneOf(one)),
        ("$nin", Bson::Array(values)) => plain(values).then_some(Test::NoneOf(values)),
        ("$all", Bson::Array(values)) => Some(Test::Has(values)),
        ("$gt", bound) => ordered(Comparison::Greater, bound),
        ("$gte", bound) => ordered(Comparison::GreaterOrEqual, bound),
        ("$lt", bound) => ordered(Comparison::Less, bound),
        ("$lte", bound) => ordered(Comparison::LessOrEqual, bound),
        _ => None,
    }
}

fn ordered(comparison: Comparison, bound: &Bson) -> Option<Test<'_>> {
    class(bound).map(|_| Test::Bound(comparison, bound))
}

/// Whether these are values to be equal to: a regular expression among them finds other texts than itself.
fn plain(values: &[Bson]) -> bool {
    !values.iter().any(|value| matches!(value, Bson::RegularExpression(_)))
}

/// As filters tell operators from values: by the first key, which may not be a DBRef's.
fn is_operators(document: &Document) -> bool {
    document.keys().next().is_some_and(|key| key.starts_with('$') && !matches!(key.as_str(), "$ref" | "$id" | "$db"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{DateTime, decode_text};

    use super::*;

    #[test]
    fn alternatives_of_queries() {
        check("{}", 1, 0);
        check(r#"{"a": 1, "b": {"$gt": 1, "$lt": 5, "$exists": true}}"#, 1, 3);
        check(r#"{"$or": [{"a": 1}, {"b": 1, "c": 1}], "d": 1}"#, 2, 5);
        check(r#"{"$and": [{"$or": [{"a": 1}, {"b": 1}]}, {"$or": [{"c": 1}, {"d": 1}]}]}"#, 4, 8);
        check(r#"{"$nor": [{"a": 1}], "$expr": true, "a": {"$not": {"$gt": 1}}}"#, 1, 0);
    }

    #[test]
    fn limits() {
        let nested = |levels: usize| format!("{}{{}}{}", r#"{"$and": ["#.repeat(levels), "]}".repeat(levels));
        check(&nested(32), 1, 0);
        check_beyond(&nested(33));
        let branches = |count: usize| vec![r#"{"a": 1}"#; count].join(", ");
        check(&format!(r#"{{"$or": [{}]}}"#, branches(256)), 256, 256);
        check_beyond(&format!(r#"{{"$or": [{}]}}"#, branches(257)));
        check_beyond(&format!(r#"{{"$and": [{}]}}"#, branches(20_000)));
        let fields: Vec<String> = (0..20_000).map(|index| format!("\"{index}\": 1")).collect();
        check(&format!("{{{}}}", fields.join(", ")), 1, 20_000);
    }

    fn check(query: &str, count: usize, facts: usize) {
        let query = read(query);
        let alternatives = alternatives(&query).unwrap();
        assert_eq!((alternatives.len(), alternatives.iter().map(Vec::len).sum::<usize>()), (count, facts), "{query}");
    }

    fn check_beyond(query: &str) {
        assert_eq!(alternatives(&read(query)), Err(BeyondLimits));
    }

    fn read(query: &str) -> Document {
        decode_text(query, DateTime::from_millis(0)).unwrap()
    }
}
