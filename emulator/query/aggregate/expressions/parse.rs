//! Reading expressions: fields, variables, literals, objects of expressions, and operators with their arguments.

use document::limits::NESTING_MAX;
use document::{Bson, Document, ValueRef};

use super::node::Node;
use super::operators::{self, Operator, Shape};
use super::value::Value;
use super::{Names, path, variables};
use crate::QueryError;

/// Reads one expression, and remembers what is not in MongoDB 4.0.
pub(super) struct Parser {
    names: Names,
    newer: Vec<&'static str>,
    levels: usize,
}

impl Parser {
    pub(super) fn new(names: Names) -> Parser {
        Parser { names, newer: Vec::new(), levels: 0 }
    }

    /// The operators found that MongoDB 4.0 does not have.
    pub(super) fn newer(self) -> Vec<&'static str> {
        self.newer
    }

    pub(super) fn note_newer(&mut self, operator: &'static str) {
        if !self.newer.contains(&operator) {
            self.newer.push(operator);
        }
    }

    /// Any expression.
    pub(super) fn expression(&mut self, expression: &Bson) -> Result<Node, QueryError> {
        if self.levels >= NESTING_MAX {
            return Err(QueryError::bad_query(format!("an expression has more than {NESTING_MAX} levels")));
        }
        self.levels += 1;
        let node = match expression {
            Bson::String(text) => self.text(text),
            Bson::Document(object) => self.object(object),
            Bson::Array(elements) => self.expressions(elements).map(Node::Array),
            literal => Ok(Node::Constant(literal.clone())),
        };
        self.levels -= 1;
        node.map(Node::folded)
    }

    pub(super) fn expressions(&mut self, expressions: &[Bson]) -> Result<Vec<Node>, QueryError> {
        expressions.iter().map(|expression| self.expression(expression)).collect()
    }

    /// An expression that may use more variables.
    pub(super) fn expression_with(&mut self, names: &[&str], expression: &Bson) -> Result<Node, QueryError> {
        let more = names.iter().fold(self.names.clone(), |all, name| all.with(name));
        let outer = std::mem::replace(&mut self.names, more);
        let node = self.expression(expression);
        self.names = outer;
        node
    }

    /// A path, a variable, or text that means itself.
    fn text(&self, text: &str) -> Result<Node, QueryError> {
        if let Some(variable) = text.strip_prefix("$$") {
            return variables::parse(variable, &self.names);
        }
        match text.strip_prefix('$') {
            None => Ok(Node::Constant(text.into())),
            Some("") => Err(QueryError::bad_query("'$' by itself is not a valid FieldPath")),
            Some(field) => path::parse(field).map(Node::Field),
        }
    }

    /// An operator with its argument, or fields with an expression each.
    fn object(&mut self, object: &Document) -> Result<Node, QueryError> {
        match object.iter().next() {
            Some((name, argument)) if name.starts_with('$') => match object.len() {
                1 => self.operator(name, argument),
                _ => Err(QueryError::bad_query(format!(
                    "An object representing an expression must have exactly one field: {}",
                    document::to_shell_text(object.into())
                ))),
            },
            _ => self.fields(object),
        }
    }

    fn fields(&mut self, object: &Document) -> Result<Node, QueryError> {
        let field = |(name, value): (&String, &Bson)| {
            path::check_field_name(name)?;
            Ok((name.clone(), self.expression(value)?))
        };
        object.iter().map(field).collect::<Result<_, _>>().map(Node::Object)
    }

    fn operator(&mut self, name: &str, argument: &Bson) -> Result<Node, QueryError> {
        let Some(Operator { name, is_newer, shape }) = operators::find(name) else {
            return Err(operators::unknown(name));
        };
        if *is_newer {
            self.note_newer(name);
        }
        match *shape {
            Shape::Positional { least, most, function } => {
                let arguments = self.arguments(argument)?;
                check_count(name, arguments.len(), least, most)?;
                Ok(Node::Call(name, function, arguments))
            }
            Shape::Form(parse) => parse(self, name, argument),
        }
    }

    /// Arguments: the elements of an array, or a single expression.
    pub(super) fn arguments(&mut self, argument: &Bson) -> Result<Vec<Node>, QueryError> {
        match argument {
            Bson::Array(arguments) => self.expressions(arguments),
            single => Ok(vec![self.expression(single)?]),
        }
    }

    /// The arguments of an operator that takes them by name, in the order of `names`; absent where they are not written.
    pub(super) fn named(&mut self, object: &Document, names: &[&str], unknown: &str) -> Result<Vec<Node>, QueryError> {
        if let Some(name) = object.keys().find(|name| !names.contains(&name.as_str())) {
            return Err(QueryError::bad_query(format!("{unknown}{name}")));
        }
        names.iter().map(|name| object.get(name).map_or(Ok(Node::Absent), |value| self.expression(value))).collect()
    }
}

/// The object that an operator takes its arguments from; `wrong` is the text for anything else, with `{type}` in it
/// where the type's name goes.
pub(super) fn object_of<'a>(argument: &'a Bson, wrong: &str) -> Result<&'a Document, QueryError> {
    match argument {
        Bson::Document(object) => Ok(object),
        other => Err(QueryError::bad_query(wrong.replace("{type}", ValueRef::from(other).type_name()))),
    }
}

/// A required member of such an object.
pub(super) fn member<'a>(object: &'a Document, name: &str, missing: &str) -> Result<&'a Bson, QueryError> {
    object.get(name).ok_or_else(|| QueryError::bad_query(missing))
}

/// No member of such an object but `known`.
pub(super) fn only_members(object: &Document, known: &[&str], unknown: &str) -> Result<(), QueryError> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(QueryError::bad_query(format!("{unknown}{name}"))),
        None => Ok(()),
    }
}

/// A value as error texts print it.
pub(super) fn shown(value: &Bson) -> String {
    Value::Borrowed(value.into()).show()
}

fn check_count(name: &str, count: usize, least: usize, most: usize) -> Result<(), QueryError> {
    if (least..=most).contains(&count) {
        return Ok(());
    }
    Err(QueryError::bad_query(if least == most {
        format!("Expression {name} takes exactly {least} arguments. {count} were passed in.")
    } else {
        format!("Expression {name} takes at least {least} arguments, and at most {most}, but {count} were passed in.")
    }))
}
