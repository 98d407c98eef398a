//! `emulator import` and `emulator export`: documents in files, as the cloud's console and fixtures have them.

use crate::arguments::{AnonymiseArguments, ExportArguments, FileFormat, ImportArguments, ImportMode};
use crate::ask::{AskError, Asked, PathError, path_text};
use crate::data::count;
use crate::language::text;
use crate::output::say;
use crate::signals::interrupted;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Why nothing was imported or exported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("{}", text!("export-needs-fields"))]
    NoColumns,
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// `emulator import FILE --collection NAME`.
pub(crate) async fn import(arguments: ImportArguments) -> Result<ExitCode, ExchangeError> {
    let ImportArguments { file, collection, mode, format, encoding, anonymise, place } = arguments;
    let asked = Asked::at(place)?;
    let mut params = Map::from_iter([
        ("file".to_owned(), json!(path_text(&file)?)),
        ("collection".to_owned(), json!(collection)),
        ("mode".to_owned(), json!(mode.unwrap_or(ImportMode::Insert).name())),
    ]);
    params.extend(format.map(|format| ("format".to_owned(), json!(format.name()))));
    params.extend(encoding.map(|encoding| ("encoding".to_owned(), json!(encoding))));
    mask(&mut params, anonymise);
    let Some(imported) = asked.ask_long("import", params).await? else { return Ok(interrupted()) };
    say(imported_text(&imported, &collection));
    Ok(ExitCode::SUCCESS)
}

/// `emulator export DIR`, `emulator export FILE --collection NAME`.
pub(crate) async fn export(arguments: ExportArguments) -> Result<ExitCode, ExchangeError> {
    let ExportArguments { target, collection, format, columns, overwrite, anonymise, place } = arguments;
    let asked = Asked::at(place)?;
    let path = path_text(&target)?;
    let mut params = Map::from_iter([("overwrite".to_owned(), json!(overwrite))]);
    mask(&mut params, anonymise);
    let target = target.display().to_string();
    let said = match collection {
        Some(collection) => {
            params.extend(file_params(path, &collection, format, columns)?);
            let exported = asked.ask_long("export/collection", params).await?;
            exported.map(|exported| text!("exported-file", documents = count(&exported, "documents"), target = target))
        }
        None => {
            params.insert("folder".to_owned(), json!(path));
            asked.ask_long("export", params).await?.map(|exported| exported_text(&exported, target))
        }
    };
    let Some(said) = said else { return Ok(interrupted()) };
    say(&said);
    Ok(ExitCode::SUCCESS)
}

/// What a file of one collection is asked for with. A CSV file has columns, and nobody but the developer knows which.
fn file_params(
    path: String,
    collection: &str,
    format: Option<FileFormat>,
    columns: Vec<String>,
) -> Result<Map<String, Value>, ExchangeError> {
    let format = format.unwrap_or_else(|| FileFormat::of(&path));
    let mut params = Map::from_iter([
        ("file".to_owned(), json!(path)),
        ("collection".to_owned(), json!(collection)),
        ("format".to_owned(), json!(format.name())),
    ]);
    match (format, columns.is_empty()) {
        (FileFormat::Csv, true) => return Err(ExchangeError::NoColumns),
        (FileFormat::Csv | FileFormat::Json, false) => params.extend([("fields".to_owned(), json!(columns))]),
        (FileFormat::Json, true) => {}
    }
    Ok(params)
}

/// Names the fields to mask. Without a key of the caller's, that of the data folder is used.
fn mask(params: &mut Map<String, Value>, anonymise: AnonymiseArguments) {
    if !anonymise.masked.is_empty() {
        params.insert("anonymise".to_owned(), json!(anonymise.masked));
        let key = anonymise.key.filter(|key| !key.is_empty());
        params.extend(key.map(|key| ("anonymiseKey".to_owned(), json!(key))));
    }
}

fn imported_text(imported: &Value, collection: &str) -> String {
    text!(
        "imported",
        collection = collection,
        documents = count(imported, "documents"),
        inserted = count(imported, "inserted"),
        updated = count(imported, "updated"),
        removed = count(imported, "removed"),
        format = imported["format"].as_str().unwrap_or_default(),
        encoding = imported["encoding"].as_str().unwrap_or_default(),
    )
}

fn exported_text(exported: &Value, target: String) -> String {
    text!(
        "exported",
        documents = count(exported, "documents"),
        collections = count(exported, "collections"),
        files = count(exported, "files"),
        users = count(exported, "users"),
        target = target,
    )
}

impl ImportMode {
    fn name(self) -> &'static str {
        match self {
            ImportMode::Insert => "insert",
            ImportMode::Upsert => "upsert",
            ImportMode::Replace => "replace",
        }
    }
}

impl FileFormat {
    /// What a file's name says.
    fn of(path: &str) -> FileFormat {
        if path.to_ascii_lowercase().ends_with(".csv") { FileFormat::Csv } else { FileFormat::Json }
    }

    fn name(self) -> &'static str {
        match self {
            FileFormat::Json => "json",
            FileFormat::Csv => "csv",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_csv_file_needs_columns_and_a_json_file_may_have_some() {
        let params = |path: &str, format, columns: &[&str]| {
            let columns = columns.iter().map(|column| (*column).to_owned()).collect();
            file_params(path.to_owned(), "c", format, columns).map(|params| params["format"].clone())
        };
        assert_eq!(params("/a.JSON", None, &[]).unwrap(), "json");
        assert_eq!(params("/a.CSV", None, &["_id"]).unwrap(), "csv");
        assert_eq!(params("/a.txt", Some(FileFormat::Csv), &["_id"]).unwrap(), "csv");
        assert!(matches!(params("/a.csv", None, &[]), Err(ExchangeError::NoColumns)));
        assert_eq!(params("/a.json", None, &["_id"]).unwrap(), "json");
    }
}
