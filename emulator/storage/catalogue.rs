//! What is known of each stored file: one small JSON file per stored file, at a place found by hashing environment and
//! path. Replacing one is atomic. Keeping bodies in step with it is the job of `shelf.rs`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bodies::BodyName;
use crate::files::{read_if_present, remove_if_present, write_atomically};
use crate::path::FilePath;

/// Hexadecimal digits of a hash that make a name on disk: 160 bits, and short enough for Windows.
const HASH_DIGITS: usize = 40;

/// A file that is stored, as it was when it was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// The environment that holds it.
    pub environment: String,
    /// Its path there.
    pub path: FilePath,
    /// The length of its body in bytes.
    pub size: u64,
    /// As given at upload, or guessed from the path.
    pub content_type: String,
    /// The body's hash in lower-case hexadecimal, with the quotes of an HTTP `ETag`.
    pub etag: String,
    /// The openid of who uploaded it; `None` for a server (semantics ST-10).
    pub owner: Option<String>,
    /// When it came to this path, in milliseconds since 1970.
    pub modified_ms: i64,
    pub(crate) body: BodyName,
}

/// The folder of metadata: a sub-folder per environment, a file per stored file.
pub(crate) struct Catalogue {
    folder: PathBuf,
    /// On the same file system; holds a metadata file while it is written.
    temporary: PathBuf,
}

impl Catalogue {
    pub(crate) fn open(folder: PathBuf, temporary: PathBuf) -> io::Result<Catalogue> {
        fs::create_dir_all(&folder)?;
        Ok(Catalogue { folder, temporary })
    }

    pub(crate) fn get(&self, environment: &str, path: &FilePath) -> io::Result<Option<StoredFile>> {
        let content = read_if_present(&self.place(environment, path))?;
        Ok(content.as_deref().and_then(decode).filter(|file| file.environment == environment && file.path == *path))
    }

    /// Every file of `environment`, sorted by path.
    pub(crate) fn list(&self, environment: &str) -> io::Result<Vec<StoredFile>> {
        let entries = match fs::read_dir(self.shelf_of(environment)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files = Vec::new();
        for entry in entries {
            let content = read_if_present(&entry?.path())?;
            files.extend(content.as_deref().and_then(decode));
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }

    /// Enters `file`, in place of what its path held.
    pub(crate) fn put(&self, file: &StoredFile) -> io::Result<()> {
        fs::create_dir_all(self.shelf_of(&file.environment))?;
        write_atomically(&self.temporary, &self.place(&file.environment, &file.path), &serde_json::to_vec(file)?)
    }

    /// Strikes the file at `path` out; no error if there is none.
    pub(crate) fn strike(&self, environment: &str, path: &FilePath) -> io::Result<()> {
        remove_if_present(&self.place(environment, path)).map(|_| ())
    }

    fn shelf_of(&self, environment: &str) -> PathBuf {
        self.folder.join(hash(environment))
    }

    fn place(&self, environment: &str, path: &FilePath) -> PathBuf {
        self.shelf_of(environment).join(Path::new(&hash(path.as_str())).with_extension("json"))
    }
}

/// `None` for an entry that a power cut has left unreadable: the file then counts as absent until it is stored again.
fn decode(content: &[u8]) -> Option<StoredFile> {
    serde_json::from_slice(content).ok()
}

fn hash(text: &str) -> String {
    let mut digits = hex(&Sha256::digest(text.as_bytes()));
    digits.truncate(HASH_DIGITS);
    digits
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
