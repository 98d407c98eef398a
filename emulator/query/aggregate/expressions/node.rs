//! The tree that an expression is read into, and its evaluation. Calls evaluate all their arguments; the rest are the forms that
//! evaluate some only, or with variables of their own. Trees are as deep as what was read, which `parse.rs` limits.

use document::{Bson, Document, DocumentRef};

use super::array::{Filter, Map, Reduce};
use super::boolean::Junction;
use super::conditional::{IfNull, Switch};
use super::limits;
use super::path::{self, Segments};
use super::value::{Outcome, Value};
use super::variables::Let;
use super::{Scope, Variable};
use crate::QueryError;

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// An argument that was not written.
    Absent,
    /// `$$REMOVE`.
    Missing,
    /// The same for every document.
    Constant(Bson),
    /// `$a.b`, `$$ROOT`.
    Field(Segments),
    /// `$$name`, `$$name.a.b`.
    Variable(Box<str>, Segments),
    /// `{a: …}`
    Object(Vec<(String, Node)>),
    /// `[…]`
    Array(Vec<Node>),
    /// An operator that sees the values of its arguments.
    Call(&'static str, Function, Vec<Node>),
    /// `$and`, `$or`.
    Junction(Junction),
    /// `$ifNull`.
    IfNull(IfNull),
    /// `$cond`, `$switch`.
    Switch(Box<Switch>),
    /// `$let`.
    Let(Box<Let>),
    /// `$map`.
    Map(Box<Map>),
    /// `$filter`.
    Filter(Box<Filter>),
    /// `$reduce`.
    Reduce(Box<Reduce>),
}

/// What an operator makes of its arguments.
pub(super) type Function = for<'a> fn(Arguments<'a>) -> Outcome<'a>;

/// The values an operator is called with.
pub(super) struct Arguments<'a> {
    /// The operator's name as it was written, with its `$`.
    pub(super) operator: &'static str,
    pub(super) values: Vec<Value<'a>>,
}

impl<'a> Arguments<'a> {
    /// The values, as many as the operator takes; what was not written is absent.
    pub(super) fn take<const COUNT: usize>(self) -> [Value<'a>; COUNT] {
        let mut values = self.values.into_iter();
        std::array::from_fn(|_| values.next().unwrap_or(Value::Absent))
    }

    /// An error whose text begins with the operator's name.
    pub(super) fn error(&self, text: &str) -> QueryError {
        QueryError::bad_query(format!("{}{text}", self.operator))
    }
}

/// What a node sees: the document and the variables, the innermost first.
#[derive(Clone, Copy)]
pub(super) struct Environment<'a> {
    root: DocumentRef<'a>,
    bindings: Option<&'a Binding<'a>>,
    variables: Option<&'a Variable>,
}

/// Variables of the expression's own, bound together.
pub(super) struct Binding<'a> {
    pub(super) bound: &'a [(&'a str, Value<'a>)],
    pub(super) outer: Option<&'a Binding<'a>>,
}

impl<'a> Environment<'a> {
    pub(super) fn of(scope: &'a Scope<'_>) -> Environment<'a> {
        Environment { root: scope.root, bindings: None, variables: scope.variables.as_deref() }
    }

    /// The bindings so far, for the next to stand on.
    pub(super) fn bindings(&self) -> Option<&'a Binding<'a>> {
        self.bindings
    }

    /// The same with more bindings.
    pub(super) fn with<'b>(&self, bindings: &'b Binding<'b>) -> Environment<'b>
    where
        'a: 'b,
    {
        Environment { root: self.root, bindings: Some(bindings), variables: self.variables }
    }

    fn variable(&self, name: &str) -> Value<'a> {
        let mut binding = self.bindings;
        while let Some(found) = binding {
            if let Some((_, value)) = found.bound.iter().find(|(bound, _)| *bound == name) {
                return borrowed(value);
            }
            binding = found.outer;
        }
        let mut variable = self.variables;
        while let Some(found) = variable {
            if *found.name == *name {
                return found.value.as_ref().map_or(Value::Missing, |value| Value::Borrowed(value.into()));
            }
            variable = found.outer.as_deref();
        }
        Value::Missing
    }
}

fn borrowed<'a>(value: &'a Value<'_>) -> Value<'a> {
    value.view().map_or(Value::Missing, Value::Borrowed)
}

impl Node {
    pub(super) fn evaluate<'a>(&'a self, environment: &Environment<'a>) -> Outcome<'a> {
        match self {
            Node::Absent => Ok(Value::Absent),
            Node::Missing => Ok(Value::Missing),
            Node::Constant(value) => Ok(Value::Borrowed(value.into())),
            Node::Field(path) => Ok(path::walk_document(environment.root, path)),
            Node::Variable(name, path) => Ok(walk(environment.variable(name), path)),
            Node::Object(fields) => object(fields, environment),
            Node::Array(elements) => array(elements, environment),
            Node::Call(operator, function, arguments) => {
                let values =
                    arguments.iter().map(|argument| argument.evaluate(environment)).collect::<Result<_, _>>()?;
                function(Arguments { operator, values }).map(Value::with_plain_nan)
            }
            Node::Junction(junction) => junction.evaluate(environment),
            Node::IfNull(if_null) => if_null.evaluate(environment),
            Node::Switch(switch) => switch.evaluate(environment),
            Node::Let(form) => form.evaluate(environment),
            Node::Map(map) => map.evaluate(environment),
            Node::Filter(filter) => filter.evaluate(environment),
            Node::Reduce(reduce) => reduce.evaluate(environment),
        }
    }

    /// The value, where it is the same for every document.
    pub(super) fn constant(&self) -> Option<&Bson> {
        match self {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// A constant in place of a node whose parts are constants. An error stays where it is, for evaluation to find.
    pub(super) fn folded(self) -> Node {
        let foldable = match &self {
            Node::Object(fields) => fields.iter().all(|(_, node)| node.is_constant()),
            Node::Array(elements) => elements.iter().all(Node::is_constant),
            Node::Call(_, _, arguments) => arguments.iter().all(Node::is_constant),
            _ => false,
        };
        if !foldable {
            return self;
        }
        let nothing = Document::new();
        let value = self.evaluate(&Environment::of(&Scope::of((&nothing).into()))).map(Value::into_bson);
        match value {
            Ok(Some(value)) => Node::Constant(value),
            _ => self,
        }
    }

    fn is_constant(&self) -> bool {
        matches!(self, Node::Constant(_) | Node::Absent)
    }
}

fn walk<'a>(value: Value<'a>, path: &[Box<str>]) -> Value<'a> {
    match value {
        value if path.is_empty() => value,
        Value::Borrowed(value) => path::walk(value, path),
        _ => Value::Missing,
    }
}

/// Fields without a value are left out.
fn object<'a>(fields: &'a [(String, Node)], environment: &Environment<'a>) -> Outcome<'a> {
    let mut object = Document::new();
    let mut room = limits::room();
    for (name, node) in fields {
        if let Some(value) = node.evaluate(environment)?.into_bson() {
            limits::take_value(&mut room, &value)?;
            object.insert(name, value);
        }
    }
    Ok(object.into())
}

/// Elements without a value are null.
fn array<'a>(elements: &'a [Node], environment: &Environment<'a>) -> Outcome<'a> {
    let mut array = Vec::with_capacity(elements.len());
    let mut room = limits::room();
    for node in elements {
        let value = node.evaluate(environment)?.into_element();
        limits::take_value(&mut room, &value)?;
        array.push(value);
    }
    Ok(array.into())
}
