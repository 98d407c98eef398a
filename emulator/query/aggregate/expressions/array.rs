//! Array operators. `$map`, `$filter` and `$reduce` evaluate an expression for each element, the rest see values.

use document::{Bson, Document, Number, ValueRef};

use super::node::{Arguments, Environment, Node};
use super::parse::{Parser, member, object_of, only_members};
use super::value::{self, Outcome, Value};
use super::variables::{self, evaluate_with};
use super::{limits, string};
use crate::QueryError;

/// `$map`: what an expression makes of each element.
#[derive(Debug, Clone)]
pub(super) struct Map {
    input: Node,
    name: Box<str>,
    body: Node,
}

/// `$filter`: the elements for which a condition is true.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    input: Node,
    name: Box<str>,
    condition: Node,
}

/// `$reduce`: one value, made over again with each element.
#[derive(Debug, Clone)]
pub(super) struct Reduce {
    input: Node,
    initial: Node,
    body: Node,
}

pub(super) fn parse_map(parser: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, "$map only supports an object as its argument")?;
    only_members(object, &["input", "as", "in"], "Unrecognized parameter to $map: ")?;
    let input = member(object, "input", "Missing 'input' parameter to $map")?;
    let body = member(object, "in", "Missing 'in' parameter to $map")?;
    let name = element_name(object)?;
    let (input, body) = (parser.expression(input)?, parser.expression_with(&[name], body)?);
    Ok(Node::Map(Box::new(Map { input, name: name.into(), body })))
}

pub(super) fn parse_filter(parser: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, "$filter only supports an object as its argument")?;
    only_members(object, &["input", "as", "cond"], "Unrecognized parameter to $filter: ")?;
    let input = member(object, "input", "Missing 'input' parameter to $filter")?;
    let condition = member(object, "cond", "Missing 'cond' parameter to $filter")?;
    let name = element_name(object)?;
    let (input, condition) = (parser.expression(input)?, parser.expression_with(&[name], condition)?);
    Ok(Node::Filter(Box::new(Filter { input, name: name.into(), condition })))
}

/// What the element is called: `this`, or what `as` says.
fn element_name(object: &Document) -> Result<&str, QueryError> {
    match object.get("as") {
        None => Ok("this"),
        Some(Bson::String(name)) => variables::check_name(name).map(|()| name.as_str()),
        Some(_) => Err(QueryError::bad_query("the name of a variable must be a string")),
    }
}

pub(super) fn parse_reduce(parser: &mut Parser, _: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, "$reduce requires an object as an argument, found: {type}")?;
    only_members(object, &["input", "initialValue", "in"], "$reduce found an unknown argument: ")?;
    let input = member(object, "input", "$reduce requires 'input' to be specified")?;
    let initial = member(object, "initialValue", "$reduce requires 'initialValue' to be specified")?;
    let body = member(object, "in", "$reduce requires 'in' to be specified")?;
    let (input, initial) = (parser.expression(input)?, parser.expression(initial)?);
    let body = parser.expression_with(&["this", "value"], body)?;
    Ok(Node::Reduce(Box::new(Reduce { input, initial, body })))
}

impl Map {
    pub(super) fn evaluate<'a>(&'a self, environment: &Environment<'a>) -> Outcome<'a> {
        let Some(elements) = elements_of(self.input.evaluate(environment)?, "$map")? else { return Ok(Value::NULL) };
        let mut mapped = Vec::with_capacity(elements.len());
        let mut room = limits::room();
        for element in elements {
            let value = evaluate_with(&self.body, &[(&self.name, element)], environment)?.into_element();
            limits::take_value(&mut room, &value)?;
            mapped.push(value);
        }
        Ok(mapped.into())
    }
}

impl Filter {
    pub(super) fn evaluate<'a>(&'a self, environment: &Environment<'a>) -> Outcome<'a> {
        let Some(elements) = elements_of(self.input.evaluate(environment)?, "$filter")? else { return Ok(Value::NULL) };
        let mut kept = Vec::new();
        for element in elements {
            let bound = [(&*self.name, element)];
            if evaluate_with(&self.condition, &bound, environment)?.is_true() {
                let [(_, element)] = bound;
                kept.push(element.into_element());
            }
        }
        Ok(kept.into())
    }
}

/// The elements of an input; `None` where it is null.
fn elements_of<'a>(input: Value<'a>, operator: &str) -> Result<Option<Vec<Value<'a>>>, QueryError> {
    if input.is_nullish() {
        return Ok(None);
    }
    let wrong = |input: Value<'_>| {
        QueryError::bad_query(format!("input to {operator} must be an array not {}", input.type_name()))
    };
    input.into_elements().map(Some).map_err(wrong)
}

impl Reduce {
    pub(super) fn evaluate<'a>(&'a self, environment: &Environment<'a>) -> Outcome<'a> {
        let input = self.input.evaluate(environment)?;
        if input.is_nullish() {
            return Ok(Value::NULL);
        }
        let elements = input.into_elements().map_err(|input| {
            QueryError::bad_query(format!("$reduce requires that 'input' be an array, found: {}", input.show()))
        })?;
        let mut value = self.initial.evaluate(environment)?;
        for element in elements {
            value = evaluate_with(&self.body, &[("this", element), ("value", value)], environment)?;
            value = limits::checked(value)?;
        }
        Ok(value)
    }
}

pub(super) fn array_elem_at(arguments: Arguments<'_>) -> Outcome<'_> {
    let [array, index] = arguments.take();
    if array.is_nullish() || index.is_nullish() {
        return Ok(Value::NULL);
    }
    if array.array().is_none() {
        return error(format!("$arrayElemAt's first argument must be an array, but is {}", array.type_name()));
    }
    if index.number().is_none() {
        return error(format!("$arrayElemAt's second argument must be a numeric value, but is {}", index.type_name()));
    }
    match index.int32() {
        Some(index) => Ok(element_at(array, index.into())),
        None => {
            error(format!("$arrayElemAt's second argument must be representable as a 32-bit integer: {}", index.show()))
        }
    }
}

/// The element at an index, counted from the end if negative.
fn element_at(array: Value<'_>, index: i64) -> Value<'_> {
    let from_end = |length: usize| length.checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX));
    let place = |length: usize| if index < 0 { from_end(length) } else { usize::try_from(index).ok() };
    match array {
        Value::Borrowed(ValueRef::Array(array)) => {
            let place = if index < 0 { place(array.len()) } else { place(0) };
            place.and_then(|place| array.get(place)).map_or(Value::Missing, Value::Borrowed)
        }
        Value::Owned(Bson::Array(mut array)) => match place(array.len()) {
            Some(place) if place < array.len() => Value::Owned(array.swap_remove(place)),
            _ => Value::Missing,
        },
        _ => Value::Missing,
    }
}

/// `$first` of an array, as newer engines have it.
pub(super) fn first(arguments: Arguments<'_>) -> Outcome<'_> {
    end_of(arguments, 0)
}

/// `$last` of an array, as newer engines have it.
pub(super) fn last(arguments: Arguments<'_>) -> Outcome<'_> {
    end_of(arguments, -1)
}

fn end_of(arguments: Arguments<'_>, index: i64) -> Outcome<'_> {
    let operator = arguments.operator;
    let [array] = arguments.take();
    match array {
        array if array.is_nullish() => Ok(Value::NULL),
        array if array.array().is_some() => Ok(element_at(array, index)),
        other => error(format!("{operator}'s argument must be an array, but is {}", other.type_name())),
    }
}

pub(super) fn array_to_object(arguments: Arguments<'_>) -> Outcome<'_> {
    let [array] = arguments.take();
    if array.is_nullish() {
        return Ok(Value::NULL);
    }
    let Some(elements) = array.array() else {
        return error(format!("$arrayToObject requires an array input, found: {}", array.type_name()));
    };
    let mut object = Document::new();
    let of_pairs = match elements.get(0) {
        Some(ValueRef::Array(_)) => true,
        Some(ValueRef::Document(_)) | None => false,
        Some(other) => {
            return error(format!("Unrecognised input type format for $arrayToObject: {}", other.type_name()));
        }
    };
    for element in elements.iter() {
        let (key, value) = if of_pairs { pair(element) } else { key_and_value(element) }?;
        object.insert(key, value.to_bson());
    }
    Ok(object.into())
}

fn pair(element: ValueRef<'_>) -> Result<(&str, ValueRef<'_>), QueryError> {
    let Some(pair) = element.as_array() else { return inconsistent("Array", element) };
    let (Some(key), Some(value), 2) = (pair.get(0), pair.get(1), pair.len()) else {
        return error(format!("$arrayToObject requires an array of size 2 arrays,found array of size: {}", pair.len()));
    };
    let wrong =
        "$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ";
    object_key(key, wrong).map(|key| (key, value))
}

fn key_and_value(element: ValueRef<'_>) -> Result<(&str, ValueRef<'_>), QueryError> {
    let Some(object) = element.as_document() else { return inconsistent("Object", element) };
    let count = object.iter().count();
    if count != 2 {
        return error(format!(
            "$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:{count}"
        ));
    }
    let (Some(key), Some(value)) = (object.get("k"), object.get("v")) else {
        return error(format!(
            "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: {}",
            Value::Borrowed(element).show()
        ));
    };
    let wrong = "$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. \
                 Found type: ";
    object_key(key, wrong).map(|key| (key, value))
}

/// MongoDB's text lacks a blank.
fn inconsistent<T>(first: &str, element: ValueRef<'_>) -> Result<T, QueryError> {
    let found = element.type_name();
    error(format!(
        "$arrayToObject requires a consistent input format. Elements mustall be arrays or all be objects. \
         {first} was detected, now found: {found}"
    ))
}

fn object_key<'a>(key: ValueRef<'a>, wrong: &str) -> Result<&'a str, QueryError> {
    match key.as_str() {
        Some(key) if key.contains('\0') => error("Key field cannot contain an embedded null byte".to_owned()),
        Some(key) => Ok(key),
        None => error(format!("{wrong}{}", key.type_name())),
    }
}

pub(super) fn object_to_array(arguments: Arguments<'_>) -> Outcome<'_> {
    let [object] = arguments.take();
    if object.is_nullish() {
        return Ok(Value::NULL);
    }
    let Some(fields) = object.document() else {
        return error(format!("$objectToArray requires a document input, found: {}", object.type_name()));
    };
    let pair = |(name, value): (&str, ValueRef<'_>)| {
        Bson::Document(Document::from_iter([("k".to_owned(), name.into()), ("v".to_owned(), value.to_bson())]))
    };
    Ok(fields.iter().map(pair).collect::<Vec<_>>().into())
}

pub(super) fn concat_arrays(arguments: Arguments<'_>) -> Outcome<'_> {
    let mut all = Vec::new();
    let mut room = limits::room();
    for array in arguments.values {
        if array.is_nullish() {
            return Ok(Value::NULL);
        }
        let elements = array.into_elements().map_err(|other| {
            QueryError::bad_query(format!("$concatArrays only supports arrays, not {}", other.type_name()))
        })?;
        for element in elements {
            let element = element.into_element();
            limits::take_value(&mut room, &element)?;
            all.push(element);
        }
    }
    Ok(all.into())
}

pub(super) fn r#in(arguments: Arguments<'_>) -> Outcome<'_> {
    let [sought, array] = arguments.take();
    let Some(elements) = array.array() else {
        return error(format!("$in requires an array as a second argument, found: {}", array.type_name()));
    };
    Ok(elements.iter().any(|element| value::compare(&Value::Borrowed(element), &sought).is_eq()).into())
}

pub(super) fn index_of_array(arguments: Arguments<'_>) -> Outcome<'_> {
    let [array, sought, start, end] = arguments.take();
    if array.is_nullish() {
        return Ok(Value::NULL);
    }
    let Some(elements) = array.array() else {
        return error(format!("$indexOfArray requires an array as a first argument, found: {}", array.type_name()));
    };
    let (start, end) = string::bounds("$indexOfArray", &start, &end)?;
    let mut places = elements.iter().enumerate().take(end).skip(start);
    let found = places.find(|(_, element)| value::compare(&Value::Borrowed(*element), &sought).is_eq());
    Ok(string::index(found.map(|(place, _)| place)))
}

pub(super) fn is_array(arguments: Arguments<'_>) -> Outcome<'_> {
    let [value] = arguments.take();
    Ok(value.array().is_some().into())
}

pub(super) fn range(arguments: Arguments<'_>) -> Outcome<'_> {
    let [start, end, step] = arguments.take();
    let start = range_bound(&start, "a", "starting")?;
    let end = range_bound(&end, "an", "ending")?;
    let step = if step.is_absent() { 1 } else { range_bound(&step, "a", "step")? };
    if step == 0 {
        return error("$range requires a non-zero step value".to_owned());
    }
    let distance = if step > 0 { end - start } else { start - end };
    let count = distance.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
    if count > limits::ELEMENTS_MAX as u64 {
        return Err(limits::too_large());
    }
    let numbers = std::iter::successors(Some(start), |number| Some(number + step));
    let numbers =
        numbers.take(count as usize).map(|number| Number::Int32(i32::try_from(number).unwrap_or_default()).to_bson());
    Ok(numbers.collect::<Vec<_>>().into())
}

fn range_bound(value: &Value<'_>, article: &str, what: &str) -> Result<i64, QueryError> {
    if value.number().is_none() {
        let blank = if what == "step" { "" } else { " " };
        let found = value.type_name();
        return error(format!("$range requires a numeric {what} value, found value of type:{blank}{found}"));
    }
    value.int32().map(i64::from).ok_or_else(|| {
        let found = value.show();
        QueryError::bad_query(format!(
            "$range requires {article} {what} value that can be represented as a 32-bit integer, found value: {found}"
        ))
    })
}

pub(super) fn reverse_array(arguments: Arguments<'_>) -> Outcome<'_> {
    let [array] = arguments.take();
    if array.is_nullish() {
        return Ok(Value::NULL);
    }
    let found = array.type_name();
    match array.into_bson() {
        Some(Bson::Array(mut elements)) => {
            elements.reverse();
            Ok(elements.into())
        }
        _ => error(format!("The argument to $reverseArray must be an array, but was of type: {found}")),
    }
}

pub(super) fn size(arguments: Arguments<'_>) -> Outcome<'_> {
    let [array] = arguments.take();
    match array.array() {
        Some(elements) => Ok(i32::try_from(elements.len()).unwrap_or(i32::MAX).into()),
        None => error(format!("The argument to $size must be an array, but was of type: {}", array.type_name())),
    }
}

pub(super) fn slice(arguments: Arguments<'_>) -> Outcome<'_> {
    let [array, second, third] = arguments.take();
    if array.is_nullish() || second.is_nullish() || (!third.is_absent() && third.is_nullish()) {
        return Ok(Value::NULL);
    }
    let Some(elements) = array.array() else {
        return error(format!("First argument to $slice must be an array, but is of type: {}", array.type_name()));
    };
    let second = slice_number(&second, "Second", "a numeric value")?;
    let (position, count) = match third {
        Value::Absent if second < 0 => (second, usize::MAX),
        Value::Absent => (0, second.unsigned_abs() as usize),
        third => match slice_number(&third, "Third", "numeric")? {
            count if count > 0 => (second, count.unsigned_abs() as usize),
            _ => return error(format!("Third argument to $slice must be positive: {}", third.show())),
        },
    };
    let from_end = elements.len().saturating_sub(position.unsigned_abs() as usize);
    let first = if position < 0 { from_end } else { position.unsigned_abs() as usize };
    Ok(elements.iter().skip(first).take(count).map(ValueRef::to_bson).collect::<Vec<_>>().into())
}

fn slice_number(value: &Value<'_>, which: &str, what: &str) -> Result<i32, QueryError> {
    if value.number().is_none() {
        return error(format!("{which} argument to $slice must be {what}, but is of type: {}", value.type_name()));
    }
    value.int32().ok_or_else(|| {
        let found = value.show();
        QueryError::bad_query(format!("{which} argument to $slice can't be represented as a 32-bit integer: {found}"))
    })
}

pub(super) fn parse_zip(parser: &mut Parser, operator: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, "$zip only supports an object as an argument, found {type}")?;
    let known = ["inputs", "useLongestLength", "defaults"];
    only_members(object, &known, "$zip found an unknown argument: ")?;
    let longest = match object.get("useLongestLength") {
        None => false,
        Some(Bson::Boolean(longest)) => *longest,
        // MongoDB names the type of the whole argument.
        Some(_) => return error("useLongestLength must be a bool, found object".to_owned()),
    };
    let inputs = zip_expressions(object, "inputs")?;
    let defaults = zip_expressions(object, "defaults")?;
    match (inputs.len(), defaults.len()) {
        (0, _) => return error("$zip requires at least one input array".to_owned()),
        (_, 1..) if !longest => return error("cannot specify defaults unless useLongestLength is true".to_owned()),
        (inputs, defaults) if defaults != 0 && inputs != defaults => {
            return error("defaults and inputs must have the same length".to_owned());
        }
        _ => {}
    }
    let lists = vec![Node::Array(parser.expressions(inputs)?), Node::Array(parser.expressions(defaults)?)];
    Ok(Node::Call(operator, if longest { zip_longest } else { zip_shortest }, lists))
}

fn zip_expressions<'a>(object: &'a Document, name: &str) -> Result<&'a [Bson], QueryError> {
    match object.get(name) {
        None => Ok(&[]),
        Some(Bson::Array(expressions)) => Ok(expressions),
        Some(other) => error(format!("{name} must be an array of expressions, found {}", shown_type(other))),
    }
}

fn shown_type(value: &Bson) -> &'static str {
    ValueRef::from(value).type_name()
}

fn zip_longest(arguments: Arguments<'_>) -> Outcome<'_> {
    zip(arguments, |lengths| lengths.max())
}

fn zip_shortest(arguments: Arguments<'_>) -> Outcome<'_> {
    zip(arguments, |lengths| lengths.min())
}

fn zip<'a>(arguments: Arguments<'a>, choose: fn(&mut dyn Iterator<Item = usize>) -> Option<usize>) -> Outcome<'a> {
    let [inputs, defaults] = arguments.take();
    let (Some(inputs), Some(defaults)) = (inputs.array(), defaults.array()) else { return Ok(Value::NULL) };
    if inputs.iter().any(|input| Value::Borrowed(input).is_nullish()) {
        return Ok(Value::NULL);
    }
    let columns =
        inputs.iter().map(|input| input.as_array().ok_or(input)).collect::<Result<Vec<_>, _>>().map_err(|other| {
            QueryError::bad_query(format!(
                "$zip found a non-array expression in input: {}",
                Value::Borrowed(other).show()
            ))
        })?;
    let length = choose(&mut columns.iter().map(|column| column.len())).unwrap_or(0);
    let defaults: Vec<Bson> = defaults.to_vec();
    let mut columns: Vec<_> = columns.into_iter().map(document::ArrayRef::to_vec).map(Vec::into_iter).collect();
    let mut row = || {
        let cell = |(place, column): (usize, &mut std::vec::IntoIter<Bson>)| {
            column.next().or_else(|| defaults.get(place).cloned()).unwrap_or(Bson::Null)
        };
        Bson::Array(columns.iter_mut().enumerate().map(cell).collect())
    };
    let mut rows = Vec::with_capacity(length);
    let mut room = limits::room();
    for _ in 0..length {
        let row = row();
        limits::take_value(&mut room, &row)?;
        rows.push(row);
    }
    Ok(rows.into())
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
