//! The proof that a query lies inside a rule (semantics §7.3, "Proof procedure"): for each alternative of the query,
//! its facts must make the expression true, whatever the documents. No data is looked at but what `get()` names.
//!
//! As in the cloud, the proof takes a field for a single value: a field that holds an array meets a query by any
//! element of it, and so may be found by a query whose rule, asked of the whole array, is false.

use document::{Bson, Document, equal};

use super::evaluate::{Evaluator, Scope, Value, order_of, value_at};
use super::expression::{Comparison, Expression, Kind};
use super::facts::{Fact, Test};
use super::request::{Library, Request};

/// Proves expressions from the facts of one alternative.
pub(super) struct Prover<'a> {
    pub(super) facts: &'a [Fact<'a>],
    pub(super) request: &'a Request<'a>,
    pub(super) library: &'a mut Library,
}

/// The values that a path may have.
type Candidates = Vec<Value>;

/// What a query would have to say for a proof.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Advice {
    /// Conditions to add, by path.
    pub(super) add: Document,
    /// Paths to be given one value each, which only the application knows.
    pub(super) pin: Vec<String>,
    /// Whether values of documents that `get()` read stand in `add`.
    pub(super) looked_up: bool,
}

impl Prover<'_> {
    /// Whether the facts make the expression `wanted`.
    pub(super) fn proves(&mut self, expression: &Expression, wanted: bool) -> bool {
        match (&expression.kind, wanted) {
            (Kind::All(parts), true) | (Kind::Any(parts), false) => parts.iter().all(|part| self.proves(part, wanted)),
            (Kind::Any(parts), true) | (Kind::All(parts), false) => parts.iter().any(|part| self.proves(part, wanted)),
            (Kind::Not(inner), wanted) => self.proves(inner, !wanted),
            _ => self.settles(expression, wanted) || self.entails(expression, wanted),
        }
    }

    /// Whether the values that the query gives for every path make the condition `wanted`, each of them.
    fn settles(&mut self, condition: &Expression, wanted: bool) -> bool {
        let paths = condition.doc_paths();
        match paths.as_slice() {
            [] => self.evaluate(condition, &[]) == Some(wanted),
            [path] => self.candidates(path).iter().any(|values| self.settle_one(condition, path, values, wanted)),
            paths => self.pins(paths).is_some_and(|pins| self.evaluate(condition, &pins) == Some(wanted)),
        }
    }

    fn settle_one(&mut self, condition: &Expression, path: &str, values: &Candidates, wanted: bool) -> bool {
        if values.len() != 1 && condition.looks_up() {
            return false;
        }
        values.iter().all(|value| self.evaluate(condition, &[(path.to_owned(), value.clone())]) == Some(wanted))
    }

    fn evaluate(&mut self, condition: &Expression, pins: &[(String, Value)]) -> Option<bool> {
        self.evaluator(pins).truth(condition).ok()
    }

    fn evaluator<'e>(&'e mut self, pins: &'e [(String, Value)]) -> Evaluator<'e> {
        Evaluator { request: self.request, scope: Scope::Pins(pins), library: self.library }
    }

    /// Each list of values that a fact gives for `path`: facts about it, and about what it is part of.
    pub(super) fn candidates(&self, path: &str) -> Vec<Candidates> {
        let values = |fact: &Fact<'_>| {
            let rest = below(fact.path, path)?;
            match fact.test {
                Test::OneOf(values) => Some(values.iter().flat_map(|value| possible(value, rest)).collect()),
                Test::NoneOf(_) | Test::Bound(..) | Test::Has(_) => None,
            }
        };
        self.facts.iter().filter_map(values).collect()
    }

    /// The one value of each path; `None` where a path has none or several.
    fn pins(&self, paths: &[String]) -> Option<Vec<(String, Value)>> {
        paths.iter().map(|path| Some((path.clone(), self.single(path)?))).collect()
    }

    pub(super) fn single(&self, path: &str) -> Option<Value> {
        self.candidates(path).into_iter().find_map(|mut values| values.pop().filter(|_| values.is_empty()))
    }

    /// Whether a single fact about the condition's path entails that it is `wanted`.
    fn entails(&mut self, condition: &Expression, wanted: bool) -> bool {
        let Some(claim) = self.claim(condition) else { return false };
        let facts: Vec<Fact<'_>> = self.facts.iter().filter(|fact| fact.path == claim.path).copied().collect();
        let any = |holds: &dyn Fn(&Test<'_>) -> bool| facts.iter().any(|fact| holds(&fact.test));
        match (claim.relation, wanted) {
            (Relation::Is(comparison), wanted) => {
                let comparison = if wanted { comparison } else { comparison.negated() };
                any(&|test| entails_comparison(test, comparison, &claim.value))
            }
            (Relation::IsIn, false) => match &claim.value {
                Bson::Array(values) => values.iter().all(|value| any(&|test| excludes(test, value))),
                _ => false,
            },
            (Relation::Has, true) => any(&|test| has(test, &claim.value)),
            (Relation::IsIn, true) | (Relation::Has, false) => false,
        }
    }

    /// The condition as a claim about one path and one value; `None` where it is none, or the value is not known.
    fn claim(&mut self, condition: &Expression) -> Option<Claim> {
        match &condition.kind {
            Kind::Compare(comparison, left, right) => {
                if let (Some(path), Some(value)) = (left.doc_path(), self.known(right)) {
                    return Some(Claim { path, relation: Relation::Is(*comparison), value });
                }
                let (path, value) = (right.doc_path()?, self.known(left)?);
                Some(Claim { path, relation: Relation::Is(comparison.mirrored()), value })
            }
            Kind::In(left, right) => {
                if let (Some(path), Some(value)) = (left.doc_path(), self.known(right)) {
                    return Some(Claim { path, relation: Relation::IsIn, value });
                }
                let (path, value) = (right.doc_path()?, self.known(left)?);
                Some(Claim { path, relation: Relation::Has, value })
            }
            _ => None,
        }
    }

    /// The value of what does not depend on the document, or only on paths that have one value in the query.
    fn known(&mut self, expression: &Expression) -> Option<Bson> {
        let pins = self.pins(&expression.doc_paths())?;
        match self.evaluator(&pins).value(expression).ok()? {
            Value::Here(value) => Some(value),
            Value::Missing => None,
        }
    }

    /// What the query would have to say besides, so that the expression is `wanted`; `None` where nothing helps.
    pub(super) fn advice(&mut self, expression: &Expression, wanted: bool) -> Option<Advice> {
        if self.proves(expression, wanted) {
            return Some(Advice::default());
        }
        match (&expression.kind, wanted) {
            (Kind::All(parts), true) | (Kind::Any(parts), false) => {
                let advices = parts.iter().map(|part| self.advice(part, wanted));
                advices.collect::<Option<Vec<_>>>().map(merged)
            }
            (Kind::Any(parts), true) | (Kind::All(parts), false) => {
                parts.iter().filter_map(|part| self.advice(part, wanted)).min_by_key(Advice::cost)
            }
            (Kind::Not(inner), wanted) => self.advice(inner, !wanted),
            _ => self.condition_advice(expression, wanted),
        }
    }

    fn condition_advice(&mut self, condition: &Expression, wanted: bool) -> Option<Advice> {
        if let Some(claim) = self.claim(condition) {
            let looked_up = condition.looks_up();
            return claim.clause(wanted).map(|add| Advice { add, pin: Vec::new(), looked_up });
        }
        if let Some(path) = condition.doc_path().filter(|path| !path.is_empty()) {
            return Some(Advice { add: one(&path, Bson::Boolean(wanted)), ..Advice::default() });
        }
        let unsettled = |mut paths: Vec<String>| {
            paths.retain(|path| !path.is_empty() && self.single(path).is_none());
            (!paths.is_empty()).then(|| Advice { pin: paths, ..Advice::default() })
        };
        unsettled(condition.lookup_paths()).or_else(|| unsettled(condition.doc_paths()))
    }
}

impl Advice {
    fn cost(&self) -> (usize, usize) {
        (self.pin.len(), self.add.len())
    }
}

fn merged(advices: Vec<Advice>) -> Advice {
    let mut all = Advice::default();
    let mut conflicts = Vec::new();
    for advice in advices {
        for (path, condition) in advice.add {
            match all.add.get(&path) {
                Some(earlier) if *earlier != condition => conflicts.push(Bson::Document(one(&path, condition))),
                _ => drop(all.add.insert(path, condition)),
            }
        }
        all.pin.extend(advice.pin);
        all.looked_up |= advice.looked_up;
    }
    all.pin.sort();
    all.pin.dedup();
    if !conflicts.is_empty() {
        all.add.insert("$and", conflicts);
    }
    all
}

/// A condition taken apart: the value at `path` stands in `relation` to `value`.
struct Claim {
    path: String,
    relation: Relation,
    value: Bson,
}

#[derive(Debug, Clone, Copy)]
enum Relation {
    /// `doc.path > value`.
    Is(Comparison),
    /// `doc.path in value`.
    IsIn,
    /// `value in doc.path`.
    Has,
}

impl Claim {
    /// The query that says it, or the contrary.
    fn clause(&self, wanted: bool) -> Option<Document> {
        let value = self.value.clone();
        let by = |operator: &str, value: Bson| one(&self.path, Bson::Document(one(operator, value)));
        match (self.relation, wanted) {
            (Relation::Is(comparison), wanted) => {
                let comparison = if wanted { comparison } else { comparison.negated() };
                match comparison {
                    Comparison::Equal => Some(equality(&self.path, value)),
                    other => Some(by(other.query_operator(), value)),
                }
            }
            (Relation::IsIn, true) => Some(by("$in", value)),
            (Relation::IsIn, false) => Some(by("$nin", value)),
            (Relation::Has, true) => Some(equality(&self.path, value)),
            (Relation::Has, false) => None,
        }
    }
}

fn equality(path: &str, value: Bson) -> Document {
    match value {
        value @ (Bson::Document(_) | Bson::RegularExpression(_)) => one(path, Bson::Document(one("$eq", value))),
        value => one(path, value),
    }
}

fn one(name: &str, value: Bson) -> Document {
    Document::from_iter([(name.to_owned(), value)])
}

/// What is left of `path` below `whole`; `None` where it is elsewhere.
fn below<'p>(whole: &str, path: &'p str) -> Option<&'p str> {
    match path.strip_prefix(whole).filter(|_| !whole.is_empty())? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    }
}

/// What `rest` finds in a value that a query asks for; where that is null, the field may be missing as well.
fn possible(value: &Bson, rest: &str) -> Vec<Value> {
    match value_at(value, rest) {
        Value::Here(Bson::Null) => vec![Value::Here(Bson::Null), Value::Missing],
        value => vec![value],
    }
}

fn entails_comparison(test: &Test<'_>, claimed: Comparison, value: &Bson) -> bool {
    match claimed {
        Comparison::Equal => false, // values that are equal are settled
        Comparison::NotEqual => excludes(test, value),
        ordered => match test {
            Test::Bound(comparison, bound) => bound_entails(*comparison, bound, ordered, value),
            Test::OneOf(_) | Test::NoneOf(_) | Test::Has(_) => false,
        },
    }
}

/// Whether everything beyond `bound` is beyond `value` as well.
fn bound_entails(comparison: Comparison, bound: &Bson, claimed: Comparison, value: &Bson) -> bool {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let Some(order) = order_of(bound, value) else { return false };
    match (comparison, claimed) {
        (Greater, Greater | GreaterOrEqual) | (GreaterOrEqual, GreaterOrEqual) => order.is_ge(),
        (GreaterOrEqual, Greater) => order.is_gt(),
        (Less, Less | LessOrEqual) | (LessOrEqual, LessOrEqual) => order.is_le(),
        (LessOrEqual, Less) => order.is_lt(),
        _ => false,
    }
}

/// Whether the test keeps the value from being `value`.
fn excludes(test: &Test<'_>, value: &Bson) -> bool {
    let is_value = |other: &Bson| equal(other.into(), value.into());
    match test {
        Test::OneOf(values) => !values.iter().any(is_value),
        Test::NoneOf(values) => values.iter().any(is_value),
        Test::Bound(comparison, bound) => !meets(*comparison, bound, value),
        Test::Has(_) => false,
    }
}

/// Whether `value` is of the bound's class and beyond it.
fn meets(comparison: Comparison, bound: &Bson, value: &Bson) -> bool {
    order_of(value, bound).is_some_and(|order| match comparison {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
    })
}

fn has(test: &Test<'_>, value: &Bson) -> bool {
    match test {
        Test::Has(values) => values.iter().any(|other| equal(other.into(), value.into())),
        Test::OneOf(_) | Test::NoneOf(_) | Test::Bound(..) => false,
    }
}
