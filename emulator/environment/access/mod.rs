//! Who may do what with documents and files: the cloud's simple permission modes (semantics §7). Administrators may do
//! everything; a user's reads and writes are narrowed to what the mode lets them reach, or refused. What the modes are set
//! to is kept in `register.rs`.

mod mode;

pub(crate) use mode::{Mode, Reach};

use crate::caller::Caller;
use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use crate::register;
use database::CollectionName;
use document::{Bson, Document};
use query::Filter;
use storage::StoredFile;

/// The field that names the user who created a document.
pub(crate) const OWNER_FIELD: &str = "_openid";

/// What stands for the caller's openid in queries and in what is created (semantics DB-7.09, UNC-30).
const OPENID_TEMPLATE: &str = "{openid}";

/// Which files of an environment, or none, a caller may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    Read,
    Write,
}

/// The collection that a request names. The emulator's own is nobody's.
pub(crate) fn collection(name: &str) -> Result<CollectionName, ActionError> {
    let name = CollectionName::parse(name)?;
    if name.as_str() == register::COLLECTION {
        return Err(denied(format!("the collection `{name}` is the emulator's own")));
    }
    Ok(name)
}

/// `filter`, narrowed to the documents of `collection` that `caller` may read (semantics DB-7.02, DB-7.05); refused where
/// that is none. Looks at the mode as it is now.
pub(crate) fn read_filter(
    environment: &Environment,
    caller: &Caller,
    collection: &CollectionName,
    filter: Filter,
) -> Result<Filter, ActionError> {
    narrow(environment, caller, collection, filter, Touch::Read)
}

/// `filter`, narrowed to the documents that `caller` may change or remove (semantics DB-7.03, DB-7.05).
pub(crate) fn write_filter(
    environment: &Environment,
    caller: &Caller,
    collection: &CollectionName,
    filter: Filter,
) -> Result<Filter, ActionError> {
    narrow(environment, caller, collection, filter, Touch::Write)
}

fn narrow(
    environment: &Environment,
    caller: &Caller,
    collection: &CollectionName,
    filter: Filter,
    touch: Touch,
) -> Result<Filter, ActionError> {
    let Some(user) = user_of(environment, caller)? else { return Ok(filter) };
    let mode = environment.register.entries().of_collection(collection.as_str());
    let reach = match touch {
        Touch::Read => mode.readable(),
        Touch::Write => mode.writable(),
    };
    match reach {
        Reach::All => Ok(filter),
        Reach::Own => Ok(filter.and(Filter::parse(&owned_by(user))?)),
        Reach::None => Err(denied(format!("the collection `{collection}` has the permission mode {}", mode.name()))),
    }
}

/// Lets `caller` create documents in `collection`, and returns the user they are to belong to; `None` for administrators.
pub(crate) fn creator<'a>(
    environment: &Environment,
    caller: &'a Caller,
    collection: &CollectionName,
) -> Result<Option<&'a str>, ActionError> {
    let Some(user) = user_of(environment, caller)? else { return Ok(None) };
    let mode = environment.register.entries().of_collection(collection.as_str());
    match mode.writable() {
        Reach::All | Reach::Own => Ok(Some(user)),
        Reach::None => Err(denied(format!("the collection `{collection}` has the permission mode {}", mode.name()))),
    }
}

/// Whether `caller` may touch `file` of `environment`, or make it where there is none (semantics §7.4).
pub(crate) fn may_touch_file(
    environment: &Environment,
    caller: &Caller,
    file: Option<&StoredFile>,
    touch: Touch,
) -> Result<bool, ActionError> {
    let Some(user) = user_of(environment, caller)? else { return Ok(true) };
    Ok(may_user_touch_file(environment.register.entries().of_files(), user, file, touch))
}

/// Whether `user` may touch `file`, or make it where there is none, under `mode`.
pub(crate) fn may_user_touch_file(mode: Mode, user: &str, file: Option<&StoredFile>, touch: Touch) -> bool {
    let reach = match touch {
        Touch::Read => mode.readable(),
        Touch::Write => mode.writable(),
    };
    match reach {
        Reach::All => true,
        Reach::Own => file.is_none_or(|file| file.owner.as_deref() == Some(user)),
        Reach::None => false,
    }
}

/// Refuses what only administrators may do.
pub(crate) fn administrators_only(caller: &Caller, what: &str) -> Result<(), ActionError> {
    if caller.is_administrator() { Ok(()) } else { Err(denied(format!("{what} is for administrators"))) }
}

/// The user whose rights are to be looked at; `None` for administrators.
pub(crate) fn user_of<'a>(environment: &Environment, caller: &'a Caller) -> Result<Option<&'a str>, ActionError> {
    if caller.is_administrator() {
        return Ok(None);
    }
    match (&caller.user, caller.environment.as_deref()) {
        (Some(user), Some(name)) if *name == *environment.name => Ok(Some(user)),
        (Some(_), _) => Err(ActionError::login_failed("the access token is of another environment")),
        (None, _) => Err(ActionError::login_failed("sign in first: the request carries no access token")),
    }
}

/// Puts the caller's openid where a query, or a document to be created, says `{openid}`.
pub(crate) fn fill_in_openid(caller: &Caller, document: &mut Document) {
    if let Some(user) = &caller.user {
        document.iter_mut().for_each(|(_, value)| fill_in(user, value));
    }
}

fn fill_in(user: &str, value: &mut Bson) {
    match value {
        Bson::String(text) if text == OPENID_TEMPLATE => user.clone_into(text),
        Bson::Document(document) => document.iter_mut().for_each(|(_, value)| fill_in(user, value)),
        Bson::Array(values) => values.iter_mut().for_each(|value| fill_in(user, value)),
        _ => {}
    }
}

/// Refuses data of a user that names the owner's field: the cloud alone sets it (semantics DB-7.01).
pub(crate) fn refuse_owner_in_document(document: &Document) -> Result<(), ActionError> {
    if document.keys().any(|key| is_owner_path(key)) { Err(invalid_owner_key()) } else { Ok(()) }
}

/// The same for an update by operators: in no operator may a path lead to the owner's field, nor `$rename` make it.
pub(crate) fn refuse_owner_in_update(update: &Document) -> Result<(), ActionError> {
    for (operator, fields) in update {
        let Bson::Document(fields) = fields else { continue };
        let renames = operator == "$rename";
        let names_owner = |(path, value): (&String, &Bson)| {
            is_owner_path(path) || (renames && value.as_str().is_some_and(is_owner_path))
        };
        if fields.iter().any(names_owner) {
            return Err(invalid_owner_key());
        }
    }
    Ok(())
}

/// The documents of `user`, as a query.
fn owned_by(user: &str) -> Document {
    Document::from_iter([(OWNER_FIELD.to_owned(), Bson::String(user.to_owned()))])
}

fn is_owner_path(path: &str) -> bool {
    path.strip_prefix(OWNER_FIELD).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn invalid_owner_key() -> ActionError {
    ActionError::invalid_param(format!("Invalid Key Name: {OWNER_FIELD}"))
}

fn denied(why: String) -> ActionError {
    ActionError::new(codes::DATABASE_PERMISSION_DENIED, format!("Permission denied: {why}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::caller::Door;
    use crate::tokens::Login;
    use document::{DateTime, decode_text};

    #[test]
    fn the_template_becomes_the_caller() {
        let template = r#"{"a": "{openid}", "b": [{"c": "{openid}"}], "d": "x{openid}"}"#;
        check_filled(
            &Caller::of_user("e", "alice", Login::Wechat),
            template,
            r#"{"a": "alice", "b": [{"c": "alice"}], "d": "x{openid}"}"#,
        );
        check_filled(&Caller::new(Door::Admin, None), template, template);
    }

    #[test]
    fn the_owner_is_the_clouds_to_set() {
        for (update, refused) in [
            (r#"{"$set": {"a": 1, "_openid": "x"}}"#, true),
            (r#"{"$set": {"_openid.a": 1}}"#, true),
            (r#"{"$unset": {"_openid": ""}}"#, true),
            (r#"{"$rename": {"a": "_openid"}}"#, true),
            (r#"{"$rename": {"_openid": "a"}}"#, true),
            (r#"{"$set": {"a._openid": 1, "_openids": 2, "b": "_openid"}}"#, false),
        ] {
            let outcome = refuse_owner_in_update(&read(update));
            assert_eq!(outcome.is_err(), refused, "{update}");
            assert!(outcome.is_ok() || outcome == Err(ActionError::invalid_param("Invalid Key Name: _openid")));
        }
        assert!(refuse_owner_in_document(&read(r#"{"_openid": "x"}"#)).is_err());
        assert!(refuse_owner_in_document(&read(r#"{"a": {"_openid": "x"}}"#)).is_ok());
    }

    fn check_filled(caller: &Caller, text: &str, expected: &str) {
        let mut document = read(text);
        fill_in_openid(caller, &mut document);
        assert_eq!(document, read(expected), "{text}");
    }

    fn read(text: &str) -> Document {
        decode_text(text, DateTime::from_millis(0)).unwrap()
    }
}
