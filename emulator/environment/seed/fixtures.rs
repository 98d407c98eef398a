//! A folder of fixtures, read and checked as a whole before anything of it is stored. `database/NAME.jsonl` are collections as
//! JSON Lines (semantics DB-10.01), everything under `storage/` is a stored file, `users.json`, `permissions.json` and
//! `rules.json` are what the cloud's console would hold.

use super::SeedError;
use crate::access::{self, Mode, Permission, Problem, Target};
use crate::accounts::{Address, PasswordHash};
use crate::error::ActionError;
use crate::files;
use crate::indexes::IndexLine;
use crate::register::{Entries, Entry, User};
use database::{CollectionName, DatabaseError, IndexDefinition};
use document::{Bson, DateTime, Document, ValueRef, encode_key, to_shell_text};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use storage::FilePath;
use uuid::Uuid;

const USERS_FILE: &str = "users.json";
const PERMISSIONS_FILE: &str = "permissions.json";
const INDEXES_FILE: &str = "indexes.json";
/// The index every collection has.
const INDEX_IDS: &str = "_id_";
const RULES_FILE: &str = "rules.json";

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
    /// With the lines they stand on.
    documents: Vec<(usize, Document)>,
}

/// One file under `storage/`.
#[derive(Debug)]
pub(super) struct File {
    pub(super) source: PathBuf,
    pub(super) path: FilePath,
}

/// One user of `users.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserLine {
    name: String,
    /// Made from the name when it is missing.
    openid: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    /// As they type it; kept as a hash.
    password: Option<String>,
    /// Whether sign-ins mean this user when they name none. Without one, the first user is meant.
    #[serde(default)]
    default: bool,
}

/// `permissions.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    #[serde(default)]
    collections: BTreeMap<String, String>,
    files: Option<String>,
}

impl Fixtures {
    /// Reads `folder`. Every mistake names its file and, where there is one, its line and field.
    pub(super) fn read(folder: &Path, now: DateTime) -> Result<Fixtures, SeedError> {
        let (database, storage) = (folder.join("database"), folder.join("storage"));
        let [users_path, permissions, rules, indexes] =
            [USERS_FILE, PERMISSIONS_FILE, RULES_FILE, INDEXES_FILE].map(|name| folder.join(name));
        if ![&database, &storage].iter().any(|folder| folder.is_dir())
            && ![&users_path, &permissions, &rules, &indexes].iter().any(|file| file.is_file())
        {
            return Err(SeedError::NotFixtures(folder.to_path_buf()));
        }
        Ok(Fixtures {
            collections: read_collections(&database, now)?,
            files: list_files(&storage)?,
            users: read_json(&users_path)?.unwrap_or_default(),
            permissions: [read_modes(&permissions)?, read_rules(&rules)?].concat(),
            indexes: read_indexes(&indexes)?,
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
        if index != INDEX_IDS {
            return Some(SeedError::Name { path: collection.path.clone(), reason: error.to_string() });
        }
        let is_it = |document: &Document| document.get("_id").is_some_and(|id| key == key_text(id));
        let (line, _) = collection.documents.iter().find(|(_, document)| is_it(document))?;
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
        let is_it = |file: &&File| key == key_text(&Bson::String(file.path.as_str().to_owned()));
        let file = self.files.iter().find(is_it)?;
        let reason = format!("there is a stored file `{}` already; --reset empties the cloud first", file.path);
        Some(SeedError::Name { path: file.source.clone(), reason })
    }
}

/// A key of `_id` as the database prints it.
fn key_text(id: &Bson) -> String {
    format!("{{ : {} }}", to_shell_text(ValueRef::from(id)))
}

impl Collection {
    /// Its documents alone.
    pub(super) fn documents(&self) -> Vec<Document> {
        self.documents.iter().map(|(_, document)| document.clone()).collect()
    }

    fn read(path: PathBuf, now: DateTime) -> Result<Collection, SeedError> {
        let name = collection_name(&path)?;
        let text = read_text(&path)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let documents = lines
            .map(|(index, line)| Ok((index + 1, read_line(&path, index + 1, line, now)?)))
            .collect::<Result<Vec<_>, SeedError>>()?;
        refuse_repeated_ids(&path, &documents)?;
        Ok(Collection { name, path, documents })
    }
}

impl UserLine {
    fn user(&self, known: &Entries) -> Result<User, ActionError> {
        let mut user = match known.user(&self.name) {
            Some(user) if self.openid.as_ref().is_none_or(|openid| *openid == user.openid) => user.clone(),
            _ => known.new_user(&self.name, self.openid.as_deref())?,
        };
        let email = self.email.as_deref().map(Address::email).transpose()?;
        let phone = self.phone.as_deref().map(Address::phone).transpose()?;
        for address in [email, phone].into_iter().flatten() {
            if let Some(other) = known.users().iter().find(|other| address.is_of(other) && other.name != self.name) {
                return Err(ActionError::invalid_param(format!("`{}` is that of `{}`", address.text(), other.name)));
            }
            address.give_to(&mut user);
        }
        if let Some(password) = &self.password {
            user.password = Some(PasswordHash::of(password)?);
        }
        Ok(user)
    }
}

fn read_collections(folder: &Path, now: DateTime) -> Result<Vec<Collection>, SeedError> {
    let lines = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "jsonl");
    entries(folder)?.into_iter().filter(lines).map(|path| Collection::read(path, now)).collect()
}

fn collection_name(path: &Path) -> Result<CollectionName, SeedError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    access::collection(&stem).map_err(|error| SeedError::Name { path: path.to_path_buf(), reason: error.message })
}

fn read_line(path: &Path, line: usize, text: &str, now: DateTime) -> Result<Document, SeedError> {
    let failed = |reason: String| SeedError::Line { path: path.to_path_buf(), line, reason };
    let mut document = document::decode_text(text, now).map_err(|error| failed(error.to_string()))?;
    if let Some(key) = document.keys().find(|key| key.starts_with('$')) {
        return Err(failed(format!("the field `{key}` begins with `$`, which no document's field may")));
    }
    match document.get("_id") {
        None => drop(document.insert("_id", Bson::String(Uuid::new_v4().simple().to_string()))),
        Some(Bson::Array(_) | Bson::RegularExpression(_) | Bson::Undefined) => {
            return Err(failed("_id: must be a string, a number or another single value".to_owned()));
        }
        Some(_) => {}
    }
    Ok(document)
}

fn refuse_repeated_ids(path: &Path, documents: &[(usize, Document)]) -> Result<(), SeedError> {
    let mut lines = HashMap::new();
    for (line, document) in documents {
        let Some(id) = document.get("_id") else { continue };
        let mut key = Vec::new();
        encode_key(ValueRef::from(id), &mut key);
        if let Some(earlier) = lines.insert(key, line) {
            let reason = format!("_id: {} stands on line {earlier} already", to_shell_text(ValueRef::from(id)));
            return Err(SeedError::Line { path: path.to_path_buf(), line: *line, reason });
        }
    }
    Ok(())
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
    let text = std::fs::read_to_string(path).map_err(|source| SeedError::Io { path: path.to_path_buf(), source })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Every file below `folder`, with the path it is to be stored under.
fn list_files(folder: &Path) -> Result<Vec<File>, SeedError> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for source in entries(&folder)? {
            let name = format!("{prefix}{}", source.file_name().unwrap_or_default().to_string_lossy());
            if source.is_dir() {
                folders.push((source, format!("{name}/")));
            } else {
                let path = FilePath::parse(&name);
                let path = path.map_err(|error| SeedError::Name { path: source.clone(), reason: error.to_string() })?;
                files.push(File { source, path });
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
        let fixtures = Fixtures::read(folder.path(), DateTime::from_millis(0)).unwrap();
        let error = fixtures.entries(&Entries::default()).unwrap_err().to_string();
        assert!(error.contains("users.json: [1] (`b`): `o1` is the openid of `a`"), "{error}");
    }

    #[test]
    fn users_that_are_known_may_come_again() {
        let folder = folder_with("users.json", "[{\"name\": \"a\"}, {\"name\": \"b\", \"default\": true}]");
        let fixtures = Fixtures::read(folder.path(), DateTime::from_millis(0)).unwrap();
        let mut entries = Entries::default();
        for _ in 0..2 {
            let gained = fixtures.entries(&entries).unwrap();
            assert_eq!(gained.len(), 3);
            gained.into_iter().for_each(|entry| entries.put(entry));
        }
        assert_eq!((entries.users().len(), entries.default_user().name.as_str()), (2, "b"));
    }

    fn check(name: &str, text: &str, expected: &str) {
        let folder = folder_with(name, text);
        let error = Fixtures::read(folder.path(), DateTime::from_millis(0)).unwrap_err().to_string();
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
