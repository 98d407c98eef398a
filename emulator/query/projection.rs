//! Projections: which fields of a document a result has (semantics DB-1.33). Fields keep the document's order.
//!
//! ## Differences from the cloud
//! - The positional projection `{"a.$": 1}` is refused by name.

use document::{ArrayRef, Bson, Document, DocumentRef, FieldPath, ValueRef, to_shell_text};

use crate::QueryError;
use crate::filter::ElementCondition;

/// Which fields of a document a result has.
#[derive(Debug, Clone)]
pub struct Projection {
    root: Fields,
}

/// What becomes of the fields of a document on some level.
#[derive(Debug, Clone, Default)]
struct Fields {
    named: Vec<(Box<str>, Field)>,
    /// Whether a field below is named to be in the result, so that those not named are not.
    includes: bool,
}

/// What becomes of one field.
#[derive(Debug, Clone)]
enum Field {
    /// It is in the result.
    Included,
    /// It is not in the result.
    Excluded,
    /// Of an array, a part is in the result.
    Slice(Slice),
    /// Of an array, the first element that meets the condition is in the result.
    Element(ElementCondition),
    /// Some of its own fields are named.
    Within(Fields),
}

/// `$slice`: which elements of an array.
#[derive(Debug, Clone, Copy)]
struct Slice {
    /// How many to leave out; if negative, all but so many.
    skip: i64,
    limit: usize,
}

impl Projection {
    /// Reads `{"a": 1, "b.c": true}`, `{"a": 0}`, `{"a": {"$slice": [1, 2]}}` or `{"a": {"$elemMatch": {…}}}`. Numbers above 0
    /// and `true` include. `_id` is in the result unless it is excluded by name. Where both `a` and `a.b` are named, `a.b` counts.
    pub fn parse(projection: &Document) -> Result<Projection, QueryError> {
        let mut parsed = Projection { root: Fields::default() };
        let mut id = None;
        let (mut includes, mut excludes, mut slices) = (false, false, false);
        for (path, argument) in projection {
            let field = parse_field(path, argument)?;
            match (path.as_str(), &field) {
                ("_id", Field::Included | Field::Excluded) => {
                    id = Some(field);
                    continue;
                }
                (_, Field::Excluded) => excludes = true,
                (_, Field::Slice(_)) => slices = true,
                (_, _) => includes = true,
            }
            let path = FieldPath::parse(path).map_err(|error| QueryError::bad_path(&error))?;
            parsed.root.insert(path.segments(), field);
        }
        if includes && excludes {
            return Err(QueryError::bad_query("Projection cannot have a mix of inclusion and exclusion."));
        }
        parsed.root.name_id(id, includes, excludes || slices);
        Ok(parsed)
    }

    /// The projected document. Fails only where a regular expression within `$elemMatch` gives up.
    pub fn apply(&self, document: DocumentRef<'_>) -> Result<Document, QueryError> {
        self.root.of_document(document)
    }

    /// Whether every document stays as it is.
    pub fn is_identity(&self) -> bool {
        self.root.named.is_empty()
    }
}

impl Fields {
    /// What `path` says about `_id`, which follows rules of its own.
    fn name_id(&mut self, id: Option<Field>, includes: bool, others_stay: bool) {
        let named = match id {
            Some(Field::Excluded) => Some(Field::Excluded),
            Some(_) if !includes && !others_stay => {
                self.includes = true;
                Some(Field::Included)
            }
            _ => includes.then_some(Field::Included),
        };
        if let Some(field) = named
            && self.get("_id").is_none()
        {
            self.named.push(("_id".into(), field));
        }
    }

    fn get(&self, name: &str) -> Option<&Field> {
        self.named.iter().find(|(known, _)| **known == *name).map(|(_, field)| field)
    }

    fn insert(&mut self, path: &[String], field: Field) {
        let Some((name, rest)) = path.split_first() else { return };
        self.includes |= matches!(field, Field::Included | Field::Element(_));
        let index = self.named.iter().position(|(known, _)| **known == **name);
        let existing = index.and_then(|index| self.named.get_mut(index)).map(|(_, field)| field);
        match (existing, rest.is_empty()) {
            (Some(Field::Within(_)), true) => {}
            (Some(existing), true) => *existing = field,
            (Some(Field::Within(below)), false) => below.insert(rest, field),
            (Some(existing), false) => *existing = Field::Within(Fields::of(rest, field)),
            (None, true) => self.named.push((name.as_str().into(), field)),
            (None, false) => self.named.push((name.as_str().into(), Field::Within(Fields::of(rest, field)))),
        }
    }

    fn of(path: &[String], field: Field) -> Fields {
        let mut fields = Fields::default();
        fields.insert(path, field);
        fields
    }

    fn of_document(&self, document: DocumentRef<'_>) -> Result<Document, QueryError> {
        let mut projected = Document::new();
        for (name, value) in document.iter() {
            let value = match self.get(name) {
                None => (!self.includes).then(|| value.to_bson()),
                Some(field) => field.of_value(value)?,
            };
            if let Some(value) = value {
                projected.insert(name, value);
            }
        }
        Ok(projected)
    }

    /// Through arrays, each element is projected; what has no fields stays unless fields are asked for by name.
    fn of_value(&self, value: ValueRef<'_>) -> Result<Option<Bson>, QueryError> {
        match value {
            ValueRef::Document(document) => self.of_document(document).map(|document| Some(Bson::Document(document))),
            ValueRef::Array(array) => {
                let mut elements = Vec::new();
                for element in array.iter() {
                    elements.extend(self.of_value(element)?);
                }
                Ok(Some(Bson::Array(elements)))
            }
            value => Ok((!self.includes).then(|| value.to_bson())),
        }
    }
}

impl Field {
    fn of_value(&self, value: ValueRef<'_>) -> Result<Option<Bson>, QueryError> {
        Ok(match (self, value) {
            (Field::Included, value) => Some(value.to_bson()),
            (Field::Excluded, _) => None,
            (Field::Slice(slice), ValueRef::Array(array)) => Some(Bson::Array(slice.of_array(array))),
            (Field::Slice(_), value) => Some(value.to_bson()),
            (Field::Element(condition), ValueRef::Array(array)) => {
                condition.find(array)?.map(|(_, element)| Bson::Array(vec![element.to_bson()]))
            }
            (Field::Element(_), _) => None,
            (Field::Within(fields), value) => return fields.of_value(value),
        })
    }
}

impl Slice {
    /// `n`: the first n, or the last if negative. `[skip, n]`: n after so many; a negative skip counts from the end.
    fn parse(argument: &Bson) -> Result<Slice, QueryError> {
        let supported = || QueryError::bad_query("$slice only supports numbers and [skip, limit] arrays");
        match argument {
            Bson::Array(parts) => {
                let [skip, limit] = parts.as_slice() else {
                    return Err(QueryError::bad_query("$slice array wrong size"));
                };
                let (skip, limit) = (whole(skip).ok_or_else(supported)?, whole(limit).ok_or_else(supported)?);
                if limit <= 0 {
                    return Err(QueryError::bad_query("$slice limit must be positive"));
                }
                Ok(Slice { skip, limit: saturated(limit) })
            }
            number => {
                let count = whole(number).ok_or_else(supported)?;
                Ok(Slice { skip: count.min(0), limit: saturated(count) })
            }
        }
    }

    fn of_array(self, array: ArrayRef<'_>) -> Vec<Bson> {
        let skip = match self.skip {
            skip if skip < 0 => array.len().saturating_sub(saturated(skip)),
            skip => saturated(skip),
        };
        array.iter().skip(skip).take(self.limit).map(ValueRef::to_bson).collect()
    }
}

/// A number cut to an integer; NaN and what is beyond 64 bits is the nearest there is.
fn whole(value: &Bson) -> Option<i64> {
    let number = ValueRef::from(value).as_number()?;
    Some(number.as_i64().unwrap_or(number.as_f64() as i64))
}

/// A count without its sign.
fn saturated(count: i64) -> usize {
    usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX)
}

fn parse_field(path: &str, argument: &Bson) -> Result<Field, QueryError> {
    if path.ends_with(".$") {
        return Err(QueryError::unsupported(&format!("the positional projection {path}")));
    }
    match argument {
        Bson::Document(operator) => parse_operator(path, operator),
        Bson::Boolean(included) => Ok(included_if(*included)),
        Bson::Null | Bson::Undefined => Ok(Field::Excluded),
        value => Ok(included_if(ValueRef::from(value).as_number().is_none_or(|number| number.as_f64() > 0.0))),
    }
}

fn included_if(included: bool) -> Field {
    if included { Field::Included } else { Field::Excluded }
}

fn parse_operator(path: &str, operator: &Document) -> Result<Field, QueryError> {
    let mut operators = operator.iter();
    match (operators.next(), operators.next()) {
        (Some((name, argument)), None) if name == "$slice" => Slice::parse(argument).map(Field::Slice),
        (Some((name, _)), None) if name == "$elemMatch" && path.contains('.') => {
            Err(QueryError::bad_query("Cannot use $elemMatch projection on a nested field."))
        }
        (Some((name, condition)), None) if name == "$elemMatch" => {
            ElementCondition::parse(path, condition).map(Field::Element)
        }
        (Some((name, _)), None) if name == "$meta" => Err(QueryError::unsupported("$meta")),
        _ => {
            let text = to_shell_text(operator.into());
            Err(QueryError::bad_query(format!("Unsupported projection option: {path}: {text}")))
        }
    }
}
