//! What the cloud's console knows of an environment: its users, and who may do what with its collections, files and functions. Held in
//! memory, and kept in a collection of the emulator's own among the environment's, so that fixtures store them in the same
//! commit as their documents. What modes and rules mean is `access/`'s.

use crate::access::{CUSTOM, CollectionRules, FileRules, FunctionRules, Mode, Permission, Problem, Target, Written};
use crate::accounts::PasswordHash;
use crate::error::ActionError;
use crate::forks;
use database::{CollectionName, Database, DatabaseError, FindRequest, RemoveRequest, Store, UpdateRequest};
use document::{Bson, Document, RawDocumentBuf};
use query::{Filter, Update};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// The collection that keeps the register. No collection of the cloud's begins with an underscore.
pub(crate) const COLLECTION: &str = "_emulator";

/// The user that a sign-in means in an environment without users.
const USER_DEFAULT: &str = "default";
const NAME_LENGTH_MAX: usize = 64;
/// As long as WeChat's.
const OPENID_LENGTH: usize = 28;
const OPENID_LENGTH_MAX: usize = 64;
/// How much of an openid may be the user's name, so that a number fits behind it.
const OPENID_NAME_LENGTH_MAX: usize = 20;

/// Beginnings of the ids under which entries are kept.
const ID_COLLECTION: &str = "collection:";
const ID_DEFAULT: &str = "default-user";
const ID_FILES: &str = "files";
const ID_FUNCTIONS: &str = "functions";
const ID_USER: &str = "user:";

/// A user of the mini program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// What the developer calls them; a `wx.login` code equal to it signs them in.
    pub name: String,
    /// Who they are to the mini program.
    pub openid: String,
    /// Nobody else's; in small letters.
    pub email: Option<String>,
    /// Nobody else's; with its country and without spaces.
    pub phone: Option<String>,
    /// `None`: they cannot sign in with a password.
    pub(crate) password: Option<PasswordHash>,
}

/// Everything a register holds, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Entries {
    /// In the order in which they were added.
    users: Vec<User>,
    /// The name of the user that `use` chose.
    chosen: Option<String>,
    collections: BTreeMap<String, Permission<CollectionRules>>,
    files: Option<Permission<FileRules>>,
    functions: Option<Written<FunctionRules>>,
}

/// One thing a register holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    User(User),
    /// The user chosen as the default one, by name.
    DefaultUser(String),
    Collection(String, Permission<CollectionRules>),
    Files(Permission<FileRules>),
    /// The rules of functions, which have no modes.
    Functions(Written<FunctionRules>),
}

/// The register of one environment.
#[derive(Debug)]
pub(crate) struct Register {
    entries: RwLock<Arc<Entries>>,
    database: Database,
    /// Held while entries are changed on disk and in memory.
    changing: tokio::sync::Mutex<()>,
}

/// The registers of all environments.
#[derive(Debug, Default)]
pub(crate) struct Registers {
    of_environments: Mutex<HashMap<String, Arc<Register>>>,
}

impl Registers {
    /// Reads those of all environments in `store`.
    pub(crate) async fn load(store: &Store) -> Result<Registers, DatabaseError> {
        let registers = Registers::default();
        for namespace in store.namespaces() {
            registers.of(&forks::database(store, &namespace)?).reload().await?;
        }
        Ok(registers)
    }

    /// Forgets that of a fork that was dropped.
    pub(crate) fn forget(&self, namespace: &str) {
        self.lock().remove(namespace);
    }

    /// That of the environment whose collections `database` holds; a new one is empty.
    pub(crate) fn of(&self, database: &Database) -> Arc<Register> {
        let mut registers = self.lock();
        let empty = || {
            Arc::new(Register {
                entries: RwLock::default(),
                database: database.clone(),
                changing: tokio::sync::Mutex::default(),
            })
        };
        registers.entry(database.namespace().to_owned()).or_insert_with(empty).clone()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Register>>> {
        // The map is whole after every operation, so a panic elsewhere cannot have left it half changed.
        self.of_environments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Register {
    /// What it holds now.
    pub(crate) fn entries(&self) -> Arc<Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps others from changing it, for as long as what is returned lives.
    pub(crate) async fn change(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Reads everything again from the collection that keeps it. For whoever is changing it.
    pub(crate) async fn reload(&self) -> Result<(), DatabaseError> {
        let entries = Entries::of_documents(self.documents().await?);
        self.publish(Arc::new(entries));
        Ok(())
    }

    /// Adds `entry`, or puts it in place of the one it is about.
    pub(crate) async fn put(&self, entry: Entry) -> Result<(), ActionError> {
        let _changing = self.change().await;
        self.ensure_collection().await?;
        let document = entry.document();
        let request = UpdateRequest {
            collection: own_collection()?,
            filter: Filter::parse(&id_of(&document))?,
            upsert: document.get("_id").cloned(),
            update: Update::replacement(document)?,
            multi: false,
            return_document: false,
        };
        self.database.update(request).await?;
        let mut entries = Entries::clone(&self.entries());
        entries.put(entry);
        self.publish(Arc::new(entries));
        Ok(())
    }

    /// Removes the user `name`, and the choice of them as the default one; returns whether there was such a user.
    pub(crate) async fn remove_user(&self, name: &str) -> Result<bool, ActionError> {
        let _changing = self.change().await;
        let mut entries = Entries::clone(&self.entries());
        if entries.user(name).is_none() {
            return Ok(false);
        }
        let was_chosen = entries.chosen.as_deref() == Some(name);
        self.remove_document(&format!("{ID_USER}{name}")).await?;
        if was_chosen {
            self.remove_document(ID_DEFAULT).await?;
            entries.chosen = None;
        }
        entries.users.retain(|user| user.name != name);
        self.publish(Arc::new(entries));
        Ok(true)
    }

    /// Everything in the collection that keeps it.
    pub(crate) async fn documents(&self) -> Result<Vec<RawDocumentBuf>, DatabaseError> {
        let collection = own_collection()?;
        if !self.database.collections().contains(&collection) {
            return Ok(Vec::new());
        }
        let request =
            FindRequest { collection, filter: Filter::all(), sort: None, skip: 0, limit: None, projection: None };
        self.database.find(request).await
    }

    async fn remove_document(&self, id: &str) -> Result<(), ActionError> {
        let filter = Filter::parse(&Document::from_iter([("_id".to_owned(), Bson::String(id.to_owned()))]))?;
        self.database.remove(RemoveRequest { collection: own_collection()?, filter, multi: false }).await?;
        Ok(())
    }

    async fn ensure_collection(&self) -> Result<(), DatabaseError> {
        match self.database.create_collection(&own_collection()?).await {
            Ok(()) | Err(DatabaseError::CollectionExists(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Holds `entries` from now on. For whoever is changing it, and has them on disk.
    pub(crate) fn publish(&self, entries: Arc<Entries>) {
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = entries;
    }
}

impl Entries {
    /// Those that the collection which keeps them holds.
    pub(crate) fn of_documents(documents: Vec<RawDocumentBuf>) -> Entries {
        let mut entries = Entries::default();
        for document in documents {
            if let Some(entry) = Document::try_from(document).ok().and_then(|document| Entry::read(&document)) {
                entries.put(entry);
            }
        }
        entries
    }

    /// The users, in the order in which they were added.
    pub(crate) fn users(&self) -> &[User] {
        &self.users
    }

    /// The user called `name`.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }

    /// The user that a sign-in means which names none: the chosen one, else the first, else one made up.
    pub(crate) fn default_user(&self) -> User {
        let chosen = self.chosen.as_deref().and_then(|name| self.user(name));
        chosen.or_else(|| self.users.first()).cloned().unwrap_or_else(|| User {
            name: USER_DEFAULT.into(),
            openid: self.fresh_openid(USER_DEFAULT),
            ..User::default()
        })
    }

    /// Who may do what with a collection; PRIVATE unless it was set (semantics DB-7.07).
    pub(crate) fn of_collection(&self, name: &str) -> Permission<CollectionRules> {
        self.collections.get(name).cloned().unwrap_or(Permission::Mode(Mode::Private))
    }

    /// Who may do what with files; READONLY unless it was set (semantics §7.4).
    pub(crate) fn of_files(&self) -> Permission<FileRules> {
        self.files.clone().unwrap_or(Permission::Mode(Mode::ReadOnly))
    }

    /// The rules of functions; without any, whoever has signed in may call them (semantics §7.5).
    pub(crate) fn of_functions(&self) -> Option<&Written<FunctionRules>> {
        self.functions.as_ref()
    }

    /// The collections whose mode was set, and it.
    pub(crate) fn collection_modes(&self) -> impl Iterator<Item = (&str, Mode)> {
        self.collections.iter().filter_map(|(name, permission)| match permission {
            Permission::Mode(mode) => Some((name.as_str(), *mode)),
            Permission::Rules(_) => None,
        })
    }

    /// The mode of files, if it was set.
    pub(crate) fn files_mode(&self) -> Option<Mode> {
        match &self.files {
            Some(Permission::Mode(mode)) => Some(*mode),
            Some(Permission::Rules(_)) | None => None,
        }
    }

    /// Every text of rules, and what it is for.
    pub(crate) fn rules(&self) -> Vec<(Target, &str)> {
        let collections = self.collections.iter().filter_map(|(name, permission)| match permission {
            Permission::Rules(rules) => Some((Target::Collection(name.clone()), rules.text())),
            Permission::Mode(_) => None,
        });
        let files = match &self.files {
            Some(Permission::Rules(rules)) => Some((Target::Files, rules.text())),
            Some(Permission::Mode(_)) | None => None,
        };
        let functions = self.functions.as_ref().map(|rules| (Target::Functions, rules.text()));
        collections.chain(files).chain(functions).collect()
    }

    /// A user called `name` with `openid` or, without one, an openid made from the name; refused where either is taken.
    pub(crate) fn new_user(&self, name: &str, openid: Option<&str>) -> Result<User, ActionError> {
        if !is_user_name(name) {
            let message = format!("`{name}` is no name for a user: 1 to {NAME_LENGTH_MAX} visible characters");
            return Err(ActionError::invalid_param(message));
        }
        if self.user(name).is_some() {
            return Err(ActionError::invalid_param(format!("there is a user `{name}` already")));
        }
        let openid = openid.map_or_else(|| self.fresh_openid(name), str::to_owned);
        if !is_openid(&openid) {
            let message = format!(
                "`{openid}` is no openid: 1 to {OPENID_LENGTH_MAX} letters, digits, `-` and `_`, as `oALICE0001`"
            );
            return Err(ActionError::invalid_param(message));
        }
        match self.users.iter().find(|user| user.openid == openid) {
            Some(user) => Err(ActionError::invalid_param(format!("`{openid}` is the openid of `{}`", user.name))),
            None => Ok(User { name: name.to_owned(), openid, ..User::default() }),
        }
    }

    /// Adds `entry`, or puts it in place of the one it is about.
    pub(crate) fn put(&mut self, entry: Entry) {
        match entry {
            Entry::User(user) => match self.users.iter_mut().find(|known| known.name == user.name) {
                Some(known) => *known = user,
                None => self.users.push(user),
            },
            Entry::DefaultUser(name) => self.chosen = Some(name),
            Entry::Collection(name, permission) => drop(self.collections.insert(name, permission)),
            Entry::Files(permission) => self.files = Some(permission),
            Entry::Functions(rules) => self.functions = Some(rules),
        }
    }

    /// One that tells people whose it is, the same wherever a user of that name is the first: `oALICE0000000000000000000001`.
    fn fresh_openid(&self, name: &str) -> String {
        let letters = name.chars().filter(char::is_ascii_alphanumeric).take(OPENID_NAME_LENGTH_MAX);
        let front = format!("o{}", letters.collect::<String>().to_ascii_uppercase());
        let width = OPENID_LENGTH - front.len();
        let mut candidates = (1_u64..).map(|number| format!("{front}{number:0>width$}"));
        let is_free = |openid: &String| self.users.iter().all(|user| user.openid != *openid);
        candidates.find(is_free).unwrap_or(front)
    }
}

impl Entry {
    /// That of the rules in `text`. Every mistake in them comes back with its place.
    pub(crate) fn of_rules(target: Target, text: &str) -> Result<Entry, Vec<Problem>> {
        Ok(match target {
            Target::Collection(name) => Entry::Collection(name, Permission::Rules(Written::of_collection(text)?)),
            Target::Files => Entry::Files(Permission::Rules(Written::of_files(text)?)),
            Target::Functions => Entry::Functions(Written::of_functions(text)?),
        })
    }

    /// The form it is kept in.
    pub(crate) fn document(&self) -> Document {
        let (id, name, value) = match self {
            Entry::User(user) => return user.document(),
            Entry::DefaultUser(name) => (ID_DEFAULT.to_owned(), "name", name.as_str()),
            Entry::Collection(name, permission) => (format!("{ID_COLLECTION}{name}"), "mode", permission.name()),
            Entry::Files(permission) => (ID_FILES.to_owned(), "mode", permission.name()),
            Entry::Functions(_) => (ID_FUNCTIONS.to_owned(), "mode", CUSTOM),
        };
        let rules = self.rules().map(|rules| ("rules", rules));
        let fields = [("_id", id.as_str()), (name, value)].into_iter().chain(rules);
        fields.map(|(name, text)| (name.to_owned(), Bson::String(text.to_owned()))).collect()
    }

    fn rules(&self) -> Option<&str> {
        match self {
            Entry::Collection(_, Permission::Rules(rules)) => Some(rules.text()),
            Entry::Files(Permission::Rules(rules)) => Some(rules.text()),
            Entry::Functions(rules) => Some(rules.text()),
            Entry::User(_)
            | Entry::DefaultUser(_)
            | Entry::Collection(_, Permission::Mode(_))
            | Entry::Files(Permission::Mode(_)) => None,
        }
    }

    /// `None` for what this version does not know.
    fn read(document: &Document) -> Option<Entry> {
        let id = document.get_str("_id").ok()?;
        if let Some(name) = id.strip_prefix(ID_USER) {
            return User::read(name, document).map(Entry::User);
        }
        if id == ID_DEFAULT {
            return Some(Entry::DefaultUser(document.get_str("name").ok()?.to_owned()));
        }
        let target = match (id.strip_prefix(ID_COLLECTION), id) {
            (Some(name), _) => Target::Collection(name.to_owned()),
            (None, ID_FILES) => Target::Files,
            (None, ID_FUNCTIONS) => Target::Functions,
            (None, _) => return None,
        };
        match document.get_str("rules") {
            Ok(text) => Entry::of_rules(target.clone(), text).or_else(|_| Entry::refusing(target)).ok(),
            Err(_) => Entry::of_mode(target, Mode::parse(document.get_str("mode").ok()?).ok()?),
        }
    }

    /// In place of rules that this version cannot read: nobody may do anything.
    fn refusing(target: Target) -> Result<Entry, Vec<Problem>> {
        let text = if target == Target::Functions { r#"{"*": {"invoke": false}}"# } else { "{}" };
        Entry::of_rules(target, text)
    }

    fn of_mode(target: Target, mode: Mode) -> Option<Entry> {
        match target {
            Target::Collection(name) => Some(Entry::Collection(name, Permission::Mode(mode))),
            Target::Files => Some(Entry::Files(Permission::Mode(mode))),
            Target::Functions => None,
        }
    }
}

impl User {
    /// The form it is kept in.
    fn document(&self) -> Document {
        let fields = [
            ("_id", Some(format!("{ID_USER}{}", self.name))),
            ("openid", Some(self.openid.clone())),
            ("email", self.email.clone()),
            ("phone", self.phone.clone()),
            ("password", self.password.as_ref().map(|hash| hash.text().to_owned())),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Bson::String(value?)))).collect()
    }

    fn read(name: &str, document: &Document) -> Option<User> {
        let text = |field: &str| document.get_str(field).ok().map(str::to_owned);
        Some(User {
            name: name.to_owned(),
            openid: text("openid")?,
            email: text("email"),
            phone: text("phone"),
            password: text("password").map(|hash| PasswordHash::kept(&hash)),
        })
    }
}

/// Whether `text` can be an openid.
pub(crate) fn is_openid(text: &str) -> bool {
    (1..=OPENID_LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_user_name(text: &str) -> bool {
    (1..=NAME_LENGTH_MAX).contains(&text.chars().count()) && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// The name of the collection that keeps a register.
pub(crate) fn own_collection() -> Result<CollectionName, DatabaseError> {
    CollectionName::parse(COLLECTION)
}

fn id_of(document: &Document) -> Document {
    document.get("_id").map(|id| Document::from_iter([("_id".to_owned(), id.clone())])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        for entry in [
            Entry::User(User { name: "小明".into(), openid: "o1".into(), ..User::default() }),
            Entry::User(User {
                name: "alice".into(),
                openid: "o2".into(),
                email: Some("a@b".into()),
                phone: Some("+8613800000000".into()),
                password: Some(PasswordHash::kept("salt$hash")),
            }),
            Entry::DefaultUser("alice".into()),
            Entry::Collection("todos".into(), Permission::Mode(Mode::AdminWrite)),
            Entry::Files(Permission::Mode(Mode::Private)),
            Entry::of_rules(Target::Collection("todos".into()), "{\"read\": true}").unwrap(),
            Entry::of_rules(Target::Files, "\n {\"read\": \"auth != null\"}").unwrap(),
            Entry::of_rules(Target::Functions, "{}").unwrap(),
        ] {
            assert_eq!(Entry::read(&entry.document()), Some(entry));
        }
        assert_eq!(Entry::read(&Document::new()), None);
    }

    #[test]
    fn openids_tell_whose_they_are() {
        let mut entries = Entries::default();
        for (name, openid) in [
            ("alice", "oALICE0000000000000000000001"),
            ("小明", "o000000000000000000000000001"),
            ("小红", "o000000000000000000000000002"),
            ("a-very-long-name-for-a-user", "oAVERYLONGNAMEFORAUSE0000001"),
        ] {
            let user = entries.new_user(name, None).unwrap();
            assert_eq!(user.openid, openid);
            entries.put(Entry::User(user));
        }
        assert!(entries.new_user("alice", None).is_err());
        assert!(entries.new_user("al", Some("oALICE0000000000000000000001")).is_err());
        assert!(entries.new_user("al", Some("not an openid")).is_err());
        assert!(entries.new_user("", None).is_err());
    }

    #[test]
    fn somebody_is_always_the_default_user() {
        let mut entries = Entries::default();
        assert_eq!(entries.default_user().name, "default");
        for name in ["alice", "bob"] {
            entries.put(Entry::User(entries.new_user(name, None).unwrap()));
        }
        assert_eq!(entries.default_user().name, "alice");
        entries.put(Entry::DefaultUser("bob".into()));
        assert_eq!(entries.default_user().name, "bob");
        entries.put(Entry::DefaultUser("gone".into()));
        assert_eq!(entries.default_user().name, "alice");
    }

    #[test]
    fn modes_have_defaults() {
        let mut entries = Entries::default();
        let names = |entries: &Entries| (entries.of_collection("c").name(), entries.of_files().name());
        assert_eq!(names(&entries), ("PRIVATE", "READONLY"));
        entries.put(Entry::Collection("c".into(), Permission::Mode(Mode::AdminOnly)));
        entries.put(Entry::of_rules(Target::Files, "{}").unwrap());
        assert_eq!(names(&entries), ("ADMINONLY", "CUSTOM"));
    }
}
