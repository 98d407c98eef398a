//! The fields that `$project` and `$addFields` name, as a tree: which are kept, which left out, which computed.

use document::{ArrayRef, Bson, Document, DocumentRef, ValueRef};

use super::Parser;
use crate::QueryError;
use crate::aggregate::expressions::{Expression, Scope};
use crate::aggregate::fields::Path;

/// What becomes of the fields of a document on some level.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    named: Vec<(Box<str>, Field)>,
}

/// What becomes of a field.
#[derive(Debug, Clone)]
pub(super) enum Field {
    /// It is kept, or left out: which of the two, the projection knows.
    Named,
    /// It is computed.
    Computed(Expression),
    /// Some of its own fields are named.
    Within(Fields),
}

impl Fields {
    /// Reads fields that are all computed: every number and every text without `$` is a value.
    pub(super) fn parse_computed(parser: &mut Parser, specification: &Document) -> Result<Fields, QueryError> {
        Fields::parse(parser, specification, |_| false)
    }

    /// Reads fields that are kept where they are given a number or a boolean, else computed.
    pub(super) fn parse_included(parser: &mut Parser, specification: &Document) -> Result<Fields, QueryError> {
        Fields::parse(parser, specification, is_flag)
    }

    fn parse(parser: &mut Parser, specification: &Document, is_named: fn(&Bson) -> bool) -> Result<Fields, QueryError> {
        let mut fields = Fields::default();
        for (path, value) in specification {
            let path = Path::parse(path)?;
            fields.read(parser, path.segments(), value, is_named)?;
        }
        Ok(fields)
    }

    fn read(
        &mut self,
        parser: &mut Parser,
        path: &[Box<str>],
        value: &Bson,
        is_named: fn(&Bson) -> bool,
    ) -> Result<(), QueryError> {
        match value {
            value if is_named(value) => self.insert(path, Field::Named),
            Bson::Document(below) if !below.keys().any(|name| name.starts_with('$')) => {
                for (name, value) in below {
                    let path = [path, &[name.as_str().into()]].concat();
                    self.read(parser, &path, value, is_named)?;
                }
            }
            value => self.insert(path, Field::Computed(parser.expression(value)?)),
        }
        Ok(())
    }

    /// Adds a field; none is there that it would collide with.
    pub(super) fn insert(&mut self, path: &[Box<str>], field: Field) {
        let Some((name, rest)) = path.split_first() else { return };
        if rest.is_empty() {
            self.named.push((name.clone(), field));
            return;
        }
        let known = self.named.iter_mut().find(|(known, _)| known == name);
        if let Some((_, Field::Within(below))) = known {
            below.insert(rest, field);
        } else {
            let mut below = Fields::default();
            below.insert(rest, field);
            self.named.push((name.clone(), Field::Within(below)));
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Field> {
        self.named.iter().find(|(known, _)| **known == *name).map(|(_, field)| field)
    }

    /// Only what is named, in the document's order; nothing is computed.
    pub(super) fn included(&self, document: DocumentRef<'_>) -> Document {
        let kept = document.iter().filter_map(|(name, value)| {
            let value = match self.get(name)? {
                Field::Named => Some(value.to_bson()),
                Field::Computed(_) => None,
                Field::Within(fields) => fields.included_value(value),
            };
            value.map(|value| (name.to_owned(), value))
        });
        kept.collect()
    }

    /// Through arrays; what is no document has none of the fields, but keeps its place for those that are computed.
    fn included_value(&self, value: ValueRef<'_>) -> Option<Bson> {
        match value {
            ValueRef::Document(document) => Some(Bson::Document(self.included(document))),
            ValueRef::Array(array) => Some(elements(array, |element| self.included_value(element))),
            _ => self.computes().then_some(Bson::Null),
        }
    }

    /// All but what is named.
    pub(super) fn excluded(&self, document: DocumentRef<'_>) -> Document {
        let kept = document.iter().filter_map(|(name, value)| {
            let value = match self.get(name) {
                None => Some(value.to_bson()),
                Some(Field::Within(fields)) => Some(fields.excluded_value(value)),
                Some(Field::Named | Field::Computed(_)) => None,
            };
            value.map(|value| (name.to_owned(), value))
        });
        kept.collect()
    }

    fn excluded_value(&self, value: ValueRef<'_>) -> Bson {
        match value {
            ValueRef::Document(document) => Bson::Document(self.excluded(document)),
            ValueRef::Array(array) => elements(array, |element| Some(self.excluded_value(element))),
            value => value.to_bson(),
        }
    }

    /// Puts the computed fields into `document`, in the order they were named; `scope` is at the document that came in.
    pub(super) fn compute(&self, document: &mut Document, scope: &Scope<'_>) -> Result<(), QueryError> {
        for (name, field) in &self.named {
            match field {
                Field::Named => {}
                Field::Computed(expression) => put(document, name, expression.evaluate(scope)?),
                Field::Within(fields) if fields.computes() => {
                    let value = document.get_mut(name).map(|value| std::mem::replace(value, Bson::Null));
                    put(document, name, Some(fields.compute_value(value, scope)?));
                }
                Field::Within(_) => {}
            }
        }
        Ok(())
    }

    /// Through arrays; what is no document gives way to one.
    fn compute_value(&self, value: Option<Bson>, scope: &Scope<'_>) -> Result<Bson, QueryError> {
        match value {
            Some(Bson::Array(array)) => {
                let computed = array.into_iter().map(|element| self.compute_value(Some(element), scope));
                computed.collect::<Result<_, _>>().map(Bson::Array)
            }
            value => {
                let mut document = match value {
                    Some(Bson::Document(document)) => document,
                    _ => Document::new(),
                };
                self.compute(&mut document, scope)?;
                Ok(Bson::Document(document))
            }
        }
    }

    fn computes(&self) -> bool {
        self.named.iter().any(|(_, field)| match field {
            Field::Named => false,
            Field::Computed(_) => true,
            Field::Within(fields) => fields.computes(),
        })
    }
}

/// Whether `value` says keep or leave out: a boolean or a number.
pub(super) fn is_flag(value: &Bson) -> bool {
    matches!(value, Bson::Boolean(_)) || ValueRef::from(value).as_number().is_some()
}

fn elements(array: ArrayRef<'_>, change: impl Fn(ValueRef<'_>) -> Option<Bson>) -> Bson {
    Bson::Array(array.iter().filter_map(change).collect())
}

fn put(document: &mut Document, name: &str, value: Option<Bson>) {
    match value {
        Some(value) => drop(document.insert(name, value)),
        None => drop(document.remove(name)),
    }
}
