//! Security rules, the cloud's CUSTOM permissions (semantics §7.3 to §7.5), for collections, files and functions: read
//! into trees, evaluated, and proved of queries. Pure: who asks, what time it is and what `get()` finds come in as
//! arguments.
//!
//! ## How `access` asks
//! One [`Request`] for each action: `Request::new(identity, now)`, the identity `None` for whoever has not signed in.
//! Then, with `{openid}` filled in beforehand, and administrators past it all:
//!
//! | action | rule | subject |
//! |---|---|---|
//! | get, count, watch, `doc().get` | `rules.rule(Read)` | `Query`: the `where` that will run; `{_id}` for a doc |
//! | aggregate | `Read` | `Query`: the first stage's `$match`; without one, `{}` (DB-7.26) |
//! | add | `Create`, `.with_data(&document)` | `Document`: as it will be stored, `_openid` injected (DB-7.24, UNC-31) |
//! | update, `doc().update` | `Update`, `.with_data(&payload)` | `Query` (DB-7.25) |
//! | remove, `doc().remove` | `Delete` | `Query` |
//! | `doc().set`, an upsert | `Update` of the query and `Create` of the new document | both must admit (DB-7.27) |
//! | an action that changes and returns | `Update` or `Delete`, and `Read` | `Query` |
//! | a file's download, URL | `files.rule(Read)` | `File` with `openid`, `path` |
//! | a file's upload, removal | `files.rule(Write)` | `File`: the file there, else one of the caller's own |
//! | a function's call by a user | `functions.rule(name)` | `Call` |
//!
//! A refusal is -502003 `DATABASE_PERMISSION_DENIED` for collections (UNC-33), -503002 for files, -501023 for functions
//! (UNC-35); its text for the SDK is the refusal's `Display`, for the log its `details()`, which hold what `get()`
//! read. A document operation is a query by `_id`, as WeChat documents it (UNC-32): nothing is read to judge it.
//!
//! ## No oracle
//! Rules are about whole documents: the cloud has none about fields. A query is admitted only where everything it can
//! find may be read, and that is decided before any data is looked at; so no sort, filter, count or page can tell of
//! what may not be read, provided that the query proved is the one run, nothing is narrowed in place of being refused,
//! and no stage of a client's aggregation reaches another collection. One thing remains: an update may take a document
//! out of a watched query and so out of the rule. Of such an event (`dequeue`) `watches.rs` asks `Read` with `Document`,
//! and sends it with an empty `Doc` where that refuses, as the wire allows (semantics §6).
//!
//! ## Differences from the cloud
//! - Whether the cloud proves `$all`, or tells dates and numbers apart, is not known: here `$all` proves membership,
//!   and a date compares with `now` by its milliseconds.
//! - A rule that ends in a fault refuses; one within `||` leaves the other side its say. `!` of a fault is a fault.
//! - `/pattern/.test(value)` is taken; no document of the cloud's promises it.

mod book;
mod check;
mod evaluate;
mod explain;
mod expression;
mod facts;
mod lexer;
mod parser;
mod prove;
mod refusal;
mod request;
mod rule;
mod text;
mod trial;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;

use std::collections::BTreeMap;

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged;

pub(crate) use book::{Target, check_book, join, split};
pub(crate) use check::{Kind, check};
pub(crate) use refusal::Refusal;
pub(crate) use request::{Documents, Identity, Reference, Request, Subject};
pub(crate) use rule::Rule;
pub(crate) use text::{Place, Problem, Severity};
pub(crate) use trial::{RuleBook, run};

use text::Source;

/// Whether a rule admits what it was asked about.
pub(crate) type Verdict = Result<(), Box<Refusal>>;

/// What a user does with a collection's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Read,
    Create,
    Update,
    Delete,
}

/// What a user does with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileOperation {
    Read,
    /// Uploading, replacing, removing.
    Write,
}

/// The rules of one collection. An operation without a rule is refused; `create`, `update` and `delete` fall back to
/// `write`.
#[derive(Debug, Clone)]
pub(crate) struct CollectionRules {
    read: Rule,
    create: Rule,
    update: Rule,
    delete: Rule,
}

/// The rules of an environment's files.
#[derive(Debug, Clone)]
pub(crate) struct FileRules {
    read: Rule,
    write: Rule,
}

/// The rules of an environment's functions, by name; `*` is for those not named.
#[derive(Debug, Clone)]
pub(crate) struct FunctionRules {
    rules: BTreeMap<String, Rule>,
    others: Rule,
}

/// The names that an expression may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// Of a collection's `read` and `delete`.
    Collection,
    /// Of a collection's `create`, `update` and `write`, which have `request.data`.
    CollectionWrite,
    Files,
    Functions,
}

impl Language {
    fn names(self) -> &'static [&'static str] {
        match self {
            Language::Collection => &["auth", "doc", "get", "now"],
            Language::CollectionWrite => &["auth", "doc", "get", "now", "request"],
            Language::Files => &["auth", "now", "resource"],
            Language::Functions => &["auth", "now"],
        }
    }
}

const COLLECTION_KEYS: &[(&str, Language)] = &[
    ("create", Language::CollectionWrite),
    ("delete", Language::Collection),
    ("read", Language::Collection),
    ("update", Language::CollectionWrite),
    ("write", Language::CollectionWrite),
];

const FILE_KEYS: &[(&str, Language)] = &[("read", Language::Files), ("write", Language::Files)];

const FUNCTION_KEYS: &[(&str, Language)] = &[("invoke", Language::Functions)];

/// The rule for functions that no rule is for (semantics §7.5).
const FUNCTIONS_DEFAULT: &str = "auth != null";

impl CollectionRules {
    /// Reads the rules of a collection: `{"read": …, "write": …, "create": …, "update": …, "delete": …}`. Every mistake
    /// in them comes back with its place.
    pub(crate) fn parse(text: &str) -> Result<CollectionRules, Vec<Problem>> {
        let mut rules = operations(text, COLLECTION_KEYS)?;
        let write = rules.remove("write");
        let mut rule = |operation, fallback: Option<&Rule>| {
            rules.remove(operation).or_else(|| fallback.cloned()).unwrap_or_else(|| refusing(operation))
        };
        Ok(CollectionRules {
            read: rule("read", None),
            create: rule("create", write.as_ref()),
            update: rule("update", write.as_ref()),
            delete: rule("delete", write.as_ref()),
        })
    }

    /// The rule for `operation`.
    pub(crate) fn rule(&self, operation: Operation) -> &Rule {
        match operation {
            Operation::Read => &self.read,
            Operation::Create => &self.create,
            Operation::Update => &self.update,
            Operation::Delete => &self.delete,
        }
    }

    fn all(&self) -> [&Rule; 4] {
        [&self.read, &self.create, &self.update, &self.delete]
    }
}

impl FileRules {
    /// Reads the rules of files: `{"read": …, "write": …}`.
    pub(crate) fn parse(text: &str) -> Result<FileRules, Vec<Problem>> {
        let mut rules = operations(text, FILE_KEYS)?;
        let mut rule = |operation| rules.remove(operation).unwrap_or_else(|| refusing(operation));
        Ok(FileRules { read: rule("read"), write: rule("write") })
    }

    /// The rule for `operation`.
    pub(crate) fn rule(&self, operation: FileOperation) -> &Rule {
        match operation {
            FileOperation::Read => &self.read,
            FileOperation::Write => &self.write,
        }
    }
}

impl FunctionRules {
    /// Reads the rules of functions: `{"*": {"invoke": …}, "name": {"invoke": …}}`. Without a `*`, whoever has signed
    /// in may call the others.
    pub(crate) fn parse(text: &str) -> Result<FunctionRules, Vec<Problem>> {
        let source = Source::new(text);
        let object = source.object().map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let mut rules = BTreeMap::new();
        for (name, member) in source.members(&object, &mut problems) {
            let Value::Object(below) = &member.value else {
                let place = source.place(member.value.start());
                problems.push(Problem::error(place, "a function's rules are an object, as in {\"invoke\": true}"));
                continue;
            };
            let members = source.members(below, &mut problems);
            let rule = members
                .into_iter()
                .filter_map(|(key, member)| source.rule(key, member, FUNCTION_KEYS, &mut problems))
                .last();
            rules.insert(name.to_owned(), rule.map_or_else(|| refusing("invoke"), |(_, rule)| rule));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let others = rules.remove("*").map_or_else(signed_in, Ok);
        others.map(|others| FunctionRules { rules, others }).map_err(|problem| vec![problem])
    }

    /// The rule for calling the function `name`: its own beats that of `*`.
    pub(crate) fn rule(&self, name: &str) -> &Rule {
        self.rules.get(name).unwrap_or(&self.others)
    }
}

/// The rule of whoever has signed in.
fn signed_in() -> Result<Rule, Problem> {
    let rule = Rule::parse("invoke", FUNCTIONS_DEFAULT, Language::Functions, |_| START);
    rule.map_err(|mistake| Problem::error(START, mistake.message))
}

const START: Place = Place { line: 1, column: 1 };

/// The rule of an operation that has none.
fn refusing(operation: &'static str) -> Rule {
    Rule::constant(operation, false, START)
}

/// Reads an object of rules by their keys.
fn operations(text: &str, keys: &[(&'static str, Language)]) -> Result<BTreeMap<&'static str, Rule>, Vec<Problem>> {
    let source = Source::new(text);
    let object = source.object().map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let members = source.members(&object, &mut problems);
    let rules = members.into_iter().filter_map(|(key, member)| source.rule(key, member, keys, &mut problems)).collect();
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

impl Source<'_> {
    /// One member of an object of rules; `None` where it is a problem.
    fn rule(
        self,
        key: &str,
        member: &ObjectProp<'_>,
        keys: &[(&'static str, Language)],
        problems: &mut Vec<Problem>,
    ) -> Option<(&'static str, Rule)> {
        let Some((operation, language)) = keys.iter().find(|(known, _)| *known == key) else {
            let known: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
            let message = format!("`{key}` is no operation: there are `{}`", known.join("`, `"));
            problems.push(Problem::error(self.place(member.start()), message));
            return None;
        };
        let start = member.value.start();
        match &member.value {
            Value::BooleanLit(literal) => {
                Some((operation, Rule::constant(operation, literal.value, self.place(start))))
            }
            Value::StringLit(literal) => {
                let place = |offset| self.place_in_string(start, offset);
                let rule = Rule::parse(operation, &literal.value, *language, place);
                let rule = rule.map_err(|mistake| problems.push(Problem::error(place(mistake.at), mistake.message)));
                Some((operation, rule.ok()?))
            }
            _ => {
                problems.push(Problem::error(self.place(start), "a rule is true, false or an expression in quotes"));
                None
            }
        }
    }
}
