//! Documents that come in by files, of fixtures or to be imported: what is checked of each before any is stored.

use database::NewDocument;
use document::{Bson, Document, ValueRef, encode_key, to_shell_text};
use std::collections::HashMap;
use uuid::Uuid;

/// The document as it will be stored, with an `_id` if it had none; or the reason why it may not be.
pub(crate) fn prepare(mut document: Document) -> Result<NewDocument, String> {
    if let Some(key) = document.keys().find(|key| key.starts_with('$')) {
        return Err(format!("the field `{key}` begins with `$`, which no document's field may"));
    }
    if !document.contains_key("_id") {
        document.insert("_id", Bson::String(Uuid::new_v4().simple().to_string()));
    }
    NewDocument::prepare(document).map_err(|error| error.to_string())
}

/// The `_id`s of one file's documents, with what is known of where each stands. Equal numbers of different types are one.
#[derive(Debug)]
pub(crate) struct KnownIds<Place> {
    places: HashMap<Vec<u8>, Place>,
}

impl<Place: Copy> KnownIds<Place> {
    pub(crate) fn new() -> KnownIds<Place> {
        KnownIds { places: HashMap::new() }
    }

    /// Where a document with the same `_id` stands; without one, `document` is known from now on to stand at `place`.
    pub(crate) fn meet(&mut self, document: &NewDocument, place: Place) -> Option<Place> {
        let mut key = Vec::new();
        encode_key(ValueRef::from(document.id()), &mut key);
        let earlier = self.places.get(&key).copied();
        if earlier.is_none() {
            self.places.insert(key, place);
        }
        earlier
    }
}

/// The mistake of a document whose `_id` one on line `earlier` has.
pub(crate) fn repeated(document: &NewDocument, earlier: usize) -> String {
    format!("_id: {} stands on line {earlier} already", to_shell_text(ValueRef::from(document.id())))
}
