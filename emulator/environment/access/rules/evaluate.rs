//! The value of an expression. What cannot be told, be it a property of nothing or an order between a text and a
//! number, is a fault; a fault is neither true nor false, so that `!` cannot make it true, and a rule that ends in one
//! refuses (DB-7.31).
//!
//! A field that a document lacks equals null and nothing else, as queries have it; below `auth`, `resource` and what
//! `get()` gives, a missing property is a fault. Only true is true: texts and numbers are no conditions.

use std::cmp::Ordering;

use document::{Bson, DateTime, Document, ValueRef, compare, equal};

use super::expression::{Comparison, Expression, Kind, Pattern, Variable};
use super::request::{Library, Lookup, Reference, Request};

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// It is wrong: says how.
    Wrong(String),
    /// A document that `get()` names is not at hand yet.
    Wanted,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Missing,
    Here(Bson),
}

/// What `doc` and `resource` are while an expression is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Neither is there.
    Nothing,
    Document(&'a Document),
    File(&'a Document),
    /// A document of which the values at some paths are known. `Missing` is a value like others.
    Pins(&'a [(String, Value)]),
}

pub(super) struct Evaluator<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) scope: Scope<'a>,
    pub(super) library: &'a mut Library,
}

type Outcome<T> = Result<T, Fault>;

impl Evaluator<'_> {
    /// Whether a condition holds. `&&` and `||` stop at what decides them; a fault decides neither.
    pub(super) fn truth(&mut self, expression: &Expression) -> Outcome<bool> {
        match &expression.kind {
            Kind::All(parts) => self.until(parts, false),
            Kind::Any(parts) => self.until(parts, true),
            _ => match self.value(expression)? {
                Value::Here(Bson::Boolean(truth)) => Ok(truth),
                Value::Here(other) => Err(wrong(format!("{} is neither true nor false", type_name(&other)))),
                Value::Missing => Err(wrong("it is missing")),
            },
        }
    }

    /// `decisive` where a part is so; else the first fault, if there is one.
    fn until(&mut self, parts: &[Expression], decisive: bool) -> Outcome<bool> {
        let mut fault = None;
        for part in parts {
            match self.truth(part) {
                Ok(truth) if truth == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(reason) => fault = fault.or(Some(reason)),
            }
        }
        fault.map_or(Ok(!decisive), Err)
    }

    pub(super) fn value(&mut self, expression: &Expression) -> Outcome<Value> {
        if let Some(path) = expression.doc_path() {
            return self.doc_value(&path);
        }
        if let Some(path) = expression.path_below(Variable::Data) {
            let data = self.request.data.ok_or_else(|| wrong("this operation has no request.data"))?;
            return Ok(value_below(data, &path));
        }
        let value = match &expression.kind {
            Kind::Literal(literal) => literal.clone(),
            Kind::Array(elements) => Bson::Array(self.elements(elements)?),
            Kind::Variable(variable) => self.variable(*variable)?,
            Kind::Member(base, name) => return self.member(base, name),
            Kind::Index(base, index) => return self.index(base, index),
            Kind::Join(parts) => Bson::String(self.joined(parts)?),
            Kind::Not(inner) => Bson::Boolean(!self.truth(inner)?),
            Kind::All(_) | Kind::Any(_) => Bson::Boolean(self.truth(expression)?),
            Kind::Compare(comparison, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Bson::Boolean(holds(*comparison, &left, &right)?)
            }
            Kind::In(left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Bson::Boolean(contains(&right, &left)?)
            }
            Kind::Get(reference) => self.get(reference)?,
            Kind::Test(pattern, text) => Bson::Boolean(self.test(pattern, text)?),
        };
        Ok(Value::Here(value))
    }

    fn doc_value(&self, path: &str) -> Outcome<Value> {
        match self.scope {
            Scope::Document(document) => Ok(value_below(document, path)),
            Scope::Pins(pins) => {
                let pinned = pins.iter().find(|(pinned, _)| pinned == path);
                pinned.map(|(_, value)| value.clone()).ok_or_else(|| wrong("the query does not say its value"))
            }
            Scope::Nothing | Scope::File(_) => Err(wrong("there is no document here")),
        }
    }

    fn variable(&self, variable: Variable) -> Outcome<Bson> {
        match (variable, self.scope) {
            (Variable::Auth, _) => Ok(self.request.auth.clone()),
            (Variable::Now, _) => Ok(Bson::Int64(self.request.now.timestamp_millis())),
            (Variable::Resource, Scope::File(file)) => Ok(Bson::Document(file.clone())),
            (Variable::Resource, _) => Err(wrong("there is no file here")),
            // Both are paths, and read as such.
            (Variable::Doc | Variable::Data, _) => Err(wrong("it has no value")),
        }
    }

    fn elements(&mut self, elements: &[Expression]) -> Outcome<Vec<Bson>> {
        elements.iter().map(|element| self.present(element)).collect()
    }

    fn present(&mut self, expression: &Expression) -> Outcome<Bson> {
        match self.value(expression)? {
            Value::Here(value) => Ok(value),
            Value::Missing => Err(wrong("a value that is missing")),
        }
    }

    fn member(&mut self, base: &Expression, name: &str) -> Outcome<Value> {
        match self.value(base)? {
            Value::Here(Bson::Document(document)) => {
                document.get(name).cloned().map(Value::Here).ok_or_else(|| wrong(format!("there is no `{name}` in it")))
            }
            Value::Here(other) => Err(wrong(format!("{} has no `{name}`", type_name(&other)))),
            Value::Missing => Err(wrong(format!("what is missing has no `{name}`"))),
        }
    }

    fn index(&mut self, base: &Expression, index: &Expression) -> Outcome<Value> {
        let name = match self.present(index)? {
            Bson::String(name) => name,
            Bson::Int32(index) => index.to_string(),
            other => return Err(wrong(format!("{} is no index", type_name(&other)))),
        };
        let base = self.present(base)?;
        let found = step(&base, &name).cloned().map(Value::Here);
        found.ok_or_else(|| wrong(format!("there is no [{name}] in it")))
    }

    fn joined(&mut self, parts: &[Expression]) -> Outcome<String> {
        let values = self.elements(parts)?;
        if !values.iter().any(|value| matches!(value, Bson::String(_))) {
            return Err(wrong("`+` joins texts: rules do not reckon"));
        }
        values.iter().map(text_of).collect()
    }

    fn get(&mut self, reference: &Expression) -> Outcome<Bson> {
        let Bson::String(text) = self.present(reference)? else { return Err(wrong("get() needs a text")) };
        let malformed = || wrong(format!("get() needs `database.collection.id`, this is `{text}`"));
        let reference = Reference::parse(&text).ok_or_else(malformed)?;
        match self.library.look_up(reference) {
            Lookup::Found(document) => Ok(Bson::Document(document)),
            Lookup::Missing => Ok(Bson::Null),
            Lookup::Wanted => Err(Fault::Wanted),
        }
    }

    fn test(&mut self, pattern: &Pattern, text: &Expression) -> Outcome<bool> {
        let Bson::String(text) = self.present(text)? else { return Err(wrong(".test() needs a text")) };
        let document = Document::from_iter([(Pattern::FIELD.to_owned(), Bson::String(text))]);
        pattern.filter.matches((&document).into()).map_err(|error| wrong(error.to_string()))
    }
}

pub(super) fn wrong(reason: impl Into<String>) -> Fault {
    Fault::Wrong(reason.into())
}

/// What a dotted path finds in a document: below documents by name, below arrays by index.
fn value_below(document: &Document, path: &str) -> Value {
    match path.split_once('.') {
        _ if path.is_empty() => Value::Here(Bson::Document(document.clone())),
        None => document.get(path).cloned().map_or(Value::Missing, Value::Here),
        Some((first, rest)) => document.get(first).map_or(Value::Missing, |value| value_at(value, rest)),
    }
}

/// What a dotted path finds below `value`; without one, `value` itself.
pub(super) fn value_at(value: &Bson, path: &str) -> Value {
    let mut names = path.split('.').filter(|_| !path.is_empty());
    names.try_fold(value, step).cloned().map_or(Value::Missing, Value::Here)
}

fn step<'v>(value: &'v Bson, name: &str) -> Option<&'v Bson> {
    match value {
        Bson::Document(document) => document.get(name),
        Bson::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Whether `left` stands to `right` as `comparison` says.
pub(super) fn holds(comparison: Comparison, left: &Value, right: &Value) -> Outcome<bool> {
    Ok(match comparison {
        Comparison::Equal => same(left, right)?,
        Comparison::NotEqual => !same(left, right)?,
        Comparison::Less => order(left, right)? == Ordering::Less,
        Comparison::LessOrEqual => order(left, right)? != Ordering::Greater,
        Comparison::Greater => order(left, right)? == Ordering::Greater,
        Comparison::GreaterOrEqual => order(left, right)? != Ordering::Less,
    })
}

fn same(left: &Value, right: &Value) -> Outcome<bool> {
    match (left, right) {
        (Value::Here(left), Value::Here(right)) => Ok(equal(left.into(), right.into())),
        (Value::Missing, Value::Here(other)) | (Value::Here(other), Value::Missing) => Ok(*other == Bson::Null),
        (Value::Missing, Value::Missing) => Err(wrong("both are missing")),
    }
}

fn order(left: &Value, right: &Value) -> Outcome<Ordering> {
    let (Value::Here(left), Value::Here(right)) = (left, right) else { return Err(wrong("it is missing")) };
    let unordered = || wrong(format!("{} and {} have no order", type_name(left), type_name(right)));
    order_of(left, right).ok_or_else(unordered)
}

/// The order of two values of one class; a date and a number compare as milliseconds. `None` where there is none.
pub(super) fn order_of(left: &Bson, right: &Bson) -> Option<Ordering> {
    match (left, right) {
        (Bson::DateTime(date), number) if is_number(number) => order_of(&milliseconds(*date), number),
        (number, Bson::DateTime(date)) if is_number(number) => order_of(number, &milliseconds(*date)),
        (left, right) => {
            let comparable = class(left).is_some() && class(left) == class(right);
            comparable.then(|| compare(left.into(), right.into()))
        }
    }
}

fn milliseconds(date: DateTime) -> Bson {
    Bson::Int64(date.timestamp_millis())
}

fn is_number(value: &Bson) -> bool {
    ValueRef::from(value).as_number().is_some()
}

/// What values must share to be ordered; `None` for those that rules do not order.
pub(super) fn class(value: &Bson) -> Option<u8> {
    let value = ValueRef::from(value);
    let ordered = match value {
        ValueRef::String(_)
        | ValueRef::Boolean(_)
        | ValueRef::DateTime(_)
        | ValueRef::ObjectId(_)
        | ValueRef::Timestamp(_) => true,
        number => number.as_number().is_some_and(|number| !number.is_nan()),
    };
    ordered.then(|| value.type_order())
}

/// Whether `whole` is an array with `part` in it, or is `part` itself: what the query `{field: part}` finds (UNC-34).
fn contains(whole: &Value, part: &Value) -> Outcome<bool> {
    match whole {
        Value::Here(Bson::Array(elements)) => {
            let is_part = |element: &Bson| same(part, &Value::Here(element.clone()));
            elements.iter().try_fold(false, |found, element| Ok(found || is_part(element)?))
        }
        Value::Here(single) if matches!(part, Value::Here(part) if equal(part.into(), single.into())) => Ok(true),
        Value::Here(other) => Err(wrong(format!("{} is no array", type_name(other)))),
        Value::Missing => Err(wrong("the array is missing")),
    }
}

fn text_of(value: &Bson) -> Outcome<String> {
    match value {
        Bson::String(text) => Ok(text.clone()),
        Bson::Int32(number) => Ok(number.to_string()),
        Bson::Int64(number) => Ok(number.to_string()),
        Bson::Double(number) => Ok(number.to_string()),
        Bson::ObjectId(id) => Ok(id.to_hex()),
        other => Err(wrong(format!("{} is no part of a text", type_name(other)))),
    }
}

fn type_name(value: &Bson) -> &'static str {
    ValueRef::from(value).type_name()
}
