//! Expressions: what a document, and the variables in scope, make of them.

use std::rc::Rc;

use document::{Bson, DocumentRef};

use crate::QueryError;

/// An expression, read once and evaluated for each document.
#[derive(Debug, Clone)]
pub struct Expression {
    literal: Bson,
}

/// The names of the variables that an expression may use beside `ROOT`, `CURRENT` and `REMOVE`.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<Box<str>>,
}

/// What an expression sees: a document, and variables with their values, which may be missing.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    root: DocumentRef<'a>,
    variables: Option<Rc<Variable>>,
}

#[derive(Debug)]
struct Variable {
    name: Box<str>,
    value: Option<Bson>,
    outer: Option<Rc<Variable>>,
}

impl Names {
    /// These names and one more.
    pub fn with(&self, name: &str) -> Names {
        let mut names = self.names.clone();
        names.push(name.into());
        Names { names }
    }
}

impl<'a> Scope<'a> {
    /// A document and no variable.
    pub fn of(root: DocumentRef<'a>) -> Scope<'a> {
        Scope { root, variables: None }
    }

    /// The same with one more variable, which hides another of that name.
    pub fn with(&self, name: &str, value: Option<Bson>) -> Scope<'a> {
        let variable = Variable { name: name.into(), value, outer: self.variables.clone() };
        Scope { root: self.root, variables: Some(Rc::new(variable)) }
    }
}

impl Expression {
    /// Reads an expression that may use the variables `names`.
    pub fn parse(expression: &Bson, _names: &Names) -> Result<Expression, QueryError> {
        Ok(Expression { literal: expression.clone() })
    }

    /// Its value for a document; `None` is missing.
    pub fn evaluate(&self, _scope: &Scope<'_>) -> Result<Option<Bson>, QueryError> {
        Ok(Some(self.literal.clone()))
    }
}
