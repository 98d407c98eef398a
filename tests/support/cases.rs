//! The language as data: what the folders of `tests/cases` hold, read into structs that know no implementation.
//! `emulator/query/cases.rs` runs filters, updates and aggregations on the pure crate, `emulator/database/testing/cases.rs`
//! indexes on the store; a test on the whole process can run them over HTTP.
//!
//! A file is a page of the manual: `{"documents": […], "cases": […]}`. A case without documents of its own works on the file's.
//! Values are relaxed EJSON, as the wire carries it.
#![allow(dead_code, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A query and what it finds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterCase {
    /// What the case shows; unique within its file.
    pub(crate) name: String,
    /// How far the expectation can be trusted.
    pub(crate) provenance: Provenance,
    /// The rule, golden case or operator page it comes from.
    pub(crate) source: String,
    /// What the collection holds, in this order. Empty: the file's documents.
    #[serde(default)]
    pub(crate) documents: Vec<Value>,
    /// The query document.
    pub(crate) query: Value,
    /// `{"field": 1 | -1}`.
    pub(crate) sort: Option<Value>,
    /// How many results to leave out.
    #[serde(default)]
    pub(crate) skip: usize,
    /// How many results there may be.
    pub(crate) limit: Option<usize>,
    /// The projection document.
    pub(crate) projection: Option<Value>,
    /// The ids of the results, in order.
    pub(crate) expect: Option<Vec<Value>>,
    /// The results whole, in order.
    pub(crate) expect_documents: Option<Vec<Value>>,
    /// A part of the error's text, where there is an error.
    pub(crate) error: Option<String>,
}

/// An update and what it makes of documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateCase {
    /// What the case shows; unique within its file.
    pub(crate) name: String,
    /// How far the expectation can be trusted.
    pub(crate) provenance: Provenance,
    /// The rule, golden case or operator page it comes from.
    pub(crate) source: String,
    /// What the collection holds, where it is one document.
    document: Option<Value>,
    /// What the collection holds, in this order. Empty, and without `document`: the file's documents.
    #[serde(default)]
    documents: Vec<Value>,
    /// Which documents are updated.
    #[serde(default = "everything")]
    pub(crate) query: Value,
    /// The update document, or the new document where `replace` is set.
    pub(crate) update: Value,
    /// Whether the update is a `set()`, which replaces.
    #[serde(default)]
    pub(crate) replace: bool,
    /// Whether all that match are updated, not only the first.
    #[serde(default)]
    pub(crate) multi: bool,
    /// Whether a document is made where none matches.
    #[serde(default)]
    pub(crate) upsert: bool,
    /// The collection afterwards: one document, or several in an array. After an error it is what it was.
    expect: Option<Value>,
    /// How many documents the query matches.
    pub(crate) matched: Option<usize>,
    /// How many documents the update changes.
    pub(crate) modified: Option<usize>,
    /// What changes in the first document that matches.
    pub(crate) changes: Option<Changes>,
    /// A part of the error's text, where there is an error.
    pub(crate) error: Option<String>,
}

/// A pipeline and its results.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PipelineCase {
    /// What the case shows; unique within its file.
    pub(crate) name: String,
    /// How far the expectation can be trusted.
    pub(crate) provenance: Provenance,
    /// The rule, golden case or manual page it comes from.
    pub(crate) source: String,
    /// What the collection holds, in this order. Absent: the file's documents.
    documents: Option<Vec<Value>>,
    /// What other collections hold.
    #[serde(default)]
    pub(crate) collections: BTreeMap<String, Vec<Value>>,
    /// The stages.
    pub(crate) pipeline: Vec<Value>,
    /// The results, in order.
    pub(crate) expect: Option<Vec<Value>>,
    /// The results, where their order is not said.
    pub(crate) expect_unordered: Option<Vec<Value>>,
    /// How many results there are, where chance decides which.
    pub(crate) expect_count: Option<usize>,
    /// A part of each warning, in order.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    /// A part of the error's text, where there is an error.
    pub(crate) error: Option<String>,
}

/// What an update changes in a document.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    /// Dotted paths and their new values.
    #[serde(default)]
    pub(crate) updated: Map<String, Value>,
    /// Dotted paths that are gone.
    #[serde(default)]
    pub(crate) removed: Vec<String>,
}

/// An expression and its value for a document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpressionCase {
    /// What the case shows; unique within its file.
    pub(crate) name: String,
    /// How far the expectation can be trusted.
    pub(crate) provenance: Provenance,
    /// The rule, golden case or operator page it comes from.
    pub(crate) source: String,
    /// The document that the expression sees.
    #[serde(default = "everything")]
    pub(crate) document: Value,
    /// The expression.
    pub(crate) expression: Value,
    /// Its value.
    #[serde(default, deserialize_with = "present")]
    pub(crate) expect: Option<Value>,
    /// Whether it has no value.
    #[serde(default)]
    pub(crate) missing: bool,
    /// A part of the error's text, where there is an error.
    pub(crate) error: Option<String>,
}

/// How far an expectation can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Provenance {
    /// The cloud's documents or a measurement of it, by rule of semantics.md.
    Documented,
    /// What the SDK sends.
    Sdk,
    /// MongoDB 4.0's documented behaviour.
    Mongodb,
    /// Nobody measured it.
    Unverified,
}

/// A file of cases.
#[derive(Debug, Clone)]
pub(crate) struct Page<C> {
    /// The file's name without its ending.
    pub(crate) name: String,
    /// Its cases, with their documents filled in.
    pub(crate) cases: Vec<C>,
}

impl UpdateCase {
    /// What the collection holds beforehand, in this order.
    pub(crate) fn before(&self) -> Vec<Value> {
        self.document.iter().chain(&self.documents).cloned().collect()
    }

    /// What the collection holds afterwards.
    pub(crate) fn after(&self) -> Vec<Value> {
        match &self.expect {
            None => self.before(),
            Some(Value::Array(documents)) => documents.clone(),
            Some(document) => vec![document.clone()],
        }
    }
}

impl PipelineCase {
    /// What the collection holds, in this order.
    pub(crate) fn documents(&self) -> &[Value] {
        self.documents.as_deref().unwrap_or_default()
    }
}

/// Every page of pipeline cases below `tests/cases/aggregate/stages`, by name.
pub(crate) fn pipeline_pages(cases: &Path) -> Vec<Page<PipelineCase>> {
    pages(&cases.join("aggregate/stages"), |case: &mut PipelineCase, documents| {
        case.documents.get_or_insert_with(|| documents.to_vec());
    })
}

/// What several do to a collection `c`, one step after the other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedule {
    /// What the schedule shows; unique within its file.
    pub(crate) name: String,
    /// How far the expectations can be trusted.
    pub(crate) provenance: Provenance,
    /// The rule or page it comes from.
    pub(crate) source: String,
    /// What the collection holds beforehand, in this order. Empty: the file's documents.
    #[serde(default)]
    pub(crate) documents: Vec<Value>,
    pub(crate) steps: Vec<ScheduleStep>,
    /// What everybody sees once all steps are answered, in this order.
    pub(crate) after: Vec<Value>,
}

/// One step of a schedule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleStep {
    /// The transaction in which it is done; `null`: in none.
    #[serde(rename = "in")]
    pub(crate) transaction: Option<String>,
    /// What is done.
    #[serde(rename = "do")]
    pub(crate) action: ScheduleAction,
    /// Another collection than `c`.
    pub(crate) collection: Option<String>,
    /// The one document it is about, in place of `query`.
    pub(crate) id: Option<Value>,
    /// Which documents it is about.
    #[serde(default = "everything")]
    pub(crate) query: Value,
    /// `{"field": 1 | -1}`.
    pub(crate) sort: Option<Value>,
    /// How many results to leave out.
    #[serde(default)]
    pub(crate) skip: u64,
    /// How many results there may be.
    pub(crate) limit: Option<u64>,
    /// What `update` does.
    pub(crate) update: Option<Value>,
    /// Whether only the first match is meant.
    #[serde(default)]
    pub(crate) first: bool,
    /// What `insert` inserts; of `set`, the one new content.
    #[serde(default)]
    pub(crate) documents: Vec<Value>,
    /// `get`: the document or `null`; `find`: the documents; `count`, `update`, `set`, `remove`: how many matched.
    pub(crate) expect: Option<Value>,
    /// The name of the error.
    pub(crate) error: Option<String>,
    /// Whether it is not answered at once; `expect` and `error` are what it is answered in the end.
    #[serde(default)]
    pub(crate) parked: bool,
}

/// What is done in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ScheduleAction {
    Begin,
    Get,
    Find,
    Count,
    Insert,
    Update,
    /// Gives a document a new content, or creates it.
    Set,
    Remove,
    Commit,
    Abort,
}

/// Every page of schedules below `tests/cases`, by name.
pub(crate) fn schedule_pages(cases: &Path) -> Vec<Page<Schedule>> {
    pages(&cases.join("transaction"), |schedule: &mut Schedule, documents| {
        if schedule.documents.is_empty() {
            schedule.documents = documents.to_vec();
        }
    })
}

/// Every page of filter cases below `tests/cases`, by name.
pub(crate) fn filter_pages(cases: &Path) -> Vec<Page<FilterCase>> {
    filter_pages_of(&cases.join("filter"))
}

/// Every page of geo cases below `tests/cases`, by name. Where a query says `$nearSphere`, ids come in the order of distance, and
/// the collection needs a geo index on the field.
pub(crate) fn geo_pages(cases: &Path) -> Vec<Page<FilterCase>> {
    filter_pages_of(&cases.join("geo"))
}

/// Every page of update cases below `tests/cases`, by name.
pub(crate) fn update_pages(cases: &Path) -> Vec<Page<UpdateCase>> {
    pages(&cases.join("update"), |case: &mut UpdateCase, documents| {
        if case.documents.is_empty() && case.document.is_none() {
            case.documents = documents.to_vec();
        }
    })
}

fn filter_pages_of(folder: &Path) -> Vec<Page<FilterCase>> {
    pages(folder, |case: &mut FilterCase, documents| {
        if case.documents.is_empty() {
            case.documents = documents.to_vec();
        }
    })
}

/// A query on a collection with indexes: what it finds, and which of them it uses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexCase {
    /// What the case shows; unique within its file.
    pub(crate) name: String,
    /// How far the expectation can be trusted. What only the emulator has, such as advice, is `unverified`.
    pub(crate) provenance: Provenance,
    /// The rule or manual page it comes from.
    pub(crate) source: String,
    /// What the collection holds before its indexes are made. Empty: the file's documents.
    #[serde(default)]
    pub(crate) documents: Vec<Value>,
    /// The indexes, made in this order.
    #[serde(default)]
    pub(crate) indexes: Vec<IndexOfCase>,
    /// What is inserted after that, one by one.
    #[serde(default)]
    pub(crate) insert: Vec<Value>,
    /// What is set in all documents after that.
    pub(crate) set: Option<Value>,
    /// The query document.
    #[serde(default = "everything")]
    pub(crate) query: Value,
    /// `{"field": 1 | -1}`.
    pub(crate) sort: Option<Value>,
    /// How many results to leave out.
    #[serde(default)]
    pub(crate) skip: u64,
    /// How many results there may be.
    pub(crate) limit: Option<u64>,
    /// The ids of the results, in order.
    pub(crate) expect: Option<Vec<Value>>,
    /// The index's name, or `COLLSCAN`.
    pub(crate) uses: Option<String>,
    /// How many entries of indexes are looked at.
    pub(crate) keys: Option<u64>,
    /// How many documents are looked at.
    pub(crate) documents_examined: Option<u64>,
    /// Whether the results are put in order after they are found.
    pub(crate) sorted_in_memory: Option<bool>,
    /// What is advised; an empty text for nothing.
    pub(crate) advice: Option<String>,
    /// A part of the text of the error that the indexes, the insertions or the update end with.
    pub(crate) error: Option<String>,
}

/// An index of an [`IndexCase`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexOfCase {
    /// `{"field": 1 | -1 | "2dsphere"}`.
    pub(crate) keys: Value,
    /// Its name, where it is not the usual one.
    pub(crate) name: Option<String>,
    /// Whether no two documents may share a key.
    #[serde(default)]
    pub(crate) unique: bool,
}

/// Every page of index cases below `tests/cases`, by name.
pub(crate) fn index_pages(cases: &Path) -> Vec<Page<IndexCase>> {
    pages(&cases.join("index"), |case: &mut IndexCase, documents| {
        if case.documents.is_empty() {
            case.documents = documents.to_vec();
        }
    })
}

/// Every page of expression cases below `tests/cases`, by name.
pub(crate) fn expression_pages(cases: &Path) -> Vec<Page<ExpressionCase>> {
    pages_named(&cases.join("aggregate"), "expressions-", |_: &mut ExpressionCase, _| {})
}

/// A value that is there, be it null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<C> {
    #[serde(default)]
    documents: Vec<Value>,
    cases: Vec<C>,
}

fn pages<C: DeserializeOwned>(folder: &Path, fill_in: impl Fn(&mut C, &[Value])) -> Vec<Page<C>> {
    pages_named(folder, "", fill_in)
}

/// The pages whose file names begin with `prefix`.
fn pages_named<C: DeserializeOwned>(folder: &Path, prefix: &str, fill_in: impl Fn(&mut C, &[Value])) -> Vec<Page<C>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)));
    paths.sort();
    paths.iter().map(|path| page(path, &fill_in)).collect()
}

fn page<C: DeserializeOwned>(path: &Path, fill_in: impl Fn(&mut C, &[Value])) -> Page<C> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut file: File<C> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.cases.iter_mut().for_each(|case| fill_in(case, &file.documents));
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Page { name, cases: file.cases }
}

fn everything() -> Value {
    Value::Object(Map::new())
}
