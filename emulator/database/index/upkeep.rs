//! The entries of a document in the indexes of its collection: written, moved and removed in the commit that does so to the
//! document. Unique indexes refuse here what they must.

use std::sync::Arc;

use document::{DocumentRef, RawDocument};
use query::{IndexKey, IndexKeys};

use crate::DatabaseError;
use crate::draft::{Draft, Target};
use crate::plan::{Source, present};
use crate::store::{EntryKey, Index, KeyRange, Value};

/// How long the record number at the end of an entry's key is.
const RECORD_LENGTH: usize = 8;

impl Draft<'_> {
    /// Makes the entries of a document that was `before` those of what it is `after`.
    pub(crate) fn reindex(
        &mut self,
        target: &Target,
        record: u64,
        before: Option<&RawDocument>,
        after: Option<&RawDocument>,
    ) -> Result<(), DatabaseError> {
        let indexes: Vec<Arc<Index>> = self.catalogue().indexes(target.id).cloned().collect();
        for index in indexes {
            // A document that an unfinished index refuses has no keys there.
            let old = before.and_then(|before| index.pattern.keys(DocumentRef::Raw(before)).ok()).unwrap_or_default();
            let new = after.map(|after| index.pattern.keys(DocumentRef::Raw(after))).transpose()?.unwrap_or_default();
            for key in difference(&old, &new) {
                self.claim_key(target, &index, key)?;
                self.put_entry(target, &index, key, record, Value::removal(), false)?;
            }
            if let Some(after) = after {
                self.add_keys(target, &index, record, after, difference(&new, &old), before.is_none())?;
                self.note_arrays(target, &index, &new.multikey)?;
            }
        }
        Ok(())
    }

    /// Adds a document to an index that is being built, unless a write has done so meanwhile.
    pub(crate) fn add_to_index(
        &mut self,
        target: &Target,
        index: &Index,
        record: u64,
        document: &RawDocument,
    ) -> Result<(), DatabaseError> {
        let new = index.pattern.keys(DocumentRef::Raw(document))?;
        self.add_keys(target, index, record, document, new.keys.iter(), false)?;
        self.note_arrays(target, index, &new.multikey)
    }

    /// Adds entries, unless another document has the key of a unique one. `fresh` says that the record never had any.
    fn add_keys<'k>(
        &mut self,
        target: &Target,
        index: &Index,
        record: u64,
        document: &RawDocument,
        keys: impl Iterator<Item = &'k IndexKey>,
        fresh: bool,
    ) -> Result<(), DatabaseError> {
        for key in keys {
            self.claim_key(target, index, key)?;
            if index.definition.unique && self.is_taken(target, index, key, record)? {
                return Err(duplicate(target, index, document, key)?);
            }
            let ends: Vec<u8> = key.ends.iter().flat_map(|end| end.to_be_bytes()).collect();
            self.put_entry(target, index, key, record, Value::from(&ends[..]), fresh)?;
        }
        Ok(())
    }

    /// Writes an entry, unless it is so already. Its content tells where the components of its key end.
    fn put_entry(
        &mut self,
        target: &Target,
        index: &Index,
        key: &IndexKey,
        record: u64,
        value: Value,
        fresh: bool,
    ) -> Result<(), DatabaseError> {
        let entry = EntryKey::index(target.id, index.number, &key.bytes, record);
        self.claim(&entry)?; // a transaction's snapshot may be older than the index
        let version = if fresh { None } else { self.look(&entry)? };
        if present(version.clone()).is_some() == value.is_removal() {
            self.write(entry, value, version);
        }
        Ok(())
    }

    /// A unique key is written by one transaction at a time.
    fn claim_key(&mut self, target: &Target, index: &Index, key: &IndexKey) -> Result<(), DatabaseError> {
        if !index.definition.unique {
            return Ok(());
        }
        self.claim(&KeyRange::of_index(target.id, index.number, &key.bytes).low)
    }

    /// Whether another document has the key.
    fn is_taken(&self, target: &Target, index: &Index, key: &IndexKey, record: u64) -> Result<bool, DatabaseError> {
        let holders = self.keys(&KeyRange::of_index(target.id, index.number, &key.bytes))?;
        Ok(holders.iter().any(|holder| holder.last_chunk::<RECORD_LENGTH>() != Some(&record.to_be_bytes())))
    }

    /// Remembers which fields led through arrays: from now on a document may have several keys.
    fn note_arrays(&mut self, target: &Target, index: &Index, multikey: &[bool]) -> Result<(), DatabaseError> {
        let Some(current) = self.catalogue().indexes(target.id).find(|other| other.number == index.number) else {
            return Ok(());
        };
        let merged: Vec<bool> = current.multikey.iter().zip(multikey).map(|(known, new)| *known || *new).collect();
        if merged == current.multikey {
            return Ok(());
        }
        let noted = Index { multikey: merged, ..Index::clone(current) };
        self.put_index(target.id, noted)
    }
}

/// The keys of `left` that `right` has not.
fn difference<'a>(left: &'a IndexKeys, right: &'a IndexKeys) -> impl Iterator<Item = &'a IndexKey> {
    left.keys.iter().filter(|key| right.keys.binary_search(key).is_err())
}

fn duplicate(
    target: &Target,
    index: &Index,
    document: &RawDocument,
    key: &IndexKey,
) -> Result<DatabaseError, DatabaseError> {
    let text = index.pattern.shell_text(DocumentRef::Raw(document), &key.bytes)?;
    Ok(DatabaseError::DuplicateKey {
        collection: target.name.clone(),
        index: index.definition.name.clone(),
        key: text.unwrap_or_default(),
    })
}
