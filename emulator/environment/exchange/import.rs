//! `import`: one file into one collection, in one commit.

use super::jobs::{Progress, Stage};
use super::place::{Mistake, Place};
use super::{ExchangeError, Format, Mask, blocking, check_absolute, encoding, json_lines, open_regular, table};
use crate::access;
use crate::cloud::Environment;
use crate::error::ActionError;
use crate::incoming::{self, KnownIds};
use database::{CollectionName, DatabaseError, INDEX_IDS_NAME, NewDocument, RefillRequest, RemoveRequest};
use document::{DateTime, Document, ValueRef, to_shell_text};
use encoding_rs::Encoding;
use query::Filter;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ImportParams {
    /// As the emulator's own process sees it.
    file: PathBuf,
    collection: String,
    #[serde(default)]
    mode: Mode,
    /// Told from the file without one.
    format: Option<Format>,
    /// The same.
    encoding: Option<String>,
    #[serde(default)]
    anonymise: Vec<String>,
    anonymise_key: Option<String>,
    job: Option<String>,
}

/// What becomes of documents that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// They stay; one with an `_id` of the file's is a mistake.
    #[default]
    Insert,
    /// Those with an `_id` of the file's are replaced, whole (semantics UNC-39).
    Upsert,
    /// All of them go.
    Replace,
}

/// How a file is to be read.
struct Reading {
    file: PathBuf,
    collection: CollectionName,
    mode: Mode,
    format: Option<Format>,
    encoding: Option<&'static Encoding>,
    mask: Mask,
    now: DateTime,
    progress: Arc<Progress>,
}

/// What a file holds, ready to be stored.
struct Content {
    documents: Vec<NewDocument>,
    /// On which line each begins.
    lines: Vec<usize>,
    /// How many documents another one of the file took the place of.
    repeated: u64,
    format: Format,
    encoding: String,
}

impl Environment {
    /// Does what `import` says.
    pub(crate) async fn import(&self, params: ImportParams) -> Result<Value, ExchangeError> {
        let job = self.shared.jobs.begin(params.job.clone())?;
        let reading = self.reading(params, job.progress())?;
        let (file, collection, mode) = (reading.file.clone(), reading.collection.clone(), reading.mode);
        let content = blocking(move || reading.read()).await?;
        let Content { documents, lines, repeated, format, encoding } = content;
        let documents_read = documents.len() as u64 + repeated;
        job.progress().begin(Stage::Storing, Some(documents.len() as u64));
        let documents = Arc::new(documents);
        let outcome = self.database.refill(request(&collection, mode, documents.clone(), job.progress())).await;
        let index = job.progress().done();
        let refilled = outcome.map_err(|error| placed(error, &file, &lines, &documents, index))?;
        Ok(json!({
            "inserted": refilled.inserted,
            "updated": refilled.replaced + repeated,
            "removed": refilled.removed,
            "documents": documents_read,
            "encoding": encoding,
            "format": format.name(),
        }))
    }

    fn reading(&self, params: ImportParams, progress: Arc<Progress>) -> Result<Reading, ExchangeError> {
        check_absolute(&params.file)?;
        let unknown =
            |label: &String| ExchangeError::Refused(format!("`{label}` is no encoding: utf-8, gbk or gb18030 are"));
        let found = params.encoding.as_ref().map(|label| encoding::encoding_of(label).ok_or_else(|| unknown(label)));
        Ok(Reading {
            mask: self.mask(&params.anonymise, params.anonymise_key.as_deref())?,
            collection: access::collection(&params.collection)?,
            file: params.file,
            mode: params.mode,
            format: params.format,
            encoding: found.transpose()?,
            now: self.shared.clock.now(),
            progress,
        })
    }
}

fn request(
    collection: &CollectionName,
    mode: Mode,
    documents: Arc<Vec<NewDocument>>,
    progress: Arc<Progress>,
) -> RefillRequest {
    let all = RemoveRequest { collection: collection.clone(), filter: Filter::all(), multi: true };
    RefillRequest {
        removals: if mode == Mode::Replace { vec![all] } else { Vec::new() },
        prepared: vec![(collection.clone(), documents)],
        replaces: mode == Mode::Upsert,
        supervisor: Some(progress),
        ..RefillRequest::default()
    }
}

impl Reading {
    fn read(self) -> Result<Content, ExchangeError> {
        let bytes = read_whole(&self.file, &self.progress)?;
        let decoded = encoding::decode(bytes, self.encoding).map_err(|mistake| self.mistaken(mistake))?;
        let format = self.format.unwrap_or_else(|| format_of(&self.file, &decoded.text));
        let mut found =
            Found { reading: &self, documents: Vec::new(), lines: Vec::new(), known: KnownIds::new(), repeated: 0 };
        let mut dropped = false;
        let mut each = |line: usize, document: Document| {
            dropped = self.progress.step().is_err();
            if dropped { Err(Mistake::new(Place::line(line), String::new())) } else { found.add(line, document) }
        };
        self.progress.begin(Stage::Reading, None);
        let outcome = match format {
            Format::Json => json_lines::read(&decoded.text, self.now, &mut each),
            Format::Csv => table::read(&decoded.text, &mut each),
        };
        if dropped {
            return Err(ExchangeError::Dropped);
        }
        outcome.map_err(|mistake| self.mistaken(mistake))?;
        let Found { documents, lines, repeated, .. } = found;
        Ok(Content { documents, lines, repeated, format, encoding: decoded.encoding })
    }

    fn mistaken(&self, mistake: Mistake) -> ExchangeError {
        ExchangeError::Mistake { path: self.file.clone(), mistake }
    }
}

/// What was found in a file so far.
struct Found<'r> {
    reading: &'r Reading,
    documents: Vec<NewDocument>,
    lines: Vec<usize>,
    /// Where the document of each `_id` is.
    known: KnownIds<usize>,
    repeated: u64,
}

impl Found<'_> {
    fn add(&mut self, line: usize, mut document: Document) -> Result<(), Mistake> {
        let mistake = |reason: String| Mistake::new(Place::line(line), reason);
        self.reading.mask.document(self.reading.collection.as_str(), &mut document);
        let prepared = incoming::prepare(document).map_err(mistake)?;
        match self.known.meet(&prepared, self.documents.len()) {
            None => {
                self.documents.push(prepared);
                self.lines.push(line);
            }
            Some(index) if self.reading.mode == Mode::Upsert => {
                self.repeated += 1;
                if let (Some(earlier), Some(its_line)) = (self.documents.get_mut(index), self.lines.get_mut(index)) {
                    (*earlier, *its_line) = (prepared, line);
                }
            }
            Some(index) => {
                let earlier = self.lines.get(index).copied().unwrap_or_default();
                return Err(mistake(incoming::repeated(&prepared, earlier)));
            }
        }
        Ok(())
    }
}

/// What is in the file; told as bytes that were read.
fn read_whole(path: &Path, progress: &Progress) -> Result<Vec<u8>, ExchangeError> {
    const CHUNK_BYTES: u64 = 4 << 20;
    let failed = |source| ExchangeError::Io { path: path.to_path_buf(), source };
    let mut file = open_regular(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    progress.begin(Stage::Reading, Some(length));
    let mut bytes = Vec::new();
    let reserved = bytes.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX));
    reserved.map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
    while (&mut file).take(CHUNK_BYTES).read_to_end(&mut bytes).map_err(failed)? > 0 {
        progress.set(bytes.len() as u64)?;
    }
    Ok(bytes)
}

/// By its name, else by its beginning.
fn format_of(path: &Path, text: &str) -> Format {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("csv") => Format::Csv,
        Some("json" | "jsonl" | "ndjson") => Format::Json,
        _ if text.trim_start().starts_with(['{', '[']) => Format::Json,
        _ => Format::Csv,
    }
}

/// The error, with the line of the document that it is about: `stored` others were stored before it.
fn placed(error: DatabaseError, file: &Path, lines: &[usize], documents: &[NewDocument], index: u64) -> ExchangeError {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let (Some(line), Some(document)) = (lines.get(index), documents.get(index)) else { return error.into() };
    let reason = match &error {
        DatabaseError::DuplicateKey { collection, index, .. } if index == INDEX_IDS_NAME => {
            let id = to_shell_text(ValueRef::from(document.id()));
            format!(
                "_id: the collection `{collection}` has a document {id} already: import with the mode upsert or replace"
            )
        }
        DatabaseError::DuplicateKey { .. } | DatabaseError::Query(_) | DatabaseError::BadDocument(_) => {
            ActionError::from(error.clone()).message
        }
        _ => return error.into(),
    };
    ExchangeError::Mistake { path: file.to_path_buf(), mistake: Mistake::new(Place::line(*line), reason) }
}
