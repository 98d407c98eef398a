//! Catalogue and bodies kept in step: each change of both, and what becomes of it when the process dies half-way.
//!
//! A change first leaves a note of the bodies it may orphan, then puts the new body in place, then changes the
//! catalogue (which is the moment it happens), then discards what is no longer named, then removes the note. `open`
//! settles the notes that are left, so it looks at no more files than were being changed. A body that cannot be
//! discarded (Windows, while someone reads it) keeps its note and waits for the next `open`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use crate::bodies::{Bodies, BodyName};
use crate::catalogue::{Catalogue, StoredFile};
use crate::error::StorageError;
use crate::files::{read_if_present, remove_if_present};
use crate::path::FilePath;

/// Both folders and the notes. Whoever changes it is alone with it: `lib.rs` holds it in a lock.
pub(crate) struct Shelf {
    catalogue: Catalogue,
    bodies: Bodies,
    notes: PathBuf,
}

/// The bodies that a change of one file may leave unnamed.
#[derive(Serialize, Deserialize)]
struct Note {
    environment: String,
    path: FilePath,
    bodies: Vec<BodyName>,
}

impl Shelf {
    /// Opens the folders and finishes what an earlier process left half done.
    pub(crate) fn open(catalogue: Catalogue, bodies: Bodies, notes: PathBuf) -> io::Result<Shelf> {
        fs::create_dir_all(&notes)?;
        let shelf = Shelf { catalogue, bodies, notes };
        for entry in fs::read_dir(&shelf.notes)? {
            shelf.settle(&entry?.path());
        }
        Ok(shelf)
    }

    pub(crate) fn get(&self, environment: &str, path: &FilePath) -> io::Result<Option<StoredFile>> {
        self.catalogue.get(environment, path)
    }

    pub(crate) fn list(&self, environment: &str) -> io::Result<Vec<StoredFile>> {
        self.catalogue.list(environment)
    }

    /// Opens the body of `file`; [`StorageError::Missing`] if it was replaced or removed since.
    pub(crate) fn body(&self, file: &StoredFile) -> Result<fs::File, StorageError> {
        self.bodies.read(&file.body).map_err(missing_if_not_found)
    }

    /// Stores `file`, whose body has been received, in place of what its path held.
    pub(crate) fn put(&mut self, file: &StoredFile, received: TempPath) -> Result<(), StorageError> {
        let place_body = |bodies: &Bodies| bodies.adopt(received, &file.body);
        Ok(self.replace(file, place_body)?)
    }

    /// Removes the file at `path` and says whether there was one.
    pub(crate) fn remove(&mut self, environment: &str, path: &FilePath) -> Result<bool, StorageError> {
        let Some(file) = self.catalogue.get(environment, path)? else {
            return Ok(false);
        };
        let note = self.write_note(environment, path, vec![file.body])?;
        let struck = self.catalogue.strike(environment, path);
        self.settle(&note);
        Ok(struck.map(|()| true)?)
    }

    /// Stores `original` a second time, at the path `to` of its environment, dated `modified_ms`. A file copied onto
    /// itself stays as it is.
    pub(crate) fn copy(
        &mut self,
        original: &StoredFile,
        to: &FilePath,
        overwrite: bool,
        modified_ms: i64,
    ) -> Result<StoredFile, StorageError> {
        if !overwrite && self.catalogue.get(&original.environment, to)?.is_some() {
            return Err(StorageError::Exists);
        }
        if original.path == *to {
            return Ok(original.clone());
        }
        let copy = StoredFile { path: to.clone(), modified_ms, body: BodyName::random(), ..original.clone() };
        self.replace(&copy, |bodies| bodies.duplicate(&original.body, &copy.body)).map_err(missing_if_not_found)?;
        Ok(copy)
    }

    fn replace(&mut self, file: &StoredFile, place_body: impl FnOnce(&Bodies) -> io::Result<()>) -> io::Result<()> {
        let old = self.catalogue.get(&file.environment, &file.path)?;
        let bodies = old.into_iter().map(|old| old.body).chain([file.body.clone()]).collect();
        let note = self.write_note(&file.environment, &file.path, bodies)?;
        let replaced = place_body(&self.bodies).and_then(|()| self.catalogue.put(file));
        self.settle(&note);
        replaced
    }

    /// A note half written when the process dies is unreadable, and nothing it speaks of has happened yet.
    fn write_note(&self, environment: &str, path: &FilePath, bodies: Vec<BodyName>) -> io::Result<PathBuf> {
        let note = Note { environment: environment.to_owned(), path: path.clone(), bodies };
        let place = self.notes.join(String::from(BodyName::random()));
        fs::write(&place, serde_json::to_vec(&note)?)?;
        Ok(place)
    }

    /// Discards the noted bodies that the catalogue does not name, and then the note. What cannot be done now keeps
    /// the note; it fails nobody's call, since the change itself has happened or been refused by then.
    fn settle(&self, place: &Path) {
        if let Ok(true) = self.discard_unnamed(place) {
            drop(remove_if_present(place));
        }
    }

    /// Whether nothing of the note is left to do.
    fn discard_unnamed(&self, place: &Path) -> io::Result<bool> {
        let content = read_if_present(place)?.unwrap_or_default();
        let Ok(note) = serde_json::from_slice::<Note>(&content) else {
            return Ok(true);
        };
        let named = self.catalogue.get(&note.environment, &note.path)?.map(|file| file.body);
        let unnamed = note.bodies.iter().filter(|body| Some(*body) != named.as_ref());
        Ok(unnamed.filter(|body| self.bodies.discard(body).is_err()).count() == 0)
    }
}

fn missing_if_not_found(error: io::Error) -> StorageError {
    if error.kind() == io::ErrorKind::NotFound { StorageError::Missing } else { StorageError::Io(error) }
}
