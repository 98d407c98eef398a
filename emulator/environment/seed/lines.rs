//! The files of a fixture folder beside documents and bodies, as people and `export` write them.

use crate::access::{Mode, Permission};
use crate::accounts::{Address, PasswordHash};
use crate::error::ActionError;
use crate::register::{Entries, User};
use document::{Bson, DateTime, FileForm, ValueRef, write_file_value};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a fixture folder may hold, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FixtureFile {
    Database,
    Files,
    Indexes,
    Permissions,
    Rules,
    Storage,
    Users,
}

/// Everything that a fixture folder may hold, sorted.
pub const FIXTURE_ENTRIES: &[&str] =
    &["database", "files.json", "indexes.json", "permissions.json", "rules.json", "storage", "users.json"];

/// Where bodies stand whose paths cannot be names on disk.
const FOLDER_UNNAMED: &str = ".unnamed";

impl FixtureFile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            FixtureFile::Database => "database",
            FixtureFile::Files => "files.json",
            FixtureFile::Indexes => "indexes.json",
            FixtureFile::Permissions => "permissions.json",
            FixtureFile::Rules => "rules.json",
            FixtureFile::Storage => "storage",
            FixtureFile::Users => "users.json",
        }
    }
}

/// One user of `users.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct UserLine {
    pub(crate) name: String,
    /// Made from the name when it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) openid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    /// As they type it; kept as a hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// As it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<String>,
    /// Whether sign-ins mean this user when they name none. Without one, the first user is meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) default: bool,
}

/// `permissions.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Permissions {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) collections: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) files: Option<String>,
}

/// `files.json`: what is known of stored files beside their bodies, by path. A file need not stand here.
pub(crate) type FileLines = BTreeMap<String, FileLine>;

/// One file of `files.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct FileLine {
    /// Guessed from the path without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    /// The openid of who uploaded it; without one, the server has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// When it was stored, in words or milliseconds; without one, the moment of seeding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<Value>,
    /// Where its body is under `storage/`, for a path that cannot be a name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
}

impl UserLine {
    /// The users of a register, in their order.
    pub(crate) fn all(entries: &Entries) -> Vec<UserLine> {
        let users = entries.users();
        let default = entries.default_user().name;
        let line = |user: &User| UserLine {
            name: user.name.clone(),
            openid: Some(user.openid.clone()),
            email: user.email.clone(),
            phone: user.phone.clone(),
            password: None,
            password_hash: user.password.as_ref().map(|hash| hash.text().to_owned()),
            default: users.len() > 1 && user.name == default,
        };
        users.iter().map(line).collect()
    }

    /// The user that it means among those who are `known`.
    pub(crate) fn user(&self, known: &Entries) -> Result<User, ActionError> {
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
        match (&self.password, &self.password_hash) {
            (Some(_), Some(_)) => {
                return Err(ActionError::invalid_param("`password` and `passwordHash` are two ways to say one thing"));
            }
            (Some(password), None) => user.password = Some(PasswordHash::of(password)?),
            (None, Some(hash)) => user.password = Some(PasswordHash::read(hash)?),
            (None, None) => {}
        }
        Ok(user)
    }
}

impl Permissions {
    /// The modes of a register. Rules stand elsewhere.
    pub(crate) fn of(entries: &Entries) -> Permissions {
        let mode = |mode: Mode| Permission::<()>::Mode(mode).name().to_owned();
        Permissions {
            collections: entries.collection_modes().map(|(name, found)| (name.to_owned(), mode(found))).collect(),
            files: entries.files_mode().map(mode),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.collections.is_empty() && self.files.is_none()
    }
}

impl FileLine {
    /// How a date is written.
    pub(crate) fn date(date: DateTime) -> Value {
        let mut text = String::new();
        write_file_value(ValueRef::DateTime(date), FileForm::Relaxed, &mut text);
        let words = serde_json::from_str(&text).ok().and_then(|json: Value| json.get("$date").cloned());
        words.filter(Value::is_string).unwrap_or_else(|| json!(date.timestamp_millis()))
    }

    /// Where the body of the file `number` stands whose path is no name.
    pub(crate) fn source(number: usize) -> String {
        format!("{FOLDER_UNNAMED}/{number}")
    }

    /// When it was stored, in milliseconds since 1970, or what is wrong with that.
    pub(crate) fn modified_ms(&self) -> Result<Option<i64>, String> {
        let Some(modified) = &self.modified else { return Ok(None) };
        let decoded = document::decode(&json!({ "$date": modified }), DateTime::MIN);
        match decoded {
            Ok(Bson::DateTime(date)) if !modified.is_object() => Ok(Some(date.timestamp_millis())),
            Ok(_) | Err(_) => {
                Err(format!("modified: {modified} is no date: `2026-01-31T12:00:00Z` is, or milliseconds"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn entries_are_sorted_and_all_there() {
        assert!(FIXTURE_ENTRIES.is_sorted());
        let all = [
            FixtureFile::Database,
            FixtureFile::Files,
            FixtureFile::Indexes,
            FixtureFile::Permissions,
            FixtureFile::Rules,
            FixtureFile::Storage,
            FixtureFile::Users,
        ];
        assert_eq!(all.map(FixtureFile::name), FIXTURE_ENTRIES);
    }

    #[test]
    fn dates_come_back() {
        for milliseconds in [0, 882, -1, 1_700_000_000_000, i64::MAX] {
            let line =
                FileLine { modified: Some(FileLine::date(DateTime::from_millis(milliseconds))), ..FileLine::default() };
            assert_eq!(line.modified_ms(), Ok(Some(milliseconds)));
        }
        let line = FileLine { modified: Some(json!("noon")), ..FileLine::default() };
        assert!(line.modified_ms().unwrap_err().starts_with("modified: \"noon\" is no date"));
    }
}
