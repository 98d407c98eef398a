//! `$unwind`: a document for each element of an array.

use document::{Bson, Document};

use super::parser::type_name;
use super::{Flow, Parser, Stage};
use crate::QueryError;
use crate::aggregate::fields::Path;
use crate::aggregate::item::Item;

/// Which array, and what becomes of documents without elements.
#[derive(Debug, Clone)]
pub(super) struct Unwind {
    path: Path,
    keeps_empty: bool,
    index: Option<Path>,
}

pub(super) fn parse(_: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let (mut path, mut keeps_empty, mut index) = ("", false, None);
    match specification {
        Bson::String(text) => path = text,
        Bson::Document(options) => {
            for (name, value) in options {
                match name.as_str() {
                    "path" => path = parse_path(value)?,
                    "preserveNullAndEmptyArrays" => keeps_empty = parse_flag(value)?,
                    "includeArrayIndex" => index = Some(parse_index(value)?),
                    _ => return Err(mistake(format!("unrecognized option to $unwind stage: {name}"))),
                }
            }
        }
        _ => {
            let found = type_name(specification);
            return Err(mistake(format!(
                "expected either a string or an object as specification for $unwind stage, got {found}"
            )));
        }
    }
    if path.is_empty() {
        return Err(mistake("no path specified to $unwind stage".to_owned()));
    }
    let Some(path) = path.strip_prefix('$') else {
        return Err(mistake(format!("path option to $unwind stage should be prefixed with a '$': {path}")));
    };
    Ok(vec![Stage::Unwind(Unwind { path: Path::parse(path)?, keeps_empty, index })])
}

fn parse_path(value: &Bson) -> Result<&str, QueryError> {
    value
        .as_str()
        .ok_or_else(|| mistake(format!("expected a string as the path for $unwind stage, got {}", type_name(value))))
}

fn parse_flag(value: &Bson) -> Result<bool, QueryError> {
    value.as_bool().ok_or_else(|| {
        let found = type_name(value);
        mistake(format!("expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got {found}"))
    })
}

fn parse_index(value: &Bson) -> Result<Path, QueryError> {
    // The two spaces are MongoDB's.
    let expected = "expected a non-empty string for the includeArrayIndex  option to $unwind stage, got";
    match value.as_str() {
        Some("") | None => Err(mistake(format!("{expected} {}", type_name(value)))),
        Some(path) if path.starts_with('$') => {
            Err(mistake(format!("includeArrayIndex option to $unwind stage should not be prefixed with a '$': {path}")))
        }
        Some(path) => Path::parse(path),
    }
}

fn mistake(text: String) -> QueryError {
    QueryError::bad_query(text)
}

impl Unwind {
    pub(super) fn run<'a, E: From<QueryError> + 'a>(&'a self, input: Flow<'a, E>) -> Flow<'a, E> {
        Box::new(input.flat_map(move |item| match item {
            Ok(item) => self.elements(item),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }))
    }

    fn elements<'a, E: From<QueryError> + 'a>(&'a self, item: Item) -> Flow<'a, E> {
        match self.path.find(item.view()).map(document::ValueRef::to_bson) {
            Some(Bson::Array(elements)) if !elements.is_empty() => {
                let mut rest = item.into_document();
                self.path.set(&mut rest, Bson::Null);
                let made =
                    elements.into_iter().enumerate().map(move |(place, element)| self.element(&rest, place, element));
                Box::new(made.map(|item| item.map_err(E::from)))
            }
            Some(Bson::Array(_)) => self.kept(item, true),
            None | Some(Bson::Null | Bson::Undefined) => self.kept(item, false),
            Some(_) => self.once(item.into_document()),
        }
    }

    fn element(&self, rest: &Document, place: usize, element: Bson) -> Result<Item, QueryError> {
        let mut document = rest.clone();
        self.path.set(&mut document, element);
        if let Some(index) = &self.index {
            index.set(&mut document, Bson::Int64(i64::try_from(place).unwrap_or(i64::MAX)));
        }
        Item::made(document)
    }

    /// A document without elements, where such are kept: null stays, an empty array goes (UNC-19).
    fn kept<'a, E: From<QueryError> + 'a>(&'a self, item: Item, is_array: bool) -> Flow<'a, E> {
        if !self.keeps_empty {
            return Box::new(std::iter::empty());
        }
        if !is_array && self.index.is_none() {
            return Box::new(std::iter::once(Ok(item)));
        }
        let mut document = item.into_document();
        if is_array {
            self.path.remove(&mut document);
        }
        self.once(document)
    }

    fn once<'a, E: From<QueryError> + 'a>(&self, mut document: Document) -> Flow<'a, E> {
        if let Some(index) = &self.index {
            index.set(&mut document, Bson::Null);
        }
        Box::new(std::iter::once(Item::made(document).map_err(E::from)))
    }
}
