//! Indexes: what they are called and made of, the entries each document has in them, and how they are built beside writes.
//! Which one a query uses is `plan.rs`'s; how keys are made of documents is `query`'s.

mod advice;
mod build;
mod merge;
mod near;
mod range;
mod upkeep;

use document::{Bson, Document, FieldPath, ValueRef};
use query::{KeyKind, KeyPattern};

use crate::DatabaseError;

pub(crate) use advice::Shape;
pub(crate) use build::{create, create_within, drop};
pub(crate) use merge::Merge;
pub(crate) use near::Nearest;
pub(crate) use range::{Access, Order};

/// The index every collection has.
pub const INDEX_IDS_NAME: &str = "_id_";

/// How many indexes a collection may have, `_id_` among them (semantics DB-8.07, UNC-37).
pub const INDEXES_MAX: usize = 20;

/// How many fields an index may have (semantics DB-8.07).
const FIELDS_MAX: usize = 31;

/// An index: its fields, the weightiest first, and whether two documents may share a key.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexDefinition {
    /// Unique within its collection.
    pub name: String,
    /// The fields, and what the index does with each.
    pub keys: Vec<(FieldPath, KeyKind)>,
    /// Whether no two documents may share a key. A missing field counts as null (semantics DB-8.02).
    pub unique: bool,
}

impl IndexDefinition {
    /// Reads `{"a": 1, "b": -1, "place": "2dsphere"}`. Without a name it gets MongoDB's: `a_1_b_-1_place_2dsphere`.
    pub fn parse(keys: &Document, name: Option<&str>, unique: bool) -> Result<IndexDefinition, DatabaseError> {
        let keys: Vec<_> = keys.iter().map(|(path, kind)| parse_key(path, kind)).collect::<Result<_, _>>()?;
        let name = name.map_or_else(|| default_name(&keys), str::to_owned);
        let definition = IndexDefinition { name, keys, unique };
        definition.check()?;
        Ok(definition)
    }

    /// The definition of the index every collection has.
    pub(crate) fn of_ids() -> Result<IndexDefinition, DatabaseError> {
        IndexDefinition::parse(&Document::from_iter([("_id".to_owned(), Bson::Int32(1))]), Some(INDEX_IDS_NAME), true)
    }

    /// The fields as they are written: `{ a: 1, b: -1 }`.
    pub fn keys_text(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|(path, kind)| format!("{path}: {}", kind_text(*kind))).collect();
        format!("{{ {} }}", keys.join(", "))
    }

    /// How documents get their keys.
    pub(crate) fn pattern(&self) -> KeyPattern {
        KeyPattern::new(self.keys.iter().map(|(path, kind)| (path, *kind)))
    }

    /// The fields as [`IndexDefinition::parse`] reads them.
    pub fn to_keys(&self) -> Document {
        let key = |(path, kind): &(FieldPath, KeyKind)| {
            let direction = match kind {
                KeyKind::Ascending => Bson::Int32(1),
                KeyKind::Descending => Bson::Int32(-1),
                KeyKind::Geo2dsphere => Bson::String(GEO.to_owned()),
            };
            (path.as_str().to_owned(), direction)
        };
        self.keys.iter().map(key).collect()
    }

    fn check(&self) -> Result<(), DatabaseError> {
        if self.keys.is_empty() {
            return Err(bad("Index keys cannot be an empty object."));
        }
        if self.keys.iter().filter(|(_, kind)| *kind == KeyKind::Geo2dsphere).count() > 1 {
            return Err(bad("not supported by the emulator: an index of two 2dsphere fields"));
        }
        if self.name.is_empty() {
            return Err(bad("the name of an index cannot be empty"));
        }
        if self.keys.len() > FIELDS_MAX {
            return Err(bad(&format!(
                "an index has at most {FIELDS_MAX} fields, {} has {}",
                self.name,
                self.keys.len()
            )));
        }
        Ok(())
    }
}

const GEO: &str = "2dsphere";

fn parse_key(path: &str, kind: &Bson) -> Result<(FieldPath, KeyKind), DatabaseError> {
    let parsed = FieldPath::parse(path).map_err(|error| bad(&error.to_string()))?;
    if parsed.segments().iter().any(|segment| segment.starts_with('$')) {
        return Err(bad("Index key contains an illegal field name: field name starts with '$'."));
    }
    let number = ValueRef::from(kind).as_number().map(|number| number.as_f64());
    let kind = match (kind, number) {
        (_, Some(number)) if number > 0.0 => KeyKind::Ascending,
        (_, Some(number)) if number < 0.0 => KeyKind::Descending,
        (Bson::String(kind), _) if kind == GEO => KeyKind::Geo2dsphere,
        (Bson::String(kind), _) => return Err(bad(&format!("not supported by the emulator: an index of kind {kind}"))),
        _ => return Err(bad("Values in v:2 index key pattern must be numbers other than zero, or \"2dsphere\"")),
    };
    Ok((parsed, kind))
}

fn default_name(keys: &[(FieldPath, KeyKind)]) -> String {
    let parts: Vec<String> = keys.iter().map(|(path, kind)| format!("{path}_{}", kind_name(*kind))).collect();
    parts.join("_")
}

fn kind_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Ascending => "1",
        KeyKind::Descending => "-1",
        KeyKind::Geo2dsphere => GEO,
    }
}

fn kind_text(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Geo2dsphere => "\"2dsphere\"",
        kind => kind_name(kind),
    }
}

fn bad(message: &str) -> DatabaseError {
    DatabaseError::BadIndex(message.to_owned())
}
