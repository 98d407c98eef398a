//! One case of `rules test`: its JSON, the question it asks, and whether the answer is the expected one.

use std::collections::BTreeMap;

use document::{Bson, DateTime, Document, decode, decode_document, equal};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::request::Library;
use super::super::{FileOperation, Identity, Operation, Reference, Refusal, Request, Rule, Subject, Verdict};
use super::{Coverage, RuleBook};

/// A file of cases, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) rules: Option<Rules>,
    #[serde(default)]
    pub(super) documents: BTreeMap<String, Vec<Value>>,
    pub(super) cases: Vec<Case>,
}

/// The rules of a file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    #[serde(default)]
    pub(super) collections: BTreeMap<String, Value>,
    pub(super) files: Option<Value>,
    pub(super) functions: Option<Value>,
}

/// Who may do what, or may not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// How far the expectation can be trusted, for the emulator's own cases.
    #[serde(default, rename = "provenance")]
    _provenance: Option<String>,
    #[serde(default, rename = "source")]
    _source: Option<String>,
    collection: Option<String>,
    function: Option<String>,
    file: Option<Value>,
    operation: Option<String>,
    auth: Option<Auth>,
    now: Option<i64>,
    query: Option<Value>,
    document: Option<Value>,
    data: Option<Value>,
    expect: Expected,
    /// Null where no condition would help.
    #[serde(default, deserialize_with = "given")]
    add: Option<Value>,
    pin: Option<Vec<String>>,
    because: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Auth {
    openid: Option<String>,
    uid: Option<String>,
    login_type: Option<String>,
    custom: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Allow,
    Deny,
}

/// A value that was given, be it null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What a case is about, its JSON read.
struct Question<'b> {
    label: String,
    rule: &'b Rule,
    subject: Asked,
    data: Option<Document>,
}

enum Asked {
    Query(Document),
    Document(Document),
    File(Document),
    Call,
}

impl Case {
    /// Runs the case and counts its conditions; the error says what is not as expected.
    pub(super) fn run(
        &self,
        book: &RuleBook,
        shelf: &Shelf,
        now: DateTime,
        coverage: &mut [Coverage],
    ) -> Result<(), String> {
        let now = self.now.map_or(now, DateTime::from_millis);
        let identity = self.auth.as_ref().map(|auth| auth.identity(now)).transpose()?;
        let question = self.question(book, identity.as_ref(), now)?;
        let mut request = Request::new(identity.as_ref(), now);
        if let Some(data) = &question.data {
            request = request.with_data(data);
        }
        let subject = match &question.subject {
            Asked::Query(query) => Subject::Query(query),
            Asked::Document(document) => Subject::Document(document),
            Asked::File(file) => Subject::File(file),
            Asked::Call => Subject::Call,
        };
        let mut library = Library::default();
        let verdict = question.rule.settle(subject, &request, &mut library, |reference| shelf.find(reference));
        count(&question, subject, &request, &mut library, coverage);
        self.compare(verdict, now)
    }

    fn question<'b>(
        &self,
        book: &'b RuleBook,
        identity: Option<&Identity>,
        now: DateTime,
    ) -> Result<Question<'b>, String> {
        let read = |value: &Option<Value>| {
            let document = value.as_ref().map(|value| decode_document(value, now)).transpose();
            let document = document.map_err(|error| error.to_string())?;
            Ok::<_, String>(document.map(|document| filled(document, identity)))
        };
        if let Some(name) = &self.function {
            return function_question(book, name);
        }
        if let Some(file) = read(&self.file)? {
            return self.file_question(book, file);
        }
        let subject = match (read(&self.query)?, read(&self.document)?) {
            (Some(query), None) => Asked::Query(query),
            (None, Some(document)) => Asked::Document(document),
            _ => return Err("a case has either a `query` or a `document`".to_owned()),
        };
        self.collection_question(book, subject, read(&self.data)?)
    }

    fn file_question<'b>(&self, book: &'b RuleBook, file: Document) -> Result<Question<'b>, String> {
        let rules = book.files.as_ref().ok_or("there are no rules for files")?;
        let rule = rules.rule(file_operation(self.operation.as_deref())?);
        Ok(Question { label: format!("files, {}", rule.operation), rule, subject: Asked::File(file), data: None })
    }

    fn collection_question<'b>(
        &self,
        book: &'b RuleBook,
        subject: Asked,
        data: Option<Document>,
    ) -> Result<Question<'b>, String> {
        let name = self.collection.as_ref().ok_or("a case names a `collection`, a `file` or a `function`")?;
        let missing = || format!("there are no rules for the collection {name}");
        let rule = book.collections.get(name).ok_or_else(missing)?.rule(document_operation(self.operation.as_deref())?);
        Ok(Question { label: format!("collection {name}, {}", rule.operation), rule, subject, data })
    }

    fn compare(&self, verdict: Verdict, now: DateTime) -> Result<(), String> {
        match (verdict, self.expect) {
            (Ok(()), Expected::Allow) => Ok(()),
            (Ok(()), Expected::Deny) => Err("allowed, and should have been denied".to_owned()),
            (Err(refusal), Expected::Allow) => {
                Err(format!("denied, and should have been allowed: {}", refusal.details().join("\n  ")))
            }
            (Err(refusal), Expected::Deny) => self.compare_refusal(&refusal, now),
        }
    }

    fn compare_refusal(&self, refusal: &Refusal, now: DateTime) -> Result<(), String> {
        let text = refusal.to_string();
        if let Some(part) = self.because.as_ref().filter(|part| !text.contains(part.as_str())) {
            return Err(format!("denied without the words `{part}`: {text}"));
        }
        if let Some(add) = &self.add {
            let expected = match add {
                Value::Null => None,
                add => Some(decode_document(add, now).map_err(|error| error.to_string())?),
            };
            if !same(refusal.add.as_ref(), expected.as_ref()) {
                return Err(format!("denied with other conditions to add: {text}"));
            }
        }
        match &self.pin {
            Some(pin) if *pin != refusal.pin => Err(format!("denied with other fields to pin: {text}")),
            _ => Ok(()),
        }
    }
}

fn function_question<'b>(book: &'b RuleBook, name: &str) -> Result<Question<'b>, String> {
    let functions = book.functions.as_ref().ok_or("there are no rules for functions")?;
    let named = if functions.rules.contains_key(name) { name } else { "*" };
    let label = format!("function {named}, invoke");
    Ok(Question { label, rule: functions.rule(name), subject: Asked::Call, data: None })
}

fn same(left: Option<&Document>, right: Option<&Document>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => equal(left.into(), right.into()),
        (left, right) => left.is_none() && right.is_none(),
    }
}

impl Auth {
    fn identity(&self, now: DateTime) -> Result<Identity, String> {
        let custom = self.custom.as_ref().map(|custom| decode(custom, now)).transpose();
        Ok(Identity {
            openid: self.openid.clone(),
            uid: self.uid.clone(),
            login_type: self.login_type.clone(),
            custom: custom.map_err(|error| error.to_string())?,
        })
    }
}

fn document_operation(name: Option<&str>) -> Result<Operation, String> {
    match name {
        Some("read") => Ok(Operation::Read),
        Some("create") => Ok(Operation::Create),
        Some("update") => Ok(Operation::Update),
        Some("delete") => Ok(Operation::Delete),
        other => Err(format!("`operation` is read, create, update or delete, not {}", other.unwrap_or("missing"))),
    }
}

fn file_operation(name: Option<&str>) -> Result<FileOperation, String> {
    match name {
        Some("read") => Ok(FileOperation::Read),
        Some("write") => Ok(FileOperation::Write),
        other => Err(format!("a file's `operation` is read or write, not {}", other.unwrap_or("missing"))),
    }
}

fn count(
    question: &Question<'_>,
    subject: Subject<'_>,
    request: &Request<'_>,
    library: &mut Library,
    coverage: &mut [Coverage],
) {
    for (index, held) in question.rule.outcomes(subject, request, library) {
        if let Some(condition) = coverage.iter_mut().filter(|coverage| coverage.rule == question.label).nth(index) {
            condition.held += usize::from(held);
            condition.failed += usize::from(!held);
        }
    }
}

/// The documents that `get()` finds, by collection.
pub(super) struct Shelf {
    collections: BTreeMap<String, Vec<Document>>,
}

impl Shelf {
    pub(super) fn read(collections: &BTreeMap<String, Vec<Value>>, now: DateTime) -> Result<Shelf, String> {
        let read = |(name, documents): (&String, &Vec<Value>)| {
            let documents: Result<Vec<_>, _> = documents.iter().map(|value| decode_document(value, now)).collect();
            Ok((name.clone(), documents.map_err(|error| format!("the documents of {name}: {error}"))?))
        };
        Ok(Shelf { collections: collections.iter().map(read).collect::<Result<_, String>>()? })
    }

    fn find(&self, reference: &Reference) -> Option<Document> {
        let documents = self.collections.get(&reference.collection)?;
        let with_id = |id: &Bson| documents.iter().find(|document| document.get("_id") == Some(id)).cloned();
        reference.ids().iter().find_map(with_id)
    }
}

/// `document` with the caller's id where it says `{openid}`, as `access` fills it in.
fn filled(document: Document, identity: Option<&Identity>) -> Document {
    let Some(id) = identity.and_then(Identity::template_value) else { return document };
    document.into_iter().map(|(name, value)| (name, filled_value(value, id))).collect()
}

fn filled_value(value: Bson, id: &str) -> Bson {
    match value {
        Bson::String(text) if text == "{openid}" => Bson::String(id.to_owned()),
        Bson::Array(values) => Bson::Array(values.into_iter().map(|value| filled_value(value, id)).collect()),
        Bson::Document(document) => {
            Bson::Document(document.into_iter().map(|(name, value)| (name, filled_value(value, id))).collect())
        }
        other => other,
    }
}
