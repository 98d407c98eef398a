//! `emulator seed`, `emulator reset` and `emulator db`: the data of a cloud, seen and changed without an SDK.

use crate::arguments::{DbCommand, IndexCommand, PlaceArguments, SeedArguments};
use crate::ask::{AskError, Asked, PathError, path_text};
use crate::language::text;
use crate::output::say;
use crate::reseed::{self, WatchError};
use crate::signals::interrupted;
use serde_json::{Deserializer, Map, Value, json};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

/// Where `emulator db insert` reads documents from standard input.
const STANDARD_INPUT: &str = "-";

/// Why the data could not be seen or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    #[error("{}", text!("not-json", what = .what.clone(), reason = .source.to_string()))]
    Json { what: String, source: serde_json::Error },
    #[error("{}", text!("not-an-object", what = .what.clone(), found = .found.clone()))]
    NotAnObject { what: String, found: String },
    #[error("{}", text!("unreadable", path = .place.clone(), reason = .source.to_string()))]
    Read { place: String, source: std::io::Error },
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// `emulator seed DIR`.
pub(crate) async fn seed(arguments: SeedArguments) -> Result<ExitCode, DataError> {
    if arguments.watch {
        return Ok(reseed::run(&arguments.folder, &arguments.place).await?);
    }
    let folder = path_text(&arguments.folder)?;
    let request = Map::from_iter([("folder".to_owned(), json!(folder)), ("reset".to_owned(), json!(arguments.reset))]);
    let Some(seeded) = Asked::at(arguments.place)?.ask_long("seed", request).await? else { return Ok(interrupted()) };
    say(&text!(
        "seeded",
        documents = count(&seeded, "documents"),
        collections = count(&seeded, "collections"),
        files = count(&seeded, "files"),
        users = count(&seeded, "users"),
    ));
    Ok(ExitCode::SUCCESS)
}

/// A number in an answer.
pub(crate) fn count(answer: &Value, name: &str) -> u64 {
    answer[name].as_u64().unwrap_or_default()
}

/// `emulator reset`.
pub(crate) async fn reset(place: PlaceArguments) -> Result<ExitCode, DataError> {
    Asked::at(place)?.ask("reset", json!({})).await?;
    say(&text!("reset"));
    Ok(ExitCode::SUCCESS)
}

/// `emulator db …`.
pub(crate) async fn db(command: DbCommand, place: PlaceArguments) -> Result<ExitCode, DataError> {
    let asked = Asked::at(place)?;
    match command {
        DbCommand::Collections => {
            let answer = asked.ask("collections", json!({})).await?;
            print_collections(&answer);
        }
        DbCommand::Create { collection, mode } => create(asked, &collection, mode.as_deref()).await?,
        DbCommand::Mode { collection, mode } => {
            asked.ask("mode", json!({ "collection": collection, "mode": mode })).await?;
        }
        DbCommand::Count { collection, query } => {
            let params = json!({ "collectionName": collection, "query": object(&text!("what-query"), &query)? });
            let answer = act(asked, "database.countDocument", params).await?;
            say(answer["total"].to_string());
        }
        DbCommand::Explain { collection, query, order, limit } => {
            let order = order.map(|order| object("--order", &order)).transpose()?;
            let query = object(&text!("what-query"), &query)?;
            let request = json!({ "collection": collection, "query": query, "order": order, "limit": limit });
            print_explanation(&asked.ask("explain", request).await?);
        }
        DbCommand::Index { command } => index(command, asked).await?,
        DbCommand::Find { collection, query, order, fields, skip, limit } => {
            let mut params = json!({ "collectionName": collection, "query": object(&text!("what-query"), &query)? });
            params["offset"] = json!(skip);
            params["limit"] = json!(limit);
            params["order"] = order.map(|order| object("--order", &order)).transpose()?.into();
            params["projection"] = fields.map(|fields| object("--fields", &fields)).transpose()?.into();
            let answer = act(asked, "database.queryDocument", params).await?;
            answer["list"].as_array().into_iter().flatten().for_each(|document| say(document.to_string()));
        }
        DbCommand::Insert { collection, documents } => {
            let documents = read_documents(&documents)?;
            let params = json!({ "collectionName": collection, "data": documents });
            let answer = act(asked, "database.addDocument", params).await?;
            let ids = answer["insertedIds"].as_array().into_iter().flatten();
            ids.for_each(|id| say(plain(id)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(asked: Asked, collection: &str, mode: Option<&str>) -> Result<(), AskError> {
    let request = json!({ "collection": collection, "mode": mode });
    asked.ask("create", request).await.map(drop)
}

async fn index(command: IndexCommand, asked: Asked) -> Result<(), DataError> {
    match command {
        IndexCommand::List { collection } => {
            let answer = asked.ask("indexes/list", json!({ "collection": collection })).await?;
            print_indexes(&answer);
        }
        IndexCommand::Create { collection, keys, unique, name } => {
            let keys = object(&text!("what-fields"), &keys)?;
            let request = json!({ "collection": collection, "keys": keys, "unique": unique, "name": name });
            say(plain(&asked.ask("indexes/create", request).await?["name"]));
        }
        IndexCommand::Drop { collection, name } => {
            asked.ask("indexes/drop", json!({ "collection": collection, "name": name })).await?;
        }
    }
    Ok(())
}

async fn act(asked: Asked, action: &str, params: Value) -> Result<Value, AskError> {
    asked.ask("action", json!({ "action": action, "params": params })).await
}

/// A JSON object on the command line.
fn object(what: &str, text: &str) -> Result<Value, DataError> {
    let value: Value =
        serde_json::from_str(text).map_err(|source| DataError::Json { what: what.to_owned(), source })?;
    check_object(what, value)
}

fn check_object(what: &str, value: Value) -> Result<Value, DataError> {
    match value {
        Value::Object(_) => Ok(value),
        other => Err(DataError::NotAnObject { what: what.to_owned(), found: other.to_string() }),
    }
}

/// Documents as JSON objects one after the other, or in an array; from the argument, a file or standard input.
fn read_documents(argument: &str) -> Result<Vec<Value>, DataError> {
    let (place, text) = read_source(argument)?;
    let mut documents = Vec::new();
    for value in Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter::<Value>() {
        let value = value.map_err(|source| DataError::Json { what: place.clone(), source })?;
        let values = if let Value::Array(values) = value { values } else { vec![value] };
        for value in values {
            let what = text!("what-document", place = place.clone(), number = documents.len() + 1);
            documents.push(check_object(&what, value)?);
        }
    }
    Ok(documents)
}

/// Where the text comes from, for messages, and the text.
fn read_source(argument: &str) -> Result<(String, String), DataError> {
    let failed = |place: &str, source| DataError::Read { place: place.to_owned(), source };
    match argument.strip_prefix('@') {
        Some(path) => {
            let text = std::fs::read_to_string(Path::new(path)).map_err(|source| failed(path, source))?;
            Ok((path.to_owned(), text))
        }
        None if argument == STANDARD_INPUT => {
            let (place, mut text) = (text!("what-input"), String::new());
            std::io::stdin().read_to_string(&mut text).map_err(|source| failed(&place, source))?;
            Ok((place, text))
        }
        None => Ok((text!("what-documents"), argument.to_owned())),
    }
}

fn print_collections(answer: &Value) {
    let collections = answer["collections"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names = collections.iter().filter_map(|found| found["name"].as_str());
    let width = names.map(|name| name.chars().count()).max().unwrap_or_default();
    for found in collections {
        let (name, mode) = (found["name"].as_str().unwrap_or_default(), found["mode"].as_str().unwrap_or_default());
        let documents = text!("documents", documents = count(found, "documents"));
        say(format_args!("{name:width$}  {mode:10}  {documents}"));
    }
}

fn print_indexes(answer: &Value) {
    for index in answer["indexes"].as_array().into_iter().flatten() {
        let unique = if index["unique"] == true { format!("  {}", text!("index-unique")) } else { String::new() };
        say(format_args!("{}  {}{unique}", plain(&index["name"]), index["keys"]));
    }
}

fn print_explanation(answer: &Value) {
    let order = if answer["sortedInMemory"] == true { text!("explained-order") } else { String::new() };
    say(&text!(
        "explained",
        index = plain(&answer["index"]),
        keys = count(answer, "keysExamined"),
        documents = count(answer, "documentsExamined"),
        found = count(answer, "returned"),
        order = order,
    ));
    if let Some(advice) = answer["advice"].as_str() {
        say(advice);
    }
}

/// A text without its quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn documents_come_one_after_the_other_or_in_an_array() {
        for text in [r#"{"a":1} {"a":2}"#, "{\"a\":1}\n{\"a\":2}\n", r#"[{"a":1},{"a":2}]"#, r#"[{"a":1}] {"a":2}"#] {
            assert_eq!(read_documents(text).unwrap(), [json!({"a": 1}), json!({"a": 2})], "{text}");
        }
        for (text, expected) in
            [("{", "the document is not JSON"), ("{} 5", "document 2 is no JSON object: 5"), ("@/nowhere", "/nowhere")]
        {
            assert!(read_documents(text).unwrap_err().to_string().contains(expected), "{text}");
        }
    }
}
