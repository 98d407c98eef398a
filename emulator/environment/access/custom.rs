//! Asking security rules on a user's behalf: who the user is to rules, where `get()` finds documents, and what a refusal
//! says to whom. What rules mean is `rules/`'s.
//!
//! ## Differences from the cloud
//! - `auth` is never null: whoever has not signed in is refused at the door, with CHECK_LOGIN_FAILED.

use super::Touch;
use super::permission::Written;
use super::rules::{
    CollectionRules, Documents, FileOperation, FileRules, Identity, Operation, Reference, Refusal, Request, Subject,
};
use crate::caller::Caller;
use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use crate::files::StoredFile;
use crate::tokens::Login;
use database::{CollectionName, DatabaseError, FindRequest};
use document::{Bson, DateTime, Document, RawDocumentBuf};
use query::Filter;
use serde_json::{Value, json};
use storage::FilePath;

/// How deep the paths of an update are followed in `request.data`: as deep as documents may be (semantics DB-8.07).
const PAYLOAD_DEPTH_MAX: usize = 100;

/// A user in front of a collection's rules.
pub(crate) struct Asker<'a> {
    environment: &'a Environment,
    identity: Identity,
    now: DateTime,
    collection: &'a CollectionName,
    rules: &'a CollectionRules,
}

impl<'a> Asker<'a> {
    /// `caller`, a user, in front of the rules of `collection`.
    pub(crate) fn of(
        environment: &'a Environment,
        caller: &Caller,
        collection: &'a CollectionName,
        rules: &'a Written<CollectionRules>,
        now: DateTime,
    ) -> Asker<'a> {
        Asker { environment, identity: identity_of(caller), now, collection, rules: rules.rules() }
    }

    /// Refuses `operation` where its rule does not admit `subject`. `data` is `request.data`.
    pub(crate) async fn check(
        &self,
        operation: Operation,
        subject: Subject<'_>,
        data: Option<&Document>,
    ) -> Result<(), ActionError> {
        let request = Request::new(Some(&self.identity), self.now);
        let request = match data {
            Some(data) => request.with_data(data),
            None => request,
        };
        match self.rules.rule(operation).admits(subject, &request, &Shelf(self.environment)).await? {
            Ok(()) => Ok(()),
            Err(refusal) => {
                tell(&format!("collection `{}`", self.collection), &refusal);
                Err(refused(codes::DATABASE_PERMISSION_DENIED, "Permission denied", &refusal))
            }
        }
    }

    /// Whether the caller may read `document`. Unlike a refusal, a no is nothing that the log tells of.
    pub(crate) async fn may_read(&self, document: &RawDocumentBuf) -> Result<bool, ActionError> {
        let document = &decode(document)?;
        let request = Request::new(Some(&self.identity), self.now);
        let rule = self.rules.rule(Operation::Read);
        Ok(rule.admits(Subject::Document(document), &request, &Shelf(self.environment)).await?.is_ok())
    }
}

/// Refuses what the rules of files do not let `caller` do with the file at `path`: the one there, else one of their own.
pub(super) fn check_file(
    environment: &Environment,
    caller: &Caller,
    rules: &Written<FileRules>,
    path: &FilePath,
    file: Option<&StoredFile>,
    touch: Touch,
) -> Result<(), ActionError> {
    let identity = identity_of(caller);
    let request = Request::new(Some(&identity), environment.shared.clock.now());
    let owner = file.map_or(caller.user.as_deref(), |file| file.owner.as_deref());
    let text = |text: &str| Bson::String(text.to_owned());
    let owner = owner.map(|owner| ("openid".to_owned(), text(owner)));
    let resource = owner.into_iter().chain([("path".to_owned(), text(path.as_str()))]).collect();
    let rule = rules.rules().rule(match touch {
        Touch::Read => FileOperation::Read,
        Touch::Write => FileOperation::Write,
    });
    rule.admits_at_once(Subject::File(&resource), &request).map_err(|refusal| {
        tell(&format!("file `{path}`"), &refusal);
        refused(codes::STORAGE_EXCEED_AUTHORITY, "storage permission denied", &refusal)
    })
}

/// Refuses what the rules of functions do not let `caller` call.
pub(super) fn check_function(environment: &Environment, caller: &Caller, name: &str) -> Result<(), ActionError> {
    let entries = environment.register.entries();
    let Some(rules) = entries.of_functions() else { return Ok(()) };
    let identity = identity_of(caller);
    let request = Request::new(Some(&identity), environment.shared.clock.now());
    rules.rules().rule(name).admits_at_once(Subject::Call, &request).map_err(|refusal| {
        tell(&format!("function `{name}`"), &refusal);
        refused(codes::PERMISSION_DENIED, "Permission denied", &refusal)
    })
}

/// What an update says, as rules see it in `request.data`: the fields that `$set` and its like give a value, dotted names
/// nested; a field that another operator changes holds that operator.
pub(crate) fn payload(update: &Document) -> Document {
    let mut payload = Document::new();
    for (operator, fields) in update {
        let Bson::Document(fields) = fields else { continue };
        for (path, value) in fields {
            let by_operator = || Bson::Document(Document::from_iter([(operator.clone(), value.clone())]));
            if let (Bson::String(target), "$rename") = (value, operator.as_str()) {
                put(&mut payload, target, by_operator(), PAYLOAD_DEPTH_MAX);
            }
            let is_given = matches!(operator.as_str(), "$set" | "$setOnInsert");
            put(&mut payload, path, if is_given { value.clone() } else { by_operator() }, PAYLOAD_DEPTH_MAX);
        }
    }
    payload
}

/// Puts `value` at a dotted path, making documents on the way, `depth` at most.
fn put(document: &mut Document, path: &str, value: Bson, depth: usize) {
    match path.split_once('.').filter(|_| depth > 0) {
        None => drop(document.insert(path, value)),
        Some((first, rest)) => {
            let mut below = match document.remove(first) {
                Some(Bson::Document(below)) => below,
                Some(_) | None => Document::new(),
            };
            put(&mut below, rest, value, depth - 1);
            document.insert(first, below);
        }
    }
}

/// Who a signed-in caller is to rules: `auth.openid` after a login by WeChat, `auth.uid` after any other.
fn identity_of(caller: &Caller) -> Identity {
    let login_type = caller.login.and_then(|login| serde_json::to_value(login).ok());
    let login_type = login_type.and_then(|login| login.as_str().map(str::to_owned));
    let is_wechat = caller.login.is_none_or(|login| login == Login::Wechat);
    let (openid, uid) = if is_wechat { (caller.user.clone(), None) } else { (None, caller.user.clone()) };
    Identity { openid, uid, login_type, custom: None }
}

/// Where `get()` finds documents: past every permission, but for the emulator's own.
struct Shelf<'a>(&'a Environment);

impl Documents for Shelf<'_> {
    type Error = ActionError;

    async fn document(&self, reference: &Reference) -> Result<Option<Document>, ActionError> {
        let Ok(collection) = super::collection(&reference.collection) else { return Ok(None) };
        for id in reference.ids() {
            let is_it = Document::from_iter([("$eq".to_owned(), id)]);
            let query = Document::from_iter([("_id".to_owned(), Bson::Document(is_it))]);
            let (collection, filter) = (collection.clone(), Filter::parse(&query)?);
            let request = FindRequest { collection, filter, sort: None, skip: 0, limit: Some(1), projection: None };
            let found = match self.0.database.find(request).await {
                Ok(found) => found,
                Err(DatabaseError::CollectionMissing(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if let Some(document) = found.first() {
                return decode(document).map(Some);
            }
        }
        Ok(None)
    }
}

fn decode(document: &RawDocumentBuf) -> Result<Document, ActionError> {
    let decoded = Document::try_from(document.as_ref());
    decoded.map_err(|error| DatabaseError::Corrupt(error.to_string()).into())
}

/// Says in the log, which is the developer's, everything of a refusal.
fn tell(what: &str, refusal: &Refusal) {
    tracing::warn!("{what}: {}", refusal.details().join("\n"));
}

/// The refusal for whoever asked: without what `get()` read.
fn refused(code: &'static str, text: &str, refusal: &Refusal) -> ActionError {
    let reason = refusal.to_string();
    let mut explanation = json!({ "reason": reason });
    let add = refusal.add.as_ref().filter(|_| !refusal.add_looked_up);
    if let (Some(add), Value::Object(fields)) = (add, &mut explanation) {
        fields.insert("where".to_owned(), document::encode_value(add.into(), document::Dialect::A));
    }
    ActionError { explanation: Some(Box::new(explanation)), ..ActionError::new(code, format!("{text}: {reason}")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use document::decode_text;

    #[test]
    fn what_an_update_says() {
        check(r#"{"$set": {"a": 1, "b.c": 2, "b.d": 3}}"#, r#"{"a": 1, "b": {"c": 2, "d": 3}}"#);
        check(r#"{"$inc": {"n": 1}, "$set": {"a": 1}}"#, r#"{"n": {"$inc": 1}, "a": 1}"#);
        check(r#"{"$rename": {"a": "role"}}"#, r#"{"role": {"$rename": "role"}, "a": {"$rename": "role"}}"#);
        check(r#"{"$set": 1}"#, "{}");
    }

    #[test]
    fn who_a_caller_is() {
        let alice = identity_of(&Caller::of_user("e", "alice", Login::Wechat));
        assert_eq!(
            (alice.openid.as_deref(), alice.uid, alice.login_type.as_deref()),
            (Some("alice"), None, Some("WECHAT"))
        );
        let guest = identity_of(&Caller::of_user("e", "guest", Login::Anonymous));
        assert_eq!(
            (guest.openid, guest.uid.as_deref(), guest.login_type.as_deref()),
            (None, Some("guest"), Some("ANONYMOUS"))
        );
    }

    fn check(update: &str, expected: &str) {
        let read = |text: &str| decode_text(text, DateTime::from_millis(0)).unwrap();
        assert_eq!(payload(&read(update)), read(expected), "{update}");
    }
}
