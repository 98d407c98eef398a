//! `export`: a whole environment as a folder of fixtures, and `export/collection`: one collection as the cloud's console has it.

use super::folder::{FileDraft, FolderDraft};
use super::jobs::{Progress, Stage};
use super::moment::Moment;
use super::names::{CollectionFiles, FilePaths};
use super::{ExchangeError, Format, Mask, blocking, check_absolute, nesting, table};
use crate::access;
use crate::cloud::Environment;
use crate::files::StoredFile;
use crate::indexes::IndexLine;
use crate::register::Entries;
use crate::seed::{FileLine, FileLines, FixtureFile, Permissions, UserLine};
use database::{CollectionName, DatabaseError};
use document::{Bson, DateTime, Document, DocumentRef, FileForm, RawDocumentBuf, ValueRef, write_file_value};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const BUFFER_BYTES: usize = 256 << 10;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ExportParams {
    /// As the emulator's own process sees it.
    folder: PathBuf,
    #[serde(default)]
    overwrite: bool,
    #[serde(default)]
    anonymise: Vec<String>,
    anonymise_key: Option<String>,
    job: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CollectionExportParams {
    /// As the emulator's own process sees it.
    file: PathBuf,
    collection: String,
    format: Format,
    /// All of them without; CSV needs them.
    fields: Option<Vec<String>>,
    #[serde(default)]
    overwrite: bool,
    #[serde(default)]
    anonymise: Vec<String>,
    anonymise_key: Option<String>,
    job: Option<String>,
}

impl Environment {
    /// Does what `export` says.
    pub(crate) async fn export(&self, params: ExportParams) -> Result<Value, ExchangeError> {
        let ExportParams { folder, overwrite, anonymise, anonymise_key, job } = params;
        check_absolute(&folder)?;
        let job = self.shared.jobs.begin(job)?;
        let mask = self.mask(&anonymise, anonymise_key.as_deref())?;
        let draft = blocking(move || FolderDraft::begin(&folder, overwrite)).await?;
        let writing = Writing { mask, progress: job.progress() };
        writing.progress.begin(Stage::Writing, None);
        let moment = Moment::of(self).await?;
        let (draft, written, writing, moment, files) = blocking(move || {
            let written = writing.write_environment(draft.path(), &moment)?;
            let files = moment.files()?;
            Ok((draft, written, writing, moment, files))
        })
        .await?;
        let lines = self.export_files(draft.path(), &files, &writing).await?;
        blocking(move || {
            if !lines.is_empty() {
                write_json(&draft.path().join(FixtureFile::Files.name()), &lines)?;
            }
            draft.place()
        })
        .await?;
        drop(moment); // whose bodies were needed until here
        let Written { collections, documents, users } = written;
        Ok(json!({ "collections": collections, "documents": documents, "files": files.len(), "users": users }))
    }

    /// Does what `export/collection` says.
    pub(crate) async fn export_collection(&self, params: CollectionExportParams) -> Result<Value, ExchangeError> {
        check_absolute(&params.file)?;
        let collection = access::collection(&params.collection)?;
        let form = CollectionForm::of(params.format, params.fields)?;
        let job = self.shared.jobs.begin(params.job)?;
        let mask = self.mask(&params.anonymise, params.anonymise_key.as_deref())?;
        let writing = Writing { mask, progress: job.progress() };
        let (file, overwrite) = (params.file, params.overwrite);
        let draft = blocking(move || FileDraft::begin(&file, overwrite)).await?;
        let moment = Moment::of(self).await?;
        writing.progress.begin(Stage::Writing, None);
        let count = blocking(move || {
            let count = writing.write_collection(draft.file(), &moment, &collection, &form)?;
            draft.place()?;
            Ok(count)
        })
        .await?;
        Ok(json!({ "documents": count }))
    }

    /// Writes the bodies of `files`, and returns what cannot be seen from them.
    async fn export_files(
        &self,
        folder: &Path,
        files: &[StoredFile],
        writing: &Writing,
    ) -> Result<FileLines, ExchangeError> {
        let (mut lines, mut paths) = (FileLines::new(), FilePaths::default());
        let storage = folder.join(FixtureFile::Storage.name());
        for file in files {
            let line = writing.file_line(file, &mut paths, lines.len());
            let target = storage.join(line.source.as_deref().unwrap_or(file.path.as_str()));
            let failed = |source| ExchangeError::Io { path: target.clone(), source };
            tokio::fs::create_dir_all(target.parent().unwrap_or(&storage)).await.map_err(failed)?;
            let mut body = self.shared.storage.open_body(&file.body).await?;
            let mut written = tokio::fs::File::create_new(&target).await.map_err(failed)?;
            tokio::io::copy(&mut body, &mut written).await.map_err(failed)?;
            tokio::io::AsyncWriteExt::flush(&mut written).await.map_err(failed)?;
            lines.insert(file.path.to_string(), line);
            writing.progress.step()?;
        }
        Ok(lines)
    }
}

/// What was written beside files.
struct Written {
    collections: usize,
    documents: u64,
    users: usize,
}

/// An export under way.
struct Writing {
    mask: Mask,
    progress: Arc<Progress>,
}

/// How one collection is written.
enum CollectionForm {
    /// For fixtures.
    Canonical,
    Json {
        /// Each as its segments; `None`: all.
        fields: Option<Vec<Vec<String>>>,
    },
    Csv {
        names: Vec<String>,
        fields: Vec<Vec<String>>,
    },
}

impl Writing {
    /// Writes everything but files.
    fn write_environment(&self, folder: &Path, moment: &Moment) -> Result<Written, ExchangeError> {
        let database = folder.join(FixtureFile::Database.name());
        fs::create_dir(&database).map_err(ExchangeError::io(&database))?;
        let (mut names, mut indexes, mut documents) = (CollectionFiles::default(), BTreeMap::new(), 0);
        let collections = moment.collections();
        for collection in &collections {
            let path = database.join(format!("{}.jsonl", names.name(collection.as_str())));
            let file = File::create_new(&path).map_err(ExchangeError::io(&path))?;
            documents += self.write_collection(&file, moment, collection, &CollectionForm::Canonical)?;
            let lines: Vec<IndexLine> = moment.indexes(collection)?.iter().map(IndexLine::of).collect();
            if !lines.is_empty() {
                indexes.insert(collection.as_str(), lines);
            }
        }
        if !indexes.is_empty() {
            write_json(&folder.join(FixtureFile::Indexes.name()), &indexes)?;
        }
        let entries = moment.entries()?;
        self.write_console(folder, &entries)?;
        Ok(Written { collections: collections.len(), documents, users: entries.users().len() })
    }

    /// Writes what the cloud's console would hold: users, modes and rules.
    fn write_console(&self, folder: &Path, entries: &Entries) -> Result<(), ExchangeError> {
        let users = self.users(entries);
        if !users.is_empty() {
            write_json(&folder.join(FixtureFile::Users.name()), &users)?;
        }
        let permissions = Permissions::of(entries);
        if !permissions.is_empty() {
            write_json(&folder.join(FixtureFile::Permissions.name()), &permissions)?;
        }
        let rules = entries.rules();
        if !rules.is_empty() {
            let path = folder.join(FixtureFile::Rules.name());
            fs::write(&path, access::join(&rules)).map_err(ExchangeError::io(&path))?;
        }
        Ok(())
    }

    fn users(&self, entries: &Entries) -> Vec<UserLine> {
        let masked = |name: &str, text: &mut String| {
            if self.mask.covers(name) {
                *text = self.mask.text(text);
            }
        };
        let mut lines = UserLine::all(entries);
        for line in &mut lines {
            line.openid.iter_mut().for_each(|openid| masked("openid", openid));
            line.email.iter_mut().for_each(|email| masked("email", email));
            line.phone.iter_mut().for_each(|phone| masked("phone", phone));
        }
        lines
    }

    fn file_line(&self, file: &StoredFile, paths: &mut FilePaths, number: usize) -> FileLine {
        let guessed = file.path.content_type();
        let is_masked = self.mask.covers("openid");
        FileLine {
            content_type: Some(file.content_type.clone()).filter(|found| *found != guessed),
            owner: file.owner.as_ref().map(|owner| if is_masked { self.mask.text(owner) } else { owner.clone() }),
            modified: Some(FileLine::date(DateTime::from_millis(file.modified_ms))),
            source: (!paths.take(file.path.as_str())).then(|| FileLine::source(number)),
        }
    }

    /// Writes one collection, and returns how many documents it has.
    fn write_collection(
        &self,
        file: &File,
        moment: &Moment,
        collection: &CollectionName,
        form: &CollectionForm,
    ) -> Result<u64, ExchangeError> {
        let failed = |source| ExchangeError::Io { path: PathBuf::from(collection.as_str()), source };
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, file);
        let (mut line, mut count) = (String::new(), 0);
        form.write_head(&mut line);
        for document in moment.documents(collection)? {
            self.write_document(collection.as_str(), &document?, form, &mut line)?;
            out.write_all(line.as_bytes()).map_err(failed)?;
            line.clear();
            count += 1;
            self.progress.step()?;
        }
        out.write_all(line.as_bytes()).map_err(failed)?;
        out.flush().map_err(failed)?;
        Ok(count)
    }

    fn write_document(
        &self,
        collection: &str,
        document: &RawDocumentBuf,
        form: &CollectionForm,
        out: &mut String,
    ) -> Result<(), ExchangeError> {
        if self.mask.is_empty() && form.takes_raw() {
            form.write(DocumentRef::Raw(document), out);
            return Ok(());
        }
        let damaged = |error| ExchangeError::Database(DatabaseError::Corrupt(error));
        let mut document = Document::try_from(document).map_err(|error| damaged(error.to_string()))?;
        self.mask.document(collection, &mut document);
        form.write_fields(&document, out);
        Ok(())
    }
}

impl CollectionForm {
    fn of(format: Format, names: Option<Vec<String>>) -> Result<CollectionForm, ExchangeError> {
        let names = names.filter(|names| !names.is_empty());
        let segments = |name: &String| -> Result<Vec<String>, ExchangeError> {
            let refused = |reason| ExchangeError::Refused(format!("fields: {reason}"));
            Ok(nesting::segments(name).map_err(refused)?.into_iter().map(str::to_owned).collect())
        };
        let fields =
            names.as_ref().map(|names| names.iter().map(segments).collect::<Result<Vec<_>, _>>()).transpose()?;
        match (format, names, fields) {
            (Format::Json, _, fields) => Ok(CollectionForm::Json { fields }),
            (Format::Csv, Some(names), Some(fields)) => Ok(CollectionForm::Csv { names, fields }),
            (Format::Csv, _, _) => {
                Err(ExchangeError::Refused("fields: CSV has columns: say which fields they are".to_owned()))
            }
        }
    }

    fn write_head(&self, out: &mut String) {
        match self {
            CollectionForm::Csv { names, .. } => table::write_header(names, out),
            CollectionForm::Canonical | CollectionForm::Json { .. } => {}
        }
    }

    /// Whether whole documents are written as they are.
    fn takes_raw(&self) -> bool {
        matches!(self, CollectionForm::Canonical | CollectionForm::Json { fields: None })
    }

    fn write(&self, document: DocumentRef<'_>, out: &mut String) {
        let form = match self {
            CollectionForm::Canonical => FileForm::Canonical,
            CollectionForm::Json { .. } | CollectionForm::Csv { .. } => FileForm::Relaxed,
        };
        write_file_value(ValueRef::Document(document), form, out);
        out.push('\n');
    }

    fn write_fields(&self, document: &Document, out: &mut String) {
        match self {
            CollectionForm::Canonical | CollectionForm::Json { fields: None } => self.write(document.into(), out),
            CollectionForm::Json { fields: Some(fields) } => self.write((&of_fields(document, fields)).into(), out),
            CollectionForm::Csv { fields, .. } => table::write_document(document, fields, out),
        }
    }
}

/// `document` with its `_id` and those fields alone.
fn of_fields(document: &Document, fields: &[Vec<String>]) -> Document {
    let mut chosen = Document::new();
    chosen.extend(document.get("_id").map(|id| ("_id".to_owned(), id.clone())));
    for segments in fields.iter().filter(|segments| segments.as_slice() != ["_id"]) {
        let value: Option<&Bson> = table::field_of(document, segments);
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let Some(value) = value {
            // A field that was asked for twice is there already.
            let _ = nesting::put(&mut chosen, "", &segments, value.clone());
        }
    }
    chosen
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ExchangeError> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from);
    text.and_then(|text| fs::write(path, text + "\n")).map_err(ExchangeError::io(path))
}
