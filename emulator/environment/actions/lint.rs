//! Documented forms that the official SDKs send as something else (semantics DB-2.14, DB-3.23, UNC-09, UNC-15). Where what arrives
//! still tells what was meant, the documented meaning is put in its place; where it does not, it is left as it came. Either way a
//! warning says what to write instead.
//!
//! ## Differences from the cloud
//! - The cloud takes all of it literally and says nothing. (`tests/differences/query-encoding.test.js`)

use document::{Bson, Document};
use std::collections::BTreeSet;

/// What is to be said about one request, each thing once.
pub(crate) type Warnings = BTreeSet<String>;

/// Commands that ask something of one value: the SDK's name, MongoDB's, and whether it takes all operands as its list.
const COMPARISONS: &[(&str, &str, bool)] = &[
    ("all", "$all", true),
    ("elemMatch", "$elemMatch", false),
    ("eq", "$eq", false),
    ("exists", "$exists", false),
    ("gt", "$gt", false),
    ("gte", "$gte", false),
    ("in", "$in", true),
    ("lt", "$lt", false),
    ("lte", "$lte", false),
    ("mod", "$mod", false),
    ("neq", "$ne", false),
    ("nin", "$nin", true),
    ("size", "$size", false),
];

/// Expression operators that mean nothing with one argument; the SDKs drop all but the first. Sorted.
const EXPRESSIONS_OF_SEVERAL: &[&str] = &[
    "$add",
    "$and",
    "$arrayElemAt",
    "$cmp",
    "$concat",
    "$divide",
    "$eq",
    "$gt",
    "$gte",
    "$ifNull",
    "$in",
    "$indexOfArray",
    "$lt",
    "$lte",
    "$mod",
    "$multiply",
    "$ne",
    "$or",
    "$pow",
    "$split",
    "$subtract",
];

/// Reads a query as it was meant.
pub(crate) fn query(query: &mut Document) -> Warnings {
    let mut warnings = Warnings::new();
    condition(query, &mut warnings);
    warnings
}

/// Reads an update as it was meant.
pub(crate) fn update(update: &mut Document) -> Warnings {
    let mut warnings = Warnings::new();
    for (operator, fields) in update.iter_mut() {
        let Bson::Document(fields) = fields else { continue };
        for (field, value) in fields.iter_mut() {
            match operator.as_str() {
                "$pull" => asked(value, &mut warnings),
                "$addToSet" => added(field, value, &mut warnings),
                _ => stored(field, value, &mut warnings),
            }
        }
    }
    warnings
}

/// Looks at a document that is about to be stored as it is.
pub(crate) fn document(document: &Document) -> Warnings {
    let mut warnings = Warnings::new();
    document.iter().for_each(|(field, value)| stored(field, value, &mut warnings));
    warnings
}

/// Reads the value of an aggregation's stage as it was meant.
pub(crate) fn stage(name: &str, value: &mut Bson) -> Warnings {
    match value {
        Bson::Document(matched) if name == "$match" => query(matched),
        value => {
            let mut warnings = Warnings::new();
            expression(value, &mut warnings);
            warnings
        }
    }
}

fn condition(query: &mut Document, warnings: &mut Warnings) {
    for (key, value) in query.iter_mut() {
        match (key.as_str(), value) {
            ("$and" | "$nor", Bson::Array(clauses)) => conditions(clauses, warnings),
            ("$or", Bson::Array(clauses)) => {
                joined(clauses, warnings);
                conditions(clauses, warnings);
            }
            ("$expr", value) => expression(value, warnings),
            (key, value) if !key.starts_with('$') => field(key, value, warnings),
            (_, _) => {}
        }
    }
}

fn conditions(clauses: &mut [Bson], warnings: &mut Warnings) {
    clauses.iter_mut().filter_map(Bson::as_document_mut).for_each(|clause| condition(clause, warnings));
}

/// What is asked of a field.
fn field(name: &str, value: &mut Bson, warnings: &mut Warnings) {
    let Bson::Document(operators) = value else { return };
    if operators.is_empty() {
        warnings.insert(format!(
            "{{{name}: {{}}}} asks for an empty object. SDKs send it for exists(), not(or(…)), not(gt(…).lt(…)) and, before \
             node-sdk 2, for a RegExp in or(…): write exists(true), nor(…) or db.RegExp(…)"
        ));
    }
    for (operator, value) in operators.iter_mut() {
        match (operator.as_str(), value) {
            ("$elemMatch", value) => asked(value, warnings),
            ("$not", value) => field(name, value, warnings),
            ("$all", Bson::Array(values)) => values.iter_mut().for_each(|value| field(name, value, warnings)),
            (_, _) => {}
        }
    }
}

/// What is asked of an element: a command that came as its insides is put in place, alone or in the fields of an object.
fn asked(value: &mut Bson, warnings: &mut Warnings) {
    if let Some(command) = Command::read(value) {
        let name = command.operator;
        match command.operators() {
            Some(operators) => {
                warnings.insert(served(name));
                *value = Bson::Document(operators);
            }
            None => drop(warnings.insert(unserved(name))),
        }
        return;
    }
    let Bson::Document(document) = value else { return };
    if document.contains_key("$neq") {
        warnings.insert(served("neq"));
        let renamed = |(key, value)| (if key == "$neq" { "$ne".to_owned() } else { key }, value);
        *document = std::mem::take(document).into_iter().map(renamed).collect();
    }
    document.iter_mut().for_each(|(_, value)| asked(value, warnings));
}

fn served(command: &str) -> String {
    format!(
        "the SDK sends the insides of the command `{command}` here: the emulator takes it as documented, the cloud as an object. \
         Write it with the database's own operators, such as {{$gt: 1, $lt: 5}}"
    )
}

fn unserved(command: &str) -> String {
    format!(
        "the SDK sends the insides of the command `{command}` here, and MongoDB has no such question about one value: it is \
         taken as an object"
    )
}

/// Two fields, each with `or` commands, arrive as one `$or` (semantics DB-2.14).
fn joined(clauses: &[Bson], warnings: &mut Warnings) {
    let fields: Option<Vec<&str>> = clauses.iter().map(operator_clause).collect();
    let mut fields = fields.unwrap_or_default();
    let clauses = fields.len();
    fields.dedup();
    let groups = fields.len();
    fields.sort_unstable();
    fields.dedup();
    if groups > 1 && groups == fields.len() && clauses >= 2 * groups {
        warnings.insert(format!(
            "or(…) of the fields {} is one $or: SDKs join those of several fields, so that any of them suffices. Write \
             and([or([{{…}}, {{…}}]), or([{{…}}, {{…}}])]) to ask for each",
            fields.join(", ")
        ));
    }
}

/// The field of a clause such as `{a: {$gt: 1}}`.
fn operator_clause(clause: &Bson) -> Option<&str> {
    let clause = clause.as_document().filter(|clause| clause.len() == 1)?;
    let (field, value) = clause.iter().next()?;
    let operator = value.as_document()?.keys().next()?;
    (operator.starts_with('$') && !field.starts_with('$')).then_some(field)
}

/// Operators of several arguments that lost all but one (semantics DB-2.14).
fn expression(value: &Bson, warnings: &mut Warnings) {
    match value {
        Bson::Array(values) => values.iter().for_each(|value| expression(value, warnings)),
        Bson::Document(fields) => fields.iter().for_each(|(name, value)| match value {
            _ if name == "$literal" => {}
            Bson::Array(_) => expression(value, warnings),
            value => {
                if EXPRESSIONS_OF_SEVERAL.binary_search(&name.as_str()).is_ok() {
                    warnings.insert(format!(
                        "{name} has one argument: the SDKs drop all but the first of $.{0}(a, b). Write $.{0}([a, b])",
                        name.trim_start_matches('$')
                    ));
                }
                expression(value, warnings);
            }
        }),
        _ => {}
    }
}

/// `{each: […]}` is taken as `{$each: […]}` (UNC-15), which `query` does.
fn added(field: &str, value: &Bson, warnings: &mut Warnings) {
    match value {
        Bson::Document(each) if each.len() == 1 && each.get_array("each").is_ok() => {
            warnings.insert(format!(
                "addToSet({{each: […]}}) of `{field}`: the emulator adds the elements, the cloud may add the object. Write \
                 {{$each: […]}}"
            ));
        }
        value => stored(field, value, warnings),
    }
}

/// What was a date, a point or a command before the SDK took it apart is stored as the object that arrived.
fn stored(field: &str, value: &Bson, warnings: &mut Warnings) {
    match value {
        Bson::Array(values) => values.iter().for_each(|value| stored(field, value, warnings)),
        Bson::Document(object) => match taken_apart(value, object) {
            Some(what) => drop(warnings.insert(format!(
                "`{field}` stores the insides of {what}, as SDKs send it there: use it as a field's own value, not inside \
                 set(…), push({{each: …}}) or add"
            ))),
            None => object.iter().for_each(|(_, value)| stored(field, value, warnings)),
        },
        _ => {}
    }
}

fn taken_apart(value: &Bson, object: &Document) -> Option<String> {
    let is_number = |name| object.get(name).is_some_and(|value| document::ValueRef::from(value).as_number().is_some());
    if let Some(command) = Command::read(value) {
        return Some(format!("the command `{}`", command.operator));
    }
    match object.len() {
        1 if is_number("offset") => Some("db.serverDate()".to_owned()),
        2 if is_number("longitude") && is_number("latitude") => Some("a db.Geo.Point".to_owned()),
        _ => None,
    }
}

/// A command of `db.command` as the object it is inside.
struct Command<'a> {
    operator: &'a str,
    operands: &'a [Bson],
}

impl Command<'_> {
    fn read(value: &Bson) -> Option<Command<'_>> {
        let object = value.as_document().filter(|object| object.len() == 3)?;
        match (object.get("operator")?, object.get("operands")?, object.get("fieldName")?) {
            (Bson::String(operator), Bson::Array(operands), Bson::Document(name)) if name.is_empty() => {
                Some(Command { operator, operands })
            }
            (Bson::String(operator), Bson::Array(operands), Bson::String(_)) => Some(Command { operator, operands }),
            (_, _, _) => None,
        }
    }

    /// What it asks of one value; `None` where operators cannot say that.
    fn operators(&self) -> Option<Document> {
        match (self.operator, self.operands) {
            ("and", operands) => operands.iter().try_fold(Document::new(), |both, operand| merge(both, of(operand)?)),
            ("not", [operand]) => Some(single("$not", Bson::Document(of(operand)?))),
            (name, operands) => {
                let (_, operator, is_list) = COMPARISONS.iter().find(|(known, ..)| *known == name)?;
                let value = if *is_list { Bson::Array(operands.to_vec()) } else { operands.first()?.clone() };
                Some(single(operator, value))
            }
        }
    }
}

/// An operand: a command again, or, of SDKs before node-sdk 2, operators already.
fn of(operand: &Bson) -> Option<Document> {
    match Command::read(operand) {
        Some(command) => command.operators(),
        None => operand.as_document().filter(|operators| operators.keys().all(|key| key.starts_with('$'))).cloned(),
    }
}

/// Both at once, unless they ask by the same operator twice.
fn merge(mut both: Document, more: Document) -> Option<Document> {
    if more.keys().any(|operator| both.contains_key(operator)) {
        return None;
    }
    both.extend(more);
    Some(both)
}

fn single(operator: &str, value: Bson) -> Document {
    Document::from_iter([(operator.to_owned(), value)])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use ::document::{DateTime, decode_text};

    #[test]
    fn the_tables_are_sorted() {
        assert!(COMPARISONS.is_sorted());
        assert!(EXPRESSIONS_OF_SEVERAL.is_sorted());
    }

    #[test]
    fn a_chain_for_elements_is_served() {
        let chain = |field: &str| {
            format!(
                r#"{{"operator": "and", "operands": [
                    {{"operator": "gte", "operands": [1], "fieldName": {field}}},
                    {{"operator": "lt", "operands": [5], "fieldName": {field}}}], "fieldName": {field}}}"#
            )
        };
        for field in [r#""a""#, "{}"] {
            let given = format!(r#"{{"a": {{"$elemMatch": {}}}}}"#, chain(field));
            check_query(&given, r#"{"a": {"$elemMatch": {"$gte": 1, "$lt": 5}}}"#, &["command `and`"]);
            let given = format!(r#"{{"$pull": {{"a": {}}}}}"#, chain(field));
            check_update(&given, r#"{"$pull": {"a": {"$gte": 1, "$lt": 5}}}"#, &["command `and`"]);
        }
    }

    #[test]
    fn commands_for_elements_are_served() {
        let element = |command: &str| format!(r#"{{"a": {{"$elemMatch": {command}}}}}"#);
        for (command, meaning) in [
            (r#"{"operator": "in", "operands": [1, 2], "fieldName": {}}"#, r#"{"$in": [1, 2]}"#),
            (
                r#"{"operator": "and", "operands": [{"$gt": 5}, {"$lt": 8}], "fieldName": "v"}"#,
                r#"{"$gt": 5, "$lt": 8}"#,
            ),
            (
                r#"{"operator": "not", "operands": [{"operator": "eq", "operands": [1], "fieldName": {}}], "fieldName": {}}"#,
                r#"{"$not": {"$eq": 1}}"#,
            ),
            (r#"{"b": {"operator": "neq", "operands": [1], "fieldName": {}}, "c": 2}"#, r#"{"b": {"$ne": 1}, "c": 2}"#),
            (r#"{"$neq": 1}"#, r#"{"$ne": 1}"#),
        ] {
            check_query(&element(command), &element(meaning), &["as documented"]);
        }
        check_query(
            r#"{"a": {"$all": [{"$elemMatch": {"b": {"operator": "gt", "operands": [1], "fieldName": {}}}}]}}"#,
            r#"{"a": {"$all": [{"$elemMatch": {"b": {"$gt": 1}}}]}}"#,
            &["command `gt`"],
        );
    }

    #[test]
    fn what_operators_cannot_say_is_left() {
        for command in [
            r#"{"operator": "or", "operands": [], "fieldName": {}}"#,
            r#"{"operator": "eq", "operands": [], "fieldName": {}}"#,
            r#"{"operator": "and", "operands": [{"$gt": 1}, {"$gt": 2}], "fieldName": {}}"#,
            r#"{"operator": "and", "operands": [5], "fieldName": {}}"#,
        ] {
            let given = format!(r#"{{"a": {{"$elemMatch": {command}}}}}"#);
            check_query(&given, &given, &["no such question"]);
        }
    }

    #[test]
    fn what_is_lost_is_told() {
        let same = |given: &str, warnings: &[&str]| check_query(given, given, warnings);
        same(r#"{"a": {}}"#, &["exists(true)"]);
        same(r#"{"$or": [{"a": {}}, {"b": {"$not": {}}}]}"#, &["{a: {}}", "{b: {}}"]);
        same(r#"{"$expr": {"$gt": "$a"}}"#, &["$.gt([a, b])"]);
        same(r#"{"$expr": {"$and": [{"$add": "$a"}, {"$literal": {"$gt": 1}}]}}"#, &["$.add([a, b])"]);
        same(
            r#"{"$or": [{"a": {"$eq": 1}}, {"a": {"$eq": 2}}, {"b": {"$eq": 3}}, {"b": {"$eq": 4}}]}"#,
            &["the fields a, b"],
        );
    }

    #[test]
    fn what_is_right_is_not_touched() {
        for given in [
            r#"{"a": {"$elemMatch": {"$gt": 1, "$lt": 5}}, "b": {"$eq": {}}, "c": 1, "d": {"$in": [{}]}}"#,
            r#"{"a": {"$elemMatch": {"operator": "and", "operands": 1, "fieldName": "a"}}}"#,
            r#"{"$or": [{"a": {"$eq": 1}}, {"b": {"$eq": 2}}]}"#,
            r#"{"$or": [{"a": {"$gt": 1}}, {"a": {"$lt": 0}}, {"b": 1}]}"#,
            r#"{"$expr": {"$gt": ["$a", "$b"]}}"#,
        ] {
            check_query(given, given, &[]);
        }
        for given in [
            r#"{"$set": {"a": {"offset": 1, "limit": 2}, "b": {"longitude": 1}}}"#,
            r#"{"$pull": {"a": {"b": {"$gt": 1}}}, "$addToSet": {"a": {"each": 1}}, "$set": 5}"#,
        ] {
            check_update(given, given, &[]);
        }
    }

    #[test]
    fn what_is_stored_taken_apart_is_told() {
        let same = |given: &str, warnings: &[&str]| check_update(given, given, warnings);
        same(r#"{"$set": {"a": {"at": {"offset": 0}}}}"#, &["db.serverDate()"]);
        same(r#"{"$push": {"a": {"$each": [{"offset": 0}]}}}"#, &["db.serverDate()"]);
        same(r#"{"$set": {"a": {"p": {"longitude": 1, "latitude": 2}}}}"#, &["db.Geo.Point"]);
        same(r#"{"$addToSet": {"a": {"each": [1]}}}"#, &["$each"]);
        let added = read(r#"{"a": {"operator": "inc", "operands": [1], "fieldName": {}}}"#);
        check_warnings(&document(&added), &["command `inc`"]);
    }

    #[test]
    fn stages_are_read() {
        let mut matched = Bson::Document(read(r#"{"a": {"$elemMatch": {"$neq": 1}}}"#));
        check_warnings(&stage("$match", &mut matched), &["`neq`"]);
        assert_eq!(matched, Bson::Document(read(r#"{"a": {"$elemMatch": {"$ne": 1}}}"#)));
        let mut project = Bson::Document(read(r#"{"a": {"$subtract": "$b"}}"#));
        check_warnings(&stage("$project", &mut project), &["$.subtract([a, b])"]);
        check_warnings(&stage("$limit", &mut Bson::Int32(3)), &[]);
    }

    fn check_query(given: &str, meant: &str, warnings: &[&str]) {
        check(query, given, meant, warnings);
    }

    fn check_update(given: &str, meant: &str, warnings: &[&str]) {
        check(update, given, meant, warnings);
    }

    fn check(lint: fn(&mut Document) -> Warnings, given: &str, meant: &str, warnings: &[&str]) {
        let mut document = read(given);
        check_warnings(&lint(&mut document), warnings);
        assert_eq!(document, read(meant));
    }

    fn check_warnings(warnings: &Warnings, expected: &[&str]) {
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{warning}");
        }
    }

    fn read(text: &str) -> Document {
        decode_text(text, DateTime::from_millis(0)).unwrap()
    }
}
