//! A folder of fixtures, read and checked as a whole before anything of it is stored. `database/NAME.jsonl` are collections as
//! JSON Lines (semantics DB-10.01), everything under `storage/` is a stored file, of which `files.json` knows more; `users.json`,
//! `permissions.json` and `rules.json` are what the cloud's console would hold. Keys are taken as they stand: only what is
//! imported has keys that are paths.

use super::SeedError;
use super::lines::{FIXTURE_ENTRIES, FileLine, FileLines, FixtureFile, Permissions, UserLine};
use crate::access::{self, Mode, Permission, Problem, Target};
use crate::error::ActionError;
use crate::exchange::{Progress, Stage, collection_of_file, open_regular};
use crate::files;
use crate::incoming::{self, KnownIds};
use crate::indexes::IndexLine;
use crate::register::{self, Entries, Entry};
use database::{CollectionName, DatabaseError, INDEX_IDS_NAME, IndexDefinition, NewDocument};
use document::{Bson, DateTime, ValueRef, to_shell_text};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use storage::FilePath;

/// What a folder of fixtures holds; empty by default.
#[derive(Debug, Default)]
pub(super) struct Fixtures {
    pub(super) collections: Vec<Collection>,
    pub(super) files: Vec<File>,
    pub(super) users: Vec<UserLine>,
    /// Who may do what: the modes, then the rules, which count where there are both.
    pub(super) permissions: Vec<Entry>,
    pub(super) indexes: Vec<(CollectionName, IndexDefinition)>,
    /// Where the users come from, for messages.
    users_path: PathBuf,
}

/// One `NAME.jsonl`.
#[derive(Debug)]
pub(super) struct Collection {
    pub(super) name: CollectionName,
    path: PathBuf,
    documents: Arc<Vec<NewDocument>>,
    /// The lines they stand on.
    lines: Vec<usize>,
}

/// One file under `storage/`.
#[derive(Debug)]
pub(super) struct File {
    pub(super) source: PathBuf,
    pub(super) path: FilePath,
    /// As `files.json` says; guessed where it does not.
    pub(super) content_type: Option<String>,
    /// The openid of who uploaded it; `None`: the server has.
    pub(super) owner: Option<String>,
    /// When it was stored; `None`: now.
    pub(super) modified_ms: Option<i64>,
}

impl Fixtures {
    /// Reads `folder`. Every mistake names its file and, where there is one, its line and field.
    pub(super) fn read(folder: &Path, now: DateTime, progress: &Progress) -> Result<Fixtures, SeedError> {
        if !FIXTURE_ENTRIES.iter().any(|name| is_entry(&folder.join(name))) {
            return Err(SeedError::NotFixtures(folder.to_path_buf()));
        }
        let path = |file: FixtureFile| folder.join(file.name());
        let users_path = path(FixtureFile::Users);
        Ok(Fixtures {
            collections: read_collections(&path(FixtureFile::Database), now, progress)?,
            files: read_files(&path(FixtureFile::Storage), &path(FixtureFile::Files))?,
            users: read_json(&users_path)?.unwrap_or_default(),
            permissions: [read_modes(&path(FixtureFile::Permissions))?, read_rules(&path(FixtureFile::Rules))?]
                .concat(),
            indexes: read_indexes(&path(FixtureFile::Indexes))?,
            users_path,
        })
    }

    /// What the register of an environment gains, which holds `entries` now. A user it has already must be the same one.
    pub(super) fn entries(&self, entries: &Entries) -> Result<Vec<Entry>, SeedError> {
        let mut grown = entries.clone();
        let mut gained = Vec::new();
        for (index, line) in self.users.iter().enumerate() {
            let user = line.user(&grown).map_err(|error| SeedError::Name {
                path: self.users_path.clone(),
                reason: format!("[{index}] (`{}`): {}", line.name, error.message),
            })?;
            grown.put(Entry::User(user.clone()));
            gained.push(Entry::User(user));
            gained.extend(line.default.then(|| Entry::DefaultUser(line.name.clone())));
        }
        gained.extend(self.permissions.iter().cloned());
        Ok(gained)
    }

    /// How many documents there are in all.
    pub(super) fn documents(&self) -> usize {
        self.collections.iter().map(|collection| collection.documents.len()).sum()
    }

    /// Where the document stands whose key the database did not take, as far as that can be told: `key` is how it prints it.
    pub(super) fn place_of(
        &self,
        collection: &CollectionName,
        index: &str,
        key: &str,
        error: &DatabaseError,
    ) -> Option<SeedError> {
        if collection.as_str() == files::COLLECTION {
            return self.taken_file(key);
        }
        let collection = self.collections.iter().find(|known| known.name == *collection)?;
        if index != INDEX_IDS_NAME {
            return Some(SeedError::Name { path: collection.path.clone(), reason: error.to_string() });
        }
        let is_it = |document: &NewDocument| key == key_text(ValueRef::from(document.id()));
        let line = collection.lines.get(collection.documents.iter().position(is_it)?)?;
        let reason = format!(
            "_id: the collection `{}` has a document {key} already; --reset empties the cloud first",
            collection.name
        );
        Some(SeedError::Line { path: collection.path.clone(), line: *line, reason })
    }
}

impl Fixtures {
    /// The mistake that a file is where one of these is to be; `key` is how the database prints its path.
    fn taken_file(&self, key: &str) -> Option<SeedError> {
        let is_it = |file: &&File| key == key_text(ValueRef::String(file.path.as_str()));
        let file = self.files.iter().find(is_it)?;
        let reason = format!("there is a stored file `{}` already; --reset empties the cloud first", file.path);
        Some(SeedError::Name { path: file.source.clone(), reason })
    }
}

/// A key of `_id` as the database prints it.
fn key_text(id: ValueRef<'_>) -> String {
    format!("{{ : {} }}", to_shell_text(id))
}

impl Collection {
    /// Its documents alone.
    pub(super) fn documents(&self) -> Arc<Vec<NewDocument>> {
        self.documents.clone()
    }

    fn read(path: PathBuf, now: DateTime, progress: &Progress) -> Result<Collection, SeedError> {
        let name = collection_name(&path)?;
        let text = read_text(&path)?;
        let (mut documents, mut lines, mut known) = (Vec::new(), Vec::new(), KnownIds::new());
        for (index, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let line = index + 1;
            let document = read_line(&path, line, text, now)?;
            if let Some(earlier) = known.meet(&document, line) {
                return Err(SeedError::Line { path, line, reason: incoming::repeated(&document, earlier) });
            }
            documents.push(document);
            lines.push(line);
            progress.step()?;
        }
        Ok(Collection { name, path, documents: Arc::new(documents), lines })
    }
}

/// Whether `path` is what a fixture folder has under that name: a folder or a file.
fn is_entry(path: &Path) -> bool {
    if path.extension().is_some() { path.is_file() } else { path.is_dir() }
}

fn read_collections(folder: &Path, now: DateTime, progress: &Progress) -> Result<Vec<Collection>, SeedError> {
    progress.begin(Stage::Reading, None);
    // Names that begin with a dot are those of editors' own files.
    let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let lines = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl") && !is_hidden(path);
    entries(folder)?.into_iter().filter(lines).map(|path| Collection::read(path, now, progress)).collect()
}

fn collection_name(path: &Path) -> Result<CollectionName, SeedError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    access::collection(&collection_of_file(&stem))
        .map_err(|error| SeedError::Name { path: path.to_path_buf(), reason: error.message })
}

fn read_line(path: &Path, line: usize, text: &str, now: DateTime) -> Result<NewDocument, SeedError> {
    let failed = |reason: String| SeedError::Line { path: path.to_path_buf(), line, reason };
    let document = document::decode_file_text(text, now).map_err(|error| failed(error.to_string()))?;
    if let Some(Bson::Array(_) | Bson::RegularExpression(_) | Bson::Undefined) = document.get("_id") {
        return Err(failed("_id: must be a string, a number or another single value".to_owned()));
    }
    incoming::prepare(document).map_err(failed)
}

fn read_modes(path: &Path) -> Result<Vec<Entry>, SeedError> {
    let Permissions { collections, files } = read_json(path)?.unwrap_or_default();
    let failed = |field: &str, error: ActionError| SeedError::Name {
        path: path.to_path_buf(),
        reason: format!("{field}: {}", error.message),
    };
    let mut modes = Vec::new();
    for (name, mode) in collections {
        let field = format!("collections.{name}");
        access::collection(&name).map_err(|error| failed(&field, error))?;
        let mode = Mode::parse(&mode).map_err(|error| failed(&field, error))?;
        modes.push(Entry::Collection(name, Permission::Mode(mode)));
    }
    if let Some(mode) = files {
        let mode = Mode::parse(&mode).map_err(|error| failed("files", error))?;
        modes.push(Entry::Files(Permission::Mode(mode)));
    }
    Ok(modes)
}

fn read_rules(path: &Path) -> Result<Vec<Entry>, SeedError> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let failed = |problems: Vec<Problem>| {
        let lines = problems.iter().map(|problem| format!("{}:{problem}", path.display()));
        SeedError::Rules(lines.collect::<Vec<_>>().join("\n"))
    };
    let mut entries = Vec::new();
    for (target, text) in access::split(&read_text(path)?).map_err(failed)? {
        if let Target::Collection(name) = &target {
            let unnamed = |error: ActionError| SeedError::Name { path: path.to_path_buf(), reason: error.message };
            access::collection(name).map_err(unnamed)?;
        }
        entries.push(Entry::of_rules(target, &text).map_err(failed)?);
    }
    Ok(entries)
}

fn read_indexes(path: &Path) -> Result<Vec<(CollectionName, IndexDefinition)>, SeedError> {
    let collections: BTreeMap<String, Vec<IndexLine>> = read_json(path)?.unwrap_or_default();
    let mut indexes = Vec::new();
    for (name, lines) in collections {
        for (index, line) in lines.into_iter().enumerate() {
            let failed = |error: ActionError| SeedError::Name {
                path: path.to_path_buf(),
                reason: format!("{name}[{index}]: {}", error.message),
            };
            indexes.push((access::collection(&name).map_err(failed)?, line.definition().map_err(failed)?));
        }
    }
    Ok(indexes)
}

/// The JSON file at `path`; `None` where there is none.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, SeedError> {
    if !path.is_file() {
        return Ok(None);
    }
    serde_json::from_str(&read_text(path)?).map(Some).map_err(|error| SeedError::Line {
        path: path.to_path_buf(),
        line: error.line(),
        reason: error.to_string(),
    })
}

fn read_text(path: &Path) -> Result<String, SeedError> {
    let text = open_regular(path).and_then(std::io::read_to_string);
    let text = text.map_err(|source| SeedError::Io { path: path.to_path_buf(), source })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Every file below `storage`, with what the file `lines` knows of it.
fn read_files(storage: &Path, lines: &Path) -> Result<Vec<File>, SeedError> {
    let known: FileLines = read_json(lines)?.unwrap_or_default();
    let mut bodies = list_files(storage)?;
    let failed =
        |path: &str, reason: &str| SeedError::Name { path: lines.to_path_buf(), reason: format!("`{path}`: {reason}") };
    let mut files = Vec::new();
    for (path, line) in known {
        let name = line.source.as_deref().unwrap_or(&path);
        let source = bodies.remove(name).ok_or_else(|| failed(&path, &format!("there is no file storage/{name}")))?;
        files.push(file(source, &path, line).map_err(|reason| failed(&path, &reason))?);
    }
    for (path, source) in bodies {
        let unfit = |reason| SeedError::Name { path: source.clone(), reason };
        files.push(file(source.clone(), &path, FileLine::default()).map_err(unfit)?);
    }
    let mut paths = BTreeSet::new();
    match files.iter().find(|file| !paths.insert(&file.path)) {
        Some(file) => Err(failed(file.path.as_str(), "there are two files of this path")),
        None => Ok(files),
    }
}

fn file(source: PathBuf, path: &str, line: FileLine) -> Result<File, String> {
    let modified_ms = line.modified_ms()?;
    if let Some(owner) = line.owner.as_ref().filter(|owner| !register::is_openid(owner)) {
        return Err(format!("owner: `{owner}` is no openid"));
    }
    let path = FilePath::parse(path).map_err(|error| error.to_string())?;
    Ok(File { source, path, content_type: line.content_type, owner: line.owner, modified_ms })
}

/// Every file below `folder`, under its path from there. A link is a mistake: it may lead out of the folder, or round in it.
fn list_files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, SeedError> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for source in entries(&folder)? {
            let name = format!("{prefix}{}", source.file_name().unwrap_or_default().to_string_lossy());
            let kind =
                source.symlink_metadata().map_err(|error| SeedError::Io { path: source.clone(), source: error })?;
            if kind.is_dir() {
                folders.push((source, format!("{name}/")));
            } else if kind.is_file() {
                files.insert(name, source);
            } else {
                let reason = "it is a link, or no regular file: put the file itself here".to_owned();
                return Err(SeedError::Name { path: source, reason });
            }
        }
    }
    Ok(files)
}

/// What `folder` holds, sorted; nothing when it is missing.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, SeedError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |source| SeedError::Io { path: folder.to_path_buf(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn mistakes_name_file_line_and_field() {
        check("database/a.jsonl", "{}\n\n{\"n\": {\"$numberInt\": \"x\"}}", "a.jsonl:3: malformed $numberInt at n");
        check("database/a.jsonl", "{\"_id\": 1}\n{\"_id\": {\"$numberDouble\": \"1\"}}", "a.jsonl:2: _id: ");
        check("database/a.jsonl", "{\"_id\": [1]}", "a.jsonl:1: _id: ");
        check("database/a.jsonl", "{\"$a\": 1}", "a.jsonl:1: the field `$a`");
        check("database/_emulator.jsonl", "{}", "_emulator.jsonl: ");
        check("users.json", "[{\"name\": \"a\"},\n{\"name\": 5}]", "users.json:2: ");
        check("users.json", "[{\"name\": \"a\", \"age\": 5}]", "users.json:1: unknown field `age`");
        check(
            "permissions.json",
            "{\"collections\": {\"todos\": \"OPEN\"}}",
            "permissions.json: collections.todos: `OPEN`",
        );
        check("permissions.json", "{\"files\": \"CUSTOM\"}", "permissions.json: files: CUSTOM comes with rules");
        let rules = "{\"collections\": {\n  \"todos\": {\"read\": \"doc.a = 1\"}}}";
        check("rules.json", rules, "rules.json:2:28: compare with `==`");
        check("rules.json", "{\"files\": {\"list\": true}}", "rules.json:1:12: `list` is no operation");
        check("rules.json", "{\"todos\": {}}", "rules.json:1:2: `todos` has no rules");
        check("rules.json", "{\"collections\": {\"_emulator\": {}}}", "rules.json: ");
    }

    #[test]
    fn users_must_not_clash() {
        let users = "[{\"name\": \"a\", \"openid\": \"o1\"}, {\"name\": \"b\", \"openid\": \"o1\"}]";
        let folder = folder_with("users.json", users);
        let fixtures = read(folder.path()).unwrap();
        let error = fixtures.entries(&Entries::default()).unwrap_err().to_string();
        assert!(error.contains("users.json: [1] (`b`): `o1` is the openid of `a`"), "{error}");
    }

    #[test]
    fn users_that_are_known_may_come_again() {
        let folder = folder_with("users.json", "[{\"name\": \"a\"}, {\"name\": \"b\", \"default\": true}]");
        let fixtures = read(folder.path()).unwrap();
        let mut entries = Entries::default();
        for _ in 0..2 {
            let gained = fixtures.entries(&entries).unwrap();
            assert_eq!(gained.len(), 3);
            gained.into_iter().for_each(|entry| entries.put(entry));
        }
        assert_eq!((entries.users().len(), entries.default_user().name.as_str()), (2, "b"));
    }

    fn read(folder: &Path) -> Result<Fixtures, SeedError> {
        let job = crate::exchange::Jobs::default().begin(None).unwrap();
        Fixtures::read(folder, DateTime::from_millis(0), &job.progress())
    }

    #[test]
    fn files_are_known_by_their_lines() {
        let folder = folder_with("storage/.unnamed/0", "x");
        std::fs::write(folder.path().join("storage/b.txt"), "y").unwrap();
        let lines =
            r#"{"a/../con": {"source": ".unnamed/0", "owner": "o1", "modified": 5}, "b.txt": {"contentType": "x/y"}}"#;
        std::fs::write(folder.path().join("files.json"), lines).unwrap();
        let files = read(folder.path()).unwrap().files;
        let seen: Vec<_> = files
            .iter()
            .map(|file| (file.path.as_str(), file.owner.as_deref(), file.content_type.as_deref()))
            .collect();
        assert_eq!(seen, [("a/../con", Some("o1"), None), ("b.txt", None, Some("x/y"))]);
        for (lines, expected) in [
            (r#"{"c": {}}"#, "files.json: `c`: there is no file storage/c"),
            (r#"{"b.txt": {"owner": "no one"}}"#, "files.json: `b.txt`: owner: "),
            (r#"{"b.txt": {"modified": "noon"}}"#, "files.json: `b.txt`: modified: "),
            (r#"{"b.txt": {"source": ".unnamed/0"}}"#, "files.json: `b.txt`: there are two files"),
            (r#"{"b.txt": {"size": 5}}"#, "files.json:1: unknown field `size`"),
        ] {
            std::fs::write(folder.path().join("files.json"), lines).unwrap();
            let error = read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    fn check(name: &str, text: &str, expected: &str) {
        let folder = folder_with(name, text);
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        folder
    }
}
