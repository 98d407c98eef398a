//! Who may do what with documents, files and functions: the cloud's permissions (semantics §7). Administrators may do
//! everything. Under a simple mode a user's reads and writes are narrowed to what the mode lets them reach, or refused;
//! under CUSTOM nothing is narrowed: the query that is going to run must lie inside the rule, or is refused. What is set
//! for what is kept in `register.rs`.

mod custom;
mod mode;
mod permission;
mod rules;

pub(crate) use custom::{Asker, payload};
pub(crate) use mode::{Mode, Reach};
pub(crate) use permission::{CUSTOM, Permission, Written};
pub(crate) use rules::{
    CollectionRules, FileRules, FunctionRules, Kind, Operation, Problem, RuleBook, Severity, Subject, Target, check,
    check_book, join, run, split,
};

use crate::caller::Caller;
use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use crate::files::{self, StoredFile};
use crate::register::{self, Entries};
use database::{CollectionName, UpdateRequest};
use document::{Bson, DateTime, Document};
use query::Filter;
use storage::FilePath;

/// The field that names the user who created a document.
pub(crate) const OWNER_FIELD: &str = "_openid";

/// What stands for the caller's openid in queries and in what is created (semantics DB-7.09, UNC-30).
const OPENID_TEMPLATE: &str = "{openid}";

/// What is done with documents or files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    Read,
    Write,
}

/// The collection that a request names. The emulator's own is nobody's.
pub(crate) fn collection(name: &str) -> Result<CollectionName, ActionError> {
    let name = CollectionName::parse(name)?;
    if is_own(&name) {
        return Err(denied(format!("the collection `{name}` is the emulator's own")));
    }
    Ok(name)
}

/// Whether a collection is the emulator's own.
pub(crate) fn is_own(name: &CollectionName) -> bool {
    [register::COLLECTION, files::COLLECTION].contains(&name.as_str())
}

/// What a user is about to do with the documents that a query finds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed<'a> {
    Read,
    /// Updating them, with what rules see as `request.data`.
    Update(&'a Document),
    /// Updating them, and answering with one.
    UpdateAndRead(&'a Document),
    Remove,
}

impl<'a> Deed<'a> {
    fn touch(self) -> Touch {
        match self {
            Deed::Read => Touch::Read,
            Deed::Update(_) | Deed::UpdateAndRead(_) | Deed::Remove => Touch::Write,
        }
    }

    /// What rules are asked, with `request.data`.
    fn operations(self) -> Vec<(Operation, Option<&'a Document>)> {
        match self {
            Deed::Read => vec![(Operation::Read, None)],
            Deed::Update(data) => vec![(Operation::Update, Some(data))],
            Deed::UpdateAndRead(data) => vec![(Operation::Update, Some(data)), (Operation::Read, None)],
            Deed::Remove => vec![(Operation::Delete, None)],
        }
    }
}

/// The filter of `query`, of whose documents `caller` may do `deed`. Under a mode it is narrowed to those (semantics
/// DB-7.02, DB-7.03), and refused where that is none (DB-7.05); under rules it is refused unless it lies inside them
/// (DB-7.22). `query` has its `{openid}` filled in already. Looks at the permission as it is now.
pub(crate) async fn permitted(
    environment: &Environment,
    caller: &Caller,
    collection: &CollectionName,
    query: &Document,
    deed: Deed<'_>,
    now: DateTime,
) -> Result<Filter, ActionError> {
    let filter = Filter::parse(query)?;
    let Some(user) = user_of(environment, caller)? else { return Ok(filter) };
    match environment.register.entries().of_collection(collection.as_str()) {
        Permission::Mode(mode) => match mode.reach(deed.touch()) {
            Reach::All => Ok(filter),
            Reach::Own => Ok(filter.and(Filter::parse(&owned_by(user))?)),
            Reach::None => Err(denied_by_mode(collection, mode)),
        },
        Permission::Rules(rules) => {
            let asker = Asker::of(environment, caller, collection, &rules, now);
            for (operation, data) in deed.operations() {
                asker.check(operation, Subject::Query(query), data).await?;
            }
            Ok(filter)
        }
    }
}

/// What a caller may read of a collection, to be compared with what they might later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Readable {
    Mode(Reach),
    Rules(Written<CollectionRules>),
}

/// What `caller` may read of `collection` where a register holds `entries`.
pub(crate) fn readable(entries: &Entries, caller: &Caller, collection: &CollectionName) -> Readable {
    if caller.is_administrator() {
        return Readable::Mode(Reach::All);
    }
    match entries.of_collection(collection.as_str()) {
        Permission::Mode(mode) => Readable::Mode(mode.reach(Touch::Read)),
        Permission::Rules(rules) => Readable::Rules(rules),
    }
}

/// The user that documents which `caller` creates in `collection` are to belong to; `None` for administrators. Refused where
/// the mode lets users create none; rules are asked later, by [`check_created`].
pub(crate) fn creator<'a>(
    environment: &Environment,
    caller: &'a Caller,
    collection: &CollectionName,
) -> Result<Option<&'a str>, ActionError> {
    let Some(user) = user_of(environment, caller)? else { return Ok(None) };
    match environment.register.entries().of_collection(collection.as_str()) {
        Permission::Mode(mode) if mode.reach(Touch::Write) == Reach::None => Err(denied_by_mode(collection, mode)),
        Permission::Mode(_) | Permission::Rules(_) => Ok(Some(user)),
    }
}

/// Refuses a new document of `collection`, whole as it will be stored, that the rules do not let `caller` create (semantics
/// DB-7.24).
pub(crate) async fn check_created(
    environment: &Environment,
    caller: &Caller,
    collection: &CollectionName,
    document: &Document,
    now: DateTime,
) -> Result<(), ActionError> {
    match readable(&environment.register.entries(), caller, collection) {
        Readable::Rules(rules) => {
            let asker = Asker::of(environment, caller, collection, &rules, now);
            asker.check(Operation::Create, Subject::Document(document), Some(document)).await
        }
        Readable::Mode(_) => Ok(()),
    }
}

/// The same for the document that `request` would create where it finds none (semantics DB-7.27).
pub(crate) async fn check_upsert(
    environment: &Environment,
    caller: &Caller,
    request: &UpdateRequest,
    now: DateTime,
) -> Result<(), ActionError> {
    let has_rules =
        matches!(readable(&environment.register.entries(), caller, &request.collection), Readable::Rules(_));
    // One that cannot be made fails by itself, if it comes to that.
    match request.document_to_insert() {
        Ok(Some(document)) if has_rules => {
            check_created(environment, caller, &request.collection, &document, now).await
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Refuses what `caller` may not do with the file at `path`, or with a new one there, by -503002's code (semantics §7.4).
pub(crate) fn check_file(
    environment: &Environment,
    caller: &Caller,
    path: &FilePath,
    file: Option<&StoredFile>,
    touch: Touch,
) -> Result<(), ActionError> {
    let Some(user) = user_of(environment, caller)? else { return Ok(()) };
    let mode = match environment.register.entries().of_files() {
        Permission::Mode(mode) => mode,
        Permission::Rules(rules) => return custom::check_file(environment, caller, &rules, path, file, touch),
    };
    let is_allowed = match mode.reach(touch) {
        Reach::All => true,
        Reach::Own => file.is_none_or(|file| file.owner.as_deref() == Some(user)),
        Reach::None => false,
    };
    if is_allowed { Ok(()) } else { Err(ActionError::storage_denied(path.as_str())) }
}

/// Refuses a call of the function `name` by a user whom the rules do not let (semantics §7.5).
pub(crate) fn check_function(environment: &Environment, caller: &Caller, name: &str) -> Result<(), ActionError> {
    match user_of(environment, caller)? {
        Some(_) => custom::check_function(environment, caller, name),
        None => Ok(()),
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

fn denied_by_mode(collection: &CollectionName, mode: Mode) -> ActionError {
    denied(format!("the collection `{collection}` has the permission mode {}", mode.name()))
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
    use document::decode_text;

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
