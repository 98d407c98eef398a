//! The bodies of stored files: one file each, never changed once it is here, under a random name of our own.
//! Which file a body belongs to only the environment knows.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tempfile::TempPath;
use uuid::Uuid;

use crate::files::remove_if_present;

/// The name of a body on disk: the 32 hexadecimal digits of a random UUID. Nothing from outside ever becomes one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BodyName(Uuid);

impl BodyName {
    pub(crate) fn random() -> BodyName {
        BodyName(Uuid::new_v4())
    }

    /// Reads a name back; `None` for what is none.
    pub fn parse(text: &str) -> Option<BodyName> {
        Uuid::try_parse(text).ok().map(BodyName)
    }
}

impl fmt::Display for BodyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.simple())
    }
}

impl TryFrom<String> for BodyName {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<BodyName, uuid::Error> {
        Uuid::try_parse(&text).map(BodyName)
    }
}

impl From<BodyName> for String {
    fn from(name: BodyName) -> String {
        name.to_string()
    }
}

/// The folder of bodies.
pub(crate) struct Bodies {
    folder: PathBuf,
}

impl Bodies {
    pub(crate) fn open(folder: PathBuf) -> io::Result<Bodies> {
        fs::create_dir_all(&folder)?;
        Ok(Bodies { folder })
    }

    /// Opens the body for reading. On every platform it can be read to its end even if it is discarded meanwhile.
    pub(crate) fn read(&self, name: &BodyName) -> io::Result<fs::File> {
        fs::File::open(self.path(name))
    }

    /// Takes over a received file.
    pub(crate) fn adopt(&self, received: TempPath, name: &BodyName) -> io::Result<()> {
        received.persist(self.path(name)).map_err(|error| error.error)
    }

    /// Gives the body `from` a second name, so that each can be discarded without the other. Bodies never change, so a
    /// link is as good as a copy; where the file system has no links, it is a copy.
    pub(crate) fn duplicate(&self, from: &BodyName, to: &BodyName) -> io::Result<()> {
        let (from, to) = (self.path(from), self.path(to));
        match fs::hard_link(&from, &to) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
            Err(_) => fs::copy(&from, &to).map(|_| ()),
        }
    }

    /// The names of all bodies.
    pub(crate) fn list(&self) -> io::Result<Vec<BodyName>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            names.extend(entry?.file_name().to_str().and_then(BodyName::parse));
        }
        Ok(names)
    }

    /// Removes a body, if it is there.
    pub(crate) fn discard(&self, name: &BodyName) -> io::Result<()> {
        remove_if_present(&self.path(name)).map(|_| ())
    }

    fn path(&self, name: &BodyName) -> PathBuf {
        self.folder.join(name.to_string())
    }
}
