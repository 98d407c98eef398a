//! An index as the catalogue keeps it: its definition, the number its keys begin with, and how far it has come.

use document::{Bson, Document};
use query::KeyPattern;

use crate::{DatabaseError, IndexDefinition, Sequence};

/// An index of a collection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Index {
    /// What its keys begin with, after the collection.
    pub(crate) number: u32,
    pub(crate) definition: IndexDefinition,
    pub(crate) pattern: KeyPattern,
    /// For each field, whether a document ever led through an array there. Never unset.
    pub(crate) multikey: Vec<bool>,
    pub(crate) state: IndexState,
}

/// How far an index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexState {
    /// Writes keep it up, but it does not have all documents yet.
    Building,
    /// It has all documents, as they are since this commit. Who reads at an earlier one must not use it.
    Ready { since: Sequence },
    /// Its entries are garbage once every reader reads at `since` or later.
    Dropped { since: Sequence },
}

impl Index {
    pub(crate) fn new(number: u32, definition: IndexDefinition) -> Index {
        let (pattern, multikey) = (definition.pattern(), vec![false; definition.keys.len()]);
        Index { number, definition, pattern, multikey, state: IndexState::Building }
    }

    /// Whether it can be used by who reads at `sequence`.
    pub(crate) fn is_complete_at(&self, sequence: Sequence) -> bool {
        matches!(self.state, IndexState::Ready { since } if since <= sequence)
    }

    pub(crate) fn is_dropped(&self) -> bool {
        matches!(self.state, IndexState::Dropped { .. })
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, DatabaseError> {
        let (state, since) = match self.state {
            IndexState::Building => ("building", 0),
            IndexState::Ready { since } => ("ready", since),
            IndexState::Dropped { since } => ("dropped", since),
        };
        let fields: [(&str, Bson); 6] = [
            ("name", self.definition.name.as_str().into()),
            ("keys", self.definition.to_keys().into()),
            ("unique", self.definition.unique.into()),
            ("multikey", self.multikey.clone().into()),
            ("state", state.into()),
            ("since", Bson::Int64(since.cast_signed())),
        ];
        let document: Document = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        document.to_vec().map_err(|error| DatabaseError::BadIndex(error.to_string()))
    }

    pub(super) fn decode(number: u32, bytes: &[u8]) -> Result<Index, DatabaseError> {
        let damaged = || DatabaseError::Corrupt(format!("catalogue: index {number}"));
        let document = Document::from_reader(bytes).map_err(|_| damaged())?;
        let name = document.get_str("name").map_err(|_| damaged())?;
        let keys = document.get_document("keys").map_err(|_| damaged())?;
        let unique = document.get_bool("unique").map_err(|_| damaged())?;
        let flags = document.get_array("multikey").map_err(|_| damaged())?;
        let since = document.get_i64("since").map_err(|_| damaged())?.cast_unsigned();
        let state = match document.get_str("state") {
            Ok("building") => IndexState::Building,
            Ok("ready") => IndexState::Ready { since },
            Ok("dropped") => IndexState::Dropped { since },
            Ok(_) | Err(_) => return Err(damaged()),
        };
        let definition = IndexDefinition::parse(keys, Some(name), unique).map_err(|_| damaged())?;
        let multikey = flags.iter().map(|flag| flag.as_bool().unwrap_or(true)).collect();
        Ok(Index { multikey, state, ..Index::new(number, definition) })
    }
}
