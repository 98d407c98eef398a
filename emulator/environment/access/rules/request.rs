//! What a rule is asked about: who asks, when, with what, and the documents that `get()` reads on the way.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;

use document::{Bson, DateTime, Document};

/// What is known of whoever asks: `auth` in rules. What is `None` is missing there, and a rule that needs it is false.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Identity {
    /// The openid, after a login by WeChat.
    pub(crate) openid: Option<String>,
    /// The user id, after any other login.
    pub(crate) uid: Option<String>,
    /// `WECHAT`, `ANONYMOUS`, `CUSTOM` … as the cloud spells them.
    pub(crate) login_type: Option<String>,
    /// What `cloudbase_auth` answered, for shared environments.
    pub(crate) custom: Option<Bson>,
}

impl Identity {
    /// `auth` as a document.
    fn to_document(&self) -> Document {
        let text = |text: &Option<String>| text.clone().map(Bson::String);
        let fields = [
            ("openid", text(&self.openid)),
            ("uid", text(&self.uid)),
            ("loginType", text(&self.login_type)),
            ("custom", self.custom.clone()),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// What `{openid}` stands for: the openid, else the uid.
    pub(super) fn template_value(&self) -> Option<&str> {
        self.openid.as_deref().or(self.uid.as_deref())
    }
}

/// A request, as far as every rule sees it.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    pub(super) identity: Option<&'a Identity>,
    pub(super) auth: Bson,
    pub(super) now: DateTime,
    pub(super) data: Option<&'a Document>,
}

impl<'a> Request<'a> {
    /// A request of `identity`, which is `None` for whoever has not signed in: `auth` is null then.
    pub(crate) fn new(identity: Option<&'a Identity>, now: DateTime) -> Request<'a> {
        let auth = identity.map_or(Bson::Null, |identity| Bson::Document(identity.to_document()));
        Request { identity, auth, now, data: None }
    }

    /// The same with `request.data`: the new document of a create, the payload of an update.
    #[must_use]
    pub(crate) fn with_data(self, data: &'a Document) -> Request<'a> {
        Request { data: Some(data), ..self }
    }
}

/// What a rule is to admit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// Whatever a query finds, its `{openid}` filled in. Proved, without looking at data (semantics DB-7.22).
    Query(&'a Document),
    /// One document: the new one of a create, or one that has left a watched query.
    Document(&'a Document),
    /// A file, as `{openid: the creator, path, …}`; a new one as it is going to be.
    File(&'a Document),
    /// A function's call.
    Call,
}

/// The document that a `get()` names: `database.collection.id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    pub(crate) collection: String,
    /// The id as it stands in the text.
    pub(crate) id: String,
}

impl Reference {
    /// The ids that may be meant, the likelier first: in the text `5` and `"5"` look the same.
    pub(crate) fn ids(&self) -> Vec<Bson> {
        let number = self.id.parse::<i64>().ok().filter(|number| number.to_string() == self.id);
        let number = number.map(|number| i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32));
        [Bson::String(self.id.clone())].into_iter().chain(number).collect()
    }

    pub(super) fn parse(text: &str) -> Option<Reference> {
        let (collection, id) = text.strip_prefix("database.")?.split_once('.')?;
        let named = !collection.is_empty() && !id.is_empty();
        named.then(|| Reference { collection: collection.to_owned(), id: id.to_owned() })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "database.{}.{}", self.collection, self.id)
    }
}

/// Where `get()` finds documents. `environment` implements it on the database, past every permission.
pub(crate) trait Documents {
    /// Why a document could not be read.
    type Error;

    /// The document with the first of `reference.ids()` that there is.
    fn document(&self, reference: &Reference) -> impl Future<Output = Result<Option<Document>, Self::Error>> + Send;
}

/// The documents that `get()` has read for one request.
#[derive(Debug, Default)]
pub(super) struct Library {
    documents: HashMap<Reference, Option<Document>>,
    /// What was asked for and is not at hand yet.
    wanted: Vec<Reference>,
}

/// What a look into the library gives.
pub(super) enum Lookup {
    Found(Document),
    Missing,
    /// It must be fetched first.
    Wanted,
}

impl Library {
    pub(super) fn look_up(&mut self, reference: Reference) -> Lookup {
        match self.documents.get(&reference) {
            Some(Some(document)) => Lookup::Found(document.clone()),
            Some(None) => Lookup::Missing,
            None => {
                if !self.wanted.contains(&reference) {
                    self.wanted.push(reference);
                }
                Lookup::Wanted
            }
        }
    }

    /// What must be fetched before the question can be answered.
    pub(super) fn take_wanted(&mut self) -> Vec<Reference> {
        std::mem::take(&mut self.wanted)
    }

    pub(super) fn put(&mut self, reference: Reference, document: Option<Document>) {
        self.documents.insert(reference, document);
    }
}
